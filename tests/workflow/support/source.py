"""A source bucket with its files' tracking records."""

from collections.abc import Mapping, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests.workflow.support.polling import DEADLINE, until


class Source:
    """The bucket `name`; its files go to `destinations` unless a test says otherwise."""

    def __init__(self, name: str, destinations: Sequence[str], s3: Any, dynamodb: Any, table: str) -> None:
        self.name = name
        self._destinations = list(destinations)
        self._s3 = s3
        self._dynamodb = dynamodb
        self._table = table

    def put(self, key: str, body: bytes = b"content", **attributes: Any) -> str:
        """Upload a file; return its ETag."""
        answer = self._s3.put_object(Bucket=self.name, Key=key, Body=body, **attributes)
        return str(answer["ETag"]).strip('"')

    def request(self, key: str, destinations: Sequence[str] | None = None, **more: Any) -> dict[str, Any]:
        """Return the workflow's input for a file."""
        buckets = self._destinations if destinations is None else list(destinations)
        return {"sourceBucket": self.name, "sourceKey": key, "destinationBuckets": buckets, **more}

    def item(self, key: str) -> dict[str, Any] | None:
        """Return the record of a file as the documented `get-item` reads it."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"fileKey": {"S": key}, "sourceBucket": {"S": self.name}}
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def record(self, key: str, status: str = "COMPLETED", *, within: float = DEADLINE) -> dict[str, Any]:
        """Wait until the record of a file has `status`, and return it."""

        def look() -> dict[str, Any] | None:
            found = self.item(key)
            return found if found and found["status"] == status else None

        return until(look, f"record of {key} {status}", within)

    def destinations(self, key: str) -> dict[str, dict[str, Any]]:
        """Return what is recorded of a file, by destination."""
        return {item["destinationBucket"]: item for item in self._items(key, "dest#")}

    def history(self, key: str) -> list[dict[str, Any]]:
        """Return the ended runs of a file, oldest first; of a first run that went well, its record tells."""
        record = self.item(key)
        first = [record] if record and record.get("generation") == 1 and record.get("outcome") == "SUCCESS" else []
        return self._items(key, "exec#") or first

    def _items(self, key: str, prefix: str) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="fileKey = :key AND begins_with(sourceBucket, :prefix)",
            ExpressionAttributeValues={":key": {"S": key}, ":prefix": {"S": f"{self.name}#{prefix}"}},
        )
        return [_plain(item) for page in pages for item in page["Items"]]


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
