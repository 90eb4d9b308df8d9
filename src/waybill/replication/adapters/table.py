"""The tracking table `FileCopyTracking` on DynamoDB; `items` says what its items look like."""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby, islice
from typing import TYPE_CHECKING, cast, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import Read, Table
from waybill.core.clock import iso
from waybill.core.retry import CONTENTION, Retry
from waybill.replication.adapters.items import (
    FINAL_ATTRIBUTES,
    IS_NO_HISTORY,
    IS_NO_HISTORY_VALUES,
    OVERDUE_KEY,
    capped_results,
    checksum_attributes,
    destination_key,
    destination_prefix,
    expiry,
    history_key,
    history_of,
    history_prefix,
    json_text,
    partitions_of,
    put_back_key,
    record_key,
    shortened,
    standing_attributes,
    status_partition,
    summary_of,
)
from waybill.replication.domain.overdue import OverdueRuns
from waybill.replication.domain.records import (
    Claimed,
    ClaimOutcome,
    DestinationItem,
    DestinationRecord,
    Dismissal,
    DismissalRecords,
    HistoryItem,
    LatestRun,
    OpenRuns,
    RecordItem,
    RecordReader,
    RecordStatus,
    Tracking,
    position_of,
)
from waybill.replication.domain.standing import standing_by_status, standing_of
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import (
    DestinationResult,
    FileId,
    ObjectFacts,
    ReplicationRun,
    RunOutcome,
    RunTotals,
    Strategy,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATUS_INDEX = "ByStatus"
# Lists are read from the top: a page of the index that holds more than people look at is read for nothing.
_INDEX_PAGE = 100
_COUNTED_PAGE = 1_000
# Who writes at the same moment has ended the same file or job: what is to be written is to be made out anew.
ONCE = Retry(tries=1)
# As many runs of one file may end at the same moment before one of them has to try again.


class TrackingTable(Tracking, OpenRuns, OverdueRuns, RecordReader, DismissalRecords):
    """`Tracking` on DynamoDB; `client` is a boto3 `dynamodb` client, `history_days` how long ended runs are kept."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, *, history_days: int, now: Callable[[], datetime]
    ) -> None:
        self._table = Table(client, table_name, TrackingUnavailableError, retry=ONCE)
        self._history_days = history_days
        self._now = now

    @override
    def claim(self, run: ReplicationRun) -> Claimed:
        """Make `run` the owner of its file's record, unless it is a duplicate, or older than the owner.

        One conditional write. It succeeds when there is no record, when the run has claimed it before (a repeated
        call), or when no event of the same or a greater sequencer has. A manual run has no sequencer: it takes over any
        record but that of its own duplicate, and leaves the sequencer and the run of the newest event in place, and
        whether that was a removal.

        A record that is the history of its run (`history_of`) is taken over only after that has an item of its own.
        """
        condition = "attribute_not_exists(fileKey) OR executionId = :id OR "
        ordering: Item = {}
        # What the newest event says of the source: no run without an event knows better.
        told: Item = {}
        if run.sequencer:
            ordering = {"sequencer": run.sequencer}
            told = {"newestEventRun": run.execution_id, "removed": run.removed}
            condition += "newestEventRun = :id OR "
            condition += "(executionName <> :name AND (attribute_not_exists(sequencer) OR sequencer < :sequencer))"
        else:
            condition += "executionName <> :name"
        update = Update.of(
            {
                "executionId": run.execution_id,
                "executionName": run.execution_name,
                "status": RecordStatus.IN_PROGRESS.value,
                "startTime": run.workflow_start_time,
                "statusPartition": status_partition(RecordStatus.IN_PROGRESS, run.file),
                "totalDestinationBuckets": len(run.destination_buckets),
                "destinationBuckets": json_text(run.destination_buckets),
                "destinationPrefix": run.destination_prefix,
                "versionId": run.version_id,
                "eTag": run.e_tag,
                "size": run.size,
                "backfillId": run.backfill_id,
                **ordering,
                **told,
            },
            removed=FINAL_ATTRIBUTES,
            counted=("generation",),
        )
        bound = {"id": run.execution_id, "name": run.execution_name, **ordering}
        try:
            claimed = self._taken_over(run.file, update, condition, _values(bound))
        except ConditionFailedError as failed:
            owner = failed.item
            same = owner.get("executionName") == run.execution_name or owner.get("sequencer") == run.sequencer
            return Claimed(ClaimOutcome.DUPLICATE if same else ClaimOutcome.STALE)
        return Claimed(ClaimOutcome.STARTED, claimed["generation"])

    def _taken_over(self, file: FileId, update: Update, condition: str, values: Item) -> Item:
        keeping = f"({condition}) AND {IS_NO_HISTORY}"
        try:
            return self._table.update(record_key(file), update, keeping, values | IS_NO_HISTORY_VALUES)
        except ConditionFailedError as failed:
            kept = history_of(failed.item, self._history_days)
            if kept is None:
                raise
        # Dying here, or losing the record to another run, leaves the same item for the next claim to write.
        self._table.put(kept)
        return self._table.update(record_key(file), update, condition, values)

    @override
    def latest_run(self, file: FileId) -> LatestRun | None:
        item = self._table.get(record_key(file))
        if not item:
            return None
        return LatestRun(
            execution_id=item["executionId"],
            status=item["status"],
            in_order=item.get("newestEventRun") == item["executionId"],
            destination_buckets=tuple(json.loads(item["destinationBuckets"])),
            destination_prefix=item.get("destinationPrefix"),
            start_time=item.get("startTime"),
            backfill_id=item.get("backfillId"),
            removed=bool(item.get("removed")),
        )

    @override
    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        item = self._table.get(destination_key(file, bucket))
        if not item:
            return None
        return DestinationRecord(
            item["executionId"], item["status"], item.get("sourceIdentity"), item.get("etag"), item.get("uploadId")
        )

    @override
    def record_upload(self, run: ReplicationRun, bucket: str, source: ObjectFacts, upload_id: str) -> str | None:
        return self._put_destination(
            run,
            bucket,
            {"status": RecordStatus.IN_PROGRESS.value, "sourceIdentity": source.identity, "uploadId": upload_id},
        )

    @override
    def record_destination(
        self, run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None
    ) -> str | None:
        """Record the outcome at one destination, unless a later run has recorded its own.

        Returns the upload of an earlier run that lost its place.
        """
        return self._put_destination(run, result.destination_bucket, _outcome(run, result, source))

    @override
    def record_put_back(self, run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None) -> None:
        bucket = result.destination_bucket
        self._table.put({**_outcome(run, result, source), **_owned(run, bucket), **put_back_key(run.file, bucket)})

    @override
    def finish(self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome) -> bool:
        """Write the final record and the history item in one transaction; a first run that went well needs no item.

        When a later run owns the record by now, the history item is written, the record follows what this run has
        done at its destinations, and False is returned.

        Raises
        ------
        TrackingUnavailableError
            Another run of the file has ended at this moment; the next attempt sees what it did.
        """
        # The first run of a file has nobody before it, and finds nothing but its own items: it need not look. Where the
        # record says otherwise, it does.
        if run.generation == 1 and self._finish_alone(run, totals, outcome):
            return True
        seen: Item = self._table.get(record_key(run.file)) or {}
        items = self.destinations(run.file)
        try:
            self._finish_after(run, totals, outcome, seen, items)
        except ConditionFailedError as failed:
            record = self._table.get(record_key(run.file))
            if record and record["executionId"] == run.execution_id:
                raise TrackingUnavailableError("another run of the file has ended at this moment") from failed
            summary = summary_of(totals, outcome) | {"completedAt": iso(self._now())}
            self._table.put(self._history_item(run, summary))
            if totals.successful_copies or totals.failed_copies:
                self._follow(run.file)
            return False
        return True

    def _finish_alone(self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome) -> bool:
        try:
            self._finish_after(run, totals, outcome, {}, [])
        except ConditionFailedError:
            return False
        return True

    def _finish_after(
        self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome, seen: Item, items: list[DestinationItem]
    ) -> None:
        """Write the final record and the history item, unless the record has changed since it was `seen`."""
        ended_at = iso(self._now())
        standing = standing_of(items, run, totals)
        update = Update.of(
            {"outcome": outcome.value, "completedAt": ended_at}
            | standing_attributes(standing, run.file)
            | capped_results(totals)
        )
        summary = summary_of(totals, outcome) | {"completedAt": ended_at}
        condition, bound = _unchanged(run.execution_id, seen.get("revision"))
        if run.generation == 1 and outcome is RunOutcome.SUCCESS:
            self._table.update(record_key(run.file), update, condition, _values(bound))
            return
        final = self._table.update_action(record_key(run.file), update, condition, _values(bound))
        self._table.transact([final, self._table.put_action(self._history_item(run, summary))])

    @override
    def dismiss(self, file: FileId, buckets: Sequence[str], dismissal: Dismissal) -> None:
        record = self._table.get(record_key(file)) or {}
        details = {
            "status": RecordStatus.DISMISSED.value,
            "dismissedBy": dismissal.by,
            "dismissedAt": dismissal.at,
            "dismissReason": dismissal.reason,
        }
        for bucket in buckets:
            key = destination_key(file, bucket)
            with suppress(ConditionFailedError):
                if self._table.get(key):
                    failed = {":failed": RecordStatus.FAILED.value}
                    self._table.update(key, Update.of(details), "#status = :failed", failed, {"#status": "status"})
                else:
                    # A failure that could not be recorded has no item: the record alone tells of it.
                    named = {"destinationBucket": bucket, "executionId": record.get("executionId")}
                    self._table.update(key, Update.of(details | named), "attribute_not_exists(fileKey)")
        self._follow(file)

    def _follow(self, file: FileId) -> None:
        """Make the record say how its file stands; of one in progress, its run does so when it ends."""
        for _ in CONTENTION.attempts():
            record = self._table.get(record_key(file))
            if not record:
                return
            changes: Item = {"revision": int(record.get("revision", 0)) + 1}
            if record["status"] != RecordStatus.IN_PROGRESS:
                statuses = {item["destinationBucket"]: item["status"] for item in self.destinations(file)}
                changes |= standing_attributes(standing_by_status(statuses), file)
            condition, bound = _unchanged(record["executionId"], record.get("revision"))
            condition += " AND #status = :status"
            values = _values(bound | {"status": record["status"]})
            try:
                self._table.update(record_key(file), Update.of(changes), condition, values, {"#status": "status"})
            except ConditionFailedError:
                continue
            return
        raise TrackingUnavailableError("the record changes faster than it can be followed")

    @override
    def newest(self, statuses: Iterable[RecordStatus], *, before: str | None = None) -> Iterator[RecordItem]:
        """Yield the records of `statuses`, newest first, reading pages only as they are needed.

        `before` is the position of a record: only what comes after it is yielded.
        """
        latest = before.split("|", 1)[0] if before else None
        partitions = [partition for status in statuses for partition in partitions_of(status)]
        streams = [self._partition(partition, latest) for partition in partitions]
        for item in heapq.merge(*streams, key=position_of, reverse=True):
            position = position_of(item)
            # While a record's status changes, the index may show it in both partitions.
            if before is None or position < before:
                before = position
                yield item

    @override
    def open_runs(self, *, started_before: str) -> Iterator[RecordItem]:
        return self._partition(RecordStatus.IN_PROGRESS.value, started_before)

    @override
    def oldest_open(self, limit: int) -> Iterator[RecordItem]:
        partition = {":partition": RecordStatus.IN_PROGRESS.value}
        read = Read(index=STATUS_INDEX, page_size=_COUNTED_PAGE)
        open_records = self._table.query("statusPartition = :partition", partition, read)
        return islice(cast("Iterator[RecordItem]", open_records), limit)

    @override
    def notified_until(self) -> str:
        item = self._table.get(OVERDUE_KEY)
        return item["startTime"] if item else ""

    @override
    def save_notified_until(self, until: str) -> None:
        self._table.put({**OVERDUE_KEY, "startTime": until})

    @override
    def open_between(self, after: str, until: str) -> Iterator[RecordItem]:
        condition = "statusPartition = :partition AND startTime BETWEEN :after AND :until"
        bound = {":partition": RecordStatus.IN_PROGRESS.value, ":after": after or "0", ":until": until}
        if after > until:
            return iter(())
        found = self._table.query(condition, bound, Read(index=STATUS_INDEX, page_size=_COUNTED_PAGE))
        return (item for item in cast("Iterator[RecordItem]", found) if item["startTime"] > after)

    @override
    def destinations_of(self, run: ReplicationRun) -> list[DestinationItem]:
        return [item for item in self.destinations(run.file) if item["executionId"] == run.execution_id]

    @override
    def record(self, file: FileId) -> RecordItem | None:
        return cast("RecordItem | None", self._table.get(record_key(file)))

    @override
    def destinations(self, file: FileId) -> list[DestinationItem]:
        return cast("list[DestinationItem]", list(self._query(file, destination_prefix(file))))

    @override
    def history(self, file: FileId, limit: int) -> list[HistoryItem]:
        runs = list(islice(self._query(file, history_prefix(file), newest_first=True, page_size=limit), limit))
        if not runs and (record := self._table.get(record_key(file))):
            # The only run that there was.
            runs = [item for item in [history_of(record, self._history_days)] if item]
        return cast("list[HistoryItem]", runs)

    def _history_item(self, run: ReplicationRun, summary: Mapping[str, object]) -> Item:
        return {
            **history_key(run.file, run.workflow_start_time, run.execution_id),
            "executionId": run.execution_id,
            "startTime": run.workflow_start_time,
            "destinationBuckets": json_text(run.destination_buckets),
            "expiresAt": expiry(self._now(), self._history_days),
            **summary,
        }

    def _put_destination(self, run: ReplicationRun, bucket: str, attributes: Item) -> str | None:
        try:
            replaced = self._table.put(
                {**attributes, **_owned(run, bucket), **destination_key(run.file, bucket)},
                "attribute_not_exists(generation) OR generation <= :generation",
                {":generation": run.generation},
            )
        except ConditionFailedError:
            return attributes.get("uploadId")
        replaced = replaced or {}
        return replaced.get("uploadId") if replaced.get("executionId") != run.execution_id else None

    def _query(
        self, file: FileId, prefix: str, *, newest_first: bool = False, page_size: int | None = None
    ) -> Iterator[Item]:
        condition = "fileKey = :key AND begins_with(sourceBucket, :prefix)"
        values = {":key": file.source_key, ":prefix": prefix}
        return self._table.query(condition, values, Read(newest_first=newest_first, page_size=page_size))

    def _partition(self, partition: str, latest: str | None) -> Iterator[RecordItem]:
        """Yield the records of one index partition, newest first; with `latest`, those that started no later."""
        newest_first = self._table.query(
            "statusPartition = :partition" + (" AND startTime <= :latest" if latest else ""),
            {":partition": partition, ":latest": latest},
            Read(index=STATUS_INDEX, newest_first=True, page_size=_INDEX_PAGE),
        )
        # The index orders by time alone; records of one millisecond come in any order.
        for _, together in groupby(cast("Iterator[RecordItem]", newest_first), key=lambda item: item["startTime"]):
            yield from sorted(together, key=position_of, reverse=True)


def _outcome(run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None) -> Item:
    """Return what is kept of a result at one destination."""
    details = shortened(result.wire())
    for name in ("sourceBucket", "sourceKey"):
        details.pop(name)
    return details | {
        "status": (RecordStatus.COMPLETED if result.success else RecordStatus.FAILED).value,
        "sourceIdentity": source and source.identity,
        "sourceVersionId": source and source.version_id,
        # A removal has no source that is of any size.
        "sourceSize": None if result.strategy is Strategy.REMOVE else source and source.size,
        "destinationKey": run.destination_key,
        **checksum_attributes(source),
    }


def _owned(run: ReplicationRun, bucket: str) -> Item:
    """Return whose item of a destination it is."""
    return {
        "destinationBucket": bucket,
        "executionId": run.execution_id,
        "startTime": run.workflow_start_time,
        "generation": run.generation,
    }


def _unchanged(execution_id: str, revision: int | None) -> tuple[str, Item]:
    """Return the condition that the run still owns the record, and that no other has ended since it was read."""
    if revision is None:
        return "executionId = :id AND attribute_not_exists(revision)", {"id": execution_id}
    return "executionId = :id AND revision = :revision", {"id": execution_id, "revision": revision}


def _values(bound: Mapping[str, object]) -> Item:
    """Return the values of an expression by their names in it."""
    return {f":{name}": value for name, value in bound.items()}
