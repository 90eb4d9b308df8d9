"""Schedules of scans in the scanner's table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.schedules import Schedule
from waybill.scanning.errors import ScanStoreUnavailableError
from waybill.scanning.request_models import ScanRequest

_PARTITION = "SCHEDULES"
_IS_THERE = "attribute_exists(sk) AND attribute_not_exists(deleted)"


class ScheduleTable:
    """`Schedules` in DynamoDB."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def all(self) -> Sequence[Schedule]:
        """Return all schedules that there are, by id."""
        pages = self._items.client.get_paginator("query").paginate(
            TableName=self._items.name,
            KeyConditionExpression="pk = :pk",
            # One that was taken away stays, as what is written is never deleted by the API.
            FilterExpression="attribute_not_exists(deleted)",
            ExpressionAttributeValues=to_item({":pk": _PARTITION}),
            ConsistentRead=True,
        )
        with translated(ScanStoreUnavailableError):
            return [_schedule_of(from_item(item)) for page in pages for item in page["Items"]]

    def add(self, schedule: Schedule) -> bool:
        """Store a new schedule; False where there is or was one of its id."""
        item = asdict(schedule) | {"request": schedule.request.model_dump_json()}
        try:
            with translated(ScanStoreUnavailableError):
                self._items.client.put_item(
                    TableName=self._items.name,
                    Item=to_item({"pk": _PARTITION, "sk": schedule.id, **item}),
                    ConditionExpression="attribute_not_exists(sk)",
                )
        except ConditionFailedError:
            return False
        return True

    def move(self, schedule: Schedule, next_at: str, last_job: str) -> bool:
        """Record when a schedule is due next; False where somebody else has, or it was taken away."""
        changes = {"next_at": next_at, "last_job": last_job}
        return (
            self._change(
                schedule.id, changes, "next_at = :seen AND attribute_not_exists(deleted)", seen=schedule.next_at
            )
            is not None
        )

    def suspend(self, schedule_id: str) -> Schedule | None:
        """Let a schedule make nothing until it is resumed, and return it; None where there is none."""
        return self._change(schedule_id, {"suspended": True}, _IS_THERE)

    def resume(self, schedule: Schedule, next_at: str) -> Schedule | None:
        """Let a schedule go on at a moment, and return it; None where it is not as it was read."""
        changes = {"suspended": False, "next_at": next_at}
        return self._change(schedule.id, changes, f"next_at = :seen AND {_IS_THERE}", seen=schedule.next_at)

    def delete(self, schedule_id: str) -> Schedule | None:
        """Mark a schedule as taken away, and return it; None where there is none."""
        return self._change(schedule_id, {"deleted": True}, _IS_THERE)

    def _change(
        self, schedule_id: str, changes: Mapping[str, object], condition: str, **bound: object
    ) -> Schedule | None:
        arguments = Update.of(dict(changes)).arguments(condition, **bound)
        key = to_item({"pk": _PARTITION, "sk": schedule_id})
        try:
            with translated(ScanStoreUnavailableError):
                answer = self._items.client.update_item(
                    TableName=self._items.name, Key=key, ReturnValues="ALL_NEW", **arguments
                )
        except ConditionFailedError:
            return None
        return _schedule_of(from_item(answer["Attributes"]))


def _schedule_of(item: Item) -> Schedule:
    known = {name: item[name] for name in Schedule.__dataclass_fields__ if name in item}
    return Schedule(**known | {"request": ScanRequest.model_validate_json(item["request"])})
