"""The scanner on moto's DynamoDB, with a bucket and a queue in memory."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fakes.executions import FakeExecutions
from tests.fakes.scanning import FakeAnnouncer, FakeBucket, FakeFiles, FakeQueue
from waybill.core.clock import now
from waybill.scanning.adapters.table import ScansTable
from waybill.scanning.domain.admission import Admission
from waybill.scanning.domain.completion import JobCompletion
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.rules import detectors
from waybill.scanning.domain.detection.scanner import ObjectScanner
from waybill.scanning.domain.failed_slices import FailedSlices
from waybill.scanning.domain.inventory import Inventory
from waybill.scanning.domain.jobs import Jobs
from waybill.scanning.domain.listed_bucket import ListedBucket
from waybill.scanning.domain.listing import Batch, Lister
from waybill.scanning.domain.own_detectors import OwnDetectors
from waybill.scanning.domain.restart import Restarter
from waybill.scanning.domain.results import Results
from waybill.scanning.domain.source import Source
from waybill.scanning.domain.split import Splitter
from waybill.scanning.domain.sweeper import Sweeper
from waybill.scanning.domain.triage import Triage
from waybill.scanning.domain.worker import Worker
from waybill.scanning.models import Job
from waybill.scanning.request_models import ScanRequest


@cache
def engine() -> Engine:
    return Engine(detectors())


@dataclass
class Scanner:
    """Everything of the scanner, and what a test does with it."""

    table: ScansTable
    client: Any
    bucket: FakeBucket = field(default_factory=FakeBucket)
    queue: FakeQueue = field(default_factory=FakeQueue)
    announcer: FakeAnnouncer = field(default_factory=FakeAnnouncer)
    executions: FakeExecutions = field(default_factory=FakeExecutions)
    files: FakeFiles = field(default_factory=FakeFiles)
    seconds: float = 900
    rules: str = "rules-1"
    later: timedelta = timedelta()

    @property
    def completion(self) -> JobCompletion:
        return JobCompletion(self.table.jobs, self.table.outcomes, self.announcer)

    @property
    def jobs(self) -> Jobs:
        return Jobs(
            self.table.jobs,
            self.table.ranges,
            self.table.outcomes,
            self.bucket,
            self.completion,
            now,
            Admission(self.own, private_webhooks=True),
            self.own.counting,
            Inventory(self.files),
        )

    @property
    def own(self) -> OwnDetectors:
        return OwnDetectors(self.table.detectors, now, self.table.schedules)

    @property
    def results(self) -> Results:
        return Results(self.table.outcomes, self.table.findings, b"secret", self.triage)

    @property
    def triage(self) -> Triage:
        return Triage(self.table.values, lambda: now() + self.later)

    @property
    def lister(self) -> Lister:
        return Lister(
            self.table.jobs,
            self.table.ranges,
            self.source,
            self.queue,
            lambda: self.seconds,
            batch_keys=10_000,
            fan_out=1,
        )

    def source(self, request: ScanRequest) -> Source:
        return Inventory(self.files) if request.source == "inventory" else ListedBucket(self.bucket)

    def lister_of(self, batch_keys: int, fan_out: int = 8) -> Lister:
        """Return a lister that lists little in a batch, so that little is much."""
        return Lister(
            self.table.jobs,
            self.table.ranges,
            self.source,
            self.queue,
            lambda: self.seconds,
            batch_keys=batch_keys,
            fan_out=fan_out,
        )

    def splitter(self, fan_out: int = 8, batch_keys: int = 4) -> Splitter:
        workflow = "arn:aws:states:eu:1:stateMachine:scan"
        return Splitter(self.table.jobs, self.table.ranges, self.source, self.executions, workflow, fan_out, batch_keys)

    @property
    def worker(self) -> Worker:
        return Worker(
            jobs=self.table.jobs,
            outcomes=self.table.outcomes,
            findings=self.table.findings,
            values=self.table.values,
            triage=self.triage,
            bucket=self.bucket,
            queue=self.queue,
            completion=self.completion,
            make_scanner=lambda job: ObjectScanner(
                engine(), b"key", only=frozenset(job.request.detectors) or None, block_bytes=20_000
            ),
            rules=lambda job: self.rules,
            cache_name=lambda job: f"{self.rules}{','.join(job.request.detectors)}",
            time_left=lambda: self.seconds,
        )

    def effect(self, path: str) -> tuple[Any, str]:
        """Return who has the side effect that is named by its owner and its method."""
        owner, _, method = path.partition(".")
        return getattr(self if owner in {"queue", "executions"} else self.table, owner), method

    @property
    def failed_slices(self) -> FailedSlices:
        return FailedSlices(self.table.jobs, self.table.outcomes, self.table.findings, self.completion)

    @property
    def restarter(self) -> Restarter:
        return Restarter(self.table.ranges, self.executions, "arn:aws:states:eu:1:stateMachine:scan")

    def sweep(self, minutes: int = 20) -> list[str]:
        """Let the sweeper look, some minutes after now."""
        later = now() + timedelta(minutes=minutes)
        return Sweeper(self.table.jobs, self.completion, self.restarter, lambda: later).sweep()

    def create(self, prefix: str = "", **options: Any) -> Job:
        return self.jobs.create(ScanRequest(bucket=self.bucket.name, prefix=prefix, **options), "alice", None)

    def list_all(self, job: Job, lister: Lister | None = None) -> list[Batch]:
        batches = [(lister or self.lister).process_batch(job.job_id)]
        while not batches[-1].done:
            batches.append((lister or self.lister).process_batch(job.job_id))
        self.completion.finish_if_done(job.job_id)
        return batches

    def work_all(self) -> None:
        while self.queue.slices:
            self.worker.work(self.queue.slices.pop(0))

    def run(self, **options: Any) -> dict[str, Any]:
        job = self.create(**options)
        self.list_all(job)
        self.work_all()
        return self.jobs.report(job.job_id)

    def findings(self, job_id: str, limit: int = 1000) -> list[dict[str, Any]]:
        job = self.jobs.find(job_id)
        return list(self.results.page(job, limit, None, {})["findings"])

    def everything_stored(self) -> str:
        pages = self.client.get_paginator("scan").paginate(TableName="scans")
        return repr([item for page in pages for item in page["Items"]])


def _one_at_a_time(client: Any) -> Any:
    """Return `client` with its calls one after another: moto's tables are not made for threads."""
    lock, call = threading.Lock(), client._make_api_call

    def locked(*arguments: Any) -> Any:
        with lock:
            return call(*arguments)

    client._make_api_call = locked
    return client


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    with mock_aws():
        client = _one_at_a_time(boto3.client("dynamodb"))
        client.create_table(
            TableName="scans",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Scanner(ScansTable(client, "scans", now=now), client)
