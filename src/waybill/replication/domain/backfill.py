"""What a backfill has to start: the objects of a source that a destination lacks, or holds in another state.

Listings come in the order of their keys, so one pass over all of them finds what differs, in the same memory for any
number of objects. Whether ETags differ only because S3 encrypted or split the copy in its own way, no listing can
tell; the tracking records can.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from waybill.core.errors import PermanentError
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.records import DestinationRecord, LatestRun, RecordStatus, Tracking
from waybill.replication.domain.starter import FileCopyExecutions, Starter
from waybill.replication.models import FileId, ListedObject, ObjectPlace, ReplicationRequest


class Difference(StrEnum):
    """Why a destination needs an object."""

    MISSING = "MISSING"
    SIZE_DIFFERS = "SIZE_DIFFERS"
    ETAG_DIFFERS = "ETAG_DIFFERS"


class BackfillVerdict(StrEnum):
    """What is done about an object."""

    IDENTICAL = "IDENTICAL"
    IN_PROGRESS = "IN_PROGRESS"
    NEEDED = "NEEDED"
    STARTED = "STARTED"


@dataclass(frozen=True)
class Comparison:
    """A source object beside what the listings of its destinations hold under its key, where that differs."""

    source: ListedObject
    copies: Mapping[str, ListedObject | None] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanItem:
    """What becomes of one source object: `differences` by destination that needs it.

    `follows` is the last run of the file, which has ended without leaving the object where it is needed.
    """

    source: ListedObject
    verdict: BackfillVerdict
    differences: Mapping[str, Difference] = field(default_factory=dict)
    follows: str | None = None


def compare(source: Iterable[ListedObject], destinations: Mapping[str, Iterable[ListedObject]]) -> Iterator[Comparison]:
    """Yield every object of `source` in its order, with the destinations that do not hold the same.

    Raises
    ------
    PermanentError
        A listing is not in the order of its keys, as those of directory buckets.
    """
    copies = {bucket: _Copies(_in_order(listing, bucket)) for bucket, listing in destinations.items()}
    for item in _in_order(source, "the source"):
        found = {bucket: listed.at(item.key) for bucket, listed in copies.items()}
        yield Comparison(item, {bucket: copy for bucket, copy in found.items() if difference(item, copy)})


def difference(source: ListedObject, copy: ListedObject | None) -> Difference | None:
    """Return how a listed copy differs from its source; None when the listings show no difference."""
    if copy is None:
        return Difference.MISSING
    if copy.size != source.size:
        return Difference.SIZE_DIFFERS
    return Difference.ETAG_DIFFERS if copy.e_tag != source.e_tag else None


class _Copies:
    """One destination's listing, read along with the source's."""

    def __init__(self, listing: Iterator[ListedObject]) -> None:
        self._listing = listing
        self._next = next(listing, None)

    def at(self, key: str) -> ListedObject | None:
        """Return the object under `key`; keys have to be asked for in their order."""
        while self._next and self._next.key < key:
            self._next = next(self._listing, None)
        return self._next if self._next and self._next.key == key else None


def _in_order(listing: Iterable[ListedObject], name: str) -> Iterator[ListedObject]:
    last = ""
    for item in listing:
        # S3 lists keys in the order of their UTF-8 bytes, which is the order of code points, by which Python compares.
        if item.key <= last:
            raise PermanentError(f"the listing of {name} is not in the order of its keys: {item.key!r} after {last!r}")
        yield item
        last = item.key


@dataclass(frozen=True)
class Backfill:
    """Decides about the objects of one source bucket, and starts what is needed.

    Starting is repeatable. A run's name comes from the object's state, its destinations, and the run before it: while
    that has not ended, a second backfill starts nothing; when it has ended and the object is still not where it
    belongs (it failed, or the copy was deleted since), the next backfill starts one more.
    """

    source_bucket: str
    tracking: Tracking
    buckets: Buckets
    starter: Starter
    executions: FileCopyExecutions

    def plan(self, comparison: Comparison) -> PlanItem:
        """Return what becomes of a compared object, as far as the tracking records know more than the listings."""
        source = comparison.source
        if not comparison.copies:
            return PlanItem(source, BackfillVerdict.IDENTICAL)
        latest = self.tracking.latest_run(self._file(source))
        if latest and latest.status == RecordStatus.IN_PROGRESS and self._is_under_way(latest):
            return PlanItem(source, BackfillVerdict.IN_PROGRESS)
        # No destination is recorded before its file is.
        landed = self._landed(comparison) if latest else set()
        differences = {
            bucket: found
            for bucket, copy in comparison.copies.items()
            if bucket not in landed and (found := difference(source, copy))
        }
        if not differences:
            return PlanItem(source, BackfillVerdict.IDENTICAL)
        return PlanItem(source, BackfillVerdict.NEEDED, differences, latest.execution_id if latest else None)

    def _is_under_way(self, latest: LatestRun) -> bool:
        """Return what the execution says and not the record, which a run that died has left in progress.

        Nobody can ask an Express execution: its record is closed by the reconciler if it died.
        """
        return ":express:" in latest.execution_id or self.executions.is_running(latest.execution_id)

    def start(self, item: PlanItem) -> BackfillVerdict:
        """Start the run of a needed object, unless it is running; the run copies the state that was listed.

        Raises
        ------
        RateLimitedError
            Step Functions asks to slow down.
        """
        follows = item.follows
        while True:
            started = self.starter.start_for_event(self._request(item, follows))
            execution = started.execution
            if not execution.already_running:
                return BackfillVerdict.STARTED
            if self.executions.is_running(execution.execution_arn):
                return BackfillVerdict.IN_PROGRESS
            # It ended before it could record anything.
            follows = execution.execution_arn

    def _request(self, item: PlanItem, follows: str | None) -> ReplicationRequest:
        return ReplicationRequest(
            source_bucket=self.source_bucket,
            source_key=item.source.key,
            destination_buckets=tuple(item.differences),
            e_tag=item.source.e_tag,
            size=item.source.size,
            nonce=follows,
        )

    def _landed(self, comparison: Comparison) -> set[str]:
        """Return the destinations that hold this very state of the source, by their records, whatever their ETag."""
        now = cache(lambda: self.buckets.find(ObjectPlace(self.source_bucket, comparison.source.key)))
        return {
            bucket
            for bucket, copy in comparison.copies.items()
            if (record := self.tracking.destination(self._file(comparison.source), bucket))
            and (_is_copy_of(record, comparison.source) or ((facts := now()) and record.holds(facts)))
            and self._is_there(record, ObjectPlace(bucket, comparison.source.key), copy)
        }

    def _is_there(self, record: DestinationRecord, place: ObjectPlace, listed: ListedObject | None) -> bool:
        """Return whether the copy that was recorded is there: as listed; or now, as it came after the listing."""
        if listed and listed.e_tag == record.etag:
            return True
        found = self.buckets.find(place)
        return found is not None and found.e_tag == record.etag

    def _file(self, source: ListedObject) -> FileId:
        return FileId(self.source_bucket, source.key)


def _is_copy_of(record: DestinationRecord, source: ListedObject) -> bool:
    """Return whether the record alone tells so, which one of a version does not: listings know nothing of versions."""
    identity = record.source_identity or ""
    return record.status == RecordStatus.COMPLETED and identity.startswith(f"{source.e_tag}@")
