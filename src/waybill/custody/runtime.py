"""The collaborators of custody: what a handler, a route and a command build them from.

Each is built when it is first needed, and what it is made of is imported then: a function loads what it uses.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING

from waybill.core.clock import now
from waybill.core.errors import ConflictError, NotFoundError
from waybill.core.settings import load
from waybill.custody.errors import BadProofError, CustodyUnavailableError, UnknownRecordError
from waybill.custody.settings import (
    LedgerSettings,
    LinkSettings,
    LogBucketSettings,
    LogSettings,
    RefusalSettings,
    SealingSettings,
    SourceSettings,
    SwitchSettings,
    TrailSettings,
    WatchSettings,
    WorkflowBucketSettings,
)

if TYPE_CHECKING:
    from waybill.core.invocations import SqsRecord
    from waybill.custody.adapters.kms import KmsKeys, KmsSigner
    from waybill.custody.adapters.log_bucket import S3Log
    from waybill.custody.adapters.refusals import RefusedMessages
    from waybill.custody.adapters.streams import StreamRecord
    from waybill.custody.adapters.table import CustodyTable
    from waybill.custody.domain.erasing import Eraser
    from waybill.custody.domain.interpreting import Intake, Interpreter, TakenIn, Workflow
    from waybill.custody.domain.linking import Linker
    from waybill.custody.domain.recording import EventRecorder, Recorded
    from waybill.custody.domain.records.change import ItemChange
    from waybill.custody.domain.restoring import Restorer
    from waybill.custody.domain.sealing import Sealed
    from waybill.custody.domain.signed_heads import VerifierKey
    from waybill.custody.domain.standing import PlaceStanding
    from waybill.custody.domain.tracing import Trace, Tracer
    from waybill.custody.domain.verifying import Verifier
    from waybill.custody.models import Happening
    from waybill.custody.views import TraceView

_BATCH = 100


@cache
def table() -> "CustodyTable":
    """Return the custody table."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.table import CustodyTable

    return CustodyTable(client("dynamodb"), load(LedgerSettings).custody_table)


@cache
def keys() -> "KmsKeys":
    """Return the keys that are derived."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.kms import KmsKeys

    return KmsKeys(client("kms"), load(LedgerSettings).custody_mac_key_arn)


@cache
def signer() -> "KmsSigner":
    """Return what signs the log."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.kms import KmsSigner

    settings = load(LogSettings)
    return KmsSigner(client("kms"), settings.custody_key_arn, f"waybill/{settings.custody_log_bucket}")


def log() -> "S3Log":
    """Return the files of the log."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.log_bucket import S3Log

    return S3Log(client("s3"), load(LogSettings).custody_log_bucket)


def require_recording() -> None:
    """Let nobody take silence for an answer.

    Raises
    ------
    NotFoundError
        The stack does not record.
    """
    if not load(SwitchSettings).custody:
        raise NotFoundError("Custody is off in this stack (parameter Custody): what happens to files is not recorded")


def tracer() -> "Tracer":
    """Return what answers what happened to a file; raises as `require_recording`."""
    require_recording()
    from waybill.custody.domain.tracing import Tracer

    return Tracer(table(), keys())


def sources() -> "Mapping[str, Workflow]":
    """Return whose table each of the workflows' tables is."""
    from waybill.custody.domain.interpreting import Workflow

    settings = load(SourceSettings)
    return {
        settings.file_copy_tracking_table: Workflow.REPLICATION,
        settings.identifiers_table: Workflow.MINTING,
        settings.consignments_table: Workflow.CONSIGNMENTS,
        settings.scans_table: Workflow.SCANNING,
        settings.subject_access_table: Workflow.SUBJECT_ACCESS,
    }


