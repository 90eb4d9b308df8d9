"""The collaborators of the minting functions, built from settings when a handler first needs them."""

import random
import time
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from waybill.core.aws.clients import client
from waybill.core.aws.sns import SnsNotifier
from waybill.core.settings import NotificationSettings, load
from waybill.minting.adapters.documents import S3Documents
from waybill.minting.adapters.metrics import RequestMetrics
from waybill.minting.adapters.queue import ResultQueue
from waybill.minting.adapters.runs import S3Runs
from waybill.minting.adapters.table import IdentifiersTable
from waybill.minting.domain.answers import IdentifierMinter, MintAnswer, RequestMinter, answer
from waybill.minting.domain.canonical_ids import draw
from waybill.minting.domain.documents import DocumentMinter
from waybill.minting.domain.minter import Minter
from waybill.minting.domain.plan import MintingRun, Plan, chunks, fitting_chunks, plan_lines, plan_request
from waybill.minting.domain.queued_requests import QueuedRequests
from waybill.minting.domain.registry import InvocationTime
from waybill.minting.domain.requests import Mode, echoing
from waybill.minting.domain.run_report import summary
from waybill.minting.domain.selection import Named, Written, parse_selection
from waybill.minting.errors import InvalidRequestError
from waybill.minting.models import RunPlan, RunSummary
from waybill.minting.settings import RegistrySettings, ResultQueueSettings, RunSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_JITTER = random.SystemRandom()


@cache
def registry() -> IdentifiersTable:
    """Return the identifiers table; the minter itself repeats calls, so its client does not."""
    return IdentifiersTable(client("dynamodb", attempts=1), load(RegistrySettings).identifiers_table)


def invocation_time(context: "LambdaContext") -> InvocationTime:
    """Return the time of one invocation, as its Lambda `context` has it."""
    return InvocationTime(lambda: context.get_remaining_time_in_millis() / 1000, time.sleep, _JITTER.uniform)


def minter(context: "LambdaContext") -> Minter:
    """Return the minter for one invocation."""
    return Minter(registry(), partial(draw, check=load(RegistrySettings).check_character), invocation_time(context))


@cache
def documents() -> S3Documents:
    """Return the documents."""
    return S3Documents(client("s3"), load(RunSettings).documents_bucket)


def answers(context: "LambdaContext", mode: Mode) -> RequestMinter:
    """Return what answers in `mode`; documents need settings that only some functions have."""
    made = minter(context)
    return IdentifierMinter(made) if mode is Mode.IDENTIFIERS else DocumentMinter(made, documents())


def respond(payload: object, context: "LambdaContext", cap: int, *, resumes: bool = False) -> MintAnswer:
    """Return the answer to a request of at most `cap` identifiers; `resumes`: it may hold an `earlier` answer."""
    with RequestMetrics() as measured:
        answered = answer(payload, partial(answers, context), cap, resumes=resumes)
        measured.record(answered)
    return answered


def request_cap() -> int:
    """Return the most identifiers that a request may have."""
    settings: RegistrySettings = load(RegistrySettings)
    return settings.identifiers_per_request


@cache
def notifier() -> SnsNotifier:
    """Return the failure topic."""
    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


def runs() -> S3Runs:
    """Return what runs keep in S3."""
    return S3Runs(client("s3"), load(RunSettings).documents_bucket)


def queue(context: "LambdaContext") -> QueuedRequests:
    """Return what handles queued requests in one invocation."""
    results = ResultQueue(client("sqs"), load(ResultQueueSettings).minting_result_queue_url)
    return QueuedRequests(lambda payload: respond(payload, context, request_cap()), results, runs(), notifier())


def plan(request: object, run: MintingRun) -> RunPlan:
    """Return the chunks of a large request, or where they are."""
    if not isinstance(request, Mapping):
        raise InvalidRequestError("the request must be a JSON object")
    with echoing(request):
        planned = _planned(request)
        inline = fitting_chunks(planned, run)
        result: RunPlan = {"kind": "INLINE", "run": run.name, "concurrency": load(RunSettings).minting_concurrency}
        if planned.job_id is not None:
            result["jobId"] = planned.job_id
        if inline is not None:
            return {**result, "chunkCount": len(inline), "chunks": inline}
        manifest = runs().write_manifest(run.name, chunks(planned, run))
        return {**result, "kind": "MANIFEST", **manifest}


def _planned(request: Mapping[str, Any]) -> Plan:
    match parse_selection(request):
        case Named(uri):
            return plan_lines(request, runs().lines(uri), as_json=uri.endswith(".jsonl"))
        case Written() as written:
            names = (name for name, moment in documents().names() if written.holds(moment))
            return plan_lines(request, names, may_be_empty=True)
        case _:
            return plan_request(request)


def summarise(run: str, chunk_count: int, job_id: str | None) -> RunSummary:
    """Return the result of a run whose chunks have all left theirs."""
    return summary(runs(), run, chunk_count, job_id)
