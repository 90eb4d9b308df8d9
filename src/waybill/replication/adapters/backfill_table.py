"""Backfill jobs in the tracking table.

Hash key `fileKey` is the id of the job. Bucket names cannot contain `#`, so nothing of a file has such range keys:

    #backfill                    the record of the job; the index `ByStatus` has it in the partition BACKFILL
    #backfill#lines#<number>     some of its lines, compressed
    #backfill#entries#<number>   some of the objects that it was given by name, compressed; `#<name>` stands before the
                                 number where several may have kept some for it
    #backfill#notice#<hour>      which of its runs has told people in this hour
    #backfill#failed#<hash>      a run of it that has failed
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update, to_item
from waybill.core.aws.table import Read, Table
from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.core.retry import CONTENTION
from waybill.core.wire import WireModel
from waybill.replication.adapters.table import ONCE, STATUS_INDEX
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


class BackfillTable(BackfillJobs, JobNotices):
    """`BackfillJobs` on DynamoDB; `history_days` is how long jobs are kept after their last change."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, *, history_days: int, now: Callable[[], datetime]
    ) -> None:
        self._table = Table(client, table_name, TrackingUnavailableError, retry=ONCE)
        self._history_days = history_days
        self._now = now

    @override
    def create(self, job: BackfillJob) -> BackfillJob:
        try:
            self._table.put(self._item(job), "attribute_not_exists(fileKey)")
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
        item = self._table.get(_key(backfill_id, JOB))
        if item is None:
            raise NotFoundError(f"there is no backfill {backfill_id}")
        return BackfillJob.model_validate(item | {"sourceBucket": item["jobSourceBucket"]})

    @override
    def newest(self, limit: int, position: Mapping[str, str] | None) -> JobPage:
        read = Read(index=STATUS_INDEX, newest_first=True, page_size=limit)
        start = dict(position) if position else None
        page = self._table.page("statusPartition = :partition", {":partition": _PARTITION}, read, start=start)
        return JobPage(tuple(job for item in page.items if (job := self._find(item["fileKey"]))), page.last_key)

    @override
    def take_over(self, backfill_id: str, by: str) -> BackfillJob:
        return self._seized(backfill_id, {"worked_by": by, "status": JobStatus.RUNNING, "problem": None})

    @override
    def cancel(self, backfill_id: str) -> BackfillJob:
        return self._seized(backfill_id, {"status": JobStatus.CANCELLED, "completed_at": iso(self._now())})

    def _seized(self, backfill_id: str, changes: Mapping[str, object]) -> BackfillJob:
        """Write `changes` to the record as it is, and count on: whoever has worked on the job has lost it."""
        for _ in CONTENTION.attempts():
            job = self.read(backfill_id)
            if job.status in FINAL:
                raise JobEndedError(f"backfill {backfill_id} has ended: {job.status}")
            counted = {"generation": job.generation + 1, "updated_at": iso(self._now())}
            seized = job.model_copy(update={**changes, **counted})
            unchanged = "generation = :generation AND updatedAt = :seen AND #status = :status"
            bound = {":generation": job.generation, ":seen": job.updated_at, ":status": job.status.value}
            try:
                self._table.put(self._item(seized), unchanged, bound, {"#status": "status"})
            except ConditionFailedError:
                continue
            return seized
        raise TrackingUnavailableError(f"backfill {backfill_id} changes faster than it can be taken over")

    @override
    def save(self, job: BackfillJob, chunk: int | None = None, lines: Sequence[ObjectLine] = ()) -> BackfillJob:
        saved = job.model_copy(update={"updated_at": iso(self._now())})
        record, mine, bound = self._item(saved), "generation = :generation", {":generation": job.generation}
        try:
            if chunk is None:
                self._table.put(record, mine, bound)
            else:
                part = self._table.put_action(self._packed(job.backfill_id, _lines_key(chunk), lines))
                self._table.transact([self._table.put_action(record, mine, bound), part])
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
        expiry = {":expiry": self._expiry()}
        self._table.update(_key(backfill_id, f"{_FAILED}{run}"), Update("SET expiresAt = :expiry", {}, to_item(expiry)))
        noted = "SET expiresAt = :expiry, firstRun = if_not_exists(firstRun, :run)"
        first = Update(noted, {}, to_item(expiry | {":run": execution_id}))
        notice = self._table.update(_key(backfill_id, f"{_NOTICE}{hour}"), first)
        is_first = notice["firstRun"] == execution_id
        return Notice(is_first, self._failed_runs(backfill_id) if is_first else 0)

    def _failed_runs(self, backfill_id: str) -> int:
        condition = "fileKey = :id AND begins_with(sourceBucket, :failed)"
        return self._table.count(condition, {":id": backfill_id, ":failed": _FAILED}, Read(consistent=True))

    @override
    def save_entries(self, backfill_id: str, name: str, part: int, entries: Sequence[Entry]) -> None:
        self._table.put(self._packed(backfill_id, _entries_key(name, part), entries))

    @override
    def entries(self, job: BackfillJob) -> Iterator[Entry]:
        for part in range(job.entry_parts):
            yield from self.entries_of(job, part)

    @override
    def entries_of(self, job: BackfillJob, part: int) -> list[Entry]:
        packed = self._unpacked(job.backfill_id, _entries_key(job.entries_name, part))
        return [Entry.model_validate(entry) for entry in packed]

    @override
    def find_lines(self, backfill_id: str, chunk: int) -> list[ObjectLine] | None:
        try:
            return self.lines(backfill_id, chunk)
        except NotFoundError:
            return None

    @override
    def add_lines(self, backfill_id: str, chunk: int, lines: Sequence[ObjectLine]) -> None:
        with suppress(ConditionFailedError):
            self._table.put(self._packed(backfill_id, _lines_key(chunk), lines), "attribute_not_exists(fileKey)")

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
        return {**_key(backfill_id, range_key), "packed": zlib.compress(text.encode()), "expiresAt": self._expiry()}

    def _unpacked(self, backfill_id: str, range_key: str) -> list[object]:
        item = self._table.get(_key(backfill_id, range_key))
        if item is None:
            raise NotFoundError(f"the objects of backfill {backfill_id} are no longer kept")
        found: list[object] = json.loads(zlib.decompress(bytes(item["packed"])))
        return found

    def _expiry(self) -> int:
        return int(self._now().timestamp()) + self._history_days * _SECONDS_PER_DAY


def _key(backfill_id: str, range_key: str) -> Item:
    return {"fileKey": backfill_id, "sourceBucket": range_key}


def _lines_key(chunk: int) -> str:
    return f"{JOB}#lines#{chunk:08}"


def _entries_key(name: str, part: int) -> str:
    return f"{JOB}#entries#{name}#{part:08}" if name else f"{JOB}#entries#{part:08}"
