"""The records of every file: what is kept of it, its runs and its destinations, and who needs which of it.

`adapters/table.py` is the table, `tests/fakes/tracking.py` a simulated one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NotRequired, Protocol, TypedDict

from waybill.replication.models import (
    DestinationResult,
    FileId,
    ObjectFacts,
    ReplicationRun,
    RunOutcome,
    RunTotals,
)


class RecordStatus(StrEnum):
    """Status of the tracking record of a file: of all its destinations together; `DISMISSED`: failed, and let be."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SUPERSEDED = "SUPERSEDED"
    DISMISSED = "DISMISSED"


class RecordItem(TypedDict):
    """The record of a file as the table keeps it: its latest run. Lists are JSON text, as documented."""

    fileKey: str
    sourceBucket: str
    status: str
    executionId: str
    executionName: str
    startTime: str
    destinationBuckets: str
    totalDestinationBuckets: int
    destinationPrefix: NotRequired[str]
    versionId: NotRequired[str]
    eTag: NotRequired[str]
    size: NotRequired[int]
    backfillId: NotRequired[str]
    completedAt: NotRequired[str]
    outcome: NotRequired[str]
    totalBuckets: NotRequired[int]
    successfulCopies: NotRequired[int]
    failedCopies: NotRequired[int]
    supersededCopies: NotRequired[int]
    dismissedCopies: NotRequired[int]
    successfulBuckets: NotRequired[str]
    failedBuckets: NotRequired[str]
    copyResults: NotRequired[str]
    copyResultsCut: NotRequired[int]
    statusPartition: NotRequired[str]
    sequencer: NotRequired[str]
    newestEventRun: NotRequired[str]
    generation: NotRequired[int]
    removed: NotRequired[bool]
    revision: NotRequired[int]


class DestinationItem(TypedDict):
    """The file at one destination, as the table keeps it."""

    fileKey: str
    sourceBucket: str
    destinationBucket: str
    executionId: str
    status: str
    startTime: NotRequired[str]
    generation: NotRequired[int]
    code: NotRequired[str]
    success: NotRequired[bool]
    timestamp: NotRequired[str]
    attempts: NotRequired[int]
    retryable: NotRequired[bool]
    etag: NotRequired[str]
    versionId: NotRequired[str]
    bytes: NotRequired[int]
    strategy: NotRequired[str]
    verification: NotRequired[str]
    versions: NotRequired[int]
    durationMs: NotRequired[int]
    error: NotRequired[str]
    cause: NotRequired[str]
    uploadId: NotRequired[str]
    sourceIdentity: NotRequired[str]
    sourceVersionId: NotRequired[str]
    sourceSize: NotRequired[int]
    dismissedBy: NotRequired[str]
    dismissedAt: NotRequired[str]
    dismissReason: NotRequired[str]


class HistoryItem(TypedDict):
    """One ended run, as the table keeps it until `expiresAt` (seconds since 1970)."""

    fileKey: str
    sourceBucket: str
    executionId: str
    startTime: str
    destinationBuckets: str
    status: str
    outcome: str
    completedAt: str
    totalBuckets: int
    successfulCopies: int
    failedCopies: int
    supersededCopies: int
    successfulBuckets: str
    failedBuckets: str
    expiresAt: NotRequired[int]


class ClaimOutcome(StrEnum):
    """Whether a run may work on its file."""

    STARTED = "STARTED"
    DUPLICATE = "DUPLICATE"
    STALE = "STALE"


@dataclass(frozen=True)
class Claimed:
    """The answer to a claim; see `ReplicationRun.generation`."""

    claim: ClaimOutcome
    generation: int = 0


@dataclass(frozen=True)
class DestinationRecord:
    """What is known about the file at one destination."""

    execution_id: str
    status: str
    source_identity: str | None = None
    etag: str | None = None
    upload_id: str | None = None

    def holds(self, source: ObjectFacts) -> bool:
        """Return whether this state of the source was copied there."""
        return self.status == RecordStatus.COMPLETED and self.source_identity == source.identity


