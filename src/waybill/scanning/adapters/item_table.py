"""Reading and writing the items of the scanner's table; `table.py` says which there are."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import Read, Table
from waybill.core.clock import iso
from waybill.core.retry import Retry
from waybill.scanning.errors import ScanStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SHARDS = 32
_RETRY = Retry(tries=5, first_pause=0.05, longest_pause=1.0, seconds=10.0)
_NEW = "attribute_not_exists(sk)"


class ItemTable:
    """One DynamoDB table; `client` is a boto3 `dynamodb` client, `now` the clock of what is stored."""

    def __init__(
        self, client: "DynamoDBClient", name: str, *, now: Callable[[], datetime], retry: Retry = _RETRY
    ) -> None:
        self.table = Table(client, name, ScanStoreUnavailableError)
        self.now = now
        # Tried again with another counter, and not by the table.
        self._once = Table(client, name, ScanStoreUnavailableError, retry=Retry(tries=1))
        self._retry = retry

    def count_with(self, writes: "Sequence[TransactWriteItemTypeDef]", job_id: str, added: Mapping[str, int]) -> None:
        """Make conditional writes and count `added` in one transaction; raises ConditionFailedError."""

        def write() -> None:
            # Another counter each time: two transactions at once on one item disturb each other.
            counter = key_of(job_id, f"CNT#{random.randrange(SHARDS):02}")  # noqa: S311 (spread)
            count = [self.table.update_action(counter, Update.of({}, added=added))] if added else []
            self._once.transact([*writes, *count])

        self._retry.call(write, on=ScanStoreUnavailableError)

    def put_new(self, item: Item) -> "TransactWriteItemTypeDef":
        """Return the action of a transaction that puts an item which is not there yet."""
        return self.table.put_action(item, _NEW)

    def add(self, item: Item) -> bool:
        """Store an item; False where there is one of its key."""
        try:
            self.table.put(item, _NEW)
        except ConditionFailedError:
            return False
        return True

    def update(
        self,
        job_id: str,
        changes: Mapping[str, object],
        condition: str,
        *,
        added: Mapping[str, int] | None = None,
        sort_key: str = "META",
        **bound: object,
    ) -> bool:
        """Change an item of a job if `condition` holds, and add `added` to its numbers; False when it does not hold."""
        update = Update.of({**changes, "updated_at": iso(self.now())}, added=added or {})
        values = {f":{name}": value for name, value in bound.items()}
        names = {"#status": "status"} if "#status" in condition else None
        try:
            self.table.update(key_of(job_id, sort_key), update, condition, values, names)
        except ConditionFailedError:
            return False
        return True

    def query(self, job_id: str, prefix: str) -> list[Item]:
        """Return the items of a job whose sort keys begin with `prefix`, as they are now."""
        condition = "pk = :pk AND begins_with(sk, :prefix)"
        return list(self.table.query(condition, {":pk": f"JOB#{job_id}", ":prefix": prefix}, Read(consistent=True)))


def key_of(job_id: str, sort_key: str) -> Item:
    """Return the key of one of a job's items."""
    return {"pk": f"JOB#{job_id}", "sk": sort_key}
