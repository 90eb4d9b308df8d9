"""The replication workflow of a deployment, from outside."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.harness.deployment import Deployment, Function
from benchmarks.harness.machine import Machine
from waybill.core.clock import iso, now

_WITHIN_SECONDS = 60.0
_HANDLERS = "waybill.replication.handlers."


def functions(deployment: Deployment) -> list[Function]:
    """Return the workflow's functions."""
    return [one for module, one in sorted(deployment.functions.items()) if module.startswith(_HANDLERS)]


def state_machine(deployment: Deployment) -> dict[str, Any]:
    """Return the state machine as it is deployed: `name`, `roleArn`, `definition` (decoded) and its size in `bytes`."""
    found: dict[str, Any] = deployment.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployment.outputs["FileCopyWorkflowArn"]
    )
    return found | {"definition": json.loads(found["definition"]), "bytes": len(found["definition"].encode())}


def tracking_table(deployment: Deployment) -> dict[str, Any]:
    """Return the arguments that create a table like the deployed one."""
    described = deployment.client("dynamodb").describe_table(TableName=deployment.outputs["FileCopyTrackingTableName"])
    table = described["Table"]
    return {
        "TableName": table["TableName"],
        "KeySchema": table["KeySchema"],
        "AttributeDefinitions": table["AttributeDefinitions"],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
            for index in table["GlobalSecondaryIndexes"]
        ],
    }


def indexed_attributes(deployment: Deployment) -> frozenset[str]:
    """Return the attributes that the table's index holds."""
    table = tracking_table(deployment)
    (index,) = table["GlobalSecondaryIndexes"]
    keys = (key["AttributeName"] for key in (*table["KeySchema"], *index["KeySchema"]))
    return frozenset((*keys, *index["Projection"]["NonKeyAttributes"]))


def execution_of(deployment: Deployment, name: str) -> dict[str, str]:
    """Return what Step Functions tells of an execution that starts now."""
    arn = deployment.outputs["FileCopyWorkflowArn"].replace(":stateMachine:", ":execution:")
    return {"Id": f"{arn}:{name}", "Name": name, "StartTime": iso(now())}


def upload(deployment: Deployment, key: str, body: bytes) -> str:
    """Put a file into the source bucket, which starts its replication; return its ETag."""
    answer = deployment.client("s3").put_object(Bucket=deployment.outputs["SourceBucketName"], Key=key, Body=body)
    return str(answer["ETag"]).strip('"')


@contextmanager
def uploads_start_nothing(deployment: Deployment) -> Iterator[None]:
    """Take the notification from the source bucket for the time of the block."""
    s3, bucket = deployment.client("s3"), deployment.outputs["SourceBucketName"]
    configured = s3.get_bucket_notification_configuration(Bucket=bucket)
    configured.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configured)


def created_event(bucket: str, key: str, size: int, e_tag: str, region: str) -> dict[str, Any]:
    """Return the event that S3 sends for a new object (Amazon S3 user guide, "Event message structure")."""
    described = {"key": key, "size": size, "eTag": e_tag, "sequencer": "0055AED6DCD90281E5"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": described},
    }
    return {"Records": [record]}


def carry_out(deployment: Deployment, request: Mapping[str, Any]) -> None:
    """Carry a run out by invoking its functions directly, one after another.

    Raises
    ------
    AssertionError
        It has not ended well.
    """
    machine = Machine(state_machine(deployment)["definition"], deployment.invoke)
    output = machine.run(dict(request), execution_of(deployment, f"direct-{uuid.uuid4().hex}"))
    if output["status"] != "SUCCESS":
        raise AssertionError(f"{request['sourceKey']}: {output}")


def upload_and_wait(deployment: Deployment, key: str, body: bytes) -> dict[str, Any]:
    """Upload a file and wait until its execution has ended well; return it as `finished` does."""
    upload(deployment, key, body)
    deadline = time.monotonic() + _WITHIN_SECONDS
    while not (arn := _owner_of(deployment, key)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{key}: no record within {_WITHIN_SECONDS:.0f} s")
        time.sleep(0.05)
    return finished(deployment, arn)


def _owner_of(deployment: Deployment, key: str) -> str | None:
    found = deployment.client("dynamodb").get_item(
        TableName=deployment.outputs["FileCopyTrackingTableName"],
        Key={"fileKey": {"S": key}, "sourceBucket": {"S": deployment.outputs["SourceBucketName"]}},
        ConsistentRead=True,
    )
    return str(found["Item"]["executionId"]["S"]) if "Item" in found else None


def finished(deployment: Deployment, arn: str) -> dict[str, Any]:
    """Wait until an execution has ended, and return it with its history under `events`.

    Raises
    ------
    TimeoutError
        It has not ended within a minute.
    AssertionError
        It has not ended well.
    """
    step_functions = deployment.client("stepfunctions")
    deadline = time.monotonic() + _WITHIN_SECONDS
    execution: dict[str, Any] = step_functions.describe_execution(executionArn=arn)
    while execution["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{arn} has not ended within {_WITHIN_SECONDS:.0f} s")
        time.sleep(0.05)
        execution = step_functions.describe_execution(executionArn=arn)
    if execution["status"] != "SUCCEEDED":
        raise AssertionError(f"{arn} ended {execution['status']}: {execution.get('cause')}")
    pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=arn)
    return execution | {"events": [event for page in pages for event in page["events"]]}
