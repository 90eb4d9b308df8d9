"""The collaborators of replication: what a handler, a route and a command build them from.

Each is built when it is first needed, and what it is made of is imported then: a function loads what it uses.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from waybill.core.clock import iso, now
from waybill.core.settings import NotificationSettings, load
from waybill.replication.settings import (
    CopyLimitSettings,
    DestinationSettings,
    FileCopyWorkflowSettings,
    JobStartSettings,
    KeySettings,
    LoopGuardSettings,
    ReconcileSettings,
    RemovalSettings,
    ReportSettings,
    RoutingSettings,
    TrackingSettings,
)

if TYPE_CHECKING:
    from waybill.core.aws.sns import SnsNotifier
    from waybill.core.aws.step_functions import StepFunctions
    from waybill.core.invocations import InvocationContext
    from waybill.replication.adapters.backfill_table import BackfillTable
    from waybill.replication.adapters.paced import PacedBuckets
    from waybill.replication.adapters.s3 import S3Buckets
    from waybill.replication.adapters.table import TrackingTable
    from waybill.replication.adapters.verification_table import VerificationTable
    from waybill.replication.domain.backfill_comparing import BackfillTools
    from waybill.replication.domain.backfill_job import BackfillJob, Entry
    from waybill.replication.domain.backfill_notice import FailureNotices
    from waybill.replication.domain.copier import Copier
    from waybill.replication.domain.every_version import EveryVersion
    from waybill.replication.domain.multipart import SecondsLeft
    from waybill.replication.domain.overdue import OverdueWatch
    from waybill.replication.domain.pending import Pending
    from waybill.replication.domain.reconciler import Reconciler
    from waybill.replication.domain.requests import Routing
    from waybill.replication.domain.starter import Started, Starter
    from waybill.replication.domain.throttle import Throttle
    from waybill.replication.domain.verification_job import VerificationJob
    from waybill.replication.domain.verification_request import VerificationRequest
    from waybill.replication.models import CopyLimits

# No object is begun with less time than the first; none is read on with less than the second.
_SECONDS_TO_FINISH, _SECONDS_TO_SAVE = 240.0, 60.0
# So long a call of a backfill looks after its runs, before the workflow waits for less.
_SECONDS_TO_WAIT = 120.0
_PROBLEM_LENGTH = 1_000
# A state has 256 KiB.
_PARTS_AT_ONCE = 10_000


@cache
def tracking() -> "TrackingTable":
    """Return the tracking table."""
    from waybill.core.aws.clients import client
    from waybill.replication.adapters.table import TrackingTable

    settings = load(TrackingSettings)
    return TrackingTable(
        client("dynamodb"), settings.file_copy_tracking_table, history_days=settings.history_days, now=now
    )


@cache
def buckets() -> "S3Buckets":
    """Return S3."""
    from waybill.core.aws.clients import client
    from waybill.replication.adapters.s3 import S3Buckets

    return S3Buckets(lambda region: client("s3", region), _regions(), load(DestinationSettings).destination_options)


def paced_buckets(requests: "Throttle") -> "PacedBuckets":
    """Return S3, where looks at objects are bounded by `requests`."""
    from waybill.core.aws.clients import client
    from waybill.replication.adapters.paced import PacedBuckets

    options = load(DestinationSettings).destination_options
    return PacedBuckets(lambda region: client("s3", region), _regions(), options, requests)


@cache
def _regions() -> dict[str, str]:
    """Return the Regions of the buckets seen so far: the only thing kept between invocations."""
    return {}


def limits() -> "CopyLimits":
    """Return the limits of the copy strategies."""
    settings: CopyLimitSettings = load(CopyLimitSettings)
    return settings.limits()


def copier(context: "InvocationContext") -> "Copier":
    """Return the copier for one invocation, which may use the time that its `context` has left."""
    from waybill.replication.domain.copier import Copier

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return Copier(buckets(), tracking(), limits(), now, seconds_left, _every_version(seconds_left))


def _every_version(seconds_left: "SecondsLeft") -> "EveryVersion | None":
    if not limits().every_version:
        return None
    from waybill.core.aws.clients import client
    from waybill.replication.adapters.versions_table import VersionsTable
    from waybill.replication.domain.every_version import EveryVersion

    kept = load(TrackingSettings)
    table = VersionsTable(
        client("dynamodb"), kept.file_copy_tracking_table, tracking(), history_days=kept.history_days, now=now
    )
    removals = load(RemovalSettings).replicate_deletes
    return EveryVersion(buckets(), table, limits(), now, seconds_left, removals)


@cache
def executions() -> "StepFunctions":
    """Return Step Functions."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.step_functions import StepFunctions

    return StepFunctions(client("stepfunctions"))


