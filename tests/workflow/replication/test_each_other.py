"""Two stacks that are each other's destination: both sides end with the newest write, and at rest."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.polling import until

# Within one second, the greater ETag counts as newer: that of the newer one here, whenever a test writes it.
OLDER, NEWER = b"written here", b"written there"
E_TAG = hashlib.md5(NEWER, usedforsecurity=False).hexdigest()

# What the stack allows its functions on further destinations (docs/permissions.md).
_ON_OBJECTS = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl", "s3:GetObject", "s3:GetObjectTagging"]
_ON_BUCKET = ["s3:ListBucket", "s3:GetBucketNotification"]


@contextmanager
def _copying_to(application: Application, bucket: str) -> Iterator[None]:
    """Let the stack copy its source to `bucket` alone, as `AdditionalDestinationBuckets` lets it."""
    worker = application.functions.get_function_configuration(FunctionName=application.worker)
    variables = worker["Environment"]["Variables"] | {"DESTINATION_BUCKETS": bucket}
    allowed = [
        {"Effect": "Allow", "Action": _ON_OBJECTS, "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Effect": "Allow", "Action": _ON_BUCKET, "Resource": f"arn:aws:s3:::{bucket}"},
    ]
    iam = application.stack.client("iam")
    policy = {"RoleName": application.resources["CopyFileFunctionRole"], "PolicyName": "EachOther"}
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    try:
        with application.configured("ReplicationWorkerFunction", Environment={"Variables": variables}):
            yield
    finally:
        iam.delete_role_policy(**policy)


@pytest.fixture(scope="module")
def sides(application: Application, variant: Application) -> Iterator[tuple[Application, Application]]:
    """Two stacks, of which one keeps versions; the source of each is the other's destination."""
    with ExitStack() as stack:
        stack.enter_context(_copying_to(application, variant.source.name))
        stack.enter_context(_copying_to(variant, application.source.name))
        yield variant, application


def at_rest(sides: tuple[Application, Application], key: str) -> None:
    """Wait until both sides hold the newest write, and the last run of each has found that the other does."""

    def look() -> bool:
        records = [side.source.item(key) or {} for side in sides]
        return all((record.get("status"), record.get("eTag")) == ("COMPLETED", E_TAG) for record in records) and all(
            side.content(side.source.name, key) == NEWER for side in sides
        )

    until(look, "both sides are at rest with the newest write")
    assert {run["status"] for side in sides for run in side.source.history(key)} <= {"COMPLETED", "SUPERSEDED"}


def test_both_sides_are_written_at_once(sides: tuple[Application, Application], key: str) -> None:
    for side, body in zip(sides, (OLDER, NEWER), strict=True):
        side.source.put(key, body)
    at_rest(sides, key)


def test_one_side_is_written_twice_before_its_first_copy_lands(
    sides: tuple[Application, Application], gate: Gate, key: str
) -> None:
    here, there = sides
    with gate.holding("CopyObject", key, times=1) as first:
        here.source.put(key, OLDER)
        first.wait()
        here.source.put(key, NEWER)
        until(lambda: there.content(there.source.name, key) == NEWER, "the second write is there")
    at_rest(sides, key)


def test_the_other_side_is_written_between_the_look_and_the_copy(
    sides: tuple[Application, Application], gate: Gate, key: str
) -> None:
    """Amazon S3 API reference, CopyObject: a copy with `If-None-Match` lands on nothing."""
    here, there = sides
    with gate.holding("CopyObject", key, times=1) as first:
        here.source.put(key, OLDER)
        first.wait()
        there.source.put(key, NEWER)
    at_rest(sides, key)
    # The run that was held may end after those that brought the newest write.
    until(lambda: "SUPERSEDED" in {run["status"] for run in here.source.history(key)}, "the held run gives way")
