"""The minting functions in this process, against moto."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fakes.api import LambdaContext
from tests.fakes.functions import table_definition
from waybill.core.aws.clients import client
from waybill.minting import runtime
from waybill.minting.adapters.table import IdentifiersTable

TABLE = "identifiers"
WORKFLOW = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-minting"
BUCKET = "documents"


@dataclass
class Calls:
    """The AWS calls of the functions, by operation; `fail` says what happens to one that is about to be made.

    `asked` are the keys that each BatchGetItem asks for.
    """

    made: list[str] = field(default_factory=list)
    asked: list[set[str]] = field(default_factory=list)
    fail: Callable[[int, str], Any] = lambda number, operation: None

    def note(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        self.made.append(model.name)
        if model.name == "BatchGetItem":
            keys = json.loads(params["body"])["RequestItems"][TABLE]["Keys"]
            self.asked.append({key["pk"]["S"] for key in keys})
        return self.fail(len(self.made), model.name)


@dataclass(frozen=True)
class Aws:
    """What the tests look at, through clients of their own."""

    dynamodb: Any
    s3: Any
    sqs: Any
    sns: Any
    results_url: str
    news_url: str

    def items(self) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        return [item for page in pages for item in page["Items"]]

    def messages(self, url: str) -> list[str]:
        found: list[str] = []
        while batch := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in batch]
            for message in batch:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


def make_resources() -> Aws:
    """Make the stack's resources of the ID minter, as far as moto has them, and set the functions' environment."""
    dynamodb, s3, sqs, sns = (boto3.client(name, "eu-west-1") for name in ("dynamodb", "s3", "sqs", "sns"))
    dynamodb.create_table(TableName=TABLE, **table_definition("IdentifiersTable"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    results = sqs.create_queue(QueueName="results")["QueueUrl"]
    news = sqs.create_queue(QueueName="news")["QueueUrl"]
    topic = sns.create_topic(Name="failures")["TopicArn"]
    news_arn = sqs.get_queue_attributes(QueueUrl=news, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=news_arn)
    os.environ.update(
        IDENTIFIERS_TABLE=TABLE,
        DOCUMENTS_BUCKET=BUCKET,
        MINTING_RESULT_QUEUE_URL=results,
        FAILURE_TOPIC_ARN=topic,
        POWERTOOLS_TRACE_DISABLED="true",
    )
    return Aws(dynamodb, s3, sqs, sns, results, news)


def make_workflow(*runs: str) -> None:
    """Make the minting workflow, with executions of these names."""
    states = boto3.client("stepfunctions", "eu-west-1")
    name, role = WORKFLOW.rpartition(":")[2], "arn:aws:iam::123456789012:role/any"
    states.create_state_machine(name=name, definition="{}", roleArn=role)
    for run in runs:
        states.start_execution(stateMachineArn=WORKFLOW, name=run, input="{}")


@pytest.fixture
def aws() -> Iterator[Aws]:
    """The stack's resources of the ID minter, and the functions' environment."""
    with mock_aws():
        forget_collaborators()
        yield make_resources()
        forget_collaborators()


@pytest.fixture
def calls(aws: Aws) -> Calls:
    """What the minter asks of DynamoDB."""
    noted = Calls()
    client("dynamodb", attempts=1).meta.events.register("before-call.dynamodb", noted.note)
    return noted


@pytest.fixture
def table(aws: Aws) -> IdentifiersTable:
    """The registry, through a client of its own."""
    return IdentifiersTable(aws.dynamodb, TABLE)


@pytest.fixture
def context() -> LambdaContext:
    """A Lambda context with a minute left."""
    return LambdaContext()


def forget_collaborators() -> None:
    """Drop what the functions keep between invocations."""
    for cached in (runtime.registry, runtime.lives, runtime.documents, runtime.document_records, runtime.notifier):
        cached.cache_clear()
