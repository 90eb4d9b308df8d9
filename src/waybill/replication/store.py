"""The tracking table `FileCopyTracking`: the one module that knows its items.

Hash key `fileKey` (the object's key), range key `sourceBucket`. Bucket names cannot contain `#`, so the further items
of a file stand beside its record without being in the way of its readers:

    <bucket>                            the record: the latest run, counts, results
    <bucket>#dest#<destination>         the file at one destination
    <bucket>#exec#<start>#<execution>   one ended run, kept for `history_days`

The index `ByStatus` (hash `statusPartition`, range `startTime`) holds the records alone. IN_PROGRESS and FAILED are one
partition each; the others are spread over a partition per month and shard, so that none gets hot.
"""

import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from waybill.core.clock import iso
from waybill.core.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.listing import position_of
from waybill.replication.models import (
    Claim,
    DestinationRecord,
    DestinationResult,
    FileId,
    LatestRun,
    ObjectFacts,
    Outcome,
    Run,
    RunTotals,
    Status,
)

STATUS_INDEX = "ByStatus"
SHARDS = 8
_OPEN = frozenset({Status.IN_PROGRESS, Status.FAILED})
_MONTHS_BACK = 24
# DynamoDB items hold 400 KB; 1,000 destination names of 63 characters take 66 KB per list, and a record has three
# lists.
_RESULTS_LIMIT_BYTES = 120_000
_CAUSE_LIMIT = 2_000
_SECONDS_PER_DAY = 86_400

_STATUS_OF = {
    Outcome.SUCCESS: Status.COMPLETED,
    Outcome.PARTIAL_FAILURE: Status.FAILED,
    Outcome.FAILED: Status.FAILED,
    Outcome.SUPERSEDED: Status.SUPERSEDED,
}
_FINAL_ATTRIBUTES = (
    "completedAt",
    "outcome",
    "totalBuckets",
    "successfulCopies",
    "failedCopies",
    "supersededCopies",
    "successfulBuckets",
    "failedBuckets",
    "copyResults",
    "copyResultsCut",
)


