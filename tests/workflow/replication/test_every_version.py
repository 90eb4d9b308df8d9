"""Every version of a fast-changing key, by the functions, the workflow and the S3 of a running stack."""

import json
from collections.abc import Iterator

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.polling import until

WRITES = [f"write {number}".encode() for number in range(5)]


@pytest.fixture(scope="module")
def keeping_all(variant: Application) -> Iterator[Application]:
    """The stack with versioned buckets as `ReplicateEveryVersion` makes it (docs/permissions.md)."""
    variables = variant.functions.get_function_configuration(FunctionName=variant.resources["CopyFileFunction"])
    changed = variables["Environment"]["Variables"] | {"REPLICATE_EVERY_VERSION": "true"}
    allowed = [
        {"Effect": "Allow", "Action": "s3:GetBucketVersioning", "Resource": f"arn:aws:s3:::{bucket}"}
        for bucket in variant.destinations
    ]
    iam = variant.stack.client("iam")
    policy = {"RoleName": variant.resources["CopyFileFunctionRole"], "PolicyName": "EveryVersion"}
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    try:
        with variant.configured("CopyFileFunction", Environment={"Variables": changed}):
            yield variant
    finally:
        iam.delete_role_policy(**policy)


def bodies(application: Application, bucket: str, key: str) -> list[bytes]:
    """What the versions of a file hold, the oldest first."""
    found = application.s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    return [
        application.s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"].read()
        for version in reversed(found)
    ]


def test_five_quick_writes_leave_five_versions_in_order(keeping_all: Application, key: str) -> None:
    for body in WRITES:
        keeping_all.source.put(key, body)
    for bucket in keeping_all.destinations:
        until(lambda bucket=bucket: len(bodies(keeping_all, bucket, key)) >= len(WRITES), f"{bucket} has all versions")
    until(lambda: (keeping_all.source.item(key) or {}).get("status") == "COMPLETED", "the last run has ended")
    assert [bodies(keeping_all, bucket, key) for bucket in keeping_all.destinations] == [WRITES, WRITES]
    assert {run["status"] for run in keeping_all.source.history(key)} <= {"COMPLETED", "SUPERSEDED"}