def intake(source: str) -> "Intake":
    """Return what records changes; `source` says where they are known from."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.sqs import QueueSender
    from waybill.custody.adapters.refusals import RefusedQueue
    from waybill.custody.domain.interpreting import Intake

    refusals = RefusedQueue(QueueSender(client("sqs"), load(RefusalSettings).custody_refused_queue_url))
    return Intake(_interpreter(), _recorder(source), refusals)


def _recorder(source: str) -> "EventRecorder":
    from waybill.custody.domain.key_pattern import KeyPattern
    from waybill.custody.domain.recording import EventRecorder

    pattern = KeyPattern.of(load(LinkSettings).custody_identifier_pattern)
    return EventRecorder(table(), keys(), now, source, pattern)


def _interpreter() -> "Interpreter":
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.other_records import WorkflowTables
    from waybill.custody.domain.interpreting import Interpreter
    from waybill.custody.domain.records.change import BucketNames

    places, tables = load(WorkflowBucketSettings), load(SourceSettings)
    buckets = BucketNames(
        places.consignment_upload_bucket,
        places.consignment_clean_bucket,
        places.consignment_quarantine_bucket,
        places.subject_access_reports_bucket,
    )
    others = WorkflowTables(client("dynamodb"), tables.consignments_table, tables.scans_table)
    return Interpreter(others, buckets)


def record_stream(records: "Iterable[StreamRecord]", slip: str) -> "TakenIn":
    """Record what a batch of a stream tells."""
    from waybill.custody.adapters.streams import changes_of

    return intake("stream").take(changes_of(records, sources()), slip)


def record_notices(messages: "Iterable[SqsRecord]", slip: str) -> "tuple[Recorded, Mapping[str, str]]":
    """Record what S3 tells of watched buckets; return also the ids of messages that nobody understands, with why."""
    from waybill.custody.adapters.notices import notices_of

    happened, unknown = notices_of(messages, load(LogBucketSettings).custody_log_bucket)
    return _recorder("s3").record(happened, [], slip), unknown


def seal() -> "Iterator[Sealed]":
    """Seal what is waiting, step by step."""
    from waybill.custody.domain.log_files import LogFiles
    from waybill.custody.domain.sealing import Sealer

    settings: SealingSettings = load(SealingSettings)
    files = log()
    sealer = Sealer(
        table(), files, LogFiles(files, signer()), keys(), now, timedelta(seconds=settings.custody_settling_seconds)
    )
    while True:
        step = sealer.step()
        yield step
        if not step.more:
            return


def reconcile(workflow: "Workflow") -> "Iterator[TakenIn]":
    """Record what a table of the workflows holds, as far as it is not recorded; yields what batches come to.

    Raises as `require_recording`.
    """
    require_recording()
    taking = intake("record")
    for some in batched(_recorded_by(workflow), _BATCH, strict=False):
        yield taking.take(((workflow, change) for change in some), uuid.uuid4().hex)


def reconcile_further(has_time: Callable[[], bool]) -> "Iterator[TakenIn]":
    """Record what the tables hold and custody has lost, from where the last time ended; yields as `reconcile`."""
    from waybill.custody.domain.reconciling import Reconciler

    yield from Reconciler(intake("record"), table(), _recorded_by).go_on(has_time)


def _recorded_by(workflow: "Workflow", start: Mapping[str, str] | None = None) -> "Iterator[ItemChange]":
    from waybill.core.aws.clients import client
    from waybill.core.aws.table import Read, Table
    from waybill.custody.domain.records.change import NO_RECORD, ItemChange

    (name,) = (name for name, owner in sources().items() if owner is workflow)
    for item in Table(client("dynamodb"), name, CustodyUnavailableError).scan(
        read=Read(consistent=True), start=dict(start) if start else None
    ):
        yield ItemChange(NO_RECORD, item)


def restorer() -> "Restorer":
    """Return what puts back items that are not what the log says."""
    from waybill.custody.domain.restoring import Restorer

    return Restorer(verifier(), table(), keys(), _told_by_records)


def _told_by_records(names: "Iterable[str]") -> "Iterator[Happening]":
    """Yield what the records of those workflows tell, as far as it is understood; of custody itself, nothing."""
    from waybill.custody.domain.interpreting import Workflow

    # Events say "subject access", where a command says "subject-access".
    wanted, interpreter = {name.replace(" ", "-") for name in names}, _interpreter()
    for workflow in Workflow:
        for change in _recorded_by(workflow) if workflow.value in wanted else ():
            with suppress(UnknownRecordError):
                yield from interpreter.told(workflow, change).happenings


def eraser() -> "Eraser":
    """Return what erases names."""
    from waybill.custody.domain.erasing import Eraser

    return Eraser(table(), _told_by_people(), keys(), now)


def linker() -> "Linker":
    """Return what links identifiers with files; raises as `require_recording`."""
    require_recording()
    from waybill.custody.domain.linking import Linker

    return Linker(table(), _told_by_people(), keys(), now)


def _told_by_people() -> "EventRecorder":
    from waybill.custody.domain.recording import EventRecorder

    return EventRecorder(table(), keys(), now, "person")


def refused() -> "RefusedMessages":
    """Return the records that wait for a person."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.refusals import RefusedMessages

    return RefusedMessages(client("sqs"), load(RefusalSettings).custody_refused_queue_url)


