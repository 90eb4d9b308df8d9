"""Restores the tables and buckets of a stack into a second one, and compares them (docs/operations.md, "Restore").

The second stack is made for this and deleted afterwards. It is put to rest first: what it would do with restored
records, asking services for people's data among it, nobody wants twice.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.table import Table
from waybill.core.errors import RetryableError
from waybill.core.retry import Retry, poll

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
_RESTORE_SECONDS, _DROP_SECONDS = 6 * 3600.0, 3600.0
_WRITES = Retry(tries=100, first_pause=0.2, longest_pause=5.0, seconds=600.0)
_SUM = 1 << 256
# What an object says of its content, besides metadata and tags, in the words of GetObject and CopyObject.
_HEADERS = (
    "ContentType",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "WebsiteRedirectLocation",
)

type Client = Callable[..., Any]


class UnavailableError(RetryableError):
    """DynamoDB does not take what is restored."""


class LeftError(Exception):
    """Something that the drill made could not be deleted."""


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
    failed: str = ""

    @property
    def holds(self) -> bool:
        """Whether the second stack has what it should."""
        return not self.failed and self.wanted == self.found

    def __str__(self) -> str:
        if self.failed:
            return f"{self.name}: FAILED, {self.failed}"
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

    What fails is a failed outcome, and the rest goes on.

    Raises
    ------
    ValueError
        The second stack is the first, lacks something that this has, or has something in a table or bucket; there is
        no such stack, or nothing to restore in it.
    """
    if stack == into:
        raise ValueError("a stack is not restored into itself")
    source, target = resources(client, stack), resources(client, into)
    tables, buckets = of(source, TABLE), of(source, BUCKET)
    if not tables and not buckets:
        raise ValueError(f"{stack} has no table and no bucket: nothing to restore")
    # A stack has a name and an ARN, and one could have taken over something of the other.
    if same := {physical for _, physical in (*tables, *buckets)} & {physical for _, physical in target.values()}:
        raise ValueError(f"{', '.join(sorted(same))} is of both: a stack is not restored into itself")
    there = {name for name, _ in (*of(target, TABLE), *of(target, BUCKET))}
    if lacking := [name for name, _ in (*tables, *buckets) if name not in there]:
        raise ValueError(f"{into} has no {', '.join(lacking)}: deploy the template of {stack}")
    left_out = _refuse_what_is_not_empty(client, into, target)
    put_to_rest(client, target)
    dynamodb: DynamoDBClient = client("dynamodb")
    s3: S3Client = client("s3")
    for name, table in tables:
        yield _tried(name, partial(restore_table, dynamodb, name, table, target[name][1], at))
    for name, bucket in buckets:
        if why := left_out[name]:
            yield Outcome(name, left_out=why)
        else:
            yield _tried(name, partial(restore_bucket, s3, name, bucket, target[name][1], at))


def _refuse_what_is_not_empty(client: Client, stack: str, target: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Return why each bucket is left out, empty where it is not; what is left out may have something in it."""
    dynamodb: DynamoDBClient = client("dynamodb")
    s3: S3Client = client("s3")
    left_out = {name: _left_out(s3, bucket) for name, bucket in of(target, BUCKET)}
    for name, table in of(target, TABLE):
        if dynamodb.scan(TableName=table, Limit=1)["Items"]:
            raise ValueError(f"{name} of {stack} is not empty")
    for name, bucket in of(target, BUCKET):
        listed = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
        if not left_out[name] and (listed.get("Versions") or listed.get("DeleteMarkers")):
            raise ValueError(f"{name} of {stack} is not empty")
    return left_out


def _tried(name: str, restore: Callable[[], Outcome]) -> Outcome:
    try:
        return restore()
    except (ClientError, BotoCoreError, RetryableError, TimeoutError, LeftError) as error:
        return Outcome(name, failed=str(error))


def resources(client: Client, stack: str) -> dict[str, tuple[str, str]]:
    """Return type and physical name of everything in a stack, by logical name; ValueError where there is no stack."""
    cloudformation: CloudFormationClient = client("cloudformation")
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        found = [one for page in pages for one in page["StackResourceSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise ValueError(error.response["Error"]["Message"]) from error
    return {one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", "")) for one in found}


def of(found: dict[str, tuple[str, str]], kind: str) -> list[tuple[str, str]]:
    """Return logical and physical names of a type."""
    return sorted((name, physical) for name, (type_, physical) in found.items() if type_ == kind)


def put_to_rest(client: Client, target: dict[str, tuple[str, str]]) -> None:
    """Disable what works by itself: schedules, and what functions read."""
    scheduler: EventBridgeSchedulerClient = client("scheduler")
    functions: LambdaClient = client("lambda")
    for _, schedule in of(target, "AWS::Scheduler::Schedule"):
        now = scheduler.get_schedule(Name=schedule)
        scheduler.update_schedule(
            Name=now["Name"],
            ScheduleExpression=now["ScheduleExpression"],
            FlexibleTimeWindow=now["FlexibleTimeWindow"],
            Target=now["Target"],
            State="DISABLED",
        )
    for _, mapping in of(target, "AWS::Lambda::EventSourceMapping"):
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)


def restore_table(dynamodb: "DynamoDBClient", name: str, table: str, target: str, at: datetime | None) -> Outcome:
    """Restore a table beside the second stack's, and put what it has there."""
    beside = f"{target[:200]}-drill-{int(time.time())}"
    if at:
        dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=beside, RestoreDateTime=at)
    else:
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=beside, UseLatestRestorableTime=True
        )
    wanted = Content()

    def read() -> "Iterator[Mapping[str, AttributeValueTypeDef]]":
        nonlocal wanted
        for item in items(dynamodb, beside):
            wanted += _canonical(item)
            yield item

    try:
        _until_active(dynamodb, beside, _RESTORE_SECONDS)
        Table(dynamodb, target, UnavailableError, retry=_WRITES).batch_write_typed(read())
    finally:
        _drop(dynamodb, beside)
    found = Content()
    for item in items(dynamodb, target):
        found += _canonical(item)
    return Outcome(name, wanted, found)


