"""Listing a bucket, a batch of pages at a time, so that any crash can be repeated.

A page is stored before its messages are sent, and counted when the checkpoint moves behind it. An attempt that finds
the page stored sends what is stored: what the bucket holds by then does not matter, so totals are exact.
"""

import zlib
from dataclasses import dataclass
from typing import Any

from waybill.core.errors import NotFoundError
from waybill.scanning.models import Entry, Job, Page
from waybill.scanning.ports import Bucket, Clock, SliceQueue, Store
from waybill.scanning.slices import slices

# A page item holds its keys compressed; DynamoDB takes 400 KB. Keys of 1,024 random bytes hardly compress.
PAGE_BYTES = 300_000
_PAGE_KEYS = 1000


@dataclass(frozen=True)
class Batch:
    """What one call has listed: objects and messages; `done` that there is nothing more."""

    objects: int
    messages: int
    done: bool
    job: Job

    def state(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return the state of the workflow behind this batch."""
        return {
            "job_id": self.job.job_id,
            "bucket": self.job.request.bucket,
            "prefix": self.job.request.prefix,
            "continuation_token": None if self.done else self.job.start_after,
            "objects_processed": int(before.get("objects_processed") or 0) + self.objects,
            "batch_size": self.objects,
            "messages_enqueued": self.messages,
            "done": self.done,
        }


@dataclass(frozen=True)
class Lister:
    """Lists jobs; stops a batch at `batch_keys` objects, or when `time_left` falls under `reserve` seconds."""

    store: Store
    bucket: Bucket
    queue: SliceQueue
    time_left: Clock
    batch_keys: int = 10_000
    reserve: float = 60

    def process_batch(self, job_id: str) -> Batch:
        """List from the job's own checkpoint on; a cancelled or ended job is done at once.

        Raises
        ------
        NotFoundError
            There is no such job.
        """
        objects = messages = 0
        while True:
            job = self.store.job(job_id)
            if job is None:
                raise NotFoundError(f"there is no job {job_id}")
            if job.ended or job.listing_done:
                return Batch(objects, messages, True, job)
            if objects and (objects >= self.batch_keys or self.time_left() < self.reserve):
                return Batch(objects, messages, False, job)
            page = self.store.stored_page(job_id, job.next_page) or self._list_page(
                job, min(_PAGE_KEYS, self.batch_keys)
            )
            messages += self.queue.send(slices(job_id, job.request.bucket, page.number, page.entries))
            self.store.advance(job_id, page)
            objects += len(page.entries)
            if page.final:
                self.store.end_listing(job_id, truncated=False)

    def _list_page(self, job: Job, limit: int) -> Page:
        entries, final = self.bucket.page(job.request.bucket, job.request.prefix, job.start_after, limit)
        fitting = _fitting(entries)
        last_key = fitting[-1].key if fitting else job.start_after
        page = Page(job.next_page, tuple(fitting), last_key, final and len(fitting) == len(entries))
        return self.store.keep_page(job.job_id, page)


def _fitting(entries: list[Entry]) -> list[Entry]:
    """Return as many of `entries` as one item holds."""
    while len(zlib.compress(repr(entries).encode(errors="surrogatepass"), 1)) > PAGE_BYTES:
        entries = entries[: len(entries) // 2]
    return entries
