"""The collaborators of the functions, built from settings when a handler first needs them."""

import random
from functools import cache

from waybill.core.aws.clients import client, presigner
from waybill.core.aws.sns import SnsNotifier
from waybill.core.clock import now
from waybill.core.settings import NotificationSettings, load
from waybill.subject_access.adapters.alerts import OnceAlerts
from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue
from waybill.subject_access.adapters.lists import SubjectAccessLists
from waybill.subject_access.adapters.s3 import ReportsBucket
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.claim_taking import Claimer
from waybill.subject_access.domain.corrections import Corrections
from waybill.subject_access.domain.decisions import Decisions
from waybill.subject_access.domain.endings import Endings
from waybill.subject_access.domain.fulfilment import Fulfilment
from waybill.subject_access.domain.holds import Holds
from waybill.subject_access.domain.redacting import Redacting
from waybill.subject_access.domain.services import Services
from waybill.subject_access.settings import BucketSettings, TableSettings

_DRAW = random.SystemRandom()


@cache
def store() -> SubjectAccessTable:
    """Return the requests."""
    return SubjectAccessTable(client("dynamodb"), load(TableSettings).subject_access_table, now=now)


@cache
def lists() -> SubjectAccessLists:
    """Return the indexes of the requests."""
    return SubjectAccessLists(client("dynamodb"), load(TableSettings).subject_access_table)


@cache
def catalogue() -> ServiceCatalogue:
    """Return the services."""
    return ServiceCatalogue(client("dynamodb"), load(TableSettings).subject_access_table, now=now)


@cache
def reports() -> ReportsBucket:
    """Return the bucket."""
    return ReportsBucket(client("s3"), load(BucketSettings).subject_access_bucket, presigner())


@cache
def alerts() -> OnceAlerts:
    """Return what tells people."""
    notifier = SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)
    return OnceAlerts(client("dynamodb"), load(TableSettings).subject_access_table, notifier, now=now)


def claimer() -> Claimer:
    """Return what claims requests."""
    return Claimer(store(), lists(), now, _DRAW.randrange)


def fulfilment() -> Fulfilment:
    """Return what ends claims."""
    return Fulfilment(store(), reports(), alerts(), now)


def decisions() -> Decisions:
    """Return what people decide about requests."""
    return Decisions(store(), lists(), reports(), catalogue(), now)


def holds() -> Holds:
    """Return what stops the clock of the law."""
    return Holds(store(), now)


def endings() -> Endings:
    """Return what ends the clock of the law."""
    return Endings(store(), reports(), catalogue(), now)


def corrections() -> Corrections:
    """Return what corrects requests."""
    return Corrections(store(), now)


def redacting() -> Redacting:
    """Return what takes things out of reports."""
    return Redacting(store(), reports(), now)


def services() -> Services:
    """Return what changes the catalogue."""
    return Services(catalogue(), reports(), now)
