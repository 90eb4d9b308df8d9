"""The tracking table `FileCopyTracking`: the one module that knows its items.

Hash key `fileKey` (the object's key), range key `sourceBucket`. Bucket names cannot contain `#`, so the further items
of a file stand beside its record without being in the way of its readers:

    <bucket>                            the record: the latest run, counts, results
    <bucket>#dest#<destination>         the file at one destination
    <bucket>#exec#<start>#<execution>   one ended run, kept for `history_days`

The index `ByStatus` (hash `statusPartition`, range `startTime`) holds the records alone. IN_PROGRESS and FAILED are one
partition each; the others, which every file ends in, are spread over shards, so that none gets hot.
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
    Claimed,
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
# Lists are read from the top: a page of the index that holds more than people look at is read for nothing.
_INDEX_PAGE = 100
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

    def claim(self, run: Run) -> Claimed:
        """Make `run` the owner of its file's record, unless it is a duplicate, or older than the owner.

        One conditional write. It succeeds when there is no record, when the run has claimed it before (a repeated
        call), or when no event of the same or a greater sequencer has. A manual run has no sequencer: it takes over any
        record but that of its own duplicate, and leaves the sequencer and the run of the newest event in place.
        """
        condition = "attribute_not_exists(fileKey) OR executionId = :id OR "
        ordering: dict[str, Any] = {}
        if run.sequencer:
            ordering = {"sequencer": run.sequencer}
            condition += "newestEventRun = :id OR "
            condition += "(executionName <> :name AND (attribute_not_exists(sequencer) OR sequencer < :sequencer))"
        else:
            condition += "executionName <> :name"
        update = Update.of(
            {
                "executionId": run.execution_id,
                "executionName": run.execution_name,
                "status": Status.IN_PROGRESS.value,
                "startTime": run.workflow_start_time,
                "statusPartition": status_partition(Status.IN_PROGRESS, run.file),
                "totalDestinationBuckets": len(run.destination_buckets),
                "destinationBuckets": _json(run.destination_buckets),
                "destinationPrefix": run.destination_prefix,
                "versionId": run.version_id,
                "eTag": run.e_tag,
                "size": run.size,
                **ordering,
                **({"newestEventRun": run.execution_id} if ordering else {}),
            },
            removed=_FINAL_ATTRIBUTES,
            counted=("generation",),
        )
        arguments = update.arguments(condition, id=run.execution_id, name=run.execution_name, **ordering)
        try:
            with translated(TrackingUnavailableError):
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=_record_key(run.file),
                    ReturnValues="UPDATED_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **arguments,
                )
        except ConditionFailedError as failed:
            owner = failed.item
            same = owner.get("executionName") == run.execution_name or owner.get("sequencer") == run.sequencer
            return Claimed(Claim.DUPLICATE if same else Claim.STALE)
        return Claimed(Claim.STARTED, from_item(answer["Attributes"])["generation"])

    def latest_run(self, file: FileId) -> LatestRun | None:
        """Return the run that owns the file's record."""
        item = self._get(_record_key(file))
        if not item:
            return None
        return LatestRun(
            execution_id=item["executionId"],
            status=item["status"],
            in_order=item.get("newestEventRun") == item["executionId"],
            destination_buckets=tuple(json.loads(item["destinationBuckets"])),
            destination_prefix=item.get("destinationPrefix"),
        )

    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        """Return what is recorded of the file at the destination `bucket`."""
        item = self._get(_destination_key(file, bucket))
        if not item:
            return None
        return DestinationRecord(
            item["executionId"], item["status"], item.get("sourceIdentity"), item.get("etag"), item.get("uploadId")
        )

    def record_upload(self, run: Run, bucket: str, source: ObjectFacts, upload_id: str) -> str | None:
        """Remember the multipart upload that `run` has open to `bucket`; return the upload that lost its place."""
        return self._put_destination(
            run,
            bucket,
            {"status": Status.IN_PROGRESS.value, "sourceIdentity": source.identity, "uploadId": upload_id},
        )

    def record_destination(self, run: Run, result: DestinationResult, source: ObjectFacts | None) -> str | None:
        """Record the outcome at one destination, unless a later run has recorded its own.

        Returns the upload of an earlier run that lost its place.
        """
        details = _shortened(result.wire())
        for name in ("sourceBucket", "sourceKey"):
            details.pop(name)
        return self._put_destination(
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
        partition = status_partition(_STATUS_OF[outcome], run.file)
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

        `before` is the position of a record: only what comes after it is yielded.
        """
        latest = before.split("|", 1)[0] if before else None
        partitions = [partition for status in statuses for partition in _partitions(status)]
        streams = [self._partition(partition, latest) for partition in partitions]
        for item in heapq.merge(*streams, key=position_of, reverse=True):
            position = position_of(item)
            # While a record's status changes, the index may show it in both partitions.
            if before is None or position < before:
                before = position
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
        runs = self._query(file, f"{file.source_bucket}#exec#", newest_first=True, page_size=limit)
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

    def _put_destination(self, run: Run, bucket: str, attributes: Mapping[str, Any]) -> str | None:
        owned = {
            "destinationBucket": bucket,
            "executionId": run.execution_id,
            "startTime": run.workflow_start_time,
            "generation": run.generation,
        }
        try:
            with translated(TrackingUnavailableError):
                answer = self._client.put_item(
                    TableName=self._table,
                    Item=_destination_key(run.file, bucket) | to_item({**attributes, **owned}),
                    ConditionExpression="attribute_not_exists(generation) OR generation <= :generation",
                    ExpressionAttributeValues=to_item({":generation": run.generation}),
                    ReturnValues="ALL_OLD",
                )
        except ConditionFailedError:
            return attributes.get("uploadId")
        replaced = from_item(answer.get("Attributes", {}))
        return replaced.get("uploadId") if replaced.get("executionId") != run.execution_id else None

    def _get(self, key: Item) -> Item | None:
        with translated(TrackingUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(answer["Item"]) if answer.get("Item") else None

    def _query(
        self, file: FileId, prefix: str, *, newest_first: bool = False, page_size: int | None = None
    ) -> Iterator[Item]:
        yield from self._pages(
            page_size,
            KeyConditionExpression="fileKey = :key AND begins_with(sourceBucket, :prefix)",
            ExpressionAttributeValues=to_item({":key": file.source_key, ":prefix": prefix}),
            ScanIndexForward=not newest_first,
        )

    def _partition(self, partition: str, latest: str | None) -> Iterator[Item]:
        """Yield the records of one index partition, newest first; with `latest`, those that started no later."""
        newest_first = self._pages(
            _INDEX_PAGE,
            IndexName=STATUS_INDEX,
            KeyConditionExpression="statusPartition = :partition" + (" AND startTime <= :latest" if latest else ""),
            ExpressionAttributeValues=to_item({":partition": partition, ":latest": latest}),
            ScanIndexForward=False,
        )
        # The index orders by time alone; records of one millisecond come in any order.
        for _, together in groupby(newest_first, key=lambda item: item["startTime"]):
            yield from sorted(together, key=position_of, reverse=True)

    def _pages(self, page_size: int | None, **query: Any) -> Iterator[Item]:
        paging = {"PageSize": page_size}
        pages = iter(
            self._client.get_paginator("query").paginate(TableName=self._table, PaginationConfig=paging, **query)
        )
        while True:
            with translated(TrackingUnavailableError):
                page = next(pages, None)
            if page is None:
                return
            yield from map(from_item, page["Items"])


def status_partition(status: Status, file: FileId) -> str:
    """Return the index partition of the record of `file`."""
    partitions = _partitions(status)
    digest = hashlib.sha256(f"{file.source_bucket}/{file.source_key}".encode(errors="surrogatepass")).digest()
    return partitions[digest[0] % len(partitions)]


def _partitions(status: Status) -> list[str]:
    return [status.value] if status in _OPEN else [f"{status.value}#{shard}" for shard in range(SHARDS)]


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
    results = [_shortened(result) for result in totals.results]
    whole = _json(results)
    if len(whole.encode()) <= _RESULTS_LIMIT_BYTES:
        return {"copyResults": whole, "copyResultsCut": None}
    kept: list[Item] = []
    room = _RESULTS_LIMIT_BYTES
    for result in sorted(results, key=lambda result: bool(result["success"])):
        room -= len(_json(result).encode()) + 1
        if room < 0:
            break
        kept.append(result)
    return {"copyResults": _json(kept), "copyResultsCut": len(results) - len(kept)}


def _shortened(result: Mapping[str, Any]) -> Item:
    return {**result, "cause": result["cause"][:_CAUSE_LIMIT]} if result.get("cause") else dict(result)
