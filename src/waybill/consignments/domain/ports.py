"""What the rules of the consignment checks need from the outside world."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypedDict

from waybill.consignments.domain.file_records import FileOutcome, FileRow, StoredWaiver
from waybill.consignments.models import (
    Consignment,
    ConsignmentRun,
    Corrections,
    Differences,
    LeftOutFile,
    RegisteredFile,
    RunFailure,
    StoredObject,
)


class Register(Protocol):
    """Consignments and their files; every method raises `ConsignmentsUnavailableError` when it cannot be asked now."""

    def create(self, consignment: Consignment) -> Consignment:
        """Store a new consignment, or find that the same one is there; return what is stored.

        Raises as `Registrar.take`.
        """
        ...

    def add_files(
        self, consignment_id: str, files: Sequence[RegisteredFile], left_out: Sequence[LeftOutFile] = ()
    ) -> None:
        """Store files of a consignment whose checks were never started, and what is not sent with them.

        Raises as `Registrar.take`.
        """
        ...

    def correct(self, consignment: Consignment, corrections: Corrections) -> None:
        """Register what files are from now on, and forget what was found of them; what is left out goes.

        The consignment is `Registered` again until the next run, which checks these files alone where the last one
        has come to its end; raises `RegistrationClosedError` while one goes on.
        """
        ...

    def find(self, consignment_id: str) -> Consignment | None:
        """Return a consignment."""
        ...

    def files(self, consignment_id: str) -> Iterator[RegisteredFile]:
        """Yield the registered files of a consignment, by their ids."""
        ...

    def named_files(self, consignment_id: str, file_ids: Sequence[str]) -> Iterator[RegisteredFile]:
        """Yield those of these files that are registered."""
        ...

    def note_start(self, consignment: Consignment, execution_arn: str) -> None:
        """Remember the execution that was started for the next run, unless it, or another, has claimed already."""
        ...

    def add_waiver(self, consignment_id: str, row: FileRow, waiver: StoredWaiver) -> None:
        """Store an exception, in place of an earlier one for the same status.

        Raises `NotWaivableError` where another run than that of `row` has judged the file meanwhile.
        """
        ...

    def count_files(self, consignment_id: str) -> int:
        """Return how many files are registered."""
        ...


class SignedUpload(TypedDict):
    """A request that uploads one file: S3 takes it with these headers, until that moment, and with no other content."""

    method: str
    url: str
    headers: dict[str, str]
    expiresAt: str


class UploadSigner(Protocol):
    """Signs uploads."""

    def sign(self, key: str, size: int, sha256: str) -> SignedUpload | None:
        """Return what uploads a content of this size and hash to `key`; None for one that no single request takes."""
        ...


class RunRecords(Protocol):
    """What the runs of a consignment write. A run that was superseded gets `RunSupersededError`."""

    def claim(self, consignment_id: str, run: ConsignmentRun) -> Consignment:
        """Make `run` the newest of the consignment, once, with no statuses yet; raises `ConsignmentNotFoundError`."""
        ...

    def differ(self, consignment: Consignment, differences: Differences) -> None:
        """Keep how uploads and register differ, until the next run."""
        ...

    def expect(self, consignment: Consignment, file_count: int, carried: int = 0) -> None:
        """Note how many files there are, whose statuses are in progress; without any, nothing is.

        `carried` of them are not checked, since an earlier run has.
        """
        ...

    def progress_key(self, consignment: Consignment, group: int) -> str:
        """Return the key under which the state machine writes how far a group has come."""
        ...

    def write_files(self, consignment: Consignment, rows: Iterable[FileOutcome]) -> None:
        """Replace what is known of files; each row names its `fileId`."""
        ...

    def finish(self, consignment: Consignment, statuses: Mapping[str, str], status: str) -> None:
        """Replace the statuses of the consignment, which ends the run."""
        ...

    def fail(self, consignment_id: str, run: ConsignmentRun, failure: RunFailure) -> bool:
        """Set `ClientChecks = Failed`, for a run that has not claimed its consignment too.

        False when a run that was started later has taken over, or there is no such consignment.
        """
        ...


class Reader(Protocol):
    """What readers ask of a consignment."""

    def progress(self, consignment: Consignment) -> Mapping[str, int]:
        """Return how many files each check of the newest run has come to."""
        ...

    def group_errors(self, consignment: Consignment) -> Sequence[str]:
        """Return what the groups of the newest run failed of that failed for good."""
        ...

    def listed(self, owner: str | None, limit: int, after: str | None) -> tuple[list[Consignment], str | None]:
        """Return a page of the consignments of one owner, or of all, newest first, and where the next page begins."""
        ...

    def left_out(self, consignment_id: str) -> Iterator[LeftOutFile]:
        """Yield what was not sent, by its path."""
        ...

    def file_row(self, consignment_id: str, file_id: str) -> FileRow | None:
        """Return one file with its results."""
        ...

    def file_rows(
        self, consignment_id: str, limit: int, after: str | None, *, consistent: bool = False
    ) -> tuple[list[FileRow], str | None]:
        """Return a page of the files with their results, and the id after which the next page begins.

        `consistent` ones are as they are at this moment, which costs twice as much.
        """
        ...


class Uploads(Protocol):
    """The bucket that submitters upload to."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects below `prefix`, each in its current version, in the order of their names."""
        ...


@dataclass(frozen=True)
class Document[T]:
    """The name of a document of a run, whose lines are of one type."""

    name: str


class LineWriter[T](Protocol):
    """Writes a document line by line."""

    def add(self, line: T) -> None:
        """Append one line."""
        ...


class RunDocuments(Protocol):
    """The documents of one run: JSON Lines in S3, one folder per execution."""

    def writing[T](self, document: Document[T]) -> AbstractContextManager[LineWriter[T]]:
        """Write a document; it is there, whole, when the block has ended without an error."""
        ...

    def reading[T](self, document: Document[T], *, required: bool = True) -> Iterator[T]:
        """Yield the lines of a document; raises `DocumentMissingError` when there is none, unless it may be missing."""
        ...