@dataclass(frozen=True)
class LatestRun:
    """The run that owns the tracking record of a file; `in_order` says that an event's sequencer made it the owner.

    `removed`: the newest event, of this run or of one before it, is the source's removal.
    """

    execution_id: str
    status: str
    in_order: bool = False
    destination_buckets: tuple[str, ...] = ()
    destination_prefix: str | None = None
    start_time: str | None = None
    backfill_id: str | None = None
    removed: bool = False

    def outranks(self, run: ReplicationRun, bucket: str) -> bool:
        """Return whether `run` may leave its destination `bucket` to this run.

        A later event brings newer content to the same place, or is followed by an event that does. A run without a
        sequencer promises neither: it may have other destinations, or be pinned to what the source no longer holds.
        """
        return (
            self.execution_id != run.execution_id
            and self.in_order
            and bucket in self.destination_buckets
            and self.destination_prefix == run.destination_prefix
        )


@dataclass(frozen=True)
class Dismissal:
    """Why nobody will mend a failure: `reason` and `by` whom, at the time `at` (ISO 8601)."""

    by: str
    reason: str
    at: str


class LatestRuns(Protocol):
    """Knows the run that owns a file's record."""

    def latest_run(self, file: FileId) -> LatestRun | None:
        """Return the run that owns the file's record."""
        ...


class DestinationRecords(Protocol):
    """Knows what has become of a file at a destination."""

    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        """Return what is recorded of the file at the destination `bucket`."""
        ...


class FinishedRuns(Protocol):
    """Where runs end."""

    def finish(self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome) -> bool:
        """Write the final record and the history item; False when a later run owns the record by now."""
        ...


class FileRecords(Protocol):
    """Reads the record of one file."""

    def record(self, file: FileId) -> RecordItem | None:
        """Return the record of a file."""
        ...


class FileRunRecords(FileRecords, Protocol):
    """Reads what the runs of one file have recorded."""

    def destinations(self, file: FileId) -> list[DestinationItem]:
        """Return what is recorded per destination, by bucket name."""
        ...


class NewestRecords(Protocol):
    """Reads the records of files by how they stand."""

    def newest(self, statuses: Iterable[RecordStatus], *, before: str | None = None) -> Iterator[RecordItem]:
        """Yield the records of `statuses`, newest first, after the position `before`."""
        ...


class Tracking(LatestRuns, DestinationRecords, FinishedRuns, Protocol):
    """The records of every file. All methods raise `TrackingUnavailableError` when the table cannot be reached."""

    def claim(self, run: ReplicationRun) -> Claimed:
        """Make `run` the owner of its file's record, unless it is a duplicate, or older than the owner."""
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

    def record_put_back(self, run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None) -> None:
        """Record what `run` has done to put right what it had landed late, beside what a later run records."""
        ...


class OpenRuns(LatestRuns, FinishedRuns, Protocol):
    """The records of runs that have not ended."""

    def open_runs(self, *, started_before: str) -> Iterable[RecordItem]:
        """Return the records in progress that started before that time (ISO 8601)."""
        ...

    def oldest_open(self, limit: int) -> Iterable[RecordItem]:
        """Return the records in progress, at most so many, the oldest first."""
        ...

    def destinations_of(self, run: ReplicationRun) -> Sequence[DestinationItem]:
        """Return the items that `run` has written for its destinations."""
        ...


class RecordReader(NewestRecords, FileRunRecords, Protocol):
    """Read access to the tracking records."""

    def history(self, file: FileId, limit: int) -> list[HistoryItem]:
        """Return the last ended runs, newest first."""
        ...


class DismissalRecords(FileRunRecords, Protocol):
    """Where failures are let be."""

    def dismiss(self, file: FileId, buckets: Sequence[str], dismissal: Dismissal) -> None:
        """Let the failures at `buckets` be, and make the record follow; one that has been mended meanwhile is left."""
        ...


def position_of(record: RecordItem) -> str:
    """Return where a record stands in the newest-first order; text order is that order."""
    return f"{record['startTime']}|{record['sourceBucket']}|{record['fileKey']}"