@cache
def starter() -> "Starter":
    """Return the starter of runs."""
    from waybill.replication.domain.starter import Starter, Workflows

    settings = load(FileCopyWorkflowSettings)
    workflows = Workflows(settings.file_copy_workflow_arn, settings.file_copy_express_workflow_arn)
    return Starter(executions(), workflows)


def routing() -> "Routing":
    """Return where uploads go."""
    from waybill.replication.domain.requests import Routing

    settings = load(RoutingSettings)
    return Routing(settings.destination_buckets, settings.key_prefix, settings.key_suffix, settings.replicate_deletes)


def trigger_buckets() -> frozenset[str]:
    """Return the buckets that no copy may go to."""
    source = load(LoopGuardSettings).source_bucket
    return frozenset({source} if source else ())


def start_manually(payload: object) -> "Started":
    """Start the run that a person asks for with `payload`."""
    from waybill.replication.domain.starter import StartContext

    context = StartContext(buckets(), tracking(), trigger_buckets(), lambda: uuid.uuid4().hex, now)
    return starter().start_manually(payload, context)


@cache
def notifier() -> "SnsNotifier":
    """Return the failure topic."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.sns import SnsNotifier

    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


@cache
def backfills() -> "BackfillTable":
    """Return the backfill jobs."""
    from waybill.core.aws.clients import client
    from waybill.replication.adapters.backfill_table import BackfillTable

    settings = load(TrackingSettings)
    return BackfillTable(
        client("dynamodb"), settings.file_copy_tracking_table, history_days=settings.history_days, now=now
    )


def failure_notices() -> "FailureNotices":
    """Return what tells people of failed runs."""
    from waybill.replication.domain.backfill_notice import FailureNotices

    return FailureNotices(notifier(), backfills(), now)


def pending() -> "Pending":
    """Return what is on its way."""
    from waybill.replication.domain.pending import COUNTED, pending_of

    threshold = timedelta(minutes=load(ReconcileSettings).replication_threshold_minutes)
    return pending_of(tracking().oldest_open(COUNTED), now(), threshold)


def reconciler() -> "Reconciler":
    """Return the reconciler."""
    from waybill.replication.domain.reconciler import Reconciler

    grace = timedelta(minutes=load(ReconcileSettings).reconcile_after_minutes)
    return Reconciler(tracking(), executions(), buckets(), failure_notices(), grace, now)


def overdue_watch() -> "OverdueWatch":
    """Return what tells of each file that is overdue."""
    from waybill.core.aws.clients import client
    from waybill.core.settings import ObservabilitySettings
    from waybill.replication.adapters.overdue_events import OverdueEvents
    from waybill.replication.domain.overdue import OverdueWatch

    threshold = timedelta(minutes=load(ReconcileSettings).replication_threshold_minutes)
    events = OverdueEvents(client("events"), load(ObservabilitySettings).stack_name)
    return OverdueWatch(tracking(), events, threshold, now)


def verification_table() -> "VerificationTable":
    """Return the verifications and the last checks."""
    from waybill.core.aws.clients import client
    from waybill.replication.adapters.verification_table import VerificationTable

    settings = load(TrackingSettings)
    return VerificationTable(
        client("dynamodb"), settings.file_copy_tracking_table, history_days=settings.history_days, now=now
    )


def job_id(by: str, key: str | None) -> str:
    """Return the id of what somebody starts over HTTP: the same for the same idempotency key."""
    from waybill.core.executions import execution_name

    return execution_name("api", by, key or uuid.uuid4().hex)


def job_defaults() -> tuple[str, tuple[str, ...]]:
    """Return the stack's source bucket and its destinations."""
    settings = load(JobStartSettings)
    return settings.source_bucket, settings.destination_buckets


def start_backfill(asked: "BackfillJob", entries: "Callable[[], Sequence[Entry]] | None" = None) -> "BackfillJob":
    """Start the backfill that somebody `asked` for, once for its id.

    `entries` finds the objects that it is given by name; who asks again is answered with those that were found first.

    Raises
    ------
    ConflictError
        Its id stands for another request.
    """
    from waybill.core.errors import ConflictError, NotFoundError
    from waybill.replication.domain.backfill_job import FINAL, entries_name, saved_entries

    jobs = backfills()
    try:
        job = jobs.read(asked.backfill_id)
    except NotFoundError:
        if found := entries() if entries else ():
            # By their own name: whoever asks for something else at this moment, with the same id, writes beside them.
            kept = saved_entries(jobs, asked.backfill_id, found, entries_name(found))
            asked = asked.model_copy(update=kept)
        job = jobs.create(asked)
    if job.asked != asked.asked:
        raise ConflictError("the idempotency key was used for another backfill")
    # What is repeated after a death between the two starts what has not been started.
    return job if job.status in FINAL else _worked_on(job)


