"""What the checks of a consignment talk about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict


class Check(StrEnum):
    """The three checks, by the names of their results."""

    ANTIVIRUS = "antivirus"
    CHECKSUM = "checksum"
    FILE_FORMAT = "fileFormat"


class ConsignmentType(StrEnum):
    """What a body sends: records of any format, or one judgment."""

    STANDARD = "standard"
    JUDGMENT = "judgment"


class ConsignmentStatus(StrEnum):
    """Where a consignment stands, and the values of its own statuses."""

    REGISTERED = "Registered"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    COMPLETED_WITH_ISSUES = "CompletedWithIssues"
    FAILED = "Failed"


class StatusName(StrEnum):
    """What a status is about; the first eight are of files, the last five of consignments."""

    FFID = "FFID"
    ANTIVIRUS = "Antivirus"
    CHECKSUM_MATCH = "ChecksumMatch"
    SERVER_CHECKSUM = "ServerChecksum"
    CLIENT_CHECKSUM = "ClientChecksum"
    CLIENT_FILE_PATH = "ClientFilePath"
    REDACTION = "Redaction"
    CLIENT_CHECKS = "ClientChecks"
    SERVER_FFID = "ServerFFID"
    SERVER_ANTIVIRUS = "ServerAntivirus"
    SERVER_REDACTION = "ServerRedaction"


IN_PROGRESS = (
    StatusName.SERVER_FFID,
    StatusName.SERVER_CHECKSUM,
    StatusName.SERVER_ANTIVIRUS,
    StatusName.SERVER_REDACTION,
)
# What progress counts (the file statuses Antivirus, ChecksumMatch and FFID).
CHECKS = tuple(check.value for check in Check)


@dataclass(frozen=True, slots=True)
class RegisteredFile:
    """A file as its sender describes it: `size` in bytes, `sha256` in lower case; path and hash may be empty.

    `copied` is where its copy is, a `CopyPlace`, once a run has said so.
    """

    file_id: str
    path: str
    size: int
    sha256: str
    last_modified: str | None = None
    copied: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOutFile:
    """What its sender found and did not send: `kind` is for programs, `reason` a sentence for people."""

    path: str
    kind: str
    reason: str
    # Of a file that was registered, and left out after its checks.
    file_id: str | None = None


@dataclass(frozen=True)
class Corrections:
    """What becomes of a consignment's files: other contents or paths, files that go, verdicts that are forgotten."""

    replaced: Sequence[RegisteredFile] = ()
    left_out: Sequence[LeftOutFile] = ()
    # Of redacted files: their originals may be others, or gone.
    judged_again: Sequence[str] = ()


class RunFailure(TypedDict):
    """What a run broke of, and at which step."""

    step: str
    executionName: str | None
    error: str
    cause: str


class MissingFile(TypedDict):
    """A registered file that was not uploaded."""

    fileId: str
    path: str


class MissingFiles(TypedDict):
    """How many registered files were not uploaded, and the first of them."""

    count: int
    first: list[MissingFile]


class ExtraObjects(TypedDict):
    """How many objects nobody has registered, and the names of the first."""

    count: int
    first: list[str]


class Differences(TypedDict):
    """How uploads and register differ."""

    missing: MissingFiles
    extra: ExtraObjects


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the upload bucket, pinned; `name` is what follows the consignment's prefix."""

    name: str
    size: int
    e_tag: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConsignmentRun:
    """One execution of the workflow; `started_at` is when Step Functions began it, in milliseconds of text."""

    name: str
    arn: str
    started_at: str

    @property
    def order(self) -> str:
        """Text that sorts runs as they were started; two of the same millisecond by their names."""
        return f"{self.started_at}#{self.name}"


class CopyPlace(StrEnum):
    """Where the copy of a file belongs."""

    CLEAN = "clean"
    QUARANTINE = "quarantine"
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class Consignment:
    """A consignment as it is stored.

    `run` counts the executions that have taken it over; `execution_arn` is the one that was started last. `announced`
    is how many files its sender said that there are, `differences` the first that are missing or extra (`fetching`).
    """

    consignment_id: str
    type: ConsignmentType
    reference: str
    transferring_body: str
    user_id: str
    announced: int
    status: str
    created_at: str
    run: int = 0
    execution_arn: str | None = None
    execution_name: str | None = None
    run_started_at: str | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    file_count: int | None = None
    # The execution that was started last, claimed or not; None once one has claimed.
    started_arn: str | None = None
    # The claim of the token that registered it: its problems go into no e-mail, but for malware.
    rehearsal: bool = False
    # Its sender wants to see what archives hold.
    inside: bool = False
    failure: RunFailure | None = None
    differences: Differences | None = None
    # Some files were corrected since the last run: the next one checks these alone, and carries over the rest.
    correcting: bool = False
    carried: int = 0
    # Counts what corrections have written: of two at a time, one is refused.
    corrected: int = 0

    @property
    def started(self) -> bool:
        """Whether any execution has taken it over."""
        return self.run > 0


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """One status of one file: `rule` is what decided, `detail` what it saw, `table_version` what table it went by."""

    name: StatusName
    value: str
    rule: str
    detail: str = ""
    table_version: str = ""


@dataclass(frozen=True)
class CheckedFile:
    """A line of the results: the record of a file, with what the checks have found."""

    record: Mapping[str, Any]

    @property
    def file_id(self) -> str:
        """The file's id."""
        return str(self.record["fileId"])

    @property
    def path(self) -> str:
        """The path that the sender gave; may be empty."""
        return str(self.record.get("originalPath") or "")

    @property
    def is_judgment(self) -> bool:
        """Whether the consignment is a judgment."""
        return self.record.get("consignmentType") == ConsignmentType.JUDGMENT

    def result(self, check: str) -> Mapping[str, Any] | None:
        """Return the result of `check` (one of `CHECKS`); None when it gave none."""
        found: Sequence[Mapping[str, Any]] = self.record.get("fileCheckResults", {}).get(check) or []
        return found[0] if found else None

    def why(self, check: str) -> str:
        """Return in one sentence why `check` gave no result, as far as it is known."""
        return str(self.record.get("failures", {}).get(check, ""))

    @property
    def matches(self) -> Sequence[Mapping[str, Any]]:
        """The formats that were found."""
        found: Sequence[Mapping[str, Any]] = (self.result("fileFormat") or {}).get("matches") or []
        return found

    @property
    def puids(self) -> tuple[str, ...]:
        """The PUID of each match; a missing one is empty."""
        return tuple(str(match.get("puid") or "") for match in self.matches)

    @property
    def server_checksum(self) -> str | None:
        """The checksum that we computed; None when there is no result."""
        result = self.result("checksum")
        return None if result is None else str(result.get("sha256Checksum") or "")
