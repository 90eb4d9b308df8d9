"""A file in documents and in the table: as it is registered, as it is checked, and what is kept of it."""

from typing import Any, NotRequired, TypedDict

type Result = dict[str, Any]
"""What one check has found: the shapes are those of TDR's checks, with additions (README)."""


class RegisteredRecord(TypedDict):
    """The record of a file before its checks.

    `copied` is where an earlier run has left its copy, a `CopyPlace`.
    """

    consignmentId: str
    fileId: str
    userId: str
    consignmentType: str
    fileSize: str
    clientChecksum: str
    originalPath: str
    s3SourceBucket: str
    s3SourceBucketKey: str
    objectSize: int
    eTag: str
    versionId: NotRequired[str]
    inside: NotRequired[bool]
    copied: NotRequired[str]
    fileCheckResults: dict[str, list[Result]]


class GroupResult(TypedDict, total=False):
    """What the check of a group says of one of its files: of a line that is not whole, what there is."""

    fileId: str
    fileCheckResults: dict[str, list[Result]]
    failures: dict[str, str]
    failureReasons: dict[str, str]
    reading: dict[str, Any]


class CheckedRecord(RegisteredRecord):
    """The record with what the checks have found, each result as a list of length 0 or 1, and why there is none."""

    failures: NotRequired[dict[str, str]]
    failureReasons: NotRequired[dict[str, str]]
    reading: NotRequired[dict[str, Any]]


class StoredVerdict(TypedDict):
    """One status of one file, as it is stored; see `FileVerdict`."""

    statusName: str
    value: str
    rule: NotRequired[str]
    detail: NotRequired[str]
    tableVersion: NotRequired[str]


class WrittenCopy(TypedDict):
    """A copy as S3 answers for it: `versionId` in a bucket with versions, `sha256` (hexadecimal) where it has one."""

    eTag: str
    versionId: NotRequired[str]
    sha256: NotRequired[str]


class RemovedCopy(TypedDict):
    """A copy of an earlier run that was taken away: `place` is a `CopyPlace`, `versionId` that of its delete marker."""

    place: str
    versionId: NotRequired[str]


class FileResults(TypedDict, total=False):
    """What a run has found of a file; what it has not is absent. `copiedTo` is a `CopyPlace`.

    `copy` is what was written there, and `removed` what was taken away from elsewhere.
    """

    accepted: bool
    checksum: str
    antivirus: Result
    fileFormat: Result
    verdicts: list[StoredVerdict]
    versionId: str
    eTag: str
    objectSize: int
    originalFilepath: str
    copiedTo: str
    copy: WrittenCopy
    removed: RemovedCopy


class StoredWaiver(TypedDict):
    """An exception for one verdict; `checksum` is that of the content that it is about."""

    statusName: str
    value: str
    reason: str
    by: str
    at: str
    checksum: str


class FileOutcome(TypedDict):
    """What a run says of one file."""

    fileId: str
    statuses: dict[str, str]
    results: FileResults


class FileRow(FileOutcome):
    """A file as it is stored: how it was registered, and what the run of that number has found; None before.

    `copied` is where its copy is, a `CopyPlace`; a correction, which forgets what was found, leaves it there.
    """

    path: str
    size: int
    sha256: str
    lastModified: str | None
    waivers: list[StoredWaiver]
    run: int | None
    copied: str | None
