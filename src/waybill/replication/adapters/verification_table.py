"""Verifications in the tracking table, and the last check of each copy.

    <id>, #verification                     a job; the index `ByStatus` has it in the partition VERIFICATION
    <id>, #verification#findings#<number>   some of what it has found, compressed; a later worker adds #<generation>
    <key>, <source>#check#<destination>     the last check of a file at a destination

A check has `status` SUCCESS (equal) or FAILURE (differs, missing), and neither where nothing was proven.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item
from waybill.core.aws.table import Read, Table
from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.core.retry import CONTENTION
from waybill.replication.adapters.items import record_key
from waybill.replication.adapters.table import STATUS_INDEX
from waybill.replication.domain.records import RecordStatus
from waybill.replication.domain.verification import VerificationCheck, VerificationRecords, VerificationResult
from waybill.replication.domain.verification_job import RECORD as JOB
from waybill.replication.domain.verification_job import (
    VerificationJob,
    VerificationJobs,
    VerificationLostError,
    VerificationPage,
    VerificationStatus,
)
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import FileId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "VERIFICATION"
_STATUS = {
    VerificationResult.EQUAL: "SUCCESS",
    VerificationResult.DIFFERS: "FAILURE",
    VerificationResult.MISSING: "FAILURE",
}
_SECONDS_PER_DAY = 86_400


class VerificationTable(VerificationJobs, VerificationRecords):
    """`VerificationJobs` and `VerificationRecords` on DynamoDB; jobs stay for `history_days`."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, *, history_days: int, now: Callable[[], datetime]
    ) -> None:
        self._table = Table(client, table_name, TrackingUnavailableError)
        self._history_days = history_days
        self._now = now

    @override
    def create(self, job: VerificationJob) -> VerificationJob:
        try:
            self._table.put(self._item(job), "attribute_not_exists(fileKey)")
        except ConditionFailedError:
            return self.read(job.verification_id)
        return job

    @override
    def read(self, verification_id: str) -> VerificationJob:
        found = self._table.get(_key(verification_id, JOB))
        if found is None:
            raise NotFoundError(f"there is no verification {verification_id}")
        return _job_of(found)

    @override
    def take_over(self, verification_id: str) -> VerificationJob:
        for _ in CONTENTION.attempts():
            seen = self.read(verification_id)
            if seen.ended:
                return seen
            changes = {"status": VerificationStatus.RUNNING, "taken_over_at": (*seen.taken_over_at, seen.parts)}
            try:
                return self.save(seen.model_copy(update=changes), seen)
            except VerificationLostError:
                continue
        raise TrackingUnavailableError(f"verification {verification_id} changes faster than it can be taken over")

    @override
    def save(
        self, job: VerificationJob, seen: VerificationJob, findings: Sequence[Sequence[VerificationCheck]] = ()
    ) -> VerificationJob:
        for number, part in enumerate(findings, start=seen.parts):
            text = json.dumps([check.wire() for check in part], separators=(",", ":"))
            packed = {"packed": zlib.compress(text.encode()), "expiresAt": self._expiry()}
            self._table.put(_key(job.verification_id, _findings_key(number, seen.generation)) | packed)
        saved = job.model_copy(update={"updated_at": iso(self._now())})
        try:
            self._table.put(
                self._item(saved),
                "lastKey = :key AND #status = :status AND (takenOverAt = :taken OR attribute_not_exists(takenOverAt))",
                {":key": seen.last_key, ":status": seen.status.value, ":taken": list(seen.taken_over_at)},
                {"#status": "status"},
            )
        except ConditionFailedError as failed:
            raise VerificationLostError(f"somebody else works on verification {job.verification_id}") from failed
        return saved

    @override
    def newest(self, limit: int, position: Mapping[str, str] | None) -> VerificationPage:
        read = Read(index=STATUS_INDEX, newest_first=True, page_size=limit)
        start = dict(position) if position else None
        page = self._table.page("statusPartition = :partition", {":partition": PARTITION}, read, start=start)
        # The index has but some of the attributes.
        jobs = [self._table.get(_key(item["fileKey"], JOB)) for item in page.items]
        return VerificationPage(tuple(_job_of(item) for item in jobs if item), page.last_key)

    @override
    def findings(self, job: VerificationJob) -> Iterator[VerificationCheck]:
        for number in range(job.parts):
            part = self._table.get(_key(job.verification_id, _findings_key(number, job.writer_of(number))))
            if part is None:
                raise NotFoundError(f"the findings of verification {job.verification_id} are no longer kept")
            yield from map(VerificationCheck.model_validate, json.loads(zlib.decompress(bytes(part["packed"]))))

    @override
    def record_check(self, source_bucket: str, verification_id: str, check: VerificationCheck) -> None:
        details = check.wire()
        key = details.pop("key")
        details["destinationKey"] = key
        status = {"status": _STATUS[check.result]} if check.result in _STATUS else {}
        place = _key(key, f"{source_bucket}#check#{check.destination_bucket}")
        self._table.put({**details, **status, **place, "verificationId": verification_id})

    @override
    def has_other_source(self, file: FileId, bucket: str) -> bool:
        ending, own = f"#dest#{bucket}", f"{file.source_bucket}#dest#{bucket}"
        items = self._table.query("fileKey = :key", {":key": file.source_key})
        return any(item["sourceBucket"].endswith(ending) and item["sourceBucket"] != own for item in items)

    @override
    def is_in_progress(self, file: FileId) -> bool:
        record = self._table.get(record_key(file))
        return record is not None and record["status"] == RecordStatus.IN_PROGRESS

    def _item(self, job: VerificationJob) -> Item:
        # The range key of the record has the name of one of its fields, which is kept under another.
        kept: Item = job.wire()
        kept["jobSourceBucket"] = kept.pop("sourceBucket")
        return {**kept, **_key(job.verification_id, JOB), "statusPartition": PARTITION, "expiresAt": self._expiry()}

    def _expiry(self) -> int:
        return int(self._now().timestamp()) + self._history_days * _SECONDS_PER_DAY


def _job_of(item: Item) -> VerificationJob:
    return VerificationJob.model_validate(item | {"sourceBucket": item["jobSourceBucket"]})


def _key(hash_key: str, range_key: str) -> dict[str, str]:
    return {"fileKey": hash_key, "sourceBucket": range_key}


def _findings_key(number: int, generation: int) -> str:
    return f"{JOB}#findings#{number:08}{f'#{generation}' if generation else ''}"
