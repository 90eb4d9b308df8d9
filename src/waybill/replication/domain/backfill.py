"""What a backfill has to start: the objects of a source that a destination lacks, or holds in another state.

Listings come in the order of their keys, so one pass over all of them finds what is missing, in the same memory for any
number of objects. What no listing can tell, headers, metadata, tags, and whether ETags differ only because S3 encrypted
or split the copy in its own way, a look at both objects does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache

from waybill.core.errors import PermanentError, WaybillError
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.comparison import CONTENT, TAGS
from waybill.replication.domain.comparison import compare as compare_facts
from waybill.replication.domain.copy_proof import comparable
from waybill.replication.domain.records import DestinationRecord, LatestRun, RecordStatus, Tracking
from waybill.replication.domain.starter import Starter
from waybill.replication.models import (
    CopyProof,
    FileId,
    ListedObject,
    ObjectFacts,
    ObjectPlace,
    ReplicationRequest,
)

NOT_CURRENT = "NOT_CURRENT"

type Find = Callable[[ObjectPlace], ObjectFacts | None]


class Difference(StrEnum):
    """Why a destination needs an object."""

    MISSING = "MISSING"
    SIZE_DIFFERS = "SIZE_DIFFERS"
    ETAG_DIFFERS = "ETAG_DIFFERS"
    NOT_PROVEN = "NOT_PROVEN"
    HEADERS_DIFFER = "HEADERS_DIFFER"
    TAGS_DIFFER = "TAGS_DIFFER"
    BYTES_DIFFER = "BYTES_DIFFER"
    NOT_REMOVED = "NOT_REMOVED"


class BackfillVerdict(StrEnum):
    """What is done about an object; `GONE`: its source was deleted after it was listed."""

    IDENTICAL = "IDENTICAL"
    IN_PROGRESS = "IN_PROGRESS"
    NEEDED = "NEEDED"
    STARTED = "STARTED"
    FAILED = "FAILED"
    GONE = "GONE"


@dataclass(frozen=True)
class Comparison:
    """A source object beside what the listings of its destinations hold under its key, where there is more to know.

    `faults` has the code of what keeps a destination from being listed, by bucket.
    """

    source: ListedObject
    copies: Mapping[str, ListedObject | None] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanItem:
    """What becomes of one source object: `differences` by destination that needs it.

    `what` names what differs there, where that is known; `failures` has a code for each destination that could not be
    looked at. `follows` is the last run of the file, which has ended without leaving the object where it is needed;
    `execution` is the run that brings it now. `force`: it is copied whatever lies there.
    """

    source: ListedObject
    verdict: BackfillVerdict
    differences: Mapping[str, Difference] = field(default_factory=dict)
    follows: str | None = None
    what: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    execution: str | None = None
    force: bool = False


def compare(
    source: Iterable[ListedObject], destinations: Mapping[str, Iterable[ListedObject]], *, everything: bool = False
) -> Iterator[Comparison]:
    """Yield every object of `source` in its order, with the destinations that do not hold the same.

    `everything`: with all of them, since equal listings say nothing of headers and tags. A destination whose listing
    fails is a fault of every object from there on, and stops no other.

    Raises
    ------
    PermanentError
        The source's listing is not in the order of its keys, as those of directory buckets.
    """
    copies = {bucket: _Copies(_in_order(listing, bucket)) for bucket, listing in destinations.items()}
    for item in _in_order(source, "the source"):
        found = {bucket: listed.at(item.key) for bucket, listed in copies.items()}
        faults = {bucket: listed.fault for bucket, listed in copies.items() if listed.fault}
        yield Comparison(
            item,
            {
                bucket: copy
                for bucket, copy in found.items()
                if bucket not in faults and (everything or difference(item, copy))
            },
            faults,
        )


def difference(source: ListedObject, copy: ListedObject | None) -> Difference | None:
    """Return how a listed copy differs from its source; None when the listings show no difference."""
    if copy is None:
        return Difference.MISSING
    if copy.size != source.size:
        return Difference.SIZE_DIFFERS
    return Difference.ETAG_DIFFERS if copy.e_tag != source.e_tag else None


class _Copies:
    """One destination's listing, read along with the source's; `fault` is the code of what has ended it."""

    def __init__(self, listing: Iterator[ListedObject]) -> None:
        self.fault: str | None = None
        self._listing = listing
        self._next: ListedObject | None = None
        self._begun = False

    def at(self, key: str) -> ListedObject | None:
        """Return the object under `key`; keys have to be asked for in their order."""
        try:
            while not self._begun or (self._next and self._next.key < key):
                self._begun = True
                self._next = next(self._listing, None)
        except WaybillError as error:
            self.fault, self._next = error.code, None
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
    belongs (it failed, or the copy was deleted since), the next backfill starts one more. With `content_only` headers,
    metadata and tags are not looked at.
    """

    source_bucket: str
    tracking: Tracking
    buckets: Buckets
    starter: Starter
    content_only: bool = False
    backfill_id: str | None = None

    def plan_named(
        self, key: str, destinations: Iterable[str], version_id: str | None = None, *, removals: bool = False
    ) -> PlanItem:
        """Return what becomes of an object that no listing is about: it and its copies are looked at, once each.

        A `version_id` that is not the current one any more is a failure: nothing older goes on top of something newer.
        `removals`: what the newest event has removed is to be removed at the destinations.
        """
        find = cache(self.buckets.find)
        nothing, buckets = ListedObject(key, 0, ""), list(destinations)
        try:
            source = find(ObjectPlace(self.source_bucket, key))
        except PermanentError as error:
            return PlanItem(nothing, BackfillVerdict.FAILED, failures=dict.fromkeys(buckets, error.code))
        if source is None:
            return self._plan_removal(nothing, buckets) if removals else PlanItem(nothing, BackfillVerdict.GONE)
        listed = ListedObject(key, source.size, source.e_tag)
        if version_id and (version_id != "null" or source.version_id) and version_id != source.version_id:
            return PlanItem(listed, BackfillVerdict.FAILED, failures=dict.fromkeys(buckets, NOT_CURRENT))
        copies: dict[str, ListedObject | None] = {}
        faults: dict[str, str] = {}
        for bucket in buckets:
            try:
                copy = find(ObjectPlace(bucket, key))
            except PermanentError as error:
                faults[bucket] = error.code
            else:
                copies[bucket] = ListedObject(key, copy.size, copy.e_tag) if copy else None
        return self.plan(Comparison(listed, copies, faults), find)

    def _plan_removal(self, gone: ListedObject, destinations: Iterable[str]) -> PlanItem:
        latest = self.tracking.latest_run(FileId(self.source_bucket, gone.key))
        if latest is None or not latest.removed:
            return PlanItem(gone, BackfillVerdict.GONE)
        if latest.status == RecordStatus.IN_PROGRESS and self._is_under_way(latest):
            return PlanItem(gone, BackfillVerdict.IN_PROGRESS, execution=latest.execution_id)
        needed = dict.fromkeys(destinations, Difference.NOT_REMOVED)
        return PlanItem(gone, BackfillVerdict.NEEDED, needed, latest.execution_id)

    def plan_forced(self, key: str, destinations: Iterable[str]) -> PlanItem:
        """Return that an object is needed, since bytes that were read there are not the source's."""
        source = self.buckets.find(ObjectPlace(self.source_bucket, key))
        if source is None:
            return PlanItem(ListedObject(key, 0, ""), BackfillVerdict.GONE)
        latest = self.tracking.latest_run(FileId(self.source_bucket, key))
        return PlanItem(
            ListedObject(key, source.size, source.e_tag),
            BackfillVerdict.NEEDED,
            dict.fromkeys(destinations, Difference.BYTES_DIFFER),
            latest.execution_id if latest else None,
            force=True,
        )

    def plan(self, comparison: Comparison, find: Find | None = None) -> PlanItem:
        """Return what becomes of a compared object, as far as objects and records know more than the listings.

        `find` looks at an object; by default in S3, each time.
        """
        source, faults = comparison.source, comparison.faults
        if not comparison.copies:
            verdict = BackfillVerdict.FAILED if faults else BackfillVerdict.IDENTICAL
            return PlanItem(source, verdict, failures=faults)
        look = _Look(self, source, find or self.buckets.find)
        for bucket, copy in comparison.copies.items():
            look.at(bucket, copy)
        if look.gone:
            return PlanItem(source, BackfillVerdict.GONE)
        failures = {**faults, **look.failures}
        if not look.differences:
            verdict = BackfillVerdict.FAILED if failures else BackfillVerdict.IDENTICAL
            return PlanItem(source, verdict, failures=failures)
        latest = look.latest()
        if latest and latest.status == RecordStatus.IN_PROGRESS and self._is_under_way(latest):
            return PlanItem(source, BackfillVerdict.IN_PROGRESS, failures=failures, execution=latest.execution_id)
        follows = latest.execution_id if latest else None
        return PlanItem(source, BackfillVerdict.NEEDED, look.differences, follows, look.what, failures)

    def _is_under_way(self, latest: LatestRun) -> bool:
        """Return what the execution says and not the record, which a run that died has left in progress.

        Nobody can ask an Express execution: its record is closed by the reconciler if it died.
        """
        return ":express:" in latest.execution_id or self.starter.is_running(latest.execution_id)

    def start(self, item: PlanItem) -> PlanItem:
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
                return replace(item, verdict=BackfillVerdict.STARTED, execution=execution.execution_arn)
            if self.starter.is_running(execution.execution_arn):
                return replace(item, verdict=BackfillVerdict.IN_PROGRESS, execution=execution.execution_arn)
            # It ended before it could record anything.
            follows = execution.execution_arn

    def _request(self, item: PlanItem, follows: str | None) -> ReplicationRequest:
        if Difference.NOT_REMOVED in item.differences.values():
            return ReplicationRequest(
                source_bucket=self.source_bucket,
                source_key=item.source.key,
                destination_buckets=tuple(item.differences),
                size=0,
                removed=True,
                nonce=follows,
                backfill_id=self.backfill_id,
            )
        return ReplicationRequest(
            source_bucket=self.source_bucket,
            source_key=item.source.key,
            destination_buckets=tuple(item.differences),
            e_tag=item.source.e_tag,
            size=item.source.size,
            # It was there when it was listed: whoever deletes it since has no use for its copy, and no alarm is due.
            look_first=True,
            force=item.force,
            nonce=follows,
            backfill_id=self.backfill_id,
        )


