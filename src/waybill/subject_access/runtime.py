"""The collaborators of subject access: what a handler, a route and a command build them from.

Each is built when it is first needed, and what it is made of is imported then: a function loads what it uses, and the
function that describes all APIs, which has no layer for calendars and drawing, imports the routes.
"""

import random
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from waybill.core.clock import Clock, now
from waybill.core.settings import NotificationSettings, load
from waybill.subject_access.settings import (
    BucketSettings,
    LifecycleSettings,
    ServiceHostSettings,
    TableSettings,
    UpstreamSettings,
    WorkflowSettings,
)

if TYPE_CHECKING:
    from waybill.core.aws.sns import SnsNotifier
    from waybill.core.aws.step_functions import StepFunctions
    from waybill.core.invocations import InvocationContext
    from waybill.subject_access.adapters.alerts import OnceAlerts
    from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue
    from waybill.subject_access.adapters.health_table import HealthTable
    from waybill.subject_access.adapters.lists import SubjectAccessLists
    from waybill.subject_access.adapters.report_files import ReportFiles
    from waybill.subject_access.adapters.s3 import ReportsBucket
    from waybill.subject_access.adapters.secrets import ServiceSecrets
    from waybill.subject_access.adapters.table import SubjectAccessTable
    from waybill.subject_access.adapters.web import HttpWeb
    from waybill.subject_access.domain.answers import Answers
    from waybill.subject_access.domain.claim_taking import Claimer
    from waybill.subject_access.domain.corrections import Corrections
    from waybill.subject_access.domain.deadlines import LegalClock
    from waybill.subject_access.domain.decisions import Decisions
    from waybill.subject_access.domain.endings import Endings
    from waybill.subject_access.domain.fulfilment import Fulfilment
    from waybill.subject_access.domain.holds import Holds
    from waybill.subject_access.domain.letters import Letters
    from waybill.subject_access.domain.redacting import Redacting
    from waybill.subject_access.domain.rendering import Rendering
    from waybill.subject_access.domain.services import Services
    from waybill.subject_access.domain.sweep import RequestSweep
    from waybill.subject_access.domain.upstream.fetch import Fetcher
    from waybill.subject_access.domain.upstream.ports import InvocationClock

_DRAW = random.SystemRandom()


@cache
def store() -> "SubjectAccessTable":
    """Return the requests."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.table import SubjectAccessTable

    return SubjectAccessTable(client("dynamodb"), load(TableSettings).subject_access_table, now=now)


@cache
def lists() -> "SubjectAccessLists":
    """Return the indexes of the requests."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.lists import SubjectAccessLists

    return SubjectAccessLists(client("dynamodb"), load(TableSettings).subject_access_table)


@cache
def catalogue() -> "ServiceCatalogue":
    """Return the services."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue

    return ServiceCatalogue(client("dynamodb"), load(TableSettings).subject_access_table, now=now)


@cache
def reports() -> "ReportsBucket":
    """Return the bucket."""
    from waybill.core.aws.clients import client, presigner
    from waybill.subject_access.adapters.s3 import ReportsBucket

    return ReportsBucket(client("s3"), load(BucketSettings).subject_access_reports_bucket, presigner())


@cache
def notifier() -> "SnsNotifier":
    """Return the failure topic."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.sns import SnsNotifier

    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


@cache
def alerts() -> "OnceAlerts":
    """Return what tells people."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.alerts import OnceAlerts

    return OnceAlerts(client("dynamodb"), load(TableSettings).subject_access_table, notifier(), now=now)


@cache
def executions() -> "StepFunctions":
    """Return Step Functions."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.step_functions import StepFunctions

    return StepFunctions(client("stepfunctions"))


@cache
def web() -> "HttpWeb":
    """Return HTTP to services; its connections are kept for the next invocation."""
    from waybill.subject_access.adapters.web import HttpWeb

    return HttpWeb(load(UpstreamSettings).destinations())


@cache
def secrets() -> "ServiceSecrets":
    """Return the services' credentials."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.secrets import ServiceSecrets
    from waybill.subject_access.domain.upstream.token_endpoint import TokenEndpoint

    prefix = load(UpstreamSettings).upstream_secret_prefix
    return ServiceSecrets(client("secretsmanager"), prefix, TokenEndpoint(web()).grant)


@cache
def health() -> "HealthTable":
    """Return what is known of the services' health."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.health_table import HealthTable

    return HealthTable(client("dynamodb"), load(TableSettings).subject_access_table)


def legal_clock() -> "LegalClock":
    """Return the clock of the law, as of now."""
    from waybill.subject_access.domain.bank_holidays import england_and_wales
    from waybill.subject_access.domain.deadlines import LegalClock

    return LegalClock(now(), england_and_wales())


def answers() -> "Answers":
    """Return what builds answers, as of now."""
    from waybill.subject_access.domain.answers import Answers

    return Answers(legal_clock())


