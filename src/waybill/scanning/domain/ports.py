"""What the scanner needs from outside."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.models import (
    Entry,
    Job,
    KeyRange,
    ListingRange,
    ObjectOutcome,
    Page,
    ScanRequest,
    Slice,
    Status,
    Tally,
)


class Store(Protocol):
    """The jobs, their pages, outcomes, counters and findings."""

    def create(self, job: Job) -> Job:
        """Store a new job; return the one that has the id, this or an earlier one."""
        ...

    def job(self, job_id: str) -> Job | None:
        """Return a job, as of now."""
        ...

    def started(self, job_id: str, execution_arn: str) -> None:
        """Remember the execution that lists."""
        ...

    def listing_by(self, job_id: str, number: int, execution_arn: str) -> None:
        """Remember the execution that lists a range."""
        ...

    def range(self, job_id: str, number: int) -> ListingRange | None:
        """Return a range of a job's keys, as of now."""
        ...

    def ranges(self, job_id: str) -> list[ListingRange]:
        """Return all ranges of a job, as of now, in the order of their numbers."""
        ...

    def split(self, job_id: str, part: ListingRange, pieces: Sequence[ListingRange], upto: str) -> bool:
        """Let a range end at `upto` and add the pieces behind it, at once; False when the range has changed."""
        ...

    def keep_page(self, job_id: str, part: ListingRange, page: Page) -> Page:
        """Store a page unless it is stored already; return what is stored."""
        ...

    def stored_page(self, job_id: str, part: ListingRange, number: int) -> Page | None:
        """Return a page that an earlier attempt has stored."""
        ...

    def advance(self, job_id: str, part: ListingRange, page: Page, smallest: Sequence[str] = ()) -> bool:
        """Count a page whose messages are sent, and move the checkpoint behind it, once; False when that was done."""
        ...

    def advance_sent(self, job_id: str, part: ListingRange, left_out: Mapping[str, tuple[int, int]]) -> bool:
        """Count a page of a sample as sent, and what is left out of it (objects and bytes by reason), once."""
        ...

    def end_listing(self, job_id: str, total: int, total_bytes: int, *, truncated: bool) -> None:
        """Freeze the totals."""
        ...

    def taken(self, job_id: str, work: Slice) -> None:
        """Count the objects of a slice as begun, however often it is delivered."""
        ...

    def outcomes(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]:
        """Return the outcomes of those of `keys` that have one."""
        ...

    def record_all(self, job_id: str, outcomes: Sequence[ObjectOutcome]) -> dict[str, ObjectOutcome]:
        """Store up to 99 outcomes of different objects and count them, at once; return earlier ones, which stay."""
        ...

    def remember(self, job_id: str, bucket: str, outcomes: Iterable[ObjectOutcome], cache_name: str) -> None:
        """Let later jobs find what this one has found in the same state of the objects by the same rules."""
        ...

    def cached(self, bucket: str, entries: Sequence[Entry], cache_name: str) -> dict[str, tuple[str, ObjectOutcome]]:
        """Return by key what an earlier job (its id) found in the same state of an object."""
        ...

    def keep_findings(self, job_id: str, key: str, etag: str, findings: Iterable[Finding]) -> None:
        """Store findings; the same ones again change nothing."""
        ...

    def keep_findings_of(self, job_id: str, key: str, etag: str) -> None:
        """Remove the findings of every state of an object but one; no ETag, no findings."""
        ...

    def copy_findings(self, source_job: str, job_id: str, key: str, etag: str) -> None:
        """Give a job the findings of another one about an object."""
        ...

    def tally(self, job_id: str) -> Tally:
        """Return the sums over all counters, as of now."""
        ...

    def end(self, job_id: str, status: Status, error: str = "") -> bool:
        """End a job that has not ended; False when it had."""
        ...

    def resume(self, job: Job) -> bool:
        """Open a job that has failed again, as it was before; False when it is not as it was read."""
        ...

    def unannounced(self) -> list[Job]:
        """Return all jobs that have not ended, or whose end has not been told, newest first."""
        ...

    def take_up(self, job: Job) -> bool:
        """Mark a job that lies still as looked after; False when it has changed since it was read."""
        ...

    def announced(self, job: Job) -> None:
        """Remember that the end of a job has been told, unless it has been resumed."""
        ...

    def webhook(self, job_id: str, told: Mapping[str, Any]) -> None:
        """Remember how the last attempt to tell the webhook ended."""
        ...

    def exported(self, job_id: str, export: Mapping[str, Any]) -> None:
        """Remember where the findings are exported to, and how far that is."""
        ...

    def newest(self, limit: int, before: str | None) -> tuple[list[Job], str | None]:
        """Return jobs, newest first, and the position to go on from."""
        ...

    def findings(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return findings in a stable order, and the position to go on from; `wanted` are the filters."""
        ...


class Bucket(Protocol):
    """The objects."""

    def check(self, bucket: str, prefix: str) -> None:
        """Raise when the bucket cannot be listed."""
        ...

    def page(self, bucket: str, prefix: str, start_after: str, limit: int) -> tuple[list[Entry], bool]:
        """Return up to `limit` objects behind a key, and whether these are the last."""
        ...

    def open(self, bucket: str, entry: Entry, offset: int) -> "Opened":
        """Open an object for reading, in its listed state if that still is there."""
        ...


class Source(Protocol):
    """Where a job's objects are listed."""

    def check(self, request: ScanRequest) -> None:
        """Raise when the objects of a new job cannot be listed."""
        ...

    def page(self, request: ScanRequest, bounds: KeyRange, limit: int) -> tuple[list[Entry], str, bool]:
        """Return up to `limit` objects in `bounds`, the position behind them, and whether these are the last.

        There may be fewer, or none, though they are not the last.
        """
        ...

    def cuts(self, request: ScanRequest, bounds: KeyRange, pieces: int, page_keys: int) -> list[str]:
        """Return up to `pieces - 1` positions to cut `bounds` at; `page_keys` objects are listed at a time."""
        ...


class Opened(Protocol):
    """An object that is being read."""

    @property
    def etag(self) -> str:
        """The state that is read."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        ...

    @property
    def changed(self) -> bool:
        """Whether it is not in its listed state any more."""
        ...

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class SliceQueue(Protocol):
    """The workers' queue."""

    def send(self, slices: Iterable[Slice]) -> int:
        """Send all slices, one message each, and return their number; raises QueueUnavailableError."""
        ...


class Announcer(Protocol):
    """Tells that a job has ended."""

    def announce(self, job: Job, tally: Tally) -> None:
        """Tell it; the same news again has the same id."""
        ...


class Clock(Protocol):
    """The time that an invocation has left."""

    def __call__(self) -> float:
        """Return seconds."""
        ...