def resume_backfill(backfill_id: str, by: str) -> "BackfillJob":
    """Let the server go on with a backfill, whoever has worked on it; raises `NotFoundError`, `JobEndedError`."""
    return _worked_on(backfills().take_over(backfill_id, by))


def _worked_on(job: "BackfillJob") -> "BackfillJob":
    from waybill.replication.domain.backfill_job import BackfillTurn

    turn = BackfillTurn.of_job(job)
    executions().start(load(JobStartSettings).replication_jobs_workflow_arn, turn.execution_name, turn.wire())
    return job


def backfill(
    payload: object, part: int | None, stack: Mapping[str, str], context: "InvocationContext"
) -> dict[str, object]:
    """Go on with the backfill that an execution of the workflow carries out, or with one `part` of it.

    Returns `{backfillId, complete}`; `waits` where its runs are looked at again later, `parts` where others are to work
    on them first.
    """
    from waybill.core.errors import PermanentError
    from waybill.core.retry import looks
    from waybill.replication.domain.backfill_engine import BackfillEngine
    from waybill.replication.domain.backfill_job import FINAL, BackfillTurn, JobLostError, JobStatus
    from waybill.replication.domain.backfill_progress import JobProgress

    turn, jobs, begun = BackfillTurn.parse(payload), backfills(), time.monotonic()
    job = jobs.read(turn.backfill_id)
    ended: dict[str, object] = {"backfillId": turn.backfill_id, "complete": True}
    if job.generation != turn.generation or job.status in FINAL:
        # Somebody has cancelled it, or works on it elsewhere.
        return ended
    progress = JobProgress(jobs, job)

    def stop() -> bool:
        waited = progress.job.compared_all and time.monotonic() - begun > _SECONDS_TO_WAIT
        return waited or context.get_remaining_time_in_millis() / 1000 < _SECONDS_TO_FINISH

    tools = backfill_tools(stack)
    engine = BackfillEngine(
        tools, progress, now, time.monotonic, looks, stop, beside=part is None, before_end=_report_written
    )
    if part is not None:
        try:
            engine.work_on_part(part)
        except PermanentError as error:
            # The Map tells its execution that a part has failed, and not why.
            _note_problem(job, str(error))
            raise
        return ended
    try:
        if engine.go(wait=True):
            return ended
    except JobLostError:
        return ended
    except PermanentError as error:
        progress.change(status=JobStatus.STOPPED, problem=str(error)[:_PROBLEM_LENGTH])
        raise
    parts = engine.parts_left
    answer = {"backfillId": turn.backfill_id, "complete": False, "waits": progress.job.compared_all}
    return answer | ({"parts": list(parts[:_PARTS_AT_ONCE])} if parts else {})


def _report_written(job: "BackfillJob") -> str | None:
    """Write the report of a job where it may be written; return why it could not be."""
    from waybill.core.aws.clients import client
    from waybill.core.errors import PermanentError
    from waybill.replication.adapters.report_object import bucket_of_report, put_report

    bucket = bucket_of_report(job.report)
    if bucket is None or bucket != load(ReportSettings).backfill_report_bucket:
        # Whoever waits for the job writes it.
        return None
    try:
        put_report(client("s3"), job, backfills().all_lines(job))
    except PermanentError as error:
        return f"the report {job.report} cannot be written: {error}"[:_PROBLEM_LENGTH]
    return None


def note_stopped(payload: object, execution: Mapping[str, str], stopped: Mapping[str, str]) -> dict[str, object]:
    """Note in the record of a job that its execution has failed, unless somebody else works on it by now."""
    from waybill.core.errors import NotFoundError
    from waybill.replication.domain.backfill_job import BackfillTurn, JobStatus
    from waybill.replication.domain.outcome import message_of
    from waybill.replication.domain.verification_job import VerificationLostError, VerificationStatus

    if isinstance(payload, Mapping) and "backfillId" in payload:
        turn = BackfillTurn.parse(payload)
        job = backfills().read(turn.backfill_id)
        if job.generation == turn.generation and job.status is JobStatus.RUNNING:
            _note_problem(job, ": ".join(filter(None, (stopped.get("Error"), message_of(stopped.get("Cause"))))))
        return {"backfillId": turn.backfill_id, "complete": True}
    with suppress(NotFoundError, VerificationLostError):
        found = verification_table().read(execution["Name"])
        if found.status is VerificationStatus.RUNNING and stopped.get("Error") != VerificationLostError.__name__:
            verification_table().save(found.model_copy(update={"status": VerificationStatus.STOPPED}), found)
    return {"verificationId": execution["Name"], "complete": True}


