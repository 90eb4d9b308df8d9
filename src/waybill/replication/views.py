"""What the routes and commands of replication answer."""

import json
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.core.wire import WireModel
from waybill.replication.domain.records import (
    DestinationItem,
    HistoryItem,
    RecordItem,
    RecordReader,
    RecordStatus,
    position_of,
)
from waybill.replication.domain.starter import EventOutcome, Started
from waybill.replication.models import FileId, ReplicationRequest

_HISTORY_SHOWN = 20
_JSON_TEXTS = ("destinationBuckets", "successfulBuckets", "failedBuckets", "copyResults")
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^|]*\|[^|]+\|.+", re.DOTALL)


class _Sparse(WireModel):
    """A model whose JSON leaves out what is not known."""

    @model_serializer(mode="wrap")
    def _without_nulls(self, serialize: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in serialize(self).items() if value is not None}


class RequestView(ReplicationRequest, _Sparse):
    """The input of a run."""


class StartReply(WireModel):
    """A run that is under way; `already_running` says that an earlier request had started it."""

    message: str
    execution_arn: str
    start_date: str
    input: RequestView
    already_running: bool


class WorkerStart(_Sparse):
    """One run that an event has started."""

    execution_arn: str
    start_date: str
    source_bucket: str
    source_key: str
    destination_buckets: tuple[str, ...]


class DestinationView(_Sparse):
    """One destination of a file or of a run; `bytes` moved, durations in milliseconds."""

    destination_bucket: str
    file_key: str | None = None
    source_key: str | None = None
    source_bucket: str | None = None
    status: str | None = None
    code: str | None = None
    success: bool | None = None
    start_time: str | None = None
    timestamp: str | None = None
    execution_id: str | None = None
    attempts: int | None = None
    retryable: bool | None = None
    etag: str | None = None
    version_id: str | None = None
    bytes: int | None = None
    strategy: str | None = None
    verification: str | None = None
    duration_ms: int | None = None
    error: str | None = None
    cause: str | None = None
    upload_id: str | None = None
    source_identity: str | None = None
    source_version_id: str | None = None
    dismissed_by: str | None = None
    dismissed_at: str | None = None
    dismiss_reason: str | None = None


class RunView(_Sparse):
    """One ended run of a file."""

    file_key: str
    source_bucket: str
    execution_id: str
    start_time: str
    completed_at: str | None = None
    status: str
    outcome: str
    destination_buckets: tuple[str, ...]
    total_buckets: int
    successful_copies: int
    failed_copies: int
    superseded_copies: int = 0
    successful_buckets: tuple[str, ...]
    failed_buckets: tuple[str, ...]


class RecordView(_Sparse):
    """The tracking record of one file: its latest run."""

    file_key: str
    source_bucket: str
    status: str
    execution_id: str
    execution_name: str | None = None
    start_time: str
    completed_at: str | None = None
    outcome: str | None = None
    destination_buckets: tuple[str, ...] = ()
    destination_prefix: str | None = None
    total_destination_buckets: int
    total_buckets: int | None = None
    successful_copies: int | None = None
    failed_copies: int | None = None
    superseded_copies: int | None = None
    dismissed_copies: int | None = None
    successful_buckets: tuple[str, ...] | None = None
    failed_buckets: tuple[str, ...] | None = None
    copy_results: tuple[DestinationView, ...] | None = None
    copy_results_cut: int | None = None
    version_id: str | None = None
    e_tag: str | None = None
    size: int | None = None


class FileReport(RecordView):
    """The record of one file with what is known of it at each destination, and its last ended runs, newest first."""

    destinations: tuple[DestinationView, ...]
    history: tuple[RunView, ...]


class DismissalReply(WireModel):
    """What was dismissed: `destination_buckets` are those whose failure is no longer listed as one."""

    source_bucket: str
    source_key: str
    destination_buckets: tuple[str, ...]
    status: str


class RecordPage(WireModel):
    """Some records, newest first, and the position to go on from; None when there are no more."""

    items: tuple[RecordView, ...]
    position: str | None


def list_records(records: RecordReader, status: RecordStatus | None, limit: int, position: str | None) -> RecordPage:
    """Return `limit` records of `status` (None: of every status) that come after `position`."""
    statuses = [status] if status else list(RecordStatus)
    found = list(islice(records.newest(statuses, before=position), limit + 1))
    more = position_of(found[limit - 1]) if len(found) > limit else None
    return RecordPage(items=tuple(RecordView(**_readable(item)) for item in found[:limit]), position=more)


def file_report(records: RecordReader, file: FileId) -> FileReport:
    """Return the record of `file` with `destinations` and `history`.

    Raises
    ------
    NotFoundError
        The file has no record.
    """
    record = records.record(file)
    if record is None:
        raise NotFoundError(f"there is no record of s3://{file.source_bucket}/{file.source_key}")
    here = {"sourceBucket": file.source_bucket}
    return FileReport(
        **_readable(record),
        destinations=tuple(DestinationView(**_readable(item) | here) for item in records.destinations(file)),
        history=tuple(RunView(**_readable(item) | here) for item in records.history(file, _HISTORY_SHOWN)),
    )


def is_position(text: str) -> bool:
    """Return whether `text` has the form of a position."""
    return _POSITION.fullmatch(text) is not None


def _readable(item: RecordItem | DestinationItem | HistoryItem) -> dict[str, Any]:
    """Return a stored item with its lists as lists."""
    return {name: json.loads(str(value)) if name in _JSON_TEXTS else value for name, value in item.items()}


def start_reply(started: Started) -> StartReply:
    """Return the answer to a manual start."""
    again = started.execution.already_running
    return StartReply(
        message="A run is carrying this out already" if again else "Step Function execution started successfully",
        execution_arn=started.execution.execution_arn,
        start_date=iso(started.execution.start_date),
        input=RequestView(**started.request.model_dump()),
        already_running=again,
    )


def worker_reply(outcome: EventOutcome) -> dict[str, Any]:
    """Return the worker's answer: of one record its own fields, of several a list under `executions`."""
    replies = [
        WorkerStart(
            execution_arn=started.execution.execution_arn,
            start_date=iso(started.execution.start_date),
            source_bucket=started.request.source_bucket,
            source_key=started.request.source_key,
            destination_buckets=started.request.destination_buckets,
        ).wire()
        for started in outcome.started
    ]
    message = f"{len(replies)} replications started, {len(outcome.ignored)} records ignored"
    only = replies[0] if len(replies) == 1 else {}
    return direct_reply(200, {"message": message, **only, "executions": replies})


def direct_reply(status: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `document` for a direct invocation, with `statusCode` and `body` besides, as the API has them."""
    return {"statusCode": status, **document, "body": json.dumps(document, ensure_ascii=False)}
