"""The collaborators of the function that asks services, built when a handler first needs them."""

import random
import time
from functools import cache
from typing import Any

from waybill.core.aws.clients import client
from waybill.core.aws.sns import SnsNotifier
from waybill.core.clock import now
from waybill.core.settings import NotificationSettings, load
from waybill.subject_access.adapters.health_table import HealthTable
from waybill.subject_access.adapters.parts import S3Parts
from waybill.subject_access.adapters.secrets import ServiceSecrets
from waybill.subject_access.adapters.web import HttpWeb
from waybill.subject_access.domain.upstream.answers import Asking
from waybill.subject_access.domain.upstream.attachments import Attachments
from waybill.subject_access.domain.upstream.circuits import Breaker
from waybill.subject_access.domain.upstream.fetch import Fetcher
from waybill.subject_access.domain.upstream.models import Limits
from waybill.subject_access.domain.upstream.ports import Pace
from waybill.subject_access.domain.upstream.templates import Templates
from waybill.subject_access.domain.upstream.token_endpoint import TokenEndpoint
from waybill.subject_access.runtime import catalogue, store
from waybill.subject_access.settings import BucketSettings, TableSettings
from waybill.subject_access.upstream_settings import UpstreamSettings

_JITTER = random.SystemRandom()


@cache
def web() -> HttpWeb:
    """Return HTTP; its connections are kept for the next invocation."""
    return HttpWeb(load(UpstreamSettings).destinations())


@cache
def secrets() -> ServiceSecrets:
    """Return the services' credentials."""
    prefix = load(UpstreamSettings).upstream_secret_prefix
    return ServiceSecrets(client("secretsmanager"), prefix, TokenEndpoint(web()).grant)


@cache
def health() -> HealthTable:
    """Return what is known of the services' health."""
    return HealthTable(client("dynamodb"), load(TableSettings).subject_access_table)


@cache
def notifier() -> SnsNotifier:
    """Return the failure topic."""
    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


def pace(context: Any) -> Pace:
    """Return the time of one invocation, as its Lambda `context` has it."""
    return Pace(time.monotonic, lambda: context.get_remaining_time_in_millis() / 1000, time.sleep, _JITTER.uniform, now)


def fetcher(context: Any) -> Fetcher:
    """Return what fetches parts in one invocation."""
    settings: UpstreamSettings = load(UpstreamSettings)
    limits = Limits(answer_bytes=settings.upstream_max_bytes, answer_seconds=settings.upstream_budget_seconds)
    parts, requests, at = S3Parts(client("s3"), load(BucketSettings).subject_access_bucket), store(), pace(context)
    return Fetcher(
        requests=requests,
        catalogue=catalogue(),
        parts=parts,
        credentials=secrets(),
        breaker=Breaker(health(), lambda: int(now().timestamp())),
        asking=Asking(web(), limits),
        templates=Templates(web(), catalogue(), parts, health(), notifier(), limits),
        attachments=Attachments(web(), parts, at, limits, requests.heartbeat),
        pace=at,
        limits=limits,
    )