def _note_problem(job: "BackfillJob", problem: str) -> None:
    from waybill.replication.domain.backfill_job import JobLostError, JobStatus

    with suppress(JobLostError):
        backfills().save(job.model_copy(update={"status": JobStatus.STOPPED, "problem": problem[:_PROBLEM_LENGTH]}))


def backfill_tools(stack: Mapping[str, str]) -> "BackfillTools":
    """Return what backfills are worked on with; `stack` has the workflows, for which the environment has no room."""
    from waybill.core.clock import Clock
    from waybill.core.retry import Retry
    from waybill.replication.domain.backfill_comparing import BackfillTools
    from waybill.replication.domain.starter import Starter, Workflows

    return BackfillTools(
        backfills(),
        tracking(),
        paced_buckets,
        Starter(executions(), Workflows(stack["fileCopyWorkflow"], stack.get("fileCopyExpressWorkflow") or None)),
        lambda stopping: Retry(
            tries=8, first_pause=0.5, longest_pause=15.0, clock=Clock(sleep=stopping.wait), stopped=stopping.is_set
        ),
    )


def start_verification(request: "VerificationRequest", by: str, key: str | None) -> "VerificationJob":
    """Start the verification that `by` asks for; the same idempotency key again is answered with the same one.

    Raises
    ------
    ConflictError
        The key was used for another request.
    """
    from waybill.core.errors import ConflictError
    from waybill.replication.domain.key_filter import literal_pattern
    from waybill.replication.domain.verification_job import new_verification_job

    settings, moment = load(JobStartSettings), now()
    asked = new_verification_job(
        job_id(by, key),
        request.source_bucket or settings.source_bucket,
        request.prefix,
        request.destination_buckets or settings.destination_buckets,
        created_by=by,
        start_time=iso(moment),
        deep=request.deep,
        sample=request.sample,
        keys=literal_pattern(settings.key_prefix, settings.key_suffix),
    )
    job = verification_table().create(asked)
    if not job.is_about_what(asked):
        raise ConflictError("the idempotency key was used for another verification")
    # What is repeated after a death between the two starts what has not been started.
    executions().start(settings.replication_jobs_workflow_arn, job.verification_id, job.request())
    return job


def verify(
    payload: object, execution: Mapping[str, str], stack: Mapping[str, str], context: "InvocationContext"
) -> "VerificationJob":
    """Go on with the verification that an execution of the workflow carries out; people are told of what it found."""
    from waybill.replication.domain.key_filter import literal_pattern
    from waybill.replication.domain.verification_job import new_verification_job, verification_notification
    from waybill.replication.domain.verification_request import VerificationRequest

    request, settings, table = VerificationRequest.parse(payload), load(KeySettings), verification_table()
    job = table.create(
        new_verification_job(
            execution["Name"],
            request.source_bucket or stack["sourceBucket"],
            request.prefix,
            request.destination_buckets or tuple(stack["destinationBuckets"].split(",")),
            created_by="schedule" if not request.source_bucket else "api",
            start_time=iso(datetime.fromisoformat(execution["StartTime"])),
            deep=request.deep,
            sample=request.sample,
            keys=literal_pattern(settings.key_prefix, settings.key_suffix),
        )
    )
    if not job.ended:
        # Whoever has worked on it before, a call that ran out of its time or a person, works on it no more.
        job = _verified(table.take_over(job.verification_id), context)
    if job.ended and job.counts.findings:
        notifier().notify(verification_notification(job, table.findings(job)))
    return job


def _verified(job: "VerificationJob", context: "InvocationContext") -> "VerificationJob":
    """Compare copies until all are compared or the call's time ends; return how the job stands then."""
    from waybill.core.aws.clients import client
    from waybill.core.retry import Retry
    from waybill.replication.adapters.s3 import S3Buckets
    from waybill.replication.domain.verification import VerificationChecker
    from waybill.replication.domain.verification_job import VerificationRun

    table = verification_table()

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    reading = S3Buckets(
        lambda region: client("s3", region),
        {},
        load(DestinationSettings).destination_options,
        lambda: seconds_left() < _SECONDS_TO_SAVE,
    )
    checker = VerificationChecker(
        job.source_bucket,
        job.destination_buckets,
        job.verification_id,
        reading,
        table,
        Retry(first_pause=0.2),
        job.deep,
        now,
        job.sample,
    )
    run = VerificationRun(
        table, job, checker, reading.listed, lambda: iso(now()), lambda: seconds_left() < _SECONDS_TO_FINISH
    )
    for _ in run.go():
        pass
    return run.job
