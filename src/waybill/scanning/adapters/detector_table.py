"""Definitions of detectors of a stack's own in the scanner's table; every version stays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import ConditionFailedError, from_item, to_item, translated
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.own_detectors import OwnDetector
from waybill.scanning.errors import ScanStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_PARTITION = "DETECTORS"


class DetectorTable:
    """`Definitions` in DynamoDB."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def all(self) -> Sequence[OwnDetector]:
        """Return the newest version of every definition."""
        pages = self._items.client.get_paginator("query").paginate(
            TableName=self._items.name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :newest)",
            ExpressionAttributeValues=to_item({":pk": _PARTITION, ":newest": "NEWEST#"}),
            ConsistentRead=True,
        )
        with translated(ScanStoreUnavailableError):
            items = [from_item(item) for page in pages for item in page["Items"]]
        known = OwnDetector.__dataclass_fields__
        return [OwnDetector(**{name: item[name] for name in known}) for item in items]

    def names(self) -> frozenset[str]:
        """Return the ids of all definitions, also of those that count no more: what they have found stays."""
        return frozenset(each.id for each in self.all())

    def save(self, definition: OwnDetector) -> bool:
        """Store a version; False where that version, or a newer one, is there already."""
        values = to_item({":version": definition.version})
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._items.name,
                    "ConditionExpression": "attribute_not_exists(sk) OR version < :version",
                    "Item": to_item({"pk": _PARTITION, "sk": key, **vars(definition)}),
                    "ExpressionAttributeValues": values,
                }
            }
            for key in (f"NEWEST#{definition.id}", f"VERSION#{definition.id}#{definition.version:06}")
        ]
        try:
            self._items.transact(writes)
        except ConditionFailedError:
            return False
        return True
