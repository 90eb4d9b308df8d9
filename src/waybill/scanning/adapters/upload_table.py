"""UploadWindows that wait for their scan, in the scanner's table."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, from_item, to_item, translated
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.uploads import UploadedVersion, UploadWindows
from waybill.scanning.errors import ScanStoreUnavailableError
from waybill.scanning.keys import key_hash
from waybill.scanning.models import Entry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_WINDOWS = "UPLOADS"
# A partition takes 1,000 writes a second: those of a window are spread by the first digit of what stands for the key.
_SHARDS = "0123456789abcdef"
# EventBridge delivers an event for a day, and a job lists its window in less than that.
_KEPT_SECONDS = 14 * 86_400


class UploadTable(UploadWindows):
    """`UploadWindows` in DynamoDB."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items
        self._opened: set[tuple[str, str]] = set()

    @override
    def open(self, bucket: str, window: str) -> None:
        if (bucket, window) in self._opened:
            return
        opened = {"pk": _WINDOWS, "sk": f"{window}#{bucket}", "expires": self._expires()}
        with suppress(ConditionFailedError):
            self._items.transact([self._items.put_action(to_item(opened))])
        self._opened = {(bucket, window), *(each for each in self._opened if each[1] == window)}

    @override
    def note(self, upload: UploadedVersion, window: str) -> bool:
        hashed, expires = key_hash(upload.key), self._expires()
        newest = {"pk": f"UPLOADED#{upload.bucket}#{hashed}", "sk": "NEWEST"}
        listed = {"pk": _partition(upload.bucket, window, hashed[0]), "sk": hashed}
        noted = {
            "key": upload.key,
            "size": upload.size,
            "etag": upload.etag,
            "sequencer": upload.sequencer,
            "expires": expires,
        }
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._items.name,
                    "Item": to_item(newest | {"sequencer": upload.sequencer, "expires": expires}),
                    "ConditionExpression": "attribute_not_exists(sk) OR sequencer < :sequencer",
                    "ExpressionAttributeValues": to_item({":sequencer": upload.sequencer}),
                }
            },
            # Whatever the window has of the key is older.
            {"Put": {"TableName": self._items.name, "Item": to_item(listed | noted)}},
        ]
        try:
            self._items.transact(writes)
        except ConditionFailedError:
            return False
        return True

    def _expires(self) -> int:
        return int(self._items.now().timestamp()) + _KEPT_SECONDS

    @override
    def waiting(self, before: str) -> Sequence[tuple[str, str]]:
        pages = self._items.client.get_paginator("query").paginate(
            TableName=self._items.name,
            KeyConditionExpression="pk = :pk AND sk < :behind",
            FilterExpression="attribute_not_exists(job_id)",
            # `$` stands right behind `#`.
            ExpressionAttributeValues=to_item({":pk": _WINDOWS, ":behind": f"{before}$"}),
            ConsistentRead=True,
        )
        with translated(ScanStoreUnavailableError):
            found = [str(from_item(item)["sk"]) for page in pages for item in page["Items"]]
        return [(bucket, window) for window, _, bucket in (name.partition("#") for name in found)]

    @override
    def close(self, bucket: str, window: str, job_id: str) -> None:
        with translated(ScanStoreUnavailableError):
            self._items.client.update_item(
                TableName=self._items.name,
                Key=to_item({"pk": _WINDOWS, "sk": f"{window}#{bucket}"}),
                UpdateExpression="SET job_id = :job, expires = :expires",
                ExpressionAttributeValues=to_item({":job": job_id, ":expires": self._expires()}),
            )

    @override
    def page(self, bucket: str, window: str, after: str, limit: int) -> tuple[list[Entry], str, bool]:
        shards = _SHARDS[_SHARDS.index(after[0]) :] if after else _SHARDS
        entries, position = list[Entry](), after
        for shard in shards:
            with translated(ScanStoreUnavailableError):
                answer = self._items.client.query(
                    TableName=self._items.name,
                    KeyConditionExpression="pk = :pk AND sk > :after",
                    ExpressionAttributeValues=to_item(
                        {":pk": _partition(bucket, window, shard), ":after": position or "0"}
                    ),
                    ConsistentRead=True,
                    Limit=limit - len(entries),
                )
            for item in map(from_item, answer["Items"]):
                entries.append(Entry(str(item["key"]), int(item["size"]), str(item["etag"])))
                position = str(item["sk"])
            if "LastEvaluatedKey" in answer or len(entries) == limit:
                return entries, position, False
        return entries, position, True


def _partition(bucket: str, window: str, shard: str) -> str:
    return f"{_WINDOWS}#{window}#{bucket}#{shard}"
