"""The collaborators of the minting functions, built from settings when a handler first needs them."""

import random
import time
from functools import cache, partial
from typing import Any

from waybill.core.aws import client
from waybill.core.clock import now
from waybill.core.notifications import SnsNotifier
from waybill.core.settings import NotificationSettings, load
from waybill.minting.answering import Answer, Answers, IdentifierMinter, answer
from waybill.minting.canonical_ids import draw
from waybill.minting.document_store import S3Documents
from waybill.minting.documents import DocumentMinter
from waybill.minting.minting import Minter
from waybill.minting.ports import Pace
from waybill.minting.requests import Mode
from waybill.minting.settings import DocumentSettings, QueueSettings, RegistrySettings, RequestSettings
from waybill.minting.store import IdentifiersTable
from waybill.minting.telling import Measured

_JITTER = random.SystemRandom()


@cache
def registry() -> IdentifiersTable:
    """Return the identifiers table; the minter itself repeats calls, so its client does not."""
    return IdentifiersTable(client("dynamodb", attempts=1), load(RegistrySettings).identifiers_table, now)


def pace(context: Any) -> Pace:
    """Return the time of one invocation, as its Lambda `context` has it."""
    return Pace(lambda: context.get_remaining_time_in_millis() / 1000, time.sleep, _JITTER.uniform)


def minter(context: Any) -> Minter:
    """Return the minter for one invocation."""
    return Minter(registry(), partial(draw, check=load(RegistrySettings).check_character), pace(context))


@cache
def documents() -> S3Documents:
    """Return the documents."""
    settings = load(DocumentSettings)
    return S3Documents(client("s3"), settings.documents_bucket, settings.upstream_prefix, settings.downstream_prefix)


def answers(context: Any, mode: Mode) -> Answers:
    """Return what answers in `mode`; documents need settings that only some functions have."""
    made = minter(context)
    return IdentifierMinter(made) if mode is Mode.IDENTIFIERS else DocumentMinter(made, documents())


def respond(payload: object, context: Any, *, cap: int | None = None) -> Answer:
    """Return the answer to a request; `cap` is the most identifiers it may have, by default that of the settings."""
    with Measured() as measured:
        told = answer(payload, partial(answers, context), cap or load(RequestSettings).identifiers_per_request)
        measured.tell(told)
    return told


@cache
def notifier() -> SnsNotifier:
    """Return the failure topic."""
    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


def result_queue_url() -> str:
    """Return the queue of results."""
    settings: QueueSettings = load(QueueSettings)
    return settings.minting_result_queue_url
