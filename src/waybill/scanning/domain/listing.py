"""Listing a range of a job's keys, a batch of pages at a time, so that any crash can be repeated.

A page is stored before its messages are sent, and counted when the checkpoint moves behind it. An attempt that finds
the page stored sends what is stored: what the bucket holds by then does not matter, so totals are exact.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.core.errors import NotFoundError
from waybill.scanning.domain.ranges import PAGE_KEYS, pieces_for
from waybill.scanning.domain.sample import send_sample, smallest_hashes
from waybill.scanning.domain.slices import SliceQueue, slices
from waybill.scanning.domain.source import Source
from waybill.scanning.models import Entry, Job, ListingRange, Page
from waybill.scanning.request_models import ScanRequest

# A page item holds its keys compressed; DynamoDB takes 400 KB. Keys of 1,024 random bytes hardly compress.
PAGE_BYTES = 300_000


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def end_listing(self, job_id: str, total: int, total_bytes: int, *, truncated: bool) -> None: ...


class _Ranges(Protocol):
    def advance_sample(self, job_id: str, part: ListingRange, left_out: Mapping[str, tuple[int, int]]) -> bool: ...
    def set_execution(self, job_id: str, number: int, execution_arn: str) -> None: ...
    def get(self, job_id: str, number: int) -> ListingRange | None: ...
    def all(self, job_id: str) -> list[ListingRange]: ...
    def save_page(self, job_id: str, part: ListingRange, page: Page) -> Page: ...
    def page(self, job_id: str, part: ListingRange, number: int) -> Page | None: ...
    def advance(self, job_id: str, part: ListingRange, page: Page, smallest: Sequence[str] = ()) -> bool: ...


@dataclass(frozen=True)
class Batch:
    """What one call has listed: objects and messages; `done` that the range has nothing more.

    `split` that what is left of the range should be cut into pieces that are listed at the same time.
    """

    objects: int
    messages: int
    done: bool
    job: Job
    part: ListingRange
    split: bool = False

    def state(self, before: Mapping[str, object]) -> dict[str, object]:
        """Return the state of the workflow behind this batch."""
        processed = before.get("objects_processed")
        return {
            "job_id": self.job.job_id,
            "bucket": self.job.request.bucket,
            "prefix": self.job.request.prefix,
            "continuation_token": None if self.done else self.part.after,
            "objects_processed": (int(processed) if isinstance(processed, int | float) else 0) + self.objects,
            "batch_size": self.objects,
            "messages_enqueued": self.messages,
            "done": self.done,
            "range": self.part.number,
            "split": self.split,
        }


@dataclass(frozen=True)
class Lister:
    """Lists jobs; stops a batch at `batch_keys` objects, or when `time_left` falls under `reserve` seconds.

    `fan_out` is how many ranges of a job are open at a time at most.
    """

    jobs: _Jobs
    ranges: _Ranges
    source: Callable[[ScanRequest], Source]
    queue: SliceQueue
    time_left: Callable[[], float]
    batch_keys: int = 10_000
    reserve: float = 60
    fan_out: int = 64

    def process_batch(self, job_id: str, number: int = 0, execution_arn: str = "") -> Batch:
        """List a range from its own checkpoint on; of a cancelled or ended job, nothing.

        Raises
        ------
        NotFoundError
            There is no such job, or it has no such range.
        """
        objects = messages = pages = 0
        source: Source | None = None
        while True:
            job, part = self.read(job_id, number)
            if execution_arn and part.execution_arn != execution_arn:
                self.ranges.set_execution(job_id, number, execution_arn)
                execution_arn = ""
            sends = job.request.sample is not None and job.request.sample.objects is not None
            if job.ended or job.listing_done or (part.done and not (sends and part.next_sent < part.next_page)):
                self._end_listing(job)
                return Batch(objects, messages, True, job, part)
            if pages and (objects >= self.batch_keys or self.time_left() < self.reserve):
                return Batch(objects, messages, False, job, part, split=not sends and self._pieces(job_id) > 1)
            pages += 1
            if part.done:
                messages += send_sample(job, part, self.ranges, self.queue)
                continue
            source = source or self.source(job.request)
            stored = self.ranges.page(job_id, part, part.next_page)
            page = (stored or self._list_page(source, job, part)).within(part.bounds)
            if not sends:
                messages += self.queue.send(
                    slices(job_id, job.request.bucket, part.page_name(page.number), page.entries)
                )
            smallest = smallest_hashes(job.request, part.smallest, page.entries) if sends else ()
            if self.ranges.advance(job_id, part, page, smallest):
                objects += len(page.entries)

    def read(self, job_id: str, number: int) -> tuple[Job, ListingRange]:
        """Return a job and one of its ranges, as of now; raises NotFoundError."""
        job = self.jobs.get(job_id)
        part = self.ranges.get(job_id, number) if job else None
        if job is None or part is None:
            raise NotFoundError(f"there is no job {job_id}" if job is None else f"{job_id} has no range {number}")
        return job, part

    def stop(self, job_id: str) -> None:
        """End the listing where it is; what is listed is sent, and the job says that it was cut short."""
        job, part = self.read(job_id, 0)
        while job.request.sample and job.request.sample.objects and part.next_sent < part.next_page:
            send_sample(job, part, self.ranges, self.queue)
            job, part = self.read(job_id, 0)
        self._freeze(job_id, truncated=True)

    def _list_page(self, source: Source, job: Job, part: ListingRange) -> Page:
        entries, position, final = source.page(job.request, part.bounds, min(PAGE_KEYS, self.batch_keys))
        fitting = _fitting(entries)
        if len(fitting) < len(entries):
            # Less was taken than was listed: this much again, so that the position is that behind the last one taken.
            fitting, position, final = source.page(job.request, part.bounds, len(fitting))
        return self.ranges.save_page(job.job_id, part, Page(part.next_page, tuple(fitting), position, final))

    def _pieces(self, job_id: str) -> int:
        ranges = self.ranges.all(job_id)
        return pieces_for(sum(not part.done for part in ranges), self.fan_out, first=len(ranges) == 1)

    def _end_listing(self, job: Job) -> None:
        if not job.ended and not job.listing_done:
            self._freeze(job.job_id, truncated=False)

    def _freeze(self, job_id: str, *, truncated: bool) -> None:
        ranges = self.ranges.all(job_id)
        if truncated or all(part.done for part in ranges):
            total, size = sum(part.total for part in ranges), sum(part.total_bytes for part in ranges)
            self.jobs.end_listing(job_id, total, size, truncated=truncated)


def _fitting(entries: list[Entry]) -> list[Entry]:
    """Return as many of `entries` as one item holds."""
    while len(zlib.compress(repr(entries).encode(errors="surrogatepass"), 1)) > PAGE_BYTES:
        entries = entries[: len(entries) // 2]
    return entries