class _Look:
    """One source object, looked at beside its copies; what is found out about the source is asked for once."""

    def __init__(self, backfill: Backfill, source: ListedObject, find: Find) -> None:
        self.differences: dict[str, Difference] = {}
        self.what: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.gone = False
        self._backfill = backfill
        self._source = source
        self._find = find
        self._file = FileId(backfill.source_bucket, source.key)
        self.latest: Callable[[], LatestRun | None] = cache(lambda: backfill.tracking.latest_run(self._file))
        self._now: Callable[[], ObjectFacts | None] = cache(
            lambda: find(ObjectPlace(backfill.source_bucket, source.key))
        )

    def at(self, bucket: str, listed: ListedObject | None) -> None:
        """Find out whether the copy in `bucket`, listed so, is what the source is."""
        try:
            found = difference(self._source, listed)
            if found in {Difference.MISSING, Difference.SIZE_DIFFERS} or self._backfill.content_only:
                if found and not self._has_landed(bucket, listed):
                    self.differences[bucket] = found
            else:
                self._beside(bucket, found)
        except PermanentError as error:
            self.failures[bucket] = error.code

    def _beside(self, bucket: str, listed: Difference | None) -> None:
        source = self._now()
        if source is None:
            self.gone = True
            return
        copy = self._find(ObjectPlace(bucket, self._source.key))
        if copy is None:
            self.differences[bucket] = Difference.MISSING
            return
        made_here = False
        if comparable(source, copy) is CopyProof.SIZE and (record := self._record(bucket)):
            made_here = record.holds(source) and record.etag == copy.e_tag
        state = compare_facts(self._backfill.buckets, source, copy, made_here=made_here)
        if state.equal:
            return
        self.what[bucket] = ", ".join(state.differences)
        if CONTENT in state.differences:
            self.differences[bucket] = listed or Difference.ETAG_DIFFERS
        elif state.proof is CopyProof.SIZE:
            self.differences[bucket] = listed or Difference.NOT_PROVEN
        elif state.differences == (TAGS,):
            self.differences[bucket] = Difference.TAGS_DIFFER
        else:
            self.differences[bucket] = Difference.HEADERS_DIFFER

    def _has_landed(self, bucket: str, listed: ListedObject | None) -> bool:
        """Return whether the destination holds this very state of the source, by its record, whatever its ETag."""
        record = self._record(bucket)
        if record is None:
            return False
        holds = _is_copy_of(record, self._source) or ((facts := self._now()) is not None and record.holds(facts))
        return holds and self._is_there(record, ObjectPlace(bucket, self._source.key), listed)

    def _record(self, bucket: str) -> DestinationRecord | None:
        # No destination is recorded before its file is.
        return self._backfill.tracking.destination(self._file, bucket) if self.latest() else None

    def _is_there(self, record: DestinationRecord, place: ObjectPlace, listed: ListedObject | None) -> bool:
        """Return whether the copy that was recorded is there: as listed; or now, as it came after the listing."""
        if listed and listed.e_tag == record.etag:
            return True
        found = self._find(place)
        return found is not None and found.e_tag == record.etag


def _is_copy_of(record: DestinationRecord, source: ListedObject) -> bool:
    """Return whether the record alone tells so, which one of a version does not: listings know nothing of versions."""
    identity = record.source_identity or ""
    return record.status == RecordStatus.COMPLETED and identity.startswith(f"{source.e_tag}@")