def restore_bucket(s3: "S3Client", name: str, bucket: str, target: str, at: datetime | None) -> Outcome:
    """Copy the versions of that time, and read both to compare them; what cannot be copied stops nothing else."""
    wanted = Content()
    failed: list[str] = []
    for key, version in versions(s3, bucket, at):
        try:
            wanted += _copy(s3, bucket, key, version, target)
        except (ClientError, BotoCoreError) as error:  # such as one in an archive, which has to be restored first
            failed.append(f"{key}: {error}")
    found = Content()
    for key, version in versions(s3, target, None):
        here = s3.get_object(Bucket=target, Key=key, VersionId=version)
        found += _object(key, here, _tags(s3, target, key, version))
    if failed:
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        return Outcome(name, failed=f"{found.count} restored, but not {failed[0]}{more}")
    return Outcome(name, wanted, found)


def _copy(s3: "S3Client", bucket: str, key: str, version: str, target: str) -> bytes:
    there, tags = s3.get_object(Bucket=bucket, Key=key, VersionId=version), _tags(s3, bucket, key, version)
    content = _object(key, there, tags)
    # A copy in parts takes over neither metadata nor tags by itself.
    s3.copy(
        {"Bucket": bucket, "Key": key, "VersionId": version},
        target,
        key,
        ExtraArgs={
            "MetadataDirective": "REPLACE",
            "TaggingDirective": "REPLACE",
            "Metadata": there["Metadata"],
            **({"Tagging": urlencode(tags)} if tags else {}),
            **_headers(there),
        },
    )
    return content


def versions(s3: "S3Client", bucket: str, at: datetime | None) -> Iterator[tuple[str, str]]:
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


def items(dynamodb: "DynamoDBClient", table: str) -> "Iterator[dict[str, AttributeValueTypeDef]]":
    """Yield every item of a table, as it is now."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _left_out(s3: "S3Client", bucket: str) -> str:
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


def _until_active(dynamodb: "DynamoDBClient", table: str, seconds: float) -> None:
    def status() -> str:
        return dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]

    if not poll(status, lambda found: found == "ACTIVE", seconds=seconds, longest_pause=20.0)[1]:
        raise TimeoutError(f"{table} is not there after {seconds / 3600:g} hours")


def _drop(dynamodb: "DynamoDBClient", table: str) -> None:
    """Delete a table, which DynamoDB refuses as long as it is being made (API Reference, DeleteTable)."""
    try:
        _until_active(dynamodb, table, _DROP_SECONDS)
        dynamodb.delete_table(TableName=table)
    except KeyboardInterrupt:
        print(f"the table {table} is left: delete it", file=sys.stderr)
        raise
    except (ClientError, BotoCoreError, TimeoutError) as error:
        raise LeftError(f"the table {table} is left, delete it: {error}") from error


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


def _object(key: str, found: "GetObjectOutputTypeDef", tags: dict[str, str]) -> bytes:
    digest = hashlib.sha256()
    for chunk in found["Body"].iter_chunks(1 << 20):
        digest.update(chunk)
    return json.dumps([key, _headers(found), found["Metadata"], tags, digest.hexdigest()], sort_keys=True).encode()


def _headers(found: "GetObjectOutputTypeDef") -> dict[str, str]:
    return {name: str(value) for name, value in found.items() if name in _HEADERS}


def _tags(s3: "S3Client", bucket: str, key: str, version: str) -> dict[str, str]:
    found = s3.get_object_tagging(Bucket=bucket, Key=key, VersionId=version)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, ClientError) as error:
        sys.exit(f"scripts/restore-drill: {error}")
