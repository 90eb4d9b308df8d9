"""The deployed application, as its users and operators handle it."""

import json
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.workflow.support.mailbox import Letter, Mailbox
from tests.workflow.support.polling import DEADLINE, until
from tests.workflow.support.source import Source
from tests.workflow.support.stacks import RunningStack


@dataclass(frozen=True)
class Invoked:
    """What an invocation of a function has answered; `error` is the name of what it raised."""

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
    """One deployed stack: its buckets, functions, workflow, records and notifications.

    Uploads to `source` start replications. Those to `quiet`, another source bucket, start nothing by themselves.
    """

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.stack_name = stack.name
        self.api_url = stack.api_url
        self.outputs = outputs = stack.outputs
        self.destinations = outputs["DestinationBucketNames"].split(",")
        self.workflow = outputs["FileCopyWorkflowArn"]
        self.worker = outputs["ReplicationWorkerFunctionName"]
        self.invoker = outputs["StepFunctionInvokerFunctionName"]
        self.s3 = stack.client("s3")
        self.sfn = stack.client("stepfunctions")
        self.sqs = stack.client("sqs")
        self.functions = stack.client("lambda")
        self._dynamodb = stack.client("dynamodb")
        self._made: list[str] = []
        self._mailboxes: list[Mailbox] = []
        self.source = self.source_named(outputs["SourceBucketName"])

    @cached_property
    def quiet(self) -> Source:
        """The first of the further source buckets."""
        return self.source_named(self.stack.quiet)

    @cached_property
    def early(self) -> str:
        """Key of an upload of `a build` to `source`, made before the first test: its minute is over in good time."""
        key = f"a b/é early-{uuid.uuid4().hex[:8]}#1.zip"
        self.source.put(key, b"a build")
        return key

    def make_bucket(self, name: str, region: str | None = None) -> str:
        """Make a bucket that `remove` removes; return its name."""
        where = region or self.stack.region
        s3 = self.stack.client("s3", where)
        # S3 API Reference, CreateBucket: us-east-1 is said by saying nothing.
        told = {} if where == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": where}}
        s3.create_bucket(Bucket=name, **told)
        self._made.append(name)
        return name

    def subscribed(self, topic_arn: str) -> Mailbox:
        """Return a queue that is subscribed to a topic from now on, and that `remove` removes."""
        # Whoever else looks at the stack meanwhile has a queue of their own.
        name = f"waybill-tests-{uuid.uuid4().hex[:12]}"
        made = Mailbox(self.sqs, self.stack.client("sns"), topic_arn, name)
        self._mailboxes.append(made)
        return made

    def remove(self) -> None:
        """Remove what `make_bucket` and `subscribed` have made, with everything in it."""
        while self._mailboxes:
            self._mailboxes.pop().remove()
        while self._made:
            bucket = self._made.pop()
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    self.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
            self.s3.delete_bucket(Bucket=bucket)

    @cached_property
    def mailbox(self) -> Mailbox:
        """What people are told."""
        return self.subscribed(self.outputs["FailureTopicArn"])

    def told(self, label: str, count: int = 1) -> list[Letter]:
        """Return what people were told about `label`, `count` at least, once the net has seen its failed runs."""
        for arn in self._failed(label):
            until(lambda arn=arn: any(self.logged(arn, "OperationsLogGroup")), f"the net has seen {arn}")
        return until(
            lambda: letters if len(letters := self.mailbox.about(label)) >= count else None,
            f"{count} notifications about {label}",
        )

    def logged(self, text: str, group: str = "ReplicationLogGroup") -> Iterator[dict[str, Any]]:
        """Yield the JSON lines that hold `text` of the functions that log to a group."""
        pages = self.stack.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=self.resources[group], filterPattern=f'"{text}"'):
            for event in page["events"]:
                for line in event["message"].splitlines():
                    if line.startswith("{") and text in line:
                        yield json.loads(line)

    def _failed(self, label: str) -> list[str]:
        """The ARNs of the replications that ended badly, by names that begin with `label`."""
        pages = self.sfn.get_paginator("list_executions")
        return [
            execution["executionArn"]
            for status in ("FAILED", "ABORTED", "TIMED_OUT")
            for page in pages.paginate(stateMachineArn=self.workflow, statusFilter=status)
            for execution in page["executions"]
            if execution["name"].startswith(label)
        ]

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical names of the stack's resources, by logical name."""
        pages = self.stack.client("cloudformation").get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.stack_name)
            for resource in page["StackResourceSummaries"]
        }

    def source_named(self, bucket: str) -> Source:
        """Return any bucket as a source."""
        return Source(bucket, self.destinations, self.s3, self._dynamodb, self.outputs["FileCopyTrackingTableName"])

    def content(self, bucket: str, key: str) -> bytes | None:
        """Return the content of an object, None when there is none."""
        try:
            return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def open_uploads(self, bucket: str, key: str) -> list[str]:
        """Return the ids of the multipart uploads to `key` that are neither completed nor aborted."""
        uploads = self.s3.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
        return [upload["UploadId"] for upload in uploads]

    def start(self, payload: object, name: str, workflow: str | None = None) -> str:
        """Start an execution by hand; return its ARN."""
        arn = workflow or self.workflow
        answer = self.sfn.start_execution(stateMachineArn=arn, input=json.dumps(payload), name=name)
        return str(answer["executionArn"])

    def run(self, payload: object, name: str, *, workflow: str | None = None, within: float = DEADLINE) -> Execution:
        """Start an execution by hand and return it when it has ended."""
        return self.ended(self.start(payload, name, workflow), within)

    def ended(self, arn: str, within: float = DEADLINE) -> Execution:
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

    def reconcile(self) -> int:
        """Let the reconciler do its round; return the number of runs that it has closed."""
        done = self.invoke(self.resources["ReconcileReplicationsFunction"], {})
        assert done.error is None, done.payload
        return int(done.payload["abandoned"])

    @contextmanager
    def configured(self, logical_name: str, **changes: Any) -> Iterator[None]:
        """Let a function have other settings for a while, as `update_function_configuration` takes them."""
        name = self.resources[logical_name]
        before = self.functions.get_function_configuration(FunctionName=name)
        self.functions.update_function_configuration(FunctionName=name, **changes)
        try:
            yield
        finally:
            self.functions.update_function_configuration(
                FunctionName=name, **{setting: before[setting] for setting in changes}
            )

    @contextmanager
    def throttled(self, logical_name: str) -> Iterator[None]:
        """Let Lambda refuse every invocation of a function for a while."""
        name = self.resources[logical_name]
        self.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            self.functions.delete_function_concurrency(FunctionName=name)

    def kill(self, logical_name: str) -> None:
        """Kill the processes that run a function, busy or not."""
        group = self.stack.local.ministack.pid
        variable = f"AWS_LAMBDA_FUNCTION_NAME={self.resources[logical_name]}\0".encode()
        killed = 0
        for environment in Path("/proc").glob("[0-9]*/environ"):
            pid = int(environment.parent.name)
            with suppress(OSError):  # it ended meanwhile, or is another user's
                if os.getpgid(pid) == group and variable in environment.read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
        assert killed, f"{logical_name} does not run"

    def invoke(self, function: str, payload: object) -> Invoked:
        """Invoke a function and wait for its answer; again while Lambda has no room for it.

        What scans, runs and streams of other tests have left may fill every process of a busy machine for a while.
        """
        busy = self.functions.exceptions.TooManyRequestsException

        def look() -> Any:
            with suppress(busy):
                return self.functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())

        answer = until(look, f"room for {function}")
        content = json.loads(answer["Payload"].read() or b"null")
        return Invoked(content, content.get("errorType") if answer.get("FunctionError") else None)
