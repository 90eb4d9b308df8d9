"""What the checks need from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from waybill.consignments.domain.checks.models import Examination, Failure, FileRecord, PartAnswers
from waybill.consignments.domain.checks.scan_answers import ScanAnswer


class OpenObject(Protocol):
    """An object that is being read, in one state from the first byte to the last."""

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        ...

    @property
    def version_id(self) -> str | None:
        """The version that is read; None in a bucket without versions."""
        ...

    @property
    def e_tag(self) -> str:
        """The ETag of what is read, without quotes."""
        ...

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; none at the end only.

        Raises
        ------
        ChecksUnavailableError
            The connection broke more often than it is taken up again.
        FileRefusedError
            The object was replaced meanwhile.
        """
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class UploadedObjects(Protocol):
    """The uploaded objects."""

    def open(self, record: FileRecord) -> OpenObject:
        """Open exactly the object that `record` names, in the state that it names.

        Raises
        ------
        FileRefusedError
            It is missing, was replaced, or may not be read.
        ChecksUnavailableError
            S3 fails or asks to slow down.
        """
        ...


class ObjectTags(Protocol):
    """The tags that a scanner outside puts on objects."""

    def tags(self, record: FileRecord, version_id: str | None) -> dict[str, str]:
        """Return the tags of an object, of the version that was read; raises as `UploadedObjects.open`."""
        ...


@dataclass(frozen=True)
class StreamVerdict:
    """What a scanner outside says of a stream: the name of what it has found, or that it is more than it takes."""

    found: str | None = None
    too_large: bool = False


class StreamScanner(Protocol):
    """A scanner outside that is sent whole files; each method raises `ScannerUnavailableError`."""

    def version(self) -> tuple[str, str]:
        """Return the version of the program and of its database."""
        ...

    def scan(self, path: Path, seconds: float) -> StreamVerdict:
        """Return what it says of the file at `path`, within so many seconds."""
        ...


class Scanners(Protocol):
    """The parsers, which no file can take down with them."""

    def versions(self) -> dict[str, str]:
        """Return which program and which signatures identify; starts the process, unless it runs.

        Raises
        ------
        RuleSetInvalidError
            YARA-X cannot read the rules.
        ChecksUnavailableError
            It does not start.
        """
        ...

    def examine(self, question: Examination) -> PartAnswers:
        """Return the result of each part of the question, or why there is none."""
        ...

    def examine_afresh(self, question: Examination) -> PartAnswers:
        """Return what `examine` does, from a process that has seen no other file."""
        ...

    def examine_all(self, questions: Sequence[Examination], seconds: float) -> list[PartAnswers]:
        """Return the results of several questions, within `seconds` if no file is hostile; on any thread."""
        ...

    def ask(self, question: Examination) -> None:
        """Hand a question over, to go on with something else until `answers`."""
        ...

    def answers(self) -> PartAnswers:
        """Return the answers to the last question."""
        ...


class Antivirus(Protocol):
    """An engine that judges a file."""

    @property
    def scans(self) -> bool:
        """Whether the file's bytes are to be shown to the rules."""
        ...

    def verdict(
        self,
        record: FileRecord,
        version_id: str | None,
        started_ms: int,
        found: ScanAnswer,
        *,
        partial: bool,
        content: Path | None = None,
    ) -> dict[str, Any] | Failure:
        """Return the result of the check: `found` is what the rules have found, `content` the file where it is kept."""
        ...
