"""Definitions of detectors of a stack's own in the scanner's table; every version stays."""

from collections.abc import Sequence

from waybill.core.aws.dynamodb import ConditionFailedError
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
        known = OwnDetector.__dataclass_fields__
        return [OwnDetector(**{name: item[name] for name in known}) for item in items]

    def names(self) -> frozenset[str]:
        """Return the ids of all definitions, also of those that count no more: what they have found stays."""
        return frozenset(each.id for each in self.all())

    def save(self, definition: OwnDetector) -> bool:
        """Store a version; False where that version, or a newer one, is there already."""
        writes = [
            self._items.table.put_action(
                {"pk": _PARTITION, "sk": key, **vars(definition)},
                "attribute_not_exists(sk) OR version < :version",
                {":version": definition.version},
            )
            for key in (f"NEWEST#{definition.id}", f"VERSION#{definition.id}#{definition.version:06}")
        ]
        try:
            self._items.table.transact(writes)
        except ConditionFailedError:
            return False
        return True
