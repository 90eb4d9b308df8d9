"""Replicates files on moto, with the deployed definition and environment, and counts what boto3 sends.

A process of its own: reads a job as JSON from standard input and writes one outcome per file to standard output.
"""

import base64
import hashlib
import json
import os
import sys
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import Any, TextIO

os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "MOTO_ACCOUNT_ID": "000000000000"}

import boto3
from moto import mock_aws

from benchmarks.harness.in_process import call, environment
from benchmarks.harness.machine import Machine
from benchmarks.prices import item_bytes
from benchmarks.replication.workflow import created_event

# botocore calls Step Functions by another name than IAM and endpoints do.
_NAMES = {"sfn": "states"}
_WORKER = "waybill.replication.handlers.replication_worker"


@dataclass(frozen=True)
class File:
    """A file to replicate; `tags` as in a query string."""

    key: str
    size: int
    tags: str = ""

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return (self.key.encode() * (self.size // len(self.key) + 1))[: self.size]


@dataclass(frozen=True)
class Outcome:
    """What replicating one file took: requests by ``<service>.<operation>``, states entered, items written.

    `written` are the bytes of the item after each write that is no part of a transaction.
    """

    requests: dict[str, int]
    entered: list[str]
    items: list[dict[str, Any]]
    written: list[int]


class Replicator:
    """The application's functions on moto."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._functions = job["functions"]
        self._definition = job["definition"]
        self._source = job["source"]
        self._table = job["table"]["TableName"]
        self._region = job["region"]
        self._requests: Counter[str] = Counter()
        self._written: list[int] = []
        self._checksum = ""
        boto3.setup_default_session(region_name=self._region)
        self._session: Any = boto3.DEFAULT_SESSION
        self._prepare(job)

    def _prepare(self, job: dict[str, Any]) -> None:
        place: Any = {"LocationConstraint": self._region}
        for bucket in (self._source, *job["destinations"]):
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        boto3.client("dynamodb").create_table(**job["table"])
        boto3.client("stepfunctions").create_state_machine(
            name=job["stateMachine"], definition=json.dumps(self._definition), roleArn=job["role"]
        )
        self._session.events.register_first("before-send", self._count)
        self._session.events.register_first("after-call.s3.CopyObject", self._add_checksum)
        self._session.events.register_first("after-call.dynamodb.UpdateItem", self._note_updated)
        self._session.events.register_first("provide-client-params.dynamodb.PutItem", self._note_put)

    def replicate(self, file: File) -> Outcome:
        """Upload `file`, let its event start a run, and carry the run out."""
        digest = hashlib.sha256(file.body).digest()
        self._checksum = base64.b64encode(digest).decode()
        uploaded = boto3.client("s3").put_object(
            Bucket=self._source, Key=file.key, Body=file.body, Tagging=file.tags, ChecksumAlgorithm="SHA256"
        )
        self._requests.clear()
        self._written.clear()
        started = self._invoke(
            self._arn(_WORKER),
            created_event(self._source, file.key, file.size, uploaded["ETag"].strip('"'), self._region),
        )
        requests = Counter(self._requests)
        described = boto3.client("stepfunctions").describe_execution(executionArn=started["executionArn"])
        execution = {
            "Id": described["executionArn"],
            "Name": described["name"],
            "StartTime": described["startDate"].isoformat(),
        }
        machine = Machine(self._definition, self._invoke)
        self._requests.clear()
        output = machine.run(json.loads(described["input"]), execution)
        if output["status"] != "SUCCESS":
            raise AssertionError(f"{file.key}: {output}")
        requests += self._requests
        items = boto3.client("dynamodb").query(
            TableName=self._table,
            KeyConditionExpression="fileKey = :key",
            ExpressionAttributeValues={":key": {"S": file.key}},
        )["Items"]
        return Outcome(dict(requests), machine.entered, items, list(self._written))

    def _arn(self, module: str) -> str:
        return next(str(arn) for arn, function in self._functions.items() if function["module"] == module)

    def _invoke(self, arn: str, event: Any) -> Any:
        function = self._functions[arn]
        answer = call(function["module"], event, name=function["name"], arn=arn, memory=function["memory"])
        return json.loads(json.dumps(answer))

    def _count(self, event_name: str, **_: Any) -> None:
        service, operation = event_name.removeprefix("before-send.").split(".")
        self._requests[f"{_NAMES.get(service, service)}.{operation}"] += 1

    def _note_updated(self, parsed: dict[str, Any], **_: Any) -> None:
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
