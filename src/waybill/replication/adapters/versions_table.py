"""What is kept of the versions of each file in the tracking table.

<bucket>#versions#<destination>           which versions have arrived there, and whose turn it is to bring more
<bucket>#version#<destination>#<version>  what became of one version there, for the days of history
"""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item
from waybill.core.aws.table import Table
from waybill.core.clock import iso
from waybill.replication.adapters.items import Key, checksum_attributes, expiry
from waybill.replication.adapters.table import ONCE, TrackingTable
from waybill.replication.domain.copy_result import CopyResult
from waybill.replication.domain.every_version import VersionRecords, VersionsAt
from waybill.replication.domain.records import DestinationRecord, RecordStatus
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import CopyCode, CopyTask, FileId, SourceVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LISTS = ("arrived", "lost")
# What is called otherwise in the table.
_NAMES = {"arrived_at": "arrivedAt", "upload_id": "uploadId"}


class VersionsTable(VersionRecords):
    """`VersionRecords` on DynamoDB, beside the records of `tracking`; ended ones are kept for `history_days`."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        tracking: TrackingTable,
        *,
        history_days: int,
        now: Callable[[], datetime],
    ) -> None:
        self._table = Table(client, table_name, TrackingUnavailableError, retry=ONCE)
        self._tracking = tracking
        self._history_days = history_days
        self._now = now

    @override
    def versions_at(self, file: FileId, bucket: str) -> VersionsAt | None:
        item = self._table.get(_versions_key(file, bucket))
        if not item:
            return None
        named = {field.name: item.get(_NAMES.get(field.name, field.name)) for field in fields(VersionsAt)}
        found = {name: value for name, value in named.items() if value is not None}
        return VersionsAt(**(found | {name: tuple(found.get(name, ())) for name in _LISTS}))

    @override
    def save_versions(self, file: FileId, bucket: str, versions: VersionsAt) -> bool:
        kept: dict[str, object] = {**asdict(versions), **{name: list(getattr(versions, name)) for name in _LISTS}}
        attributes = {_NAMES.get(name, name): value for name, value in kept.items() if value is not None}
        item = {**_versions_key(file, bucket), **attributes}
        try:
            self._table.put(
                item,
                "attribute_not_exists(revision) OR revision = :before",
                {":before": versions.revision - 1},
            )
        except ConditionFailedError:
            return False
        return True

    @override
    def record_version(
        self, task: CopyTask, version: SourceVersion, code: CopyCode | str, landed: CopyResult | None
    ) -> None:
        run, succeeded = task.run, isinstance(code, CopyCode)
        source = task.source if landed else None
        item: Item = {
            **_version_key(run.file, task.destination_bucket, version.version_id),
            "destinationBucket": task.destination_bucket,
            "destinationKey": run.destination_key,
            "executionId": run.execution_id,
            "status": (RecordStatus.COMPLETED if succeeded else RecordStatus.FAILED).value,
            "code": str(code),
            "timestamp": iso(self._now()),
            "attempts": task.attempt,
            "sourceVersionId": version.version_id,
            "bytes": source and source.size,
            "strategy": source and task.description.strategy.value,
            "verification": landed and landed.verification.value,
            "etag": landed and landed.facts.e_tag,
            "versionId": landed and landed.facts.version_id,
            "expiresAt": expiry(self._now(), self._history_days),
            **checksum_attributes(source),
        }
        self._table.put({name: value for name, value in item.items() if value is not None})

    @override
    def has_version(self, file: FileId, bucket: str, version_id: str) -> bool:
        return self._table.get(_version_key(file, bucket, version_id)) is not None

    @override
    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        return self._tracking.destination(file, bucket)


def _versions_key(file: FileId, bucket: str) -> Key:
    return {"fileKey": file.source_key, "sourceBucket": f"{file.source_bucket}#versions#{bucket}"}


def _version_key(file: FileId, bucket: str, version_id: str) -> Key:
    return {"fileKey": file.source_key, "sourceBucket": f"{file.source_bucket}#version#{bucket}#{version_id}"}
