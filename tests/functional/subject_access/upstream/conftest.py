"""FetchService in this process: moto for AWS, real HTTP to stub services on loopback."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fakes.api import LambdaContext
from tests.fakes.subject_access import CATALOGUED
from waybill.cli.subject_access.stub_service import StubReply, StubServer, StubService
from waybill.core.aws.clients import client
from waybill.subject_access import runtime
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.adapters.web import HttpWeb, Timeouts
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.domain.upstream.ports import InvocationClock
from waybill.subject_access.handlers.fetch_service import lambda_handler
from waybill.subject_access.models import Attachment, Part, RequestState, SubjectRequest
from waybill.subject_access.service_models import Service

TABLE, BUCKET, PREFIX = "subject-access", "subject-access-reports", "waybill/sar/"
REQUEST = "6f0c6f5e-5f6b-4a51-9a55-0c4b5a3c1a11"


@dataclass
class Time:
    """Waits are not slept through, but counted; `remaining` is what the invocation has left, in seconds."""

    waits: list[float] = field(default_factory=list)
    remaining: float = 900.0

    def clock(self, _: Any) -> InvocationClock:
        return InvocationClock(
            lambda: time.monotonic() + sum(self.waits),
            lambda: self.remaining,
            self.waits.append,
            lambda low, high: high,
            lambda: datetime.now(UTC),
        )


@dataclass(frozen=True)
class SubjectAccess:
    """A request with its claim, the stub services, and what the function left behind."""

    stub: StubServer
    time: Time
    s3: Any
    secrets: Any
    sqs: Any
    news_url: str
    store: SubjectAccessTable

    def service(self, name: str, *replies: StubReply, template: StubReply | None = None, **facts: Any) -> StubService:
        """Serve and register a service."""
        served = StubService(list(replies)) if template is None else StubService(list(replies), template)
        self.stub.services[name] = served
        before = runtime.catalogue().service(name)
        known = Service(name, name.title(), self.stub.url(name), enabled=True, category="PRISON")
        known = replace(known, template_migrated=template is not None, version=before.version if before else 0, **facts)
        assert runtime.catalogue().save_service(known, CATALOGUED, new=before is None)
        return served

    def request(self, *services: str, token: str = "mine", generation: int = 1, **facts: Any) -> None:
        """Store a request that is claimed, with a part for each of `services`."""
        made: dict[str, Any] = {
            "request_id": REQUEST,
            "state": RequestState.IN_PROGRESS,
            "date_from": date(2020, 1, 1),
            "date_to": date(2024, 12, 31),
            "sar_case_reference_number": "SAR-2025-0042",
            "nomis_id": "A1234AA",
            "ndelius_id": None,
            "requested_by": "JSMITH_GEN",
            "requested_at": datetime(2025, 3, 4, 9, 15, tzinfo=UTC),
            "created_at": datetime(2025, 3, 4, 9, 15, tzinfo=UTC),
            "received": date(2025, 3, 4),
            "claim_token": token,
            "generation": generation,
            "claim_attempts": generation,
        }
        parts = [Part(name, name.title(), rank, "PRISON") for rank, name in enumerate(services)]
        self.store.create(SubjectRequest(**{**made, **facts}), parts, Action("JSMITH_GEN", "CREATE", {}))

    def reclaim(self, token: str, generation: int) -> None:
        """Let another claim take the request."""
        self.store.change(
            REQUEST,
            lambda found: Change(
                replace(found, claim_token=token, generation=generation), Action("WORKER", "CLAIM", {})
            ),
        )

    def fetch(self, service: str, *, token: str = "mine", generation: int = 1, rank: int = 0) -> str:
        """Run the function; return the part's status."""
        event = {
            "requestId": REQUEST,
            "claimToken": token,
            "generation": generation,
            "service": service,
            "rank": rank,
            "renderStatus": "PENDING",
            "executionId": "arn:aws:states:eu-west-1:123456789012:execution:subject-access:x",
        }
        return str(lambda_handler(event, LambdaContext())["renderStatus"])

    def part(self, service: str, rank: int = 0) -> Part:
        """Return the part as it is stored."""
        found = self.store.part(REQUEST, rank, service)
        assert found is not None
        return found

    def attachments(self, service: str, generation: int = 1) -> list[Attachment]:
        return self.store.attachments(REQUEST, service, generation)

    def object(self, key: str | None) -> bytes:
        assert key is not None
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def stored_keys(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def news(self) -> list[str]:
        found: list[str] = []
        while batch := self.sqs.receive_message(QueueUrl=self.news_url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in batch]
            for message in batch:
                self.sqs.delete_message(QueueUrl=self.news_url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer({}) as server:
        yield server


@pytest.fixture
def timeouts() -> Timeouts:
    """Short enough for tests of silence, long enough for a busy machine."""
    return Timeouts(connect=5, read=0.5)


@pytest.fixture
def subject_access(stub: StubServer, timeouts: Timeouts, monkeypatch: pytest.MonkeyPatch) -> Iterator[SubjectAccess]:
    with mock_aws():
        _forget()
        made = _made(stub)
        monkeypatch.setattr(runtime, "invocation_clock", made.time.clock)
        web = HttpWeb(runtime.load(runtime.UpstreamSettings).destinations(), timeouts)
        monkeypatch.setattr(runtime, "web", lambda: web)
        yield made
        web.close()
        _forget()


def _made(stub: StubServer) -> SubjectAccess:
    dynamodb, s3, secrets, sqs, sns = (
        boto3.client(name, "eu-west-1") for name in ("dynamodb", "s3", "secretsmanager", "sqs", "sns")
    )
    keys = {"pk": "HASH", "sk": "RANGE"}
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    topic = sns.create_topic(Name="failures")["TopicArn"]
    news = sqs.create_queue(QueueName="news")["QueueUrl"]
    news_arn = sqs.get_queue_attributes(QueueUrl=news, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=news_arn)
    os.environ.update(
        SUBJECT_ACCESS_TABLE=TABLE,
        SUBJECT_ACCESS_REPORTS_BUCKET=BUCKET,
        FAILURE_TOPIC_ARN=topic,
        SUBJECT_ACCESS_HOSTS="http://127.0.0.1:*",
        UPSTREAM_PRIVATE_RANGES="127.0.0.0/8",
        UPSTREAM_SECRET_PREFIX=PREFIX,
        UPSTREAM_MAX_BYTES="1000000",
        POWERTOOLS_TRACE_DISABLED="true",
    )
    return SubjectAccess(stub, Time(), s3, secrets, sqs, news, runtime.store())


def _forget() -> None:
    """Nothing that an earlier test made is used again."""
    client.cache_clear()
    for each in list(vars(runtime).values()):
        if hasattr(each, "cache_clear"):
            each.cache_clear()
