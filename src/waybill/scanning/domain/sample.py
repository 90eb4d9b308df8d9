"""A sample of a number of objects: those whose keys have the least hashes, which is known when all are listed.

While a job is listed, its range keeps the least hashes so far. Then its pages are gone through once more: what is in
the sample is sent to the workers, the rest is counted as not sampled, page by page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import Protocol

from waybill.scanning.domain.slices import SliceQueue, slices
from waybill.scanning.errors import ListingExpiredError
from waybill.scanning.keys import key_hash
from waybill.scanning.models import Entry, Job, ListingRange, Page
from waybill.scanning.request_models import ScanRequest

_HASH_LENGTH = 16


class _Ranges(Protocol):
    def page(self, job_id: str, part: ListingRange, number: int) -> Page | None: ...
    def advance_sample(self, job_id: str, part: ListingRange, left_out: Mapping[str, tuple[int, int]]) -> bool: ...


def smallest_hashes(request: ScanRequest, known: Sequence[str], entries: Iterable[Entry]) -> list[str]:
    """Return the least hashes among `known` and those of `entries` that the options do not leave out."""
    wanted = request.sample.objects if request.sample else None
    eligible = (_hash(entry) for entry in entries if request.reason_to_skip(entry.key, entry.size) is None)
    # An inventory may tell of an object more than once.
    return nsmallest(wanted or 0, {*known, *eligible})


def send_sample(job: Job, part: ListingRange, ranges: _Ranges, queue: SliceQueue) -> int:
    """Send what of the next page is in the sample, and count the rest, once; return the number of messages.

    Raises
    ------
    ListingExpiredError
        The page is not stored any more: what was on it is not known.
    """
    page = ranges.page(job.job_id, part, part.next_sent)
    if page is None:
        raise ListingExpiredError("the listing of this sample was not gone through within 30 days: start the scan anew")
    last = part.smallest[-1] if part.smallest else ""
    chosen: list[Entry] = []
    objects: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for entry in page.entries:
        reason = job.request.reason_to_skip(entry.key, entry.size)
        if reason is None and _hash(entry) <= last:
            chosen.append(entry)
        else:
            objects[reason or "NOT_SAMPLED"] += 1
            size[reason or "NOT_SAMPLED"] += entry.size
    name = part.page_name(part.next_sent)
    sent = queue.send(slices(job.job_id, job.request.bucket, name, chosen))
    ranges.advance_sample(job.job_id, part, {reason: (count, size[reason]) for reason, count in objects.items()})
    return sent


def _hash(entry: Entry) -> str:
    return key_hash(entry.key)[:_HASH_LENGTH]
