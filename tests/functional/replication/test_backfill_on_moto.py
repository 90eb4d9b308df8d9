"""A backfill on S3, DynamoDB and Step Functions: listings in order, lookups, and starts by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from tests.fakes.functions import REGION
from tests.fakes.moto_buckets import fill
from tests.fakes.runs import DESTINATIONS, SOURCE, a_run, ended, facts, result
from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.core.aws.step_functions import StepFunctions
from waybill.core.errors import RateLimitedError
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.backfill import Backfill, BackfillVerdict, Comparison, Difference, PlanItem, compare
from waybill.replication.domain.starter import Starter, Workflows
from waybill.replication.errors import AccessDeniedError, NoSuchBucketError, S3UnavailableError, ThrottledError
from waybill.replication.models import ListedObject, ReplicationRun

A, B = DESTINATIONS
# In the order of their UTF-8 bytes, which is neither that of UTF-16 nor that of percent-encoding.
ODD_KEYS = ["\x01", " ", "%2B", "+", "//", "/a", "a", "a b+c (é) 100%.zip", "a/", "a/b", "é", "\uffee", "\U0001f600"]


@pytest.fixture
def machine(wire: Wire) -> str:
    """The ARN of a state machine whose executions run until they are stopped."""
    definition = {"StartAt": "Copy", "States": {"Copy": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::123456789012:role/replication"
    answer = client("stepfunctions").create_state_machine(
        name="waybill-replication", definition=json.dumps(definition), roleArn=role
    )
    return str(answer["stateMachineArn"])


@pytest.fixture
def backfill(buckets: S3Buckets, tracking: TrackingTable, machine: str) -> Backfill:
    executions = StepFunctions(client("stepfunctions"))
    return Backfill(SOURCE, tracking, buckets, Starter(executions, Workflows(machine)))


def put(s3: Any, bucket: str, *keys: str, body: bytes = b"abc", **more: Any) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


def listed(buckets: S3Buckets, bucket: str, prefix: str = "", **more: str) -> Iterator[ListedObject]:
    return chain.from_iterable(buckets.list_objects(bucket, prefix, **more))


def compared(buckets: S3Buckets) -> list[Comparison]:
    return list(compare(listed(buckets, SOURCE), {bucket: listed(buckets, bucket) for bucket in DESTINATIONS}))


def replicated(tracking: TrackingTable, s3: Any, key: str, *destinations: str) -> ReplicationRun:
    """Write what a run that went well leaves."""
    source = s3.head_object(Bucket=SOURCE, Key=key)
    run = a_run(key, key=key, destination_buckets=destinations)
    run = run.model_copy(update={"generation": tracking.claim(run).generation})
    copied = facts(
        key=key,
        e_tag=source["ETag"].strip('"'),
        version_id=source.get("VersionId"),
        last_modified=source["LastModified"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    )
    results = []
    for bucket in destinations:
        e_tag = s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        results.append(result(run, bucket, etag=e_tag))
        tracking.record_destination(run, results[-1], copied)
    tracking.finish(run, *ended(*results))
    return run


def test_a_listing_has_every_key_as_it_is_in_order(buckets: S3Buckets, s3: Any) -> None:
    put(s3, SOURCE, *reversed(ODD_KEYS))
    put(s3, SOURCE, "a/", body=b"")
    assert [item.key for item in listed(buckets, SOURCE)] == ODD_KEYS
    assert [item.size for item in listed(buckets, SOURCE, "a/")] == [0, 3]
    assert sorted(ODD_KEYS, key=str.encode) == ODD_KEYS


def test_a_listing_begins_behind_a_key_and_ends_with_the_prefix(buckets: S3Buckets, s3: Any) -> None:
    put(s3, SOURCE, "a/1", "a/2", "a/3 +é", "a/4", "b/1")
    found = [item.key for item in listed(buckets, SOURCE, "a/", start_after="a/2")]
    assert found == ["a/3 +é", "a/4"]


def test_a_listing_is_read_page_by_page(buckets: S3Buckets, wire: Wire) -> None:
    fill(SOURCE, (f"{number:05}" for number in range(1001)))
    pages = buckets.list_objects(SOURCE, "")
    assert len(next(pages)) == 1000
    assert wire.counts["s3.ListObjectsV2"] == 1
    assert [len(page) for page in pages] == [1]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, AccessDeniedError),
        ("NoSuchBucket", 404, NoSuchBucketError),
        ("SlowDown", 503, ThrottledError),
        ("InternalError", 500, S3UnavailableError),
    ],
)
def test_a_listing_that_fails_names_the_bucket(
    buckets: S3Buckets, wire: Wire, code: str, status: int, error: type[Exception]
) -> None:
    wire.refuse("s3.ListObjectsV2", code, status=status)
    with pytest.raises(error, match=f"s3:ListBucket on {SOURCE}"):
        list(buckets.list_objects(SOURCE, ""))


def test_differences_are_found_over_real_listings(buckets: S3Buckets, s3: Any) -> None:
    put(s3, SOURCE, *ODD_KEYS)
    put(s3, A, *ODD_KEYS, "only here")
    put(s3, B, *ODD_KEYS[:-1])
    put(s3, B, "a", body=b"abcd")
    assert {one.source.key: set(one.copies) for one in compared(buckets) if one.copies} == {"a": {B}, ODD_KEYS[-1]: {B}}


@pytest.mark.parametrize("versioned", [False, True])
def test_etags_of_another_making_are_no_difference_when_the_records_say_so(
    backfill: Backfill, buckets: S3Buckets, tracking: TrackingTable, s3: Any, versioned: bool
) -> None:
    if versioned:
        s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    put(s3, SOURCE, "known", "unknown", "changed")
    for bucket in DESTINATIONS:  # stands for a copy that KMS has encrypted: same size, another ETag
        put(s3, bucket, "known", "unknown", "changed", body=b"xyz")
    replicated(tracking, s3, "known", A, B)
    changed = replicated(tracking, s3, "changed", A, B)
    put(s3, SOURCE, "changed", body=b"cba")

    planned = {item.source.key: item for item in map(replace(backfill, content_only=True).plan, compared(buckets))}

    needed = dict.fromkeys(DESTINATIONS, Difference.ETAG_DIFFERS)
    assert planned["known"].verdict is BackfillVerdict.IDENTICAL
    assert (planned["unknown"].differences, planned["unknown"].follows) == (needed, None)
    assert (planned["changed"].differences, planned["changed"].follows) == (needed, changed.execution_id)


@pytest.mark.parametrize(
    ("source", "copy", "found", "what"),
    [
        ({}, {}, None, ""),
        ({"ContentType": "text/plain"}, {"ContentType": "text/html"}, Difference.HEADERS_DIFFER, "content-type"),
        ({"CacheControl": "no-store"}, {}, Difference.HEADERS_DIFFER, "cache-control"),
        ({"Metadata": {"a": "1"}}, {"Metadata": {"a": "1", "b": ""}}, Difference.HEADERS_DIFFER, "metadata"),
        ({"Tagging": "a=1&b="}, {"Tagging": "b=&a=1"}, None, ""),
        ({"Tagging": "a=1"}, {"Tagging": "a=2"}, Difference.TAGS_DIFFER, "tags"),
        ({}, {"Tagging": "a=1"}, Difference.TAGS_DIFFER, "tags"),
        ({"StorageClass": "STANDARD_IA"}, {}, None, ""),
    ],
)
def test_headers_metadata_and_tags_count_though_listings_are_equal(
    backfill: Backfill, buckets: S3Buckets, s3: Any, source: Any, copy: Any, found: Difference | None, what: str
) -> None:
    """Source: Amazon S3 user guide, "What does Amazon S3 replicate?": object metadata and tags."""
    put(s3, SOURCE, "k", **source)
    put(s3, A, "k", **source)
    put(s3, B, "k", **copy)
    (comparison,) = compare(
        listed(buckets, SOURCE), {bucket: listed(buckets, bucket) for bucket in DESTINATIONS}, everything=True
    )
    item = backfill.plan(comparison)
    assert dict(item.differences) == ({B: found} if found else {})
    assert what in item.what.get(B, "").lower()
    assert replace(backfill, content_only=True).plan(comparison).verdict is BackfillVerdict.IDENTICAL


def test_runs_are_started_once_and_once_more_after_their_end(
    backfill: Backfill, buckets: S3Buckets, s3: Any, wire: Wire
) -> None:
    put(s3, SOURCE, "a b+é.zip")
    (comparison,) = compared(buckets)
    item = backfill.plan(comparison)
    wire.clear()
    assert backfill.start(item).verdict is BackfillVerdict.STARTED
    assert wire.counts == {"sfn.StartExecution": 1}

    (started,) = client("stepfunctions").list_executions(stateMachineArn=_machine_of(backfill))["executions"]
    again = PlanItem(item.source, item.verdict, dict(reversed(item.differences.items())), item.follows)
    assert backfill.start(again).verdict is BackfillVerdict.IN_PROGRESS
    client("stepfunctions").stop_execution(executionArn=started["executionArn"])
    assert backfill.start(item).verdict is BackfillVerdict.STARTED
    assert len(client("stepfunctions").list_executions(stateMachineArn=_machine_of(backfill))["executions"]) == 2


def test_throttling_can_be_tried_again(backfill: Backfill, wire: Wire) -> None:
    item = PlanItem(ListedObject("k", 1, "e"), BackfillVerdict.NEEDED, {A: Difference.MISSING})
    wire.refuse("sfn.StartExecution", "ThrottlingException", times=3)
    with pytest.raises(RateLimitedError):
        backfill.start(item)
    assert backfill.start(item).verdict is BackfillVerdict.STARTED


def _machine_of(backfill: Backfill) -> str:
    return backfill.starter.workflows.standard_arn


def test_the_region_of_each_bucket_is_asked_once(buckets: S3Buckets, wire: Wire) -> None:
    for _ in range(2):
        list(buckets.list_objects(A, ""))
    assert wire.counts["s3.GetBucketLocation"] == 1
    assert REGION in wire.of("s3.ListObjectsV2")[0].host
