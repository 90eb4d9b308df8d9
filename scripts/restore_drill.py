"""Restores the tables and buckets of a stack into a second one, and compares them (docs/operations.md, "Restore").

The second stack is made for this and deleted afterwards. It is put to rest first: what it would do with restored
records, asking services for people's data among it, nobody wants twice.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
_PAUSE_SECONDS = 0.2
_RESTORE_SECONDS = 6 * 3600
_BATCH = 25  # Amazon DynamoDB API Reference, BatchWriteItem
_SUM = 1 << 256

type Client = Callable[[str], Any]


@dataclass(frozen=True)
class Content:
    """How much there is, and the sum of everything's digests, which no order changes."""

    count: int = 0
    digest: int = 0

    def __add__(self, other: bytes) -> "Content":
        value = int.from_bytes(hashlib.sha256(other).digest())
        return Content(self.count + 1, (self.digest + value) % _SUM)


@dataclass(frozen=True)
class Outcome:
    """What became of a table or bucket: `wanted` is what was restored, `found` what the second stack has now."""

    name: str
    wanted: Content | None = None
    found: Content | None = None
    left_out: str = ""

    @property
    def holds(self) -> bool:
        """Whether the second stack has what it should."""
        return self.wanted == self.found

    def __str__(self) -> str:
        if self.wanted is None or self.found is None:
            return f"{self.name}: left out, {self.left_out}"
        if self.holds:
            return f"{self.name}: {self.found.count} restored, the same"
        return f"{self.name}: DIFFERS, {self.found.count} of {self.wanted.count} or other content"


def main() -> int:
    """Run the drill of the command line; return an exit status."""
    parser = argparse.ArgumentParser(prog="scripts/restore-drill", description=__doc__)
    parser.add_argument("stack", help="the stack whose tables and buckets are restored")
    parser.add_argument("into", help="a second stack of the same template, with empty tables and buckets")
    parser.add_argument(
        "--at", type=datetime.fromisoformat, help="the time to restore, in ISO 8601 with a zone; default: now"
    )
    parser.add_argument("--profile", help="the profile of the AWS configuration")
    asked = parser.parse_args()
    if asked.at and asked.at.tzinfo is None:
        parser.error("--at has no zone, such as Z")
    holds = True
    for outcome in drill(boto3.Session(profile_name=asked.profile).client, asked.stack, asked.into, asked.at):
        print(outcome, flush=True)
        holds &= outcome.holds
    return 0 if holds else 1


def drill(client: Client, stack: str, into: str, at: datetime | None = None) -> Iterator[Outcome]:
    """Restore everything as it was at a time, now by default, and yield what became of each.

    Raises
    ------
    ValueError
        The second stack is the first, or has something in a table.
    """
    if stack == into:
        raise ValueError("a stack is not restored into itself")
    source, target = resources(client, stack), resources(client, into)
    for name, table in of(target, TABLE):
        if client("dynamodb").scan(TableName=table, Limit=1)["Items"]:
            raise ValueError(f"{name} of {into} is not empty")
    put_to_rest(client, target)
    for name, table in of(source, TABLE):
        yield restore_table(client("dynamodb"), name, table, target[name][1], at)
    for name, bucket in of(source, BUCKET):
        yield restore_bucket(client("s3"), name, bucket, target[name][1], at)


def resources(client: Client, stack: str) -> dict[str, tuple[str, str]]:
    """Return type and physical name of everything in a stack, by logical name."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [one for page in pages for one in page["StackResourceSummaries"]]
    return {one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", "")) for one in found}


def of(found: dict[str, tuple[str, str]], kind: str) -> list[tuple[str, str]]:
    """Return logical and physical names of a type."""
    return sorted((name, physical) for name, (type_, physical) in found.items() if type_ == kind)


def put_to_rest(client: Client, target: dict[str, tuple[str, str]]) -> None:
    """Disable what works by itself: schedules, and what functions read."""
    scheduler, functions = client("scheduler"), client("lambda")
    taken = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    for _, schedule in of(target, "AWS::Scheduler::Schedule"):
        now = scheduler.get_schedule(Name=schedule)
        scheduler.update_schedule(**{key: now[key] for key in taken}, State="DISABLED")
    for _, mapping in of(target, "AWS::Lambda::EventSourceMapping"):
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)


def restore_table(dynamodb: Any, name: str, table: str, target: str, at: datetime | None) -> Outcome:
    """Restore a table beside the second stack's, and put what it has there."""
    beside = f"{target[:200]}-drill-{int(time.time())}"
    moment = {"RestoreDateTime": at} if at else {"UseLatestRestorableTime": True}
    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=beside, **moment)
    try:
        _until_active(dynamodb, beside)
        wanted = Content()
        batch: list[Any] = []
        for item in items(dynamodb, beside):
            wanted += _canonical(item)
            batch.append({"PutRequest": {"Item": item}})
            if len(batch) == _BATCH:
                _write(dynamodb, target, batch)
                batch = []
        _write(dynamodb, target, batch)
    finally:
        dynamodb.delete_table(TableName=beside)
    found = Content()
    for item in items(dynamodb, target):
        found += _canonical(item)
    return Outcome(name, wanted, found)


