"""What handlers, routes and commands build their collaborators from.

Adapters and domain modules are imported where they are built: a function loads what it needs and no more.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

from waybill.core.errors import NotFoundError
from waybill.core.settings import NotificationSettings, ObservabilitySettings, WaybillSettings, load
from waybill.scanning.settings import (
    ExportQueueSettings,
    ExportSettings,
    ListingSettings,
    ListingWorkflowSettings,
    QueueSettings,
    ScannedBucketSettings,
    ScanTableSettings,
    SecretSettings,
    SecurityHubSettings,
    UploadSettings,
    WebhookAddressSettings,
    WebhookSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.core.aws.clients import Clients
    from waybill.core.aws.step_functions import StepFunctions
    from waybill.scanning.adapters.queues import ExportQueue, SqsQueue, WebhookQueue
    from waybill.scanning.adapters.s3 import S3Bucket
    from waybill.scanning.adapters.table import ScansTable
    from waybill.scanning.domain.admission import Admission
    from waybill.scanning.domain.completion import JobCompletion
    from waybill.scanning.domain.detection.engine import Engine
    from waybill.scanning.domain.detection.scanner import ObjectScanner
    from waybill.scanning.domain.export import Exporter
    from waybill.scanning.domain.failed_slices import FailedSlices
    from waybill.scanning.domain.jobs import Jobs
    from waybill.scanning.domain.listing import Lister
    from waybill.scanning.domain.local_report import FilesReport
    from waybill.scanning.domain.objects import Objects
    from waybill.scanning.domain.own_detectors import OwnDetectors, OwnRules, PinnedRules
    from waybill.scanning.domain.restart import Restarter
    from waybill.scanning.domain.results import Results
    from waybill.scanning.domain.schedules import DueScans, Planning
    from waybill.scanning.domain.source import Source
    from waybill.scanning.domain.split import Splitter
    from waybill.scanning.domain.sweeper import Sweeper
    from waybill.scanning.domain.triage import Triage
    from waybill.scanning.domain.uploads import UploadNotes, UploadScans
    from waybill.scanning.domain.webhooks import Webhooks
    from waybill.scanning.domain.worker import Worker
    from waybill.scanning.models import Job
    from waybill.scanning.request_models import ScanRequest

# What a worker needs to record the outcome of an object whose container has taken all the time.
_TO_RECORD_SECONDS = 20.0
# API Gateway waits 29 seconds.
SYNCHRONOUS_SECONDS = 20


class Settings(Protocol):
    """Where settings come from: a function's environment, or a stack's outputs."""

    def __call__[S: WaybillSettings](self, settings_class: type[S], /) -> S:
        """Return the settings of a class; raises ConfigurationError."""
        ...


class Invocation(Protocol):
    """What Lambda tells a handler about the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take."""
        ...


class Runtime:
    """The scanner's collaborators, each built when it is first needed.

    `any_bucket` is for people, whose own permissions decide: the functions' allow-list does not hold for them.
    """

    def __init__(self, settings: Settings, client: "Clients", *, any_bucket: bool = False) -> None:
        self.settings = settings
        self._client = client
        self._any_bucket = any_bucket

    @cached_property
    def table(self) -> "ScansTable":
        """The table."""
        from waybill.core.clock import now
        from waybill.scanning.adapters.table import ScansTable

        return ScansTable(self._client("dynamodb"), self.settings(ScanTableSettings).scans_table, now=now)

    @cached_property
    def bucket(self) -> "S3Bucket":
        """S3."""
        from waybill.scanning.adapters.s3 import S3Bucket

        allowed = None if self._any_bucket else self.settings(ScannedBucketSettings).allowed
        return S3Bucket(lambda: self._client("s3"), allowed)

    @cached_property
    def queue(self) -> "SqsQueue":
        """The workers' queue."""
        from waybill.scanning.adapters.queues import SqsQueue

        return SqsQueue(self._client("sqs"), self.settings(QueueSettings).scan_queue_url)

    @cached_property
    def executions(self) -> "StepFunctions":
        """Step Functions."""
        from waybill.core.aws.step_functions import StepFunctions

        return StepFunctions(self._client("stepfunctions"))

    @cached_property
    def secret(self) -> bytes:
        """The stack's secret."""
        return self._secret(self.settings(SecretSettings).scan_secret_arn)

    @cached_property
    def completion(self) -> "JobCompletion":
        """What ends jobs."""
        from waybill.core.aws.sns import SnsNotifier
        from waybill.scanning.adapters.events import EventAnnouncer
        from waybill.scanning.domain.completion import JobCompletion

        notifier = SnsNotifier(self._client("sns"), self.settings(NotificationSettings).failure_topic_arn)
        announcer = EventAnnouncer(self._client("events"), notifier, self.settings(ObservabilitySettings).stack_name)
        return JobCompletion(self.table.jobs, self.table.outcomes, announcer)

    @property
    def workflow_arn(self) -> str:
        """The listing workflow; empty where buckets are listed within the request."""
        return self.settings(ListingWorkflowSettings).scan_workflow_arn

    def source(self, request: "ScanRequest") -> "Source":
        """Return where the objects of a request are listed."""
        from waybill.scanning.domain.inventory import Inventory
        from waybill.scanning.domain.listed_bucket import ListedBucket
        from waybill.scanning.domain.uploads import NotedUploads
        from waybill.scanning.request_models import WindowRequest

        if isinstance(request, WindowRequest):
            return NotedUploads(self.table.uploads)
        return Inventory(self.bucket) if request.source == "inventory" else ListedBucket(self.bucket)

    @property
    def jobs(self) -> "Jobs":
        """What users do with jobs."""
        from waybill.core.clock import now
        from waybill.scanning.domain.inventory import Inventory
        from waybill.scanning.domain.jobs import Jobs

        table, own = self.table, self.detectors.counting
        inventory = Inventory(self.bucket)
        return Jobs(
            table.jobs,
            table.ranges,
            table.outcomes,
            self.bucket,
            self.completion,
            now,
            self._admission,
            own,
            inventory,
        )

    @property
    def _admission(self) -> "Admission":
        """What a scan may ask for."""
        from waybill.scanning.domain.admission import Admission

        return Admission(self.detectors, self.settings(WebhookAddressSettings).scan_webhook_private)

    @property
    def results(self) -> "Results":
        """The findings, page by page."""
        from waybill.scanning.domain.results import Results

        return Results(self.table.outcomes, self.table.findings, self.secret, self.triage)

    @property
    def detectors(self) -> "OwnDetectors":
        """The detectors of the stack's own."""
        from waybill.core.clock import now
        from waybill.scanning.domain.own_detectors import OwnDetectors

        return OwnDetectors(self.table.detectors, now, self.table.schedules)

    @cached_property
    def pinned(self) -> "PinnedRules":
        """The rules of jobs."""
        from waybill.scanning.domain.own_detectors import PinnedRules

        return PinnedRules(self.table.detectors)

    @property
    def triage(self) -> "Triage":
        """What people have said of values."""
        from waybill.core.clock import now
        from waybill.scanning.domain.triage import Triage

        return Triage(self.table.values, now)

    @property
    def objects(self) -> "Objects":
        """The objects of jobs, page by page."""
        from waybill.scanning.domain.objects import Objects

        return Objects(self.table.ranges, self.table.outcomes, self.secret)

    def lister(self, context: Invocation) -> "Lister":
        """Return the lister for one invocation."""
        from waybill.scanning.domain.listing import Lister

        listing = self.settings(ListingSettings)
        return Lister(
            self.table.jobs,
            self.table.ranges,
            self.source,
            self.queue,
            time_left(context),
            listing.scan_batch_keys,
            fan_out=listing.scan_fan_out,
        )

    def lister_within_a_request(self) -> "Lister":
        """Return a lister that lists for 20 seconds, where no workflow is configured."""
        from waybill.scanning.domain.listing import Lister

        deadline = time.monotonic() + SYNCHRONOUS_SECONDS
        return Lister(
            self.table.jobs,
            self.table.ranges,
            self.source,
            self.queue,
            lambda: deadline - time.monotonic(),
            batch_keys=10**9,
            reserve=0,
            fan_out=1,
        )

    @property
    def splitter(self) -> "Splitter":
        """What cuts ranges."""
        from waybill.scanning.domain.split import Splitter

        listing = self.settings(ListingSettings)
        return Splitter(
            self.table.jobs,
            self.table.ranges,
            self.source,
            self.executions,
            self.workflow_arn,
            listing.scan_fan_out,
            listing.scan_batch_keys,
        )

    @property
    def restarter(self) -> "Restarter":
        """What goes on with listings."""
        from waybill.scanning.domain.restart import Restarter

        return Restarter(self.table.ranges, self.executions, self.workflow_arn)

    @property
    def sweeper(self) -> "Sweeper":
        """What goes on with jobs that nobody works on."""
        from waybill.core.clock import now
        from waybill.scanning.domain.sweeper import Sweeper

        return Sweeper(self.table.jobs, self.completion, self.restarter, now)

    @property
    def planning(self) -> "Planning":
        """What people do with schedules."""
        from waybill.core.clock import now
        from waybill.scanning.domain.schedules import Planning

        return Planning(self.table.schedules, self.bucket, now, self._admission)

    @property
    def due_scans(self) -> "DueScans":
        """What makes the jobs of schedules."""
        from waybill.core.clock import now
        from waybill.scanning.domain.schedules import DueScans

        own = self.detectors.counting
        return DueScans(self.table.schedules, self.table.jobs, self.executions, self.workflow_arn, now, own)

    @property
    def upload_notes(self) -> "UploadNotes":
        """What notes uploads."""
        from waybill.core.clock import now
        from waybill.scanning.domain.uploads import UploadNotes

        buckets = frozenset(self.settings(UploadSettings).scan_uploads_of)
        return UploadNotes(self.table.uploads, buckets, now)

    @property
    def upload_scans(self) -> "UploadScans":
        """What makes the jobs of uploads."""
        from waybill.core.clock import now
        from waybill.scanning.domain.uploads import UploadScans

        buckets = frozenset(self.settings(UploadSettings).scan_uploads_of)
        jobs, own = self.table.jobs, self.detectors.counting
        return UploadScans(self.table.uploads, buckets, jobs, self.executions, self.workflow_arn, now, own)

    @property
    def failed_slices(self) -> "FailedSlices":
        """What records slices that were given up."""
        from waybill.scanning.domain.failed_slices import FailedSlices

        table = self.table
        return FailedSlices(table.jobs, table.outcomes, table.findings, self.completion)

    def worker(self, context: Invocation) -> "Worker":
        """Return the worker for one invocation."""
        from waybill.scanning.domain.worker import Worker

        # Made before the threads that prefetch ask for it: boto3's sessions may not be shared among threads.
        self._client("s3")
        table = self.table
        return Worker(
            jobs=table.jobs,
            outcomes=table.outcomes,
            findings=table.findings,
            values=table.values,
            triage=self.triage,
            bucket=self.bucket,
            queue=self.queue,
            completion=self.completion,
            make_scanner=lambda job: self.scanner(job, time_left(context)),
            rules=self.rules,
            cache_name=self.cache_name,
            time_left=time_left(context),
        )

    def scanner(self, job: "Job", seconds: Callable[[], float]) -> "ObjectScanner":
        """Return what scans the objects of a job; of the `seconds` that are left, a container may take most.

        Raises
        ------
        NotFoundError
            The job asks for a detector that there is not: it would find nothing, and say that it was complete.
        """
        import hmac

        from waybill.scanning.adapters.child_process import ChildProcess
        from waybill.scanning.domain.detection.scanner import ObjectScanner

        key, own = hmac.digest(self.secret, b"fingerprints", "sha256"), self.pinned.of(job.own)
        engine = _engine(job.request.regions, own)
        if missing := {*job.request.detectors} - {each.id for each in engine.detectors}:
            raise NotFoundError(f"there is no detector {min(missing)}")
        return ObjectScanner(
            engine,
            key,
            allows=own.allows,
            only=frozenset(job.request.detectors) or None,
            isolation=ChildProcess(seconds=lambda: max(1.0, seconds() - _TO_RECORD_SECONDS)),
        )

    def rules(self, job: "Job") -> str:
        """Return what tells the rules that a job is scanned by from any others."""
        from waybill.scanning.domain.detection.rules import ruleset

        return _digest(ruleset(), self.pinned.of(job.own).version)

    def cache_name(self, job: "Job") -> str:
        """Return what a cached outcome depends on besides the object: rules, key, detectors and regions asked for."""
        import hmac

        key = hmac.digest(self.secret, b"cache", "sha256").hex()
        return _digest(self.rules(job), key, *sorted(job.request.detectors), "", *job.request.regions)

    def exporter(self, context: Invocation) -> "Exporter":
        """Return what exports findings, for one invocation."""
        from waybill.scanning.adapters.exports import S3Exports
        from waybill.scanning.domain.export import Exporter, HubImport
        from waybill.scanning.domain.objects import Objects

        exports = S3Exports(self._client("s3"), self.settings(ExportSettings).scan_exports_bucket)
        hub_import = None
        if self.settings(SecurityHubSettings).security_hub:
            from waybill.scanning.adapters.security_hub import SecurityHub

            hub, table = SecurityHub(self._client("securityhub")), self.table
            hub_import = HubImport(hub, table.outcomes, table.detectors.all)
        table = self.table
        # Its cursors are in messages of its own queue.
        objects = Objects(table.ranges, table.outcomes, b"of an export")
        return Exporter(
            table.jobs, table.findings, objects, self.triage, exports, time_left(context), hub_import=hub_import
        )

    @property
    def export_queue(self) -> "ExportQueue":
        """The queue of exports to make."""
        from waybill.scanning.adapters.queues import ExportQueue

        return ExportQueue(self._client("sqs"), self.settings(ExportQueueSettings).scan_export_queue_url)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """What delivers the ends of jobs to webhooks."""
        from waybill.core.clock import now
        from waybill.scanning.adapters.webhook_client import HttpPoster
        from waybill.scanning.domain.webhooks import Webhooks

        webhooks = self.settings(WebhookSettings)
        poster = HttpPoster(private=webhooks.scan_webhook_private)
        # Read for each delivery: it may be changed at any time.
        return Webhooks(self.table.jobs, poster, lambda: self._secret(webhooks.scan_webhook_secret_arn), now)

    @property
    def webhook_queue(self) -> "WebhookQueue":
        """The queue of events for webhooks."""
        from waybill.scanning.adapters.queues import WebhookQueue

        return WebhookQueue(self._client("sqs"), self.settings(WebhookSettings).scan_webhook_queue_url)

    def _secret(self, arn: str) -> bytes:
        answer = self._client("secretsmanager").get_secret_value(SecretId=arn)
        return str(answer["SecretString"]).encode()


