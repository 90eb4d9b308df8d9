"""Reading and writing the items of the scanner's table; `store.py` says which there are."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.core.clock import iso
from waybill.scanning.errors import ScanStoreUnavailableError

SHARDS = 32
_ATTEMPTS = 5


class Table:
    """One DynamoDB table; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def _counting(self, job_id: str, added: Mapping[str, int]) -> dict[str, Any]:
        names = {f"#n{index}": name for index, name in enumerate(added)}
        values = to_item({f":n{index}": value for index, value in enumerate(added.values())})
        return {
            "TableName": self._table,
            "Key": key_of(job_id, f"CNT#{random.randrange(SHARDS):02}"),  # noqa: S311 (spread)
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name[1:]}" for name in names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def _count_with(self, writes: Sequence[dict[str, Any]], job_id: str, added: Mapping[str, int]) -> None:
        """Make conditional writes and count `added` in one transaction; raises ConditionFailedError."""
        for attempt in range(_ATTEMPTS):
            # Another counter each time: two transactions at once on one item disturb each other.
            count = [{"Update": self._counting(job_id, added)}] if added else []
            try:
                with translated(ScanStoreUnavailableError):
                    self._client.transact_write_items(TransactItems=[*writes, *count])
            except ScanStoreUnavailableError:
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    def _update(
        self,
        job_id: str,
        changes: Mapping[str, Any],
        condition: str,
        *,
        added: Mapping[str, int] | None = None,
        sort_key: str = "META",
        **bound: Any,
    ) -> bool:
        update = Update.of({**changes, "updated_at": iso(self._now())})
        arguments = update.arguments(condition, **bound)
        if added:
            arguments["UpdateExpression"] += " ADD " + ", ".join(f"#a_{name} :a_{name}" for name in added)
            arguments["ExpressionAttributeNames"] |= {f"#a_{name}": name for name in added}
            arguments["ExpressionAttributeValues"] |= to_item({f":a_{name}": value for name, value in added.items()})
        if "#status" in condition:
            arguments["ExpressionAttributeNames"]["#status"] = "status"
        try:
            with translated(ScanStoreUnavailableError):
                self._client.update_item(TableName=self._table, Key=key_of(job_id, sort_key), **arguments)
        except ConditionFailedError:
            return False
        return True

    def _get(self, key: Item) -> Item | None:
        with translated(ScanStoreUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(answer["Item"]) if answer.get("Item") else None

    def _get_many(self, keys: Sequence[Item], *, consistent: bool = True) -> Iterator[Item]:
        for batch in batched(keys, 100, strict=False):
            waiting: Any = {self._table: {"Keys": list(batch), "ConsistentRead": consistent}}
            while waiting:
                with translated(ScanStoreUnavailableError):
                    answer = self._client.batch_get_item(RequestItems=waiting)
                yield from map(from_item, answer["Responses"].get(self._table, []))
                waiting = answer.get("UnprocessedKeys")

    def _write_many(self, requests: Sequence[dict[str, Any]]) -> None:
        for batch in batched(requests, 25, strict=False):
            waiting: Any = {self._table: list(batch)}
            while waiting:
                with translated(ScanStoreUnavailableError):
                    waiting = self._client.batch_write_item(RequestItems=waiting).get("UnprocessedItems")

    def _query(self, job_id: str, prefix: str) -> list[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_item({":pk": f"JOB#{job_id}", ":prefix": prefix}),
            ConsistentRead=True,
        )
        with translated(ScanStoreUnavailableError):
            return [from_item(item) for page in pages for item in page["Items"]]


def key_of(job_id: str, sort_key: str) -> Item:
    """Return the key of one of a job's items."""
    return to_item({"pk": f"JOB#{job_id}", "sk": sort_key})
