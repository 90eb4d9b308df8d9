"""Schedules of scans in the scanner's table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import Read
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.schedules import Schedule
from waybill.scanning.request_models import ScanRequest

_PARTITION = "SCHEDULES"
_IS_THERE = "attribute_exists(sk) AND attribute_not_exists(deleted)"


class ScheduleTable:
    """`Schedules` in DynamoDB."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def all(self) -> Sequence[Schedule]:
        """Return all schedules that there are, by id."""
        # One that was taken away stays, as what is written is never deleted by the API.
        those = Read(filtered="attribute_not_exists(deleted)", consistent=True)
        return [_schedule_of(item) for item in self._items.table.query("pk = :pk", {":pk": _PARTITION}, those)]

    def add(self, schedule: Schedule) -> bool:
        """Store a new schedule; False where there is or was one of its id."""
        item = asdict(schedule) | {"request": schedule.request.model_dump_json()}
        return self._items.add({"pk": _PARTITION, "sk": schedule.id, **item})

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
        key = {"pk": _PARTITION, "sk": schedule_id}
        values = {f":{name}": value for name, value in bound.items()}
        try:
            return _schedule_of(self._items.table.update(key, Update.of(changes), condition, values))
        except ConditionFailedError:
            return None


def _schedule_of(item: Item) -> Schedule:
    known = {name: item[name] for name in Schedule.__dataclass_fields__ if name in item}
    return Schedule(**known | {"request": ScanRequest.model_validate_json(item["request"])})