def letters() -> "Letters":
    """Return what writes letters."""
    from waybill.subject_access.domain.letters import Letters
    from waybill.subject_access.domain.report.letters import draw_letter

    return Letters(store(), legal_clock, draw_letter, now)


def claimer() -> "Claimer":
    """Return what claims requests."""
    from waybill.subject_access.domain.claim_taking import Claimer

    return Claimer(store(), lists(), now, _DRAW.randrange)


def fulfilment() -> "Fulfilment":
    """Return what ends claims."""
    from waybill.subject_access.domain.fulfilment import Fulfilment

    return Fulfilment(store(), reports(), alerts(), now)


def decisions() -> "Decisions":
    """Return what people decide about requests."""
    from waybill.subject_access.domain.decisions import Decisions

    return Decisions(store(), lists(), reports(), catalogue(), now)


def holds() -> "Holds":
    """Return what stops the clock of the law."""
    from waybill.subject_access.domain.holds import Holds

    return Holds(store(), now)


def endings() -> "Endings":
    """Return what ends the clock of the law."""
    from waybill.subject_access.domain.endings import Endings
    from waybill.subject_access.domain.unseen import DrawnParts

    return Endings(store(), reports(), catalogue(), DrawnParts(store(), reports()), now)


def corrections() -> "Corrections":
    """Return what corrects requests."""
    from waybill.subject_access.domain.corrections import Corrections

    return Corrections(store(), now)


def redacting() -> "Redacting":
    """Return what takes things out of reports."""
    from waybill.subject_access.domain.redacting import Redacting

    return Redacting(store(), reports(), now)


def services() -> "Services":
    """Return what changes the catalogue."""
    from waybill.subject_access.domain.services import Services

    return Services(catalogue(), reports(), load(ServiceHostSettings).destinations(), now)


def sweep() -> "RequestSweep":
    """Return the sweep."""
    from waybill.subject_access.domain.lifecycle import Ages, Lifecycle
    from waybill.subject_access.domain.sweep import RequestSweep

    days, workflow = load(LifecycleSettings), load(WorkflowSettings)
    ages = Ages(timedelta(days=days.archive_after_days), timedelta(days=days.delete_after_days))
    return RequestSweep(
        lists=lists(),
        lifecycle=Lifecycle(store(), lists(), reports(), ages, now),
        fulfilment=fulfilment(),
        alerts=alerts(),
        executions=executions(),
        workflow_arn=workflow.subject_access_workflow_arn,
        most_workers=workflow.workers_per_poll,
        now=now,
        clock=legal_clock,
    )


@cache
def rendering() -> "Rendering":
    """Return what draws parts and reports."""
    from waybill.subject_access.domain.rendering import Rendering

    return Rendering(store(), catalogue(), report_files(), now)


@cache
def report_files() -> "ReportFiles":
    """Return the files in the bucket of reports."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.report_files import ReportFiles

    return ReportFiles(client("s3"), load(BucketSettings).subject_access_reports_bucket)


def invocation_clock(context: "InvocationContext") -> "InvocationClock":
    """Return the time of one invocation, as its Lambda `context` has it."""
    from waybill.subject_access.domain.upstream.ports import InvocationClock

    clock = Clock()
    return InvocationClock(
        clock.monotonic,
        lambda: context.get_remaining_time_in_millis() / 1000,
        clock.sleep,
        clock.uniform,
        now,
    )


def fetcher(context: "InvocationContext") -> "Fetcher":
    """Return what fetches parts in one invocation."""
    from waybill.core.aws.clients import client
    from waybill.subject_access.adapters.parts import S3Parts
    from waybill.subject_access.domain.upstream.answers import Asking
    from waybill.subject_access.domain.upstream.attachments import Attachments
    from waybill.subject_access.domain.upstream.circuits import Breaker
    from waybill.subject_access.domain.upstream.fetch import Fetcher
    from waybill.subject_access.domain.upstream.models import Limits
    from waybill.subject_access.domain.upstream.templates import Templates

    settings: UpstreamSettings = load(UpstreamSettings)
    limits = Limits(answer_bytes=settings.upstream_max_bytes, answer_seconds=settings.upstream_budget_seconds)
    parts, requests = S3Parts(client("s3"), load(BucketSettings).subject_access_reports_bucket), store()
    clock = invocation_clock(context)
    return Fetcher(
        requests=requests,
        catalogue=catalogue(),
        parts=parts,
        credentials=secrets(),
        breaker=Breaker(health(), lambda: int(now().timestamp())),
        asking=Asking(web(), limits),
        templates=Templates(web(), catalogue(), parts, health(), notifier(), limits),
        attachments=Attachments(web(), parts, clock, limits, requests.heartbeat),
        clock=clock,
        limits=limits,
    )
