"""What the rules of replication need from the outside world."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from waybill.replication.models import (
    Claimed,
    DestinationRecord,
    DestinationResult,
    FileId,
    LatestRun,
    ObjectFacts,
    ObjectHeaders,
    ObjectPlace,
    ReplicationRun,
    RunOutcome,
    RunTotals,
)


@dataclass(frozen=True)
class CopiedPart:
    """A finished part of an upload; `size` in bytes, `checksums` as boto3 names them."""

    number: int
    size: int
    e_tag: str
    checksums: Mapping[str, str]


@dataclass(frozen=True)
class ListedObject:
    """What the listing of a bucket says about one object; `size` in bytes, `e_tag` without its quotes."""

    key: str
    size: int
    e_tag: str


class Buckets(Protocol):
    """S3, in every Region. All methods raise the errors of `waybill.replication.errors`."""

    def describe_source(self, bucket: str, key: str, *, version_id: str | None, e_tag: str | None) -> ObjectFacts:
        """Return the facts of the object: of that version, or only while it has that ETag, where one is given."""
        ...

    def find(self, place: ObjectPlace) -> ObjectFacts | None:
        """Return the facts of the object at `place`, or None when there is none."""
        ...

    def copy(self, source: ObjectFacts, place: ObjectPlace) -> ObjectFacts:
        """Copy in one call, pinned to `source`; return what the answer says of the copy (its size is the source's)."""
        ...

    def headers(self, source: ObjectFacts) -> ObjectHeaders:
        """Return the metadata and content headers of `source`."""
        ...

    def create_upload(self, source: ObjectFacts, headers: ObjectHeaders, place: ObjectPlace) -> str:
        """Start a multipart upload with everything that `source` carries besides its bytes; return the upload id."""
        ...

    def copy_part(
        self, source: ObjectFacts, place: ObjectPlace, upload_id: str, number: int, span: tuple[int, int]
    ) -> None:
        """Copy the bytes `span` (both included) of `source`, pinned, as part `number`."""
        ...

    def parts(self, place: ObjectPlace, upload_id: str) -> dict[int, CopiedPart]:
        """Return the finished parts by number."""
        ...

    def complete_upload(self, place: ObjectPlace, upload_id: str, parts: Mapping[int, CopiedPart]) -> None:
        """Make the object from `parts`."""
        ...

    def abort_upload(self, place: ObjectPlace, upload_id: str) -> None:
        """Give up the upload and its parts; an upload that is gone already is fine."""
        ...

    def open_uploads(self, place: ObjectPlace, *, since: str) -> list[str]:
        """Return the ids of the uploads to exactly `place` that were started at `since` (ISO 8601) or later."""
        ...


class Tracking(Protocol):
    """The records of every file. All methods raise `TrackingUnavailableError` when the table cannot be reached."""

    def claim(self, run: ReplicationRun) -> Claimed:
        """Make `run` the owner of its file's record, unless it is a duplicate, or older than the owner."""
        ...

    def latest_run(self, file: FileId) -> LatestRun | None:
        """Return the run that owns the file's record."""
        ...

    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        """Return what is recorded of the file at the destination `bucket`."""
        ...

    def record_upload(self, run: ReplicationRun, bucket: str, source: ObjectFacts, upload_id: str) -> str | None:
        """Remember the multipart upload that `run` has open to `bucket`.

        Returns the upload that has lost its place there and has to be aborted: the one of an earlier run, or
        `upload_id` itself when a later run has recorded its own.
        """
        ...

    def record_destination(
        self, run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None
    ) -> str | None:
        """Record the outcome at one destination, unless a later run has recorded its own.

        Returns the upload of an earlier run that has lost its place there and has to be aborted.
        """
        ...

    def finish(self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome) -> bool:
        """Write the final record and the history item; False when a later run owns the record by now."""
        ...


class OpenRuns(Protocol):
    """The records of runs that have not ended."""

    def latest_run(self, file: FileId) -> LatestRun | None:
        """Return the run that owns the file's record."""
        ...

    def open_runs(self, *, started_before: str) -> Iterable[Mapping[str, Any]]:
        """Return the records in progress that started before that time (ISO 8601)."""
        ...

    def destinations_of(self, run: ReplicationRun) -> Sequence[Mapping[str, Any]]:
        """Return the items that `run` has written for its destinations."""
        ...

    def finish(self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome) -> bool:
        """Write the final record and the history item; False when a later run owns the record by now."""
        ...


class FileCopyExecutions(Protocol):
    """Knows which executions are still under way."""

    def is_running(self, execution_arn: str) -> bool:
        """Return whether the execution is running; one that cannot be looked up is not."""
        ...
