"""Comparing a source with its destinations: listings read ahead, many objects at a time, in the order of their keys."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from waybill.core.clock import Clock, iso, now
from waybill.core.errors import PermanentError, RetryableError
from waybill.core.prefetch import in_order, prefetched
from waybill.core.retry import Retry
from waybill.replication.domain.backfill import Backfill, BackfillVerdict, Comparison, PlanItem, compare
from waybill.replication.domain.backfill_job import (
    INVALID_LINE,
    BackfillJob,
    BackfillJobs,
    Entry,
    JobInput,
    Limits,
    ObjectLine,
    failed_line,
    line_of,
)
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.failures import FailedRecords
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.domain.records import Tracking
from waybill.replication.domain.starter import Starter
from waybill.replication.domain.throttle import Throttle
from waybill.replication.errors import SourceNotFoundError
from waybill.replication.models import ListedObject

# Fewer than the 32 connections of a client; lookups and starts take some 20 ms each.
WORKERS = 16
_READERS = 16
# Amazon S3 API Reference, ListObjectsV2: so many keys at a time; fewer are the last.
_PAGE = 1_000
_WINDOW = 8 * WORKERS


class StoppedError(PermanentError):
    """The work was given up before this object's turn."""

    code: ClassVar[str] = "STOPPED"


class Records(Tracking, FailedRecords, Protocol):
    """The tracking records, as far as a backfill reads them."""


class ListedBuckets(Buckets, Protocol):
    """S3 with its listings."""

    def list_objects(self, bucket: str, prefix: str, *, start_after: str = "") -> Iterator[list[ListedObject]]:
        """Return the pages of a listing, in the order of the keys' UTF-8 bytes, each read when it is asked for."""
        ...


@dataclass(frozen=True)
class BackfillTools:
    """What backfills are worked on with.

    `buckets` is S3 where looks at objects are bounded; `retry` says how a call is repeated until an event is set.
    """

    jobs: BackfillJobs
    records: Records
    buckets: Callable[[Throttle], ListedBuckets]
    starter: Starter
    retry: Callable[[threading.Event], Retry]


@dataclass(frozen=True)
class Range:
    """What is compared: the objects of a bucket below `prefix` behind the key `start_after`, and with which copies.

    `keys`: only these.
    """

    source_bucket: str
    prefix: str
    destination_buckets: tuple[str, ...]
    start_after: str = ""
    content_only: bool = False
    keys: KeyFilter = field(default_factory=KeyFilter)
    limits: Limits = field(default_factory=Limits)
    backfill_id: str | None = None


def backfill_of(tools: BackfillTools, what: Range | BackfillJob, requests: Throttle) -> Backfill:
    """Return what decides about the objects of a bucket, and asks S3 no more than `requests` lets through."""
    return Backfill(
        what.source_bucket,
        tools.records,
        tools.buckets(requests),
        tools.starter,
        what.content_only,
        what.backfill_id,
    )


@contextmanager
def compared(tools: BackfillTools, what: Range, *, start: bool) -> Iterator[Iterator[PlanItem]]:
    """Yield what has become of each object, in order; what is under way at the end is finished or given up."""
    with _pools(tools, what.limits) as pools:
        backfill = backfill_of(tools, what, pools.requests)
        buckets = tools.buckets(pools.requests)

        def handled(comparison: Comparison) -> PlanItem:
            item = pools.retry.call(lambda: backfill.plan(comparison))
            return pools.started(backfill, item) if start else item

        def listed(bucket: str) -> Iterator[ListedObject]:
            return prefetched(_pages(buckets, bucket, what, pools), pools.readers)

        source = (item for item in listed(what.source_bucket) if what.keys.accepts(item.key))
        destinations = {bucket: listed(bucket) for bucket in what.destination_buckets}
        comparisons = compare(source, destinations, everything=not what.content_only)
        yield in_order(comparisons, handled, pools.workers, window=_WINDOW, trivial=_known)


@contextmanager
def named(tools: BackfillTools, job: BackfillJob, entries: Iterable[Entry]) -> Iterator[Iterator[ObjectLine]]:
    """Yield the lines of `entries`, objects that a job was given by name."""
    with _pools(tools, job.limits) as pools:
        backfill = backfill_of(tools, job, pools.requests)

        def handled(entry: Entry) -> ObjectLine:
            destinations = entry.destination_buckets or job.destination_buckets
            if entry.problem:
                return failed_line(entry, INVALID_LINE, destinations, entry.problem)
            retried = job.input is JobInput.FAILED
            item = pools.retry.call(lambda: _planned(backfill, entry, destinations, removals=retried))
            if item.verdict is BackfillVerdict.GONE and job.input is JobInput.MANIFEST:
                return failed_line(entry, SourceNotFoundError.code, destinations)
            line = line_of(pools.started(backfill, item), destinations, iso(now()))
            return line.model_copy(update={"version_id": entry.version_id})

        yield in_order(entries, handled, pools.workers, window=_WINDOW, trivial=lambda _: None)


def _planned(backfill: Backfill, entry: Entry, destinations: Sequence[str], *, removals: bool) -> PlanItem:
    if entry.force:
        return backfill.plan_forced(entry.key, destinations)
    return backfill.plan_named(entry.key, destinations, entry.version_id, removals=removals)


@dataclass(frozen=True)
class _Pools:
    readers: ThreadPoolExecutor
    workers: ThreadPoolExecutor
    retry: Retry
    requests: Throttle
    bytes: Throttle

    def started(self, backfill: Backfill, item: PlanItem) -> PlanItem:
        """Return the item with its run, where one is needed, when it is its turn."""
        if item.verdict is not BackfillVerdict.NEEDED:
            return item
        self.requests.take(len(item.differences))
        self.bytes.take(item.source.size * len(item.differences))
        if self.retry.stopped():
            raise StoppedError("stopped before it was started")
        return self.retry.call(lambda: backfill.start(item))


@contextmanager
def _pools(tools: BackfillTools, limits: Limits) -> Iterator[_Pools]:
    stopping = threading.Event()
    clock = Clock(sleep=stopping.wait)
    pools = _Pools(
        ThreadPoolExecutor(_READERS),
        ThreadPoolExecutor(WORKERS),
        tools.retry(stopping),
        Throttle(limits.requests_per_second, clock),
        Throttle(limits.bytes_per_second, clock),
    )
    try:
        yield pools
    finally:
        stopping.set()
        pools.workers.shutdown(cancel_futures=True)
        pools.readers.shutdown(cancel_futures=True)


def _pages(buckets: ListedBuckets, bucket: str, what: Range, pools: _Pools) -> Iterator[list[ListedObject]]:
    """Yield the pages of a listing; one that fails for now is taken up again behind the last key."""
    behind, course = what.start_after, pools.retry.begin()
    while True:
        try:
            pools.requests.take(1)
            for page in buckets.list_objects(bucket, what.prefix, start_after=behind):
                yield page
                behind = page[-1].key if page else behind
                course.progress()
                if len(page) >= _PAGE:
                    pools.requests.take(1)
            return
        except RetryableError:
            if not course.pause():
                raise


def _known(comparison: Comparison) -> PlanItem | None:
    if comparison.copies:
        return None
    verdict = BackfillVerdict.FAILED if comparison.faults else BackfillVerdict.IDENTICAL
    return PlanItem(comparison.source, verdict, failures=comparison.faults)
