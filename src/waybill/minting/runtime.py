"""The collaborators of minting: what a handler, a route and a command build them from.

Each is built when it is first needed, and what it is made of is imported then: a function loads what it uses.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from waybill.core.clock import Clock
from waybill.core.errors import ConflictError
from waybill.core.settings import NotificationSettings, load
from waybill.minting.errors import InvalidRequestError
from waybill.minting.settings import (
    DocumentSettings,
    MintingWorkflowSettings,
    RegistrySettings,
    RequestSettings,
    ResolverSettings,
    ResultQueueSettings,
    RunSettings,
)

if TYPE_CHECKING:
    from waybill.core.aws.dynamodb import Item
    from waybill.core.aws.sns import SnsNotifier
    from waybill.core.invocations import InvocationContext
    from waybill.minting.adapters.document_records import DocumentsTable
    from waybill.minting.adapters.documents import S3Documents
    from waybill.minting.adapters.executions import MintingRuns
    from waybill.minting.adapters.lifecycle import LifecycleTable
    from waybill.minting.adapters.runs import S3Runs
    from waybill.minting.adapters.table import IdentifiersTable
    from waybill.minting.domain.answers import MintAnswer, RequestMinter
    from waybill.minting.domain.audit import Audit
    from waybill.minting.domain.canonical_ids import Drawing
    from waybill.minting.domain.lookup import Lookup
    from waybill.minting.domain.minter import Minter
    from waybill.minting.domain.plan import ChunkPlan, MintingRun
    from waybill.minting.domain.queued_requests import QueuedRequests
    from waybill.minting.domain.registry import InvocationTime
    from waybill.minting.domain.requests import Mode
    from waybill.minting.domain.statistics import Statistics
    from waybill.minting.models import Assignment, RunPlan, RunSummary

# A request has 28 seconds; a page of a scan, about 5,000 items, takes a fraction of one.
AUDIT_LIMIT = 50_000


@cache
def registry(attempts: int = 1) -> "IdentifiersTable":
    """Return the identifiers table; the minter itself repeats calls, so its client makes each once."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.table import IdentifiersTable

    return IdentifiersTable(client("dynamodb", attempts=attempts), load(RegistrySettings).identifiers_table)


def assignments_in(items: "Iterable[Item]") -> "Iterator[Assignment]":
    """Yield the assignments that items of the identifiers table hold."""
    from waybill.minting.adapters.table import readable_assignment

    return (found for item in items if (found := readable_assignment(item)) is not None)


def invocation_time(context: "InvocationContext") -> "InvocationTime":
    """Return the time of one invocation, as its Lambda `context` has it."""
    from waybill.minting.domain.registry import InvocationTime

    clock = Clock()
    return InvocationTime(lambda: context.get_remaining_time_in_millis() / 1000, clock.sleep, clock.uniform)


def minter(context: "InvocationContext") -> "Minter":
    """Return the minter for one invocation."""
    from waybill.minting.domain.minter import Minter

    return Minter(registry(), drawing().draw, invocation_time(context))


def drawing() -> "Drawing":
    """Return how new canonical IDs are drawn; raises `NoIdentifiersLeftError` where hardly any can be."""
    return _drawing(load(RegistrySettings))


@cache
def _drawing(settings: RegistrySettings) -> "Drawing":
    from waybill.minting.domain.canonical_ids import Drawing

    return Drawing.of(
        check=settings.check_character, words=settings.forbidden_words, prefixes=settings.identifier_prefix
    )


