"""The deployed application, as its users and operators handle it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from tests.workflow.support.gate import Gate
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.polling import until
from waybill.cli.local import LocalStack


@dataclass(frozen=True)
class Invoked:
    """What an invocation of a function has answered."""

    payload: Any
    error: str | None


@dataclass(frozen=True)
class Execution:
    """An ended execution of the workflow."""

    arn: str
    status: str
    output: Any
    error: str | None
    cause: str | None
    states: list[str]


class Application:
    """One deployed stack: its buckets, functions, workflow, records and notifications."""

    def __init__(self, stack: LocalStack, gate: Gate, outputs: Mapping[str, str]) -> None:
        self.stack = stack
        self.gate = gate
        self.outputs = outputs
        self.source = outputs["SourceBucketName"]
        self.destinations = outputs["DestinationBucketNames"].split(",")
        self.table = outputs["FileCopyTrackingTableName"]
        self.workflow = outputs["FileCopyWorkflowArn"]
        self.worker = outputs["ReplicationWorkerFunctionName"]
        self.invoker = outputs["StepFunctionInvokerFunctionName"]
        self.reconciler = outputs["ReconcileReplicationsFunctionName"]
        self.s3 = stack.client("s3")
        self.sfn = stack.client("stepfunctions")
        self.sqs = stack.client("sqs")
        self.functions = stack.client("lambda")
        self.dynamodb = stack.client("dynamodb")

    @cached_property
    def mailbox(self) -> Mailbox:
        """What people are told."""
        name = f"mailbox-{self.workflow.rpartition(':')[2]}"
        return Mailbox(self.sqs, self.stack.client("sns"), self.outputs["FailureTopicArn"], name)

    def upload(self, key: str, body: bytes = b"content", **attributes: Any) -> str:
        """Put an object into the source bucket, which starts its replication; return its ETag."""
        return str(self.s3.put_object(Bucket=self.source, Key=key, Body=body, **attributes)["ETag"]).strip('"')

    def content(self, bucket: str, key: str) -> bytes | None:
        """Return the content of an object, None when there is none."""
        try:
            return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def request(self, key: str, destinations: Sequence[str] | None = None, **more: Any) -> dict[str, Any]:
        """Return the workflow's input for a file of the source bucket."""
        buckets = self.destinations if destinations is None else list(destinations)
        return {"sourceBucket": self.source, "sourceKey": key, "destinationBuckets": buckets, **more}

    def start(self, payload: object, name: str | None = None, workflow: str | None = None) -> str:
        """Start an execution; return its ARN."""
        named = {"name": name} if name else {}
        answer = self.sfn.start_execution(stateMachineArn=workflow or self.workflow, input=json.dumps(payload), **named)
        return str(answer["executionArn"])

    def run(self, payload: object, name: str | None = None, *, within: float = 30) -> Execution:
        """Start an execution and return it when it has ended."""
        return self.ended(self.start(payload, name), within)

    def ended(self, arn: str, within: float = 30) -> Execution:
        """Wait for the end of an execution."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sfn.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        found = until(look, f"end of {arn}", within)
        output = json.loads(found["output"]) if found["status"] == "SUCCEEDED" else None
        return Execution(arn, found["status"], output, found.get("error"), found.get("cause"), self.states(arn))

    def states(self, arn: str) -> list[str]:
        """Return the names of the states that an execution has entered, in order."""
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]

    def executions(self, label: str, workflow: str | None = None) -> list[str]:
        """Return the ARNs of the executions whose names begin with `label`, newest first."""
        pages = self.sfn.get_paginator("list_executions").paginate(stateMachineArn=workflow or self.workflow)
        return [
            execution["executionArn"]
            for page in pages
            for execution in page["executions"]
            if execution["name"].startswith(label)
        ]

    def item(self, key: str, range_key: str | None = None) -> dict[str, Any] | None:
        """Return an item of the tracking table as its documented `get-item` reads it."""
        answer = self.dynamodb.get_item(
            TableName=self.table, Key={"fileKey": {"S": key}, "sourceBucket": {"S": range_key or self.source}}
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def items(self, key: str, prefix: str) -> list[dict[str, Any]]:
        """Return the further items of a file whose range keys go on with `prefix` (`dest#`, `exec#`)."""
        answer = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="fileKey = :key AND begins_with(sourceBucket, :prefix)",
            ExpressionAttributeValues={":key": {"S": key}, ":prefix": {"S": f"{self.source}#{prefix}"}},
        )
        return [_plain(item) for item in answer["Items"]]

    def destination(self, key: str, bucket: str) -> dict[str, Any]:
        """Return the item of a file at one destination."""
        found = self.item(key, f"{self.source}#dest#{bucket}")
        assert found is not None, f"nothing recorded of {key} at {bucket}"
        return found

    def record(self, key: str, status: str = "COMPLETED", *, within: float = 30) -> dict[str, Any]:
        """Wait until the record of a file has `status`, and return it."""

        def look() -> dict[str, Any] | None:
            found = self.item(key)
            return found if found and found["status"] == status else None

        return until(look, f"record of {key} {status}", within)

    def invoke(self, function: str, payload: object) -> Invoked:
        """Invoke a function and wait for its answer."""
        answer = self.functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        content = json.loads(answer["Payload"].read() or b"null")
        return Invoked(content, content.get("errorType") if answer.get("FunctionError") else None)

    def open_uploads(self, bucket: str, key: str) -> list[str]:
        """Return the ids of the multipart uploads to `key` that are neither completed nor aborted."""
        uploads = self.s3.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
        return [upload["UploadId"] for upload in uploads]


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