def restore_bucket(s3: Any, name: str, bucket: str, target: str, at: datetime | None) -> Outcome:
    """Copy the versions of that time, and read both to compare them."""
    if why := _left_out(s3, target):
        return Outcome(name, left_out=why)
    wanted = Content()
    for key, version in versions(s3, bucket, at):
        s3.copy({"Bucket": bucket, "Key": key, "VersionId": version}, target, key)
        wanted += _object(s3, Bucket=bucket, Key=key, VersionId=version)
    found = Content()
    for key, version in versions(s3, target, None):
        found += _object(s3, Bucket=target, Key=key, VersionId=version)
    return Outcome(name, wanted, found)


def versions(s3: Any, bucket: str, at: datetime | None) -> Iterator[tuple[str, str]]:
    """Yield key and version of every object that was there at a time; the newest come first in a listing."""
    seen = None
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        listed = [(one, "Size" in one) for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]
        for one, there in sorted(listed, key=_newest_first):
            if one["Key"] != seen and (one["IsLatest"] if at is None else one["LastModified"] <= at):
                seen = one["Key"]
                if there:
                    yield one["Key"], one["VersionId"]


def _newest_first(listed: tuple[Any, bool]) -> tuple[bytes, float, bool]:
    one, _ = listed
    return one["Key"].encode(), -one["LastModified"].timestamp(), not one["IsLatest"]


def items(dynamodb: Any, table: str) -> Iterator[Any]:
    """Yield every item of a table, as it is now."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _left_out(s3: Any, bucket: str) -> str:
    notified = s3.get_bucket_notification_configuration(Bucket=bucket)
    if any(key.endswith("Configurations") or key == "EventBridgeConfiguration" for key in notified):
        return "since what arrives there starts work"
    try:
        s3.get_object_lock_configuration(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
            raise
        return ""
    return "since nobody could delete it again"


def _until_active(dynamodb: Any, table: str) -> None:
    deadline = time.monotonic() + _RESTORE_SECONDS
    while dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] != "ACTIVE":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{table} is not there after six hours")
        time.sleep(_PAUSE_SECONDS)


def _write(dynamodb: Any, table: str, batch: list[Any]) -> None:
    while batch:
        batch = dynamodb.batch_write_item(RequestItems={table: batch}).get("UnprocessedItems", {}).get(table, [])
        if batch:
            time.sleep(_PAUSE_SECONDS)


def _canonical(item: Any) -> bytes:
    def plain(value: Any) -> Any:
        return value.hex() if isinstance(value, bytes) else repr(value)

    ordered = {name: _in_order(value) for name, value in item.items()}
    return json.dumps(ordered, sort_keys=True, default=plain).encode()


def _in_order(value: Any) -> Any:
    """Return a typed value with its sets in one order."""
    match value:
        case {"SS": members} | {"NS": members} | {"BS": members}:
            return sorted(members)
        case {"M": dict() as members}:
            return {name: _in_order(one) for name, one in members.items()}
        case {"L": list() as members}:
            return [_in_order(one) for one in members]
    return value


def _object(s3: Any, **which: str) -> bytes:
    found = s3.get_object(**which)
    digest = hashlib.sha256()
    for chunk in found["Body"].iter_chunks(1 << 20):
        digest.update(chunk)
    about = [which["Key"], found.get("ContentType"), found["Metadata"], digest.hexdigest()]
    return json.dumps(about, sort_keys=True).encode()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f"scripts/restore-drill: {error}")
