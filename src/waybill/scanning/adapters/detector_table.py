"""Definitions of detectors of a stack's own in the scanner's table; every version stays."""

from collections.abc import Mapping, Sequence

from waybill.core.aws.dynamodb import ConditionFailedError, Item
from waybill.core.aws.table import Read
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.own_detectors import OwnDetector

_PARTITION = "DETECTORS"


class DetectorTable:
    """`Definitions` in DynamoDB."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def all(self) -> Sequence[OwnDetector]:
        """Return the newest version of every definition."""
        values = {":pk": _PARTITION, ":newest": "NEWEST#"}
        items = self._items.table.query("pk = :pk AND begins_with(sk, :newest)", values, Read(consistent=True))
        return [_detector_of(item) for item in items]

    def versions(self, wanted: Mapping[str, int]) -> Sequence[OwnDetector]:
        """Return some versions, by id, of those that there are."""
        keys = [{"pk": _PARTITION, "sk": _version_key(name, version)} for name, version in wanted.items()]
        return [_detector_of(item) for item in self._items.table.batch_get(keys)]

    def save(self, definition: OwnDetector) -> bool:
        """Store a version; False where that version, or a newer one, is there already."""
        writes = [
            self._items.table.put_action(
                {"pk": _PARTITION, "sk": key, **vars(definition)},
                "attribute_not_exists(sk) OR version < :version",
                {":version": definition.version},
            )
            for key in (f"NEWEST#{definition.id}", _version_key(definition.id, definition.version))
        ]
        try:
            self._items.table.transact(writes)
        except ConditionFailedError:
            return False
        return True


def _version_key(name: str, version: int) -> str:
    return f"VERSION#{name}#{version:06}"


def _detector_of(item: Item) -> OwnDetector:
    fields = {name: item[name] for name in OwnDetector.__dataclass_fields__}
    return OwnDetector(**fields | {"version": int(item["version"])})
