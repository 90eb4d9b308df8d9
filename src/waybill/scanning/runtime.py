"""The collaborators of the scanner's functions, built from settings when a handler first needs them."""

import time
from functools import cache
from typing import Any

from waybill.core.aws.clients import client
from waybill.core.aws.sns import SnsNotifier
from waybill.core.aws.states import StepFunctions
from waybill.core.clock import now
from waybill.core.settings import NotificationSettings, load
from waybill.scanning.adapters.events import EventAnnouncer
from waybill.scanning.adapters.exports import S3Exports
from waybill.scanning.adapters.queues import ExportQueue, SqsQueue
from waybill.scanning.adapters.s3 import S3Bucket
from waybill.scanning.adapters.table import ScansTable
from waybill.scanning.domain.completion import Completion
from waybill.scanning.domain.export import Exporter
from waybill.scanning.domain.inventory import Inventory
from waybill.scanning.domain.jobs import Jobs
from waybill.scanning.domain.listed_bucket import ListedBucket
from waybill.scanning.domain.listing import Lister
from waybill.scanning.domain.ports import Clock, Source
from waybill.scanning.domain.restart import Restarter
from waybill.scanning.domain.results import Results
from waybill.scanning.domain.split import Splitter
from waybill.scanning.domain.sweeper import Sweeper
from waybill.scanning.models import ScanRequest
from waybill.scanning.settings import (
    BatchSettings,
    BucketSettings,
    ExportQueueSettings,
    ExportSettings,
    FanOutSettings,
    QueueSettings,
    SecretSettings,
    TableSettings,
    WorkflowSettings,
)

# API Gateway waits 29 seconds.
_SYNCHRONOUS_SECONDS = 20


@cache
def store() -> ScansTable:
    """Return the table."""
    return ScansTable(client("dynamodb"), load(TableSettings).scans_table, now=now)


@cache
def bucket() -> S3Bucket:
    """Return S3."""
    return S3Bucket(lambda: client("s3"), load(BucketSettings).allowed)


@cache
def queue() -> SqsQueue:
    """Return the workers' queue."""
    return SqsQueue(client("sqs"), load(QueueSettings).scan_queue_url)


@cache
def executions() -> StepFunctions:
    """Return Step Functions."""
    return StepFunctions(client("stepfunctions"))


@cache
def secret() -> bytes:
    """Return the stack's secret."""
    answer = client("secretsmanager").get_secret_value(SecretId=load(SecretSettings).scan_secret_arn)
    return str(answer["SecretString"]).encode()


@cache
def completion() -> Completion:
    """Return what ends jobs."""
    notifier = SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)
    return Completion(store(), EventAnnouncer(client("events"), notifier))


def source(request: ScanRequest) -> Source:
    """Return where the objects of a request are listed."""
    return Inventory(bucket()) if request.source == "inventory" else ListedBucket(bucket())


def jobs() -> Jobs:
    """Return what users do with jobs."""
    return Jobs(store(), bucket(), completion(), now, Inventory(bucket()))


def results() -> Results:
    """Return the findings."""
    return Results(store(), secret())


def lister(context: Any) -> Lister:
    """Return the lister for one invocation."""
    fan_out = load(FanOutSettings).scan_fan_out
    batch_keys = load(BatchSettings).scan_batch_keys
    return Lister(store(), source, queue(), time_left(context), batch_keys, fan_out=fan_out)


def lister_within_a_request() -> Lister:
    """Return a lister that lists for 20 seconds, where no workflow is configured."""
    deadline = time.monotonic() + _SYNCHRONOUS_SECONDS
    return Lister(store(), source, queue(), lambda: deadline - time.monotonic(), batch_keys=10**9, reserve=0, fan_out=1)


def splitter() -> Splitter:
    """Return what cuts ranges."""
    workflow_arn = load(WorkflowSettings).scan_workflow_arn
    fan_out, batch_keys = load(FanOutSettings).scan_fan_out, load(BatchSettings).scan_batch_keys
    return Splitter(store(), source, executions(), workflow_arn, fan_out, batch_keys)


def exporter(context: Any) -> Exporter:
    """Return what exports findings, for one invocation."""
    return Exporter(store(), S3Exports(client("s3"), load(ExportSettings).scan_exports_bucket), time_left(context))


def export_queue() -> ExportQueue:
    """Return the queue of exports to make."""
    return ExportQueue(client("sqs"), load(ExportQueueSettings).scan_export_queue_url)


def sweeper() -> Sweeper:
    """Return what looks after jobs that nobody works on."""
    return Sweeper(store(), completion(), restarter(), now)


def restarter() -> Restarter:
    """Return what goes on with listings."""
    return Restarter(store(), executions(), load(WorkflowSettings).scan_workflow_arn)


def time_left(context: Any) -> Clock:
    """Return the seconds that an invocation has left, whenever it is asked."""
    return lambda: context.get_remaining_time_in_millis() / 1000
