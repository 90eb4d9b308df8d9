"""A backfill as a job: what it was asked for, how far it has got, and a line for each object that it has looked at.

The job's record and its lines are written together, so that whoever goes on, on any machine, goes on behind the last
line: nothing is left out and nothing is told twice. The record counts who works on it (`generation`). Whoever takes a
job over raises the count, and a worker whose count is no longer the record's has lost the job and stops.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from pydantic import Field

from waybill.core.errors import PermanentError
from waybill.core.executions import execution_name
from waybill.core.wire import WireModel
from waybill.replication.domain.backfill import BackfillVerdict, PlanItem

# A DynamoDB item holds 400 KB. What is compressed is smaller, whatever the keys are.
PART_BYTES = 250_000
PART_LENGTH = 1_000
# So many objects that were given by name make a part: their lines have to fit an item as well.
ENTRIES_PER_PART = 250
# From so many on, parts are gone through beside each other where something can do so.
_LARGE = 10_000
INVALID_LINE = "INVALID_LINE"
# What a job's record is called among the items of its id.
RECORD = "#backfill"


class JobStatus(StrEnum):
    """How a job stands.

    `RUNNING`: somebody works on it, or died at it. `STOPPED`: it was interrupted. `STARTED`: everything that was needed
    has been started, and nobody has waited for the runs. A job with errors has lines that failed.
    """

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    CANCELLED = "CANCELLED"


FINAL = frozenset({JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_ERRORS, JobStatus.CANCELLED})


class Result(StrEnum):
    """What has become of an object at one destination; `GONE`: its source was deleted after it was listed."""

    IDENTICAL = "IDENTICAL"
    STARTED = "STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    GONE = "GONE"


PENDING = frozenset({Result.STARTED, Result.IN_PROGRESS})


class PlaceResult(WireModel):
    """An object at one destination: the result, its code, and what differed before."""

    result: Result
    code: str | None = None
    difference: str | None = None


class ObjectLine(WireModel):
    """One object that a job has looked at.

    `execution` is the run that brings it, looked for since the time `since`; `attempts` counts its runs.
    """

    key: str
    size: int = 0
    version_id: str | None = None
    e_tag: str | None = None
    execution: str | None = None
    since: str | None = None
    attempts: int = 0
    results: dict[str, PlaceResult]

    @property
    def pending(self) -> list[str]:
        """The destinations of which nobody knows yet what becomes of them."""
        return [bucket for bucket, place in self.results.items() if place.result in PENDING]


def line_of(item: PlanItem, destinations: Sequence[str], at: str | None = None) -> ObjectLine:
    """Return the line of an object about which a backfill has decided, at the time `at`."""
    return ObjectLine(
        key=item.source.key,
        size=item.source.size,
        e_tag=item.source.e_tag,
        execution=item.execution,
        since=at if item.execution else None,
        attempts=1 if item.verdict is BackfillVerdict.STARTED else 0,
        results={bucket: _place(item, bucket) for bucket in destinations},
    )


def _place(item: PlanItem, bucket: str) -> PlaceResult:
    if item.verdict is BackfillVerdict.GONE:
        return PlaceResult(result=Result.GONE)
    if bucket in item.failures:
        return PlaceResult(result=Result.FAILED, code=item.failures[bucket])
    found = item.differences.get(bucket)
    if found is None and (item.differences or item.verdict is not BackfillVerdict.IN_PROGRESS):
        return PlaceResult(result=Result.IDENTICAL)
    what = item.what.get(bucket)
    told = f"{found}: {what}" if found and what else found
    started = item.verdict is BackfillVerdict.STARTED
    return PlaceResult(result=Result.STARTED if started else Result.IN_PROGRESS, difference=told)


class JobInput(StrEnum):
    """Which objects a job is about: those below a prefix, those that failed, or those of a manifest."""

    LISTING = "LISTING"
    FAILED = "FAILED"
    MANIFEST = "MANIFEST"


class Entry(WireModel):
    """An object that a job was given by name; `destination_buckets`: only these. `problem`: it names nothing.

    `force`: it is copied there, whatever S3 keeps of the copy.
    """

    key: str
    version_id: str | None = None
    destination_buckets: tuple[str, ...] | None = None
    problem: str | None = None
    force: bool = False


def failed_line(entry: Entry, code: str, destinations: Sequence[str], why: str | None = None) -> ObjectLine:
    """Return the line of an object of which nothing can be made."""
    place = PlaceResult(result=Result.FAILED, code=code, difference=why)
    return ObjectLine(key=entry.key, version_id=entry.version_id, results=dict.fromkeys(destinations, place))


class JobCounts(WireModel):
    """What a job has done: objects that it compared, and of what it had copied the places (object and destination)."""

    compared: int = 0
    identical: int = 0
    in_progress: int = 0
    started: int = 0
    copies: int = 0
    bytes: int = 0
    succeeded: int = 0
    failed: int = 0
    pending: int = 0

    def plus(self, lines: Iterable[ObjectLine]) -> "JobCounts":
        """Return the counts with new `lines`."""
        counts = self.model_dump()
        for line in lines:
            results = [place.result for place in line.results.values()]
            started = results.count(Result.STARTED)
            counts["compared"] += 1
            counts["identical"] += all(result is Result.IDENTICAL for result in results)
            counts["in_progress"] += Result.IN_PROGRESS in results
            counts["started"] += bool(started)
            counts["copies"] += started
            counts["bytes"] += line.size * started
            counts["failed"] += results.count(Result.FAILED)
            counts["pending"] += len(line.pending)
        return JobCounts(**counts)

    def settled(self, before: Iterable[ObjectLine], after: Iterable[ObjectLine]) -> "JobCounts":
        """Return the counts after what was pending in `before` has become what it is in `after`."""
        counts = self.model_dump()
        for old, new in zip(before, after, strict=True):
            for bucket in old.pending:
                result = new.results[bucket].result
                counts["pending"] -= result not in PENDING
                counts["failed"] += result is Result.FAILED
                counts["succeeded"] += result in {Result.SUCCEEDED, Result.IDENTICAL}
        return JobCounts(**counts)


class Limits(WireModel):
    """How much a job may do in a second: requests to S3, of its own and one for each copy; bytes that are copied."""

    requests_per_second: int | None = None
    bytes_per_second: int | None = None


class BackfillJob(WireModel):
    """The record of a job.

    `include`, `exclude`: patterns of the keys that it is about.
    `entries` counts the objects that it was given by name, kept in `entry_parts` parts; each gets one line, in order.
    `entries_name`: what those parts are called, so that nobody who keeps others for the same job writes over them.
    Of what has failed they are None until somebody has found it: at the destinations `only_to`, with the code `cause`.
    `by_parts`: the lines of each such part are a part of their own, which anybody may write before the job counts it.
    `asked`: a digest of the request over HTTP.
    `report`: where in S3 its report goes. `problem`: why its last worker on the server has given up.
    `last_key`: the last object that has its line. `compared_all`: there are no more. `chunks` counts the parts in which
    the lines are kept, `settled_chunks` those of which nothing is pending any more.
    """

    backfill_id: str
    status: JobStatus
    source_bucket: str
    prefix: str = ""
    destination_buckets: tuple[str, ...]
    content_only: bool = False
    start_time: str
    updated_at: str
    completed_at: str | None = None
    created_by: str
    worked_by: str
    generation: int = 1
    limits: Limits = Field(default_factory=Limits)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    input: JobInput = JobInput.LISTING
    entries: int | None = None
    entry_parts: int = 0
    entries_name: str = ""
    only_to: tuple[str, ...] = ()
    cause: str | None = None
    by_parts: bool = False
    asked: str | None = None
    report: str | None = None
    problem: str | None = None
    last_key: str = ""
    compared_all: bool = False
    chunks: int = 0
    settled_chunks: int = 0
    counts: JobCounts = Field(default_factory=JobCounts)

    def ended(self) -> "BackfillJob":
        """Return the job with the status that its end has, by what it has come to."""
        if self.counts.pending:
            return self.model_copy(update={"status": JobStatus.STARTED})
        status = JobStatus.COMPLETED_WITH_ERRORS if self.counts.failed else JobStatus.COMPLETED
        return self.model_copy(update={"status": status})

    @property
    def is_large(self) -> bool:
        """Whether it pays to go through its parts beside each other, where nobody has begun and nothing is bounded."""
        entries = self.entries or 0
        fits = entries <= self.entry_parts * ENTRIES_PER_PART
        return entries > _LARGE and fits and not self.counts.compared and self.limits == Limits()


class BackfillTurn(WireModel, extra="forbid"):
    """What the workflow is asked for: to work on a job as long as nobody has taken it over."""

    backfill_id: str
    generation: int

    @classmethod
    def of_job(cls, job: BackfillJob) -> Self:
        """Return the turn of whoever the record says works on the job now."""
        return cls(backfill_id=job.backfill_id, generation=job.generation)

    @property
    def execution_name(self) -> str:
        """The name of the execution that works on it."""
        return execution_name(self.backfill_id, self.backfill_id, str(self.generation))


class JobLostError(PermanentError):
    """Somebody else works on the job by now, or has cancelled it."""

    code: ClassVar[str] = "BACKFILL_LOST"


class JobEndedError(PermanentError):
    """The job has ended: there is nothing to resume or cancel."""

    code: ClassVar[str] = "BACKFILL_ENDED"


def parts_of[T: WireModel](things: Iterable[T], length: int = PART_LENGTH) -> Iterator[list[T]]:
    """Yield `things` in lists of at most `length` that fit an item of the table (400 KB) whatever keys they have."""
    part: list[T] = []
    room = PART_BYTES
    for thing in things:
        size = size_of(thing)
        if part and (size > room or len(part) >= length):
            yield part
            part, room = [], PART_BYTES
        part.append(thing)
        room -= size
    if part:
        yield part


def size_of(thing: WireModel) -> int:
    """Return an upper bound of the bytes that it takes in a part."""
    return len(json.dumps(thing.wire())) + 1


@dataclass(frozen=True)
class JobPage:
    """Some jobs, newest first, and the position to go on from; None when there are no more."""

    jobs: tuple[BackfillJob, ...]
    position: Mapping[str, str] | None


class BackfillJobs(Protocol):
    """The jobs. All methods raise `TrackingUnavailableError` when the table cannot be reached."""

    def create(self, job: BackfillJob) -> BackfillJob:
        """Write the record of a new job; return the one that is there already under its id, if there is one."""
        ...

    def read(self, backfill_id: str) -> BackfillJob:
        """Return the job; raises `NotFoundError`."""
        ...

    def newest(self, limit: int, position: Mapping[str, str] | None) -> JobPage:
        """Return jobs, newest first."""
        ...

    def take_over(self, backfill_id: str, by: str) -> BackfillJob:
        """Make `by` the one who works on the job, whoever did before; raises `NotFoundError`, `JobEndedError`."""
        ...

    def cancel(self, backfill_id: str) -> BackfillJob:
        """End the job; whoever works on it loses it. Raises `NotFoundError`, `JobEndedError`."""
        ...

    def save(self, job: BackfillJob, chunk: int | None = None, lines: Sequence[ObjectLine] = ()) -> BackfillJob:
        """Write the record, and the `lines` of its part `chunk` with it; raises `JobLostError`."""
        ...

    def save_entries(self, backfill_id: str, name: str, part: int, entries: Sequence[Entry]) -> None:
        """Write some of the objects that a job was given by name, before the job itself says that they are `name`."""
        ...

    def entries(self, job: BackfillJob) -> Iterator[Entry]:
        """Yield the objects that the job was given by name."""
        ...

    def entries_of(self, job: BackfillJob, part: int) -> list[Entry]:
        """Return one part of the objects that the job was given by name."""
        ...

    def find_lines(self, backfill_id: str, chunk: int) -> list[ObjectLine] | None:
        """Return the lines of one part; None when nobody has written them."""
        ...

    def add_lines(self, backfill_id: str, chunk: int, lines: Sequence[ObjectLine]) -> None:
        """Write the lines of one part unless somebody has."""
        ...

    def lines(self, backfill_id: str, chunk: int) -> list[ObjectLine]:
        """Return the lines of one part."""
        ...

    def all_lines(self, job: BackfillJob) -> Iterator[ObjectLine]:
        """Yield every line of the job, in order."""
        ...


def saved_entries(
    jobs: BackfillJobs, backfill_id: str, entries: Iterable[Entry], name: str = ""
) -> dict[str, str | int]:
    """Write the objects that a job is given by name; return the fields of its record that say where they are.

    Whoever may do so beside somebody else, for the same job, has a `name` of their own.
    """
    count = parts = 0
    for part in parts_of(entries, ENTRIES_PER_PART):
        jobs.save_entries(backfill_id, name, parts, part)
        count, parts = count + len(part), parts + 1
    return {"entries": count, "entry_parts": parts, "entries_name": name}


def entries_name(entries: Iterable[Entry]) -> str:
    """Return a name that other entries do not have."""
    text = json.dumps([entry.wire() for entry in entries], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