class TrackingTable:
    """`Tracking` on DynamoDB; `client` is a boto3 `dynamodb` client, `history_days` how long ended runs are kept."""

    def __init__(self, client: Any, table_name: str, *, history_days: int, now: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table_name
        self._history_days = history_days
        self._now = now

    def claim(self, run: Run) -> Claim:
        """Make `run` the owner of its file's record, unless it is a duplicate, or older than the owner.

        One conditional write. It succeeds when there is no record, when the record is this run's own (a repeated call),
        or when it is another run's with a smaller sequencer. A manual run has no sequencer: it takes over any record
        but that of its own duplicate, and leaves the sequencer of the last event in place.
        """
        condition = "attribute_not_exists(fileKey) OR executionId = :id OR (executionName <> :name"
        condition += " AND (attribute_not_exists(sequencer) OR sequencer < :sequencer))" if run.sequencer else ")"
        ordering = {"sequencer": run.sequencer} if run.sequencer else {}
        update = Update.of(
            {
                "executionId": run.execution_id,
                "executionName": run.execution_name,
                "status": Status.IN_PROGRESS.value,
                "startTime": run.workflow_start_time,
                "statusPartition": status_partition(Status.IN_PROGRESS, run.workflow_start_time, run.file),
                "totalDestinationBuckets": len(run.destination_buckets),
                "destinationBuckets": _json(run.destination_buckets),
                "destinationPrefix": run.destination_prefix,
                "versionId": run.version_id,
                "eTag": run.e_tag,
                "size": run.size,
                **ordering,
            },
            removed=_FINAL_ATTRIBUTES,
        )
        arguments = update.arguments(condition, id=run.execution_id, name=run.execution_name, **ordering)
        try:
            with translated(TrackingUnavailableError):
                self._client.update_item(
                    TableName=self._table,
                    Key=_record_key(run.file),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **arguments,
                )
        except ConditionFailedError as failed:
            owner = failed.item
            same = owner.get("executionName") == run.execution_name or owner.get("sequencer") == run.sequencer
            return Claim.DUPLICATE if same else Claim.STALE
        return Claim.STARTED

    def latest_run(self, file: FileId) -> LatestRun | None:
        """Return the run that owns the file's record."""
        item = self._get(_record_key(file))
        return LatestRun(item["executionId"], item["status"]) if item else None

    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        """Return what is recorded of the file at the destination `bucket`."""
        item = self._get(_destination_key(file, bucket))
        if not item:
            return None
        return DestinationRecord(
            item["executionId"], item["status"], item.get("sourceIdentity"), item.get("etag"), item.get("uploadId")
        )

    def record_upload(self, run: Run, bucket: str, source: ObjectFacts, upload_id: str) -> None:
        """Remember the multipart upload that `run` has open to `bucket`."""
        self._put_destination(
            run,
            bucket,
            {"status": Status.IN_PROGRESS.value, "sourceIdentity": source.identity, "uploadId": upload_id},
        )

    def record_destination(self, run: Run, result: DestinationResult, source: ObjectFacts | None) -> None:
        """Record the outcome at one destination, unless a later run has recorded its own."""
        details = result.model_copy(update={"cause": (result.cause or "")[:_CAUSE_LIMIT] or None}).wire()
        for name in ("sourceBucket", "sourceKey"):
            details.pop(name)
        self._put_destination(
            run,
            result.destination_bucket,
            details
            | {
                "status": (Status.COMPLETED if result.success else Status.FAILED).value,
                "sourceIdentity": source and source.identity,
                "sourceVersionId": source and source.version_id,
            },
        )

    def finish(self, run: Run, totals: RunTotals, outcome: Outcome) -> bool:
        """Write the final record and the history item in one transaction.

        When a later run owns the record by now, only the history item is written, and False is returned.
        """
        summary = _summary(totals, outcome) | {"completedAt": iso(self._now())}
        partition = status_partition(_STATUS_OF[outcome], run.workflow_start_time, run.file)
        update = Update.of(summary | _capped_results(totals) | {"statusPartition": partition})
        final = {
            "TableName": self._table,
            "Key": _record_key(run.file),
            **update.arguments("executionId = :id", id=run.execution_id),
        }
        history = {"TableName": self._table, "Item": to_item(self._history_item(run, summary))}
        try:
            with translated(TrackingUnavailableError):
                self._client.transact_write_items(TransactItems=[{"Update": final}, {"Put": history}])
        except ConditionFailedError:
            with translated(TrackingUnavailableError):
                self._client.put_item(**history)
            return False
        return True

    def newest(self, statuses: Iterable[Status], *, before: str | None = None) -> Iterator[Item]:
        """Yield the records of `statuses`, newest first, reading pages only as they are needed.

        `before` is the position of a record: only what comes after it is yielded. Ended runs are found for the last 24
        months; older records are still found by their file.
        """
        latest = before.split("|", 1)[0] if before else iso(self._now())
        streams = [self._newest_of(status, latest) for status in statuses]
        for item in heapq.merge(*streams, key=position_of, reverse=True):
            if before is None or position_of(item) < before:
                yield item

    def open_runs(self, *, started_before: str) -> Iterator[Item]:
        """Yield the records in progress that started before that time (ISO 8601)."""
        return self._partition(Status.IN_PROGRESS.value, started_before)

    def destinations_of(self, run: Run) -> list[Item]:
        """Return the items that `run` has written for its destinations."""
        return [item for item in self.destinations(run.file) if item["executionId"] == run.execution_id]

    def record(self, file: FileId) -> Item | None:
        """Return the whole record of a file."""
        return self._get(_record_key(file))

    def destinations(self, file: FileId) -> list[Item]:
        """Return the items of the file at each of its destinations, by bucket name."""
        return list(self._query(file, f"{file.source_bucket}#dest#"))

    def history(self, file: FileId, limit: int) -> list[Item]:
        """Return the last `limit` ended runs of the file, newest first."""
        runs = self._query(file, f"{file.source_bucket}#exec#", newest_first=True)
        return list(islice(runs, limit))

    def _history_item(self, run: Run, summary: Mapping[str, Any]) -> Item:
        range_key = f"{run.source_bucket}#exec#{run.workflow_start_time}#{run.execution_id}"
        return {
            "fileKey": run.source_key,
            "sourceBucket": range_key,
            "executionId": run.execution_id,
            "startTime": run.workflow_start_time,
            "destinationBuckets": _json(run.destination_buckets),
            "expiresAt": int(self._now().timestamp()) + self._history_days * _SECONDS_PER_DAY,
            **summary,
        }

    def _put_destination(self, run: Run, bucket: str, attributes: Mapping[str, Any]) -> None:
        owned = {
            "destinationBucket": bucket,
            "executionId": run.execution_id,
            "startTime": run.workflow_start_time,
        }
        try:
            with translated(TrackingUnavailableError):
                self._client.put_item(
                    TableName=self._table,
                    Item=_destination_key(run.file, bucket) | to_item({**attributes, **owned}),
                    ConditionExpression="attribute_not_exists(startTime) OR startTime <= :start",
                    ExpressionAttributeValues=to_item({":start": run.workflow_start_time}),
                )
        except ConditionFailedError:
            return

    def _get(self, key: Item) -> Item | None:
        with translated(TrackingUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(answer["Item"]) if answer.get("Item") else None

    def _query(self, file: FileId, prefix: str, *, newest_first: bool = False) -> Iterator[Item]:
        yield from self._pages(
            KeyConditionExpression="fileKey = :key AND begins_with(sourceBucket, :prefix)",
            ExpressionAttributeValues=to_item({":key": file.source_key, ":prefix": prefix}),
            ScanIndexForward=not newest_first,
        )

    def _newest_of(self, status: Status, latest: str) -> Iterator[Item]:
        if status in _OPEN:
            yield from self._partition(status.value, latest)
            return
        for month in _months_until(latest):
            shards = (f"{status.value}#{month}#{shard}" for shard in range(SHARDS))
            yield from heapq.merge(*(self._partition(shard, latest) for shard in shards), key=position_of, reverse=True)

    def _partition(self, partition: str, latest: str) -> Iterator[Item]:
        """Yield the records of one index partition that started at `latest` or earlier, newest first."""
        newest_first = self._pages(
            IndexName=STATUS_INDEX,
            KeyConditionExpression="statusPartition = :partition AND startTime <= :latest",
            ExpressionAttributeValues=to_item({":partition": partition, ":latest": latest}),
            ScanIndexForward=False,
        )
        # The index orders by time alone; records of one millisecond come in any order.
        for _, together in groupby(newest_first, key=lambda item: item["startTime"]):
            yield from sorted(together, key=position_of, reverse=True)

    def _pages(self, **query: Any) -> Iterator[Item]:
        pages = iter(self._client.get_paginator("query").paginate(TableName=self._table, **query))
        while True:
            with translated(TrackingUnavailableError):
                page = next(pages, None)
            if page is None:
                return
            yield from map(from_item, page["Items"])


def status_partition(status: Status, start_time: str, file: FileId) -> str:
    """Return the index partition of a record."""
    if status in _OPEN:
        return status.value
    digest = hashlib.sha256(f"{file.source_bucket}/{file.source_key}".encode(errors="surrogatepass")).digest()
    return f"{status.value}#{start_time[:7]}#{digest[0] % SHARDS}"


def _months_until(latest: str) -> Iterator[str]:
    year, month = int(latest[:4]), int(latest[5:7])
    for _ in range(_MONTHS_BACK):
        yield f"{year}-{month:02}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def _record_key(file: FileId) -> Item:
    return to_item({"fileKey": file.source_key, "sourceBucket": file.source_bucket})


def _destination_key(file: FileId, bucket: str) -> Item:
    return to_item({"fileKey": file.source_key, "sourceBucket": f"{file.source_bucket}#dest#{bucket}"})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _summary(totals: RunTotals, outcome: Outcome) -> Item:
    return {
        "status": _STATUS_OF[outcome].value,
        "outcome": outcome.value,
        "totalBuckets": totals.total_buckets,
        "successfulCopies": totals.successful_copies,
        "failedCopies": totals.failed_copies,
        "supersededCopies": totals.superseded_copies,
        "successfulBuckets": _json(totals.buckets(success=True)),
        "failedBuckets": _json(totals.buckets(success=False)),
    }


def _capped_results(totals: RunTotals) -> Item:
    """Return the results; where they do not all fit, failures first (each destination has its own item anyway)."""
    whole = _json(totals.results)
    if len(whole.encode()) <= _RESULTS_LIMIT_BYTES:
        return {"copyResults": whole, "copyResultsCut": None}
    kept: list[Mapping[str, Any]] = []
    room = _RESULTS_LIMIT_BYTES
    for result in sorted(totals.results, key=lambda result: bool(result["success"])):
        room -= len(_json(result).encode()) + 1
        if room < 0:
            break
        kept.append(result)
    return {"copyResults": _json(kept), "copyResultsCut": len(totals.results) - len(kept)}