@cache
def lives() -> "LifecycleTable":
    """Return the lives of canonical IDs."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.lifecycle import LifecycleTable

    return LifecycleTable(client("dynamodb"), load(RegistrySettings).identifiers_table)


def lookup() -> "Lookup":
    """Return what answers questions about the registry."""
    from waybill.minting.domain.lookup import Lookup

    return Lookup(registry(), lives())


def reserve(count: int, purpose: str, by: str, key: str | None) -> tuple[str, ...]:
    """Return new canonical IDs that are reserved; see `lifecycle.reserve`."""
    from waybill.minting.domain import lifecycle

    return lifecycle.reserve(lives(), drawing().draw, count, purpose, by=by, key=key)


def resolver_template() -> str:
    """Return the address that identifiers lead to; empty: nowhere."""
    settings: ResolverSettings = load(ResolverSettings)
    return settings.resolver_template


def audit() -> "Audit":
    """Return what is wrong with the registry, which has to be small enough to be read while a request waits."""
    from waybill.minting.domain.audit import audit as audit_items
    from waybill.minting.domain.audit import confirmed

    found = audit_items(itertools.islice(registry().items(), AUDIT_LIMIT + 1))
    if found.items > AUDIT_LIMIT:
        raise ConflictError(f"the registry has over {AUDIT_LIMIT} items: audit it with `waybill ids audit`")
    return confirmed(found, registry().read_all)


def statistics() -> "Statistics":
    """Return what the registry comes to, which has to be as small as for `audit`."""
    from waybill.minting.domain.statistics import statistics_of

    counts = statistics_of(itertools.islice(registry().items(), AUDIT_LIMIT + 1))
    if counts.items > AUDIT_LIMIT:
        raise ConflictError(f"the registry has over {AUDIT_LIMIT} items: count it with `waybill ids stats`")
    return counts


def workflow_runs() -> "MintingRuns":
    """Return the runs of the minting workflow."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.executions import MintingRuns

    return MintingRuns(client("stepfunctions"), load(MintingWorkflowSettings).id_minter_workflow_arn)


@cache
def documents() -> "S3Documents":
    """Return the documents."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.documents import S3Documents

    return S3Documents(client("s3"), load(DocumentSettings).documents_bucket)


@cache
def document_records() -> "DocumentsTable":
    """Return what is recorded of documents."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.document_records import DocumentsTable

    return DocumentsTable(client("dynamodb"), load(RegistrySettings).identifiers_table)


def answers(context: "InvocationContext", mode: "Mode") -> "RequestMinter":
    """Return what answers in `mode`; documents need settings that only some functions have."""
    from waybill.minting.domain.answers import IdentifierMinter
    from waybill.minting.domain.documents import DocumentMinter
    from waybill.minting.domain.requests import Mode

    made = minter(context)
    return IdentifierMinter(made) if mode is Mode.IDENTIFIERS else DocumentMinter(made, documents(), document_records())


def respond(payload: object, context: "InvocationContext", cap: int, *, resumes: bool = False) -> "MintAnswer":
    """Return the answer to a request of at most `cap` identifiers; `resumes`: it may hold an `earlier` answer."""
    from waybill.minting.adapters.metrics import RequestMetrics
    from waybill.minting.domain.answers import answer

    with RequestMetrics() as measured:
        answered = answer(payload, partial(answers, context), cap, resumes=resumes)
        measured.record(answered)
    return answered


def request_cap() -> int:
    """Return the most identifiers that a request may have."""
    settings: RequestSettings = load(RequestSettings)
    return settings.identifiers_per_request


@cache
def notifier() -> "SnsNotifier":
    """Return the failure topic."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.sns import SnsNotifier

    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


def runs() -> "S3Runs":
    """Return what runs keep in S3."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.runs import S3Runs

    return S3Runs(client("s3"), load(DocumentSettings).documents_bucket)


def queue(context: "InvocationContext") -> "QueuedRequests":
    """Return what handles queued requests in one invocation."""
    from waybill.core.aws.clients import client
    from waybill.minting.adapters.queue import ResultQueue
    from waybill.minting.domain.queued_requests import QueuedRequests

    results = ResultQueue(client("sqs"), load(ResultQueueSettings).minting_result_queue_url)
    return QueuedRequests(lambda payload: respond(payload, context, request_cap()), results, runs(), notifier())


def plan(request: object, run: "MintingRun") -> "RunPlan":
    """Return the chunks of a large request, or where they are."""
    from waybill.minting.domain.plan import chunks, fitting_chunks
    from waybill.minting.domain.requests import echoing

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


def _planned(request: Mapping[str, object]) -> "ChunkPlan":
    from waybill.minting.domain.plan import plan_lines, plan_request
    from waybill.minting.domain.selection import Named, Written, parse_selection

    match parse_selection(request):
        case Named(uri):
            return plan_lines(request, runs().lines(uri), as_json=uri.endswith(".jsonl"))
        case Written() as written:
            names = (name for name, moment in documents().names() if written.holds(moment))
            return plan_lines(request, names, may_be_empty=True)
        case _:
            return plan_request(request)


def summarise(run: str, chunk_count: int, job_id: str | None) -> "RunSummary":
    """Return the result of a run whose chunks have all left theirs."""
    from waybill.minting.domain.run_report import summary

    return summary(runs(), run, chunk_count, job_id)
