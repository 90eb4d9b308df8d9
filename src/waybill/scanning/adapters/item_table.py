"""Reading and writing the items of the scanner's table; `table.py` says which there are."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.core.aws.table import Table
from waybill.core.clock import iso
from waybill.core.retry import Retry
from waybill.scanning.errors import ScanStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

SHARDS = 32
_RETRY = Retry(tries=5, first_pause=0.05, longest_pause=1.0, seconds=10.0)


class ItemTable:
    """One DynamoDB table; `client` is a boto3 `dynamodb` client, `now` the clock of what is stored."""

    def __init__(
        self, client: "DynamoDBClient", name: str, *, now: Callable[[], datetime], retry: Retry = _RETRY
    ) -> None:
        self._retry = retry
        self._table = Table(client, name, ScanStoreUnavailableError)
        self.client = client
        self.name = name
        self.now = now

    def _counting(self, job_id: str, added: Mapping[str, int]) -> "UpdateTypeDef":
        names = {f"#n{index}": name for index, name in enumerate(added)}
        values = to_item({f":n{index}": value for index, value in enumerate(added.values())})
        return {
            "TableName": self.name,
            "Key": key_of(job_id, f"CNT#{random.randrange(SHARDS):02}"),  # noqa: S311 (spread)
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name[1:]}" for name in names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def count_with(self, writes: "Sequence[TransactWriteItemTypeDef]", job_id: str, added: Mapping[str, int]) -> None:
        """Make conditional writes and count `added` in one transaction; raises ConditionFailedError."""

        def write() -> None:
            # Another counter each time: two transactions at once on one item disturb each other.
            count: list[TransactWriteItemTypeDef] = [{"Update": self._counting(job_id, added)}] if added else []
            with translated(ScanStoreUnavailableError):
                self.client.transact_write_items(TransactItems=[*writes, *count])

        self._retry.call(write, on=ScanStoreUnavailableError)

    def put_action(self, item: Item) -> "TransactWriteItemTypeDef":
        """Return the action of a transaction that puts an item which is not there yet."""
        return {"Put": {"TableName": self.name, "Item": item, "ConditionExpression": "attribute_not_exists(sk)"}}

    def transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> None:
        """Make conditional writes in one transaction; raises ConditionFailedError."""
        self._table.transact(writes)

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
        update = Update.of({**changes, "updated_at": iso(self.now())})
        arguments = update.arguments(condition, **bound)
        if added:
            arguments["UpdateExpression"] += " ADD " + ", ".join(f"#a_{name} :a_{name}" for name in added)
            arguments["ExpressionAttributeNames"] |= {f"#a_{name}": name for name in added}
            arguments["ExpressionAttributeValues"] |= to_item({f":a_{name}": value for name, value in added.items()})
        if "#status" in condition:
            arguments["ExpressionAttributeNames"]["#status"] = "status"
        try:
            with translated(ScanStoreUnavailableError):
                self.client.update_item(TableName=self.name, Key=key_of(job_id, sort_key), **arguments)
        except ConditionFailedError:
            return False
        return True

    def get(self, key: Item) -> Item | None:
        """Return an item as it is now."""
        return self._table.get(from_item(key))

    def get_many(self, keys: Iterable[Item], *, consistent: bool = True) -> Iterator[Item]:
        """Yield those of the items that there are."""
        return self._table.batch_get(map(from_item, keys), consistent=consistent)

    def write_many(self, *, put: Iterable[Item] = (), delete: Iterable[Item] = ()) -> None:
        """Put items and delete those of keys, without conditions."""
        self._table.batch_write(put=map(from_item, put), delete=map(from_item, delete))

    def query(self, job_id: str, prefix: str) -> list[Item]:
        """Return the items of a job whose sort keys begin with `prefix`, as they are now."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_item({":pk": f"JOB#{job_id}", ":prefix": prefix}),
            ConsistentRead=True,
        )
        with translated(ScanStoreUnavailableError):
            return [from_item(item) for page in pages for item in page["Items"]]


def key_of(job_id: str, sort_key: str) -> Item:
    """Return the key of one of a job's items."""
    return to_item({"pk": f"JOB#{job_id}", "sk": sort_key})
