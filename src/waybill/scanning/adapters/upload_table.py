"""UploadWindows that wait for their scan, in the scanner's table."""

from collections.abc import Sequence
from typing import override

from waybill.core.aws.dynamodb import ConditionFailedError, Update
from waybill.core.aws.table import Read
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.uploads import UploadedVersion, UploadWindows
from waybill.scanning.keys import key_hash
from waybill.scanning.models import Entry

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
        self._items.add(opened)
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
        writes = [
            self._items.table.put_action(
                newest | {"sequencer": upload.sequencer, "expires": expires},
                "attribute_not_exists(sk) OR sequencer < :sequencer",
                {":sequencer": upload.sequencer},
            ),
            # Whatever the window has of the key is older.
            self._items.table.put_action(listed | noted),
        ]
        try:
            self._items.table.transact(writes)
        except ConditionFailedError:
            return False
        return True

    def _expires(self) -> int:
        return int(self._items.now().timestamp()) + _KEPT_SECONDS

    @override
    def waiting(self, before: str) -> Sequence[tuple[str, str]]:
        # `$` stands right behind `#`.
        values = {":pk": _WINDOWS, ":behind": f"{before}$"}
        those = Read(filtered="attribute_not_exists(job_id)", consistent=True)
        found = [str(item["sk"]) for item in self._items.table.query("pk = :pk AND sk < :behind", values, those)]
        return [(bucket, window) for window, _, bucket in (name.partition("#") for name in found)]

    @override
    def close(self, bucket: str, window: str, job_id: str) -> None:
        closed = Update.of({"job_id": job_id, "expires": self._expires()})
        self._items.table.update({"pk": _WINDOWS, "sk": f"{window}#{bucket}"}, closed)

    @override
    def page(self, bucket: str, window: str, after: str, limit: int) -> tuple[list[Entry], str, bool]:
        shards = _SHARDS[_SHARDS.index(after[0]) :] if after else _SHARDS
        entries, position = list[Entry](), after
        for shard in shards:
            values = {":pk": _partition(bucket, window, shard), ":after": position or "0"}
            some = Read(consistent=True, page_size=limit - len(entries))
            found = self._items.table.page("pk = :pk AND sk > :after", values, some)
            for item in found.items:
                entries.append(Entry(str(item["key"]), int(item["size"]), str(item["etag"])))
                position = str(item["sk"])
            if found.last_key or len(entries) == limit:
                return entries, position, False
        return entries, position, True


def _partition(bucket: str, window: str, shard: str) -> str:
    return f"{_WINDOWS}#{window}#{bucket}#{shard}"