def read_again(workflow: "Workflow", key: Mapping[str, str]) -> "TakenIn | None":
    """Record what one item of a workflow's table tells; None where it is not there any more."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.table import Table
    from waybill.custody.domain.records.change import NO_RECORD, ItemChange

    (name,) = (name for name, owner in sources().items() if owner is workflow)
    item = Table(client("dynamodb"), name, CustodyUnavailableError).get(dict(key))
    if item is None:
        return None
    return intake("record").take([(workflow, ItemChange(NO_RECORD, item))], uuid.uuid4().hex)


def traces_below(bucket: str, prefix: str) -> "Iterator[tuple[str, Trace | None]]":
    """Yield the whole history of every file that lies in a bucket now, by its key; None where nothing is recorded."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.listing import keys_of
    from waybill.custody.domain.tracing import ByPlace
    from waybill.custody.models import Place

    traced = tracer()
    for key in keys_of(client("s3"), bucket, prefix):
        try:
            yield key, traced.whole(ByPlace(Place(bucket, key)))
        except NotFoundError:
            yield key, None


def standings(bucket: str, prefix: str) -> "Iterator[tuple[str, PlaceStanding | None]]":
    """Yield how every file stands that lies in a bucket now, by its key; None of one that nothing is recorded of."""
    from waybill.custody.domain.standing import standing_of
    from waybill.custody.models import Place

    for key, trace in traces_below(bucket, prefix):
        yield key, standing_of(trace, Place(bucket, key), now()) if trace else None


def export(traces: "Iterable[Trace]") -> Iterator[str]:
    """Yield a history as the lines of an export: each event with its proof, then the signed head."""
    from waybill.custody.domain.proving import Prover, checkpoint_line, exported_line

    prover: Prover | None = None
    for trace in traces:
        if prover is None and trace.head.edge.size:
            prover = Prover(log(), trace.head.edge.size, trace.head.edge.root)
        proven = prover.proofs(trace.events) if prover else ((event, None) for event in trace.events)
        yield from (exported_line(event, path) for event, path in proven)
    if prover:
        yield checkpoint_line(prover.note())


def head() -> str:
    """Return the newest signed head of the log.

    Raises
    ------
    NotFoundError
        Nothing was sealed yet.
    """
    from waybill.custody.domain.log_files import CHECKPOINT

    content = log().read(CHECKPOINT)
    if content is None:
        raise NotFoundError("Nothing was sealed yet")
    return content.decode(errors="replace")


def verifier(key: "VerifierKey | None" = None) -> "Verifier":
    """Return what compares the log with the table; `key` is the log's as somebody has kept it, else KMS is asked."""
    from waybill.core.aws.clients import client
    from waybill.custody.adapters.log_bucket import S3StoredLog
    from waybill.custody.adapters.trails import SubjectAccessTrails
    from waybill.custody.domain.verifying import Verifier

    stored = S3StoredLog(client("s3"), load(LogSettings).custody_log_bucket)
    trails = SubjectAccessTrails(client("dynamodb"), load(TrailSettings).subject_access_table)
    return Verifier(stored, table(), trails, keys(), key or signer().key(), now)


def view_of(trace: "Trace", cursor: str | None, *, prove: bool = False) -> "TraceView":
    """Return a page of a history as an answer, with proofs where they are asked for.

    Raises
    ------
    ConflictError
        The log does not prove what the table says.
    """
    from waybill.custody.domain.proving import Prover
    from waybill.custody.views import EventView, TraceView

    size = trace.head.edge.size if prove else 0
    watched = frozenset(load(WatchSettings).custody_watch_buckets.split(","))
    if not size:
        events = [EventView.of_event(event) for event in trace.events]
        return TraceView.of_trace(trace, events, cursor, None, watched)
    prover = Prover(log(), size, trace.head.edge.root)
    try:
        events = [EventView.of_event(event, path, size) for event, path in prover.proofs(trace.events)]
        note = prover.note()
    except BadProofError as error:
        raise ConflictError(f"The log does not prove this: {error}") from error
    return TraceView.of_trace(trace, events, cursor, note, watched)
