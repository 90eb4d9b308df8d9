"""Replicates files on moto, with the deployed definition and environment, and counts what boto3 sends.

A process of its own: reads a job as JSON from standard input and writes one outcome per file to standard output.
"""

import base64
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import Any, TextIO, cast

os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "MOTO_ACCOUNT_ID": "000000000000"}

import boto3
from moto import mock_aws

from benchmarks.billing_units import item_bytes
from benchmarks.harness.in_process import call, environment
from benchmarks.harness.machine import Machine
from benchmarks.replication.workflow import created_event

# botocore calls Step Functions by another name than IAM and endpoints do.
_NAMES = {"sfn": "states"}
_WORKER = "waybill.replication.handlers.replication_worker"
_INVOKER = "waybill.replication.handlers.step_function_invoker"


@dataclass(frozen=True)
class File:
    """A file to replicate; `tags` as in a query string. `by_hand`: an earlier one of that name, which is everywhere."""

    key: str
    size: int = 0
    tags: str = ""
    by_hand: bool = False

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return (self.key.encode() * (self.size // len(self.key) + 1))[: self.size]


@dataclass(frozen=True)
class Outcome:
    """What replicating one file took: requests by ``<service>.<operation>``, states entered, items written.

    `starting` are those of the requests that were made before the run. `written` are the bytes of the item after each
    write that is no part of a transaction.
    """

    requests: dict[str, int]
    starting: dict[str, int]
    entered: list[str]
    items: list[dict[str, Any]]
    written: list[int]


class Application:
    """The application's functions on moto, with the definition, environment, table and names of a deployment."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.source: str = job["source"]
        self.destinations: list[str] = job["destinations"]
        self.table: str = job["table"]["TableName"]
        self.region: str = job["region"]
        self._functions = job["functions"]
        self._definition = job["definition"]
        boto3.setup_default_session(region_name=self.region)
        place: Any = {"LocationConstraint": self.region}
        for bucket in (self.source, *self.destinations):
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        boto3.client("dynamodb").create_table(**job["table"])
        made = boto3.client("stepfunctions").create_state_machine(
            name=job["stateMachine"], definition=json.dumps(self._definition), roleArn=job["role"]
        )
        self.state_machine = made["stateMachineArn"]

    def call(self, module: str, event: Any) -> Any:
        """Return what the function of a module answers."""
        return self._invoke(next(arn for arn, one in self._functions.items() if one["module"] == module), event)

    def _invoke(self, arn: str, event: Any) -> Any:
        function = self._functions[arn]
        answer = call(function["module"], event, name=function["name"], arn=arn, memory=function["memory"])
        return json.loads(json.dumps(answer))

    def started(self, execution_arn: str) -> dict[str, Any]:
        """Return the execution as Step Functions tells of it."""
        return dict(boto3.client("stepfunctions").describe_execution(executionArn=execution_arn))

    def carry_out(self, started: Mapping[str, Any]) -> list[str]:
        """Carry out an execution that was started, to its good end; return the states that it enters."""
        execution = {
            "Id": started["executionArn"],
            "Name": started["name"],
            "StartTime": started["startDate"].isoformat(),
        }
        machine = Machine(self._definition, self._invoke)
        output = machine.run(json.loads(started["input"]), execution)
        if output["status"] != "SUCCESS":
            raise AssertionError(f"{started['input']}: {output}")
        return machine.entered


class Replicator(Application):
    """Replicates files one after another, and counts."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__(job)
        self._requests: Counter[str] = Counter()
        self._written: list[int] = []
        self._checksum = ""
        events = cast("Any", boto3.DEFAULT_SESSION).events
        events.register_first("before-send", self._count)
        events.register_first("after-call.s3.CopyObject", self._add_checksum)
        events.register_first("after-call.dynamodb.UpdateItem", self._note_updated)
        events.register_first("provide-client-params.dynamodb.PutItem", self._note_put)

    def replicate(self, file: File) -> Outcome:
        """Start the run of `file`, by its event or by hand, and carry the run out."""
        start = self._asked_by_hand if file.by_hand else self._uploaded
        execution_arn = start(file)
        starting = Counter(self._requests)
        started = self.started(execution_arn)
        self._requests.clear()
        entered = self.carry_out(started)
        requests = starting + self._requests
        items = boto3.client("dynamodb").query(
            TableName=self.table,
            KeyConditionExpression="fileKey = :key",
            ExpressionAttributeValues={":key": {"S": file.key}},
        )["Items"]
        return Outcome(dict(requests), dict(starting), entered, items, list(self._written))

    def _uploaded(self, file: File) -> str:
        digest = hashlib.sha256(file.body).digest()
        self._checksum = base64.b64encode(digest).decode()
        uploaded = boto3.client("s3").put_object(
            Bucket=self.source, Key=file.key, Body=file.body, Tagging=file.tags, ChecksumAlgorithm="SHA256"
        )
        event = created_event(self.source, file.key, file.size, uploaded["ETag"].strip('"'), self.region)
        self._forget()
        return str(self.call(_WORKER, event)["executionArn"])

    def _asked_by_hand(self, file: File) -> str:
        self._forget()
        asked = {"sourceBucket": self.source, "sourceKey": file.key, "destinationBuckets": self.destinations}
        return str(self.call(_INVOKER, asked)["executionArn"])

    def _forget(self) -> None:
        self._requests.clear()
        self._written.clear()

    def _count(self, event_name: str, **_: Any) -> None:
        service, operation = event_name.removeprefix("before-send.").split(".")
        self._requests[f"{_NAMES.get(service, service)}.{operation}"] += 1

    def _note_updated(self, parsed: dict[str, Any], **_: Any) -> None:
        # A write that its condition has stopped answers without them.
        if "Attributes" in parsed:
            self._written.append(item_bytes(parsed["Attributes"]))

    def _note_put(self, params: dict[str, Any], **_: Any) -> None:
        self._written.append(item_bytes(params["Item"]))

    def _add_checksum(self, parsed: dict[str, Any], **_: Any) -> None:
        """Add what S3 answers and moto does not (Amazon S3 API Reference, CopyObject, `ChecksumSHA256`)."""
        parsed.get("CopyObjectResult", {}).setdefault("ChecksumSHA256", self._checksum)


def main(answers: TextIO) -> None:
    job = json.load(sys.stdin)
    with environment(job["environment"]), mock_aws():
        replicator = Replicator(job)
        outcomes = [asdict(replicator.replicate(File(**file))) for file in job["files"]]
    json.dump(outcomes, answers)


if __name__ == "__main__":
    real_output = sys.stdout
    with redirect_stdout(sys.stderr):
        main(real_output)
