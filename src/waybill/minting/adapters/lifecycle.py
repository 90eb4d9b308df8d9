"""The lives of canonical IDs in the identifiers table; `table.py` says which items there are."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import Item, from_item
from waybill.minting.adapters.table import TransactionCancelled, put_action, registry_errors
from waybill.minting.domain.lifecycle import KeyTakenError, Lives, Reservations
from waybill.minting.domain.source_ids import EVENT_KEYS, KEY_KEYS, RESERVATION_KEYS, REVERSE_KEYS, source_of_key
from waybill.minting.models import Life, LifeEvent, LifeStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class LifecycleTable(Lives, Reservations):
    """`Reservations` and `Lives` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    @override
    def reserve(self, canonical_ids: Sequence[str], purpose: str, *, at: str, by: str | None, key: str | None) -> bool:
        """Reserve all of them or none, in one transaction."""
        key_item = KEY_KEYS + hashlib.sha256(f"{by} {key}".encode()).hexdigest()
        kept = {"pk": key_item, "ids": list(canonical_ids), "purpose": purpose, "createdAt": at}
        actions = [put_action(self._table, kept)] if key else []
        for canonical_id in canonical_ids:
            reverse = {"pk": REVERSE_KEYS + canonical_id, "createdAt": at, "reservedAt": at}
            reservation = {"pk": RESERVATION_KEYS + canonical_id, "purpose": purpose, "createdAt": at, "by": by}
            actions += [put_action(self._table, reverse), put_action(self._table, reservation)]
        if self._written(actions):
            return True
        earlier = self._get(key_item) if key else None
        if earlier is None:
            return False
        raise KeyTakenError(earlier["ids"], earlier["purpose"])

    @override
    def life(self, canonical_id: str) -> Life | None:
        reverse = self._get(REVERSE_KEYS + canonical_id)
        if reverse is None:
            return None
        owner = source_of_key(reverse["owner"]) if "owner" in reverse else None
        reservation = None if owner else self._get(RESERVATION_KEYS + canonical_id)
        events: list[LifeEvent] = []
        while item := self._get(_event_key(canonical_id, len(events) + 1)):
            events.append(_event(canonical_id, len(events) + 1, item))
        purpose = reservation["purpose"] if reservation else None
        return Life(canonical_id, reverse["createdAt"], owner, purpose, tuple(events))

    @override
    def record(self, event: LifeEvent, unchanged: Sequence[Life]) -> bool:
        item = {
            "pk": _event_key(event.canonical_id, event.number),
            "status": event.status.value,
            "reason": event.reason,
            "replacedBy": event.replaced_by,
            "createdAt": event.at,
            "by": event.by,
        }
        checks: list[TransactWriteItemTypeDef] = [
            {
                "ConditionCheck": {
                    "TableName": self._table,
                    "Key": {"pk": {"S": _event_key(life.canonical_id, len(life.events) + 1)}},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for life in unchanged
        ]
        return self._written([put_action(self._table, item), *checks])

    def _written(self, actions: Sequence["TransactWriteItemTypeDef"]) -> bool:
        try:
            with registry_errors(self._table):
                self._client.transact_write_items(TransactItems=actions)
        except TransactionCancelled:
            return False
        return True

    def _get(self, key: str) -> Item | None:
        with registry_errors(self._table):
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True)
        return from_item(answer["Item"]) if answer.get("Item") else None


def _event_key(canonical_id: str, number: int) -> str:
    return f"{EVENT_KEYS}{canonical_id}#{number}"


def _event(canonical_id: str, number: int, item: Item) -> LifeEvent:
    return LifeEvent(
        canonical_id,
        number,
        LifeStatus(item["status"]),
        item["reason"],
        item["createdAt"],
        item.get("replacedBy"),
        item.get("by"),
    )
