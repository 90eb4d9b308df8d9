"""Backfill jobs in the tracking table.

Hash key `fileKey` is the id of the job. Bucket names cannot contain `#`, so nothing of a file has such range keys:

    #backfill                    the record of the job; the index `ByStatus` has it in the partition BACKFILL
    #backfill#lines#<number>     some of its lines, compressed
    #backfill#entries#<number>   some of the objects that it was given by name, compressed
    #backfill#notice#<hour>      which of its runs has told people in this hour
    #backfill#failed#<hash>      a run of it that has failed
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item, from_item, to_item, translated
from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.core.wire import WireModel
from waybill.replication.adapters.table import STATUS_INDEX
from waybill.replication.domain.backfill_job import (
    FINAL,
    BackfillJob,
    BackfillJobs,
    Entry,
    JobEndedError,
    JobLostError,
    JobPage,
    JobStatus,
    ObjectLine,
)
from waybill.replication.domain.backfill_job import RECORD as JOB
from waybill.replication.domain.backfill_notice import JobNotices, Notice
from waybill.replication.errors import TrackingUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PARTITION = "BACKFILL"
_NOTICE, _FAILED = f"{JOB}#notice#", f"{JOB}#failed#"
_SECONDS_PER_DAY = 86_400
_TAKE_OVERS = 10


class BackfillTable(BackfillJobs, JobNotices):
    """`BackfillJobs` on DynamoDB; `history_days` is how long jobs are kept after their last change."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, *, history_days: int, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._table = table_name
        self._history_days = history_days
        self._now = now

    @override
    def create(self, job: BackfillJob) -> BackfillJob:
        try:
            with translated(TrackingUnavailableError):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(self._item(job)),
                    ConditionExpression="attribute_not_exists(fileKey)",
                )
        except ConditionFailedError:
            return self.read(job.backfill_id)
        return job

    def _find(self, backfill_id: str) -> BackfillJob | None:
        """Return the job; None when it has expired since the index was read."""
        try:
            return self.read(backfill_id)
        except NotFoundError:
            return None

    @override
    def read(self, backfill_id: str) -> BackfillJob:
        with translated(TrackingUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=_key(backfill_id, JOB), ConsistentRead=True)
        if not answer.get("Item"):
            raise NotFoundError(f"there is no backfill {backfill_id}")
        item = from_item(answer["Item"])
        return BackfillJob.model_validate(item | {"sourceBucket": item["jobSourceBucket"]})

    @override
    def newest(self, limit: int, position: Mapping[str, str] | None) -> JobPage:
        start: Any = {"ExclusiveStartKey": to_item(position)} if position else {}
        with translated(TrackingUnavailableError):
            answer = self._client.query(
                TableName=self._table,
                IndexName=STATUS_INDEX,
                KeyConditionExpression="statusPartition = :partition",
                ExpressionAttributeValues=to_item({":partition": _PARTITION}),
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        jobs = tuple(job for item in answer["Items"] if (job := self._find(from_item(item)["fileKey"])))
        last = answer.get("LastEvaluatedKey")
        return JobPage(jobs, from_item(last) if last else None)

    @override
    def take_over(self, backfill_id: str, by: str) -> BackfillJob:
        return self._seized(backfill_id, {"worked_by": by, "status": JobStatus.RUNNING, "problem": None})

    @override
    def cancel(self, backfill_id: str) -> BackfillJob:
        return self._seized(backfill_id, {"status": JobStatus.CANCELLED, "completed_at": iso(self._now())})

    def _seized(self, backfill_id: str, changes: Mapping[str, object]) -> BackfillJob:
        """Write `changes` to the record as it is, and count on: whoever has worked on the job has lost it."""
        for _ in range(_TAKE_OVERS):
            job = self.read(backfill_id)
            if job.status in FINAL:
                raise JobEndedError(f"backfill {backfill_id} has ended: {job.status}")
            counted = {"generation": job.generation + 1, "updated_at": iso(self._now())}
            seized = job.model_copy(update={**changes, **counted})
            unchanged = "generation = :generation AND updatedAt = :seen AND #status = :status"
            bound = {":generation": job.generation, ":seen": job.updated_at, ":status": job.status.value}
            try:
                with translated(TrackingUnavailableError):
                    self._client.put_item(
                        TableName=self._table,
                        Item=to_item(self._item(seized)),
                        ConditionExpression=unchanged,
                        ExpressionAttributeNames={"#status": "status"},
                        ExpressionAttributeValues=to_item(bound),
                    )
            except ConditionFailedError:
                continue
            return seized
        raise TrackingUnavailableError(f"backfill {backfill_id} changes faster than it can be taken over")

    @override
    def save(self, job: BackfillJob, chunk: int | None = None, lines: Sequence[ObjectLine] = ()) -> BackfillJob:
        saved = job.model_copy(update={"updated_at": iso(self._now())})
        record: Any = {
            "TableName": self._table,
            "Item": to_item(self._item(saved)),
            "ConditionExpression": "generation = :generation",
            "ExpressionAttributeValues": to_item({":generation": job.generation}),
        }
        try:
            with translated(TrackingUnavailableError):
                if chunk is None:
                    self._client.put_item(**record)
                else:
                    part: Any = {
                        "TableName": self._table,
                        "Item": to_item(self._packed(job.backfill_id, _lines_key(chunk), lines)),
                    }
                    self._client.transact_write_items(TransactItems=[{"Put": record}, {"Put": part}])
        except ConditionFailedError as failed:
            raise self._lost(job) from failed
        return saved

    def _lost(self, job: BackfillJob) -> JobLostError:
        found = self.read(job.backfill_id)
        if found.status is JobStatus.CANCELLED:
            return JobLostError(f"backfill {job.backfill_id} was cancelled")
        return JobLostError(f"backfill {job.backfill_id} was taken over by {found.worked_by}")

    @override
    def notice(self, backfill_id: str, hour: str, execution_id: str) -> Notice:
        run = hashlib.sha256(execution_id.encode()).hexdigest()
        self._touch(backfill_id, f"{_FAILED}{run}", "SET expiresAt = :expiry")
        noted = "SET expiresAt = :expiry, firstRun = if_not_exists(firstRun, :run)"
        notice = self._touch(backfill_id, f"{_NOTICE}{hour}", noted, run=execution_id)
        is_first = notice["firstRun"] == execution_id
        return Notice(is_first, self._failed_runs(backfill_id) if is_first else 0)

    def _touch(self, backfill_id: str, range_key: str, update: str, **values: str) -> Item:
        """Write to an item of the job, which is there afterwards, and return it."""
        bound = {"expiry": self._expiry(), **values}
        with translated(TrackingUnavailableError):
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(backfill_id, range_key),
                UpdateExpression=update,
                ExpressionAttributeValues=to_item({f":{name}": value for name, value in bound.items()}),
                ReturnValues="ALL_NEW",
            )
        return from_item(answer["Attributes"])

    def _failed_runs(self, backfill_id: str) -> int:
        with translated(TrackingUnavailableError):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="fileKey = :id AND begins_with(sourceBucket, :failed)",
                ExpressionAttributeValues=to_item({":id": backfill_id, ":failed": _FAILED}),
                Select="COUNT",
                ConsistentRead=True,
            )
            return sum(page["Count"] for page in pages)

    @override
    def save_entries(self, backfill_id: str, part: int, entries: Sequence[Entry]) -> None:
        with translated(TrackingUnavailableError):
            item = self._packed(backfill_id, _entries_key(part), entries)
            self._client.put_item(TableName=self._table, Item=to_item(item))

    @override
    def entries(self, job: BackfillJob) -> Iterator[Entry]:
        for part in range(job.entry_parts):
            yield from self.entries_of(job.backfill_id, part)

    @override
    def entries_of(self, backfill_id: str, part: int) -> list[Entry]:
        return [Entry.model_validate(entry) for entry in self._unpacked(backfill_id, _entries_key(part))]

    @override
    def find_lines(self, backfill_id: str, chunk: int) -> list[ObjectLine] | None:
        try:
            return self.lines(backfill_id, chunk)
        except NotFoundError:
            return None

    @override
    def add_lines(self, backfill_id: str, chunk: int, lines: Sequence[ObjectLine]) -> None:
        item = to_item(self._packed(backfill_id, _lines_key(chunk), lines))
        with suppress(ConditionFailedError), translated(TrackingUnavailableError):
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(fileKey)")

    @override
    def lines(self, backfill_id: str, chunk: int) -> list[ObjectLine]:
        return [ObjectLine.model_validate(line) for line in self._unpacked(backfill_id, _lines_key(chunk))]

    @override
    def all_lines(self, job: BackfillJob) -> Iterator[ObjectLine]:
        for chunk in range(job.chunks):
            yield from self.lines(job.backfill_id, chunk)

    def _item(self, job: BackfillJob) -> Item:
        key = {"fileKey": job.backfill_id, "sourceBucket": JOB, "statusPartition": _PARTITION}
        # The range key of the record has the name of one of its fields, which is kept under another.
        kept = job.wire()
        kept["jobSourceBucket"] = kept.pop("sourceBucket")
        return {**kept, **key, "expiresAt": self._expiry()}

    def _packed(self, backfill_id: str, range_key: str, things: Sequence[WireModel]) -> Item:
        text = json.dumps([thing.wire() for thing in things], separators=(",", ":"))
        key = {"fileKey": backfill_id, "sourceBucket": range_key}
        return {**key, "packed": zlib.compress(text.encode()), "expiresAt": self._expiry()}

    def _unpacked(self, backfill_id: str, range_key: str) -> list[Any]:
        with translated(TrackingUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=_key(backfill_id, range_key), ConsistentRead=True)
        if not answer.get("Item"):
            raise NotFoundError(f"the objects of backfill {backfill_id} are no longer kept")
        found: list[Any] = json.loads(zlib.decompress(bytes(from_item(answer["Item"])["packed"])))
        return found

    def _expiry(self) -> int:
        return int(self._now().timestamp()) + self._history_days * _SECONDS_PER_DAY


def _key(backfill_id: str, range_key: str) -> Item:
    return to_item({"fileKey": backfill_id, "sourceBucket": range_key})


def _lines_key(chunk: int) -> str:
    return f"{JOB}#lines#{chunk:08}"


def _entries_key(part: int) -> str:
    return f"{JOB}#entries#{part:08}"