@cache
def deployed() -> Runtime:
    """Return the runtime of this process's function."""
    from waybill.core.aws.clients import client

    return Runtime(load, client)


def _digest(*parts: str) -> str:
    import hashlib

    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=2)
def _engine(regions: tuple[str, ...], own: "OwnRules") -> "Engine":
    from waybill.scanning.domain.detection.proof import standard_engine
    from waybill.scanning.domain.detection.rules import detectors

    return standard_engine((*detectors(), *own.detectors), regions=regions)


def time_left(context: Invocation) -> Callable[[], float]:
    """Return the seconds that an invocation has left, whenever it is asked."""
    return lambda: context.get_remaining_time_in_millis() / 1000


def scan_local_files(
    paths: "Iterable[Path]", engine: "Engine", detectors: frozenset[str] | None, key: bytes | None
) -> "FilesReport":
    """Return what the files that `paths` name or contain hold; without a `key`, fingerprints hold within one call.

    Raises
    ------
    InvalidInputError
        A path does not exist.
    """
    from waybill.scanning.adapters.local_files import files_under, scan_files

    return scan_files(files_under(paths), engine, detectors, key=key)


def local_engine(regions: "Sequence[str]") -> "Engine":
    """Return the engine for files of this machine, whose compiled patterns this user's next call finds again."""
    from waybill.scanning.adapters.user_cache import UserCache
    from waybill.scanning.domain.detection.proof import standard_engine

    return standard_engine(regions=regions, cache=UserCache.of_user())


def fingerprint_key() -> bytes:
    """Return the key of this user's fingerprints; raises `InvalidInputError` where none can be kept."""
    from waybill.scanning.adapters import local_files

    return local_files.fingerprint_key()
