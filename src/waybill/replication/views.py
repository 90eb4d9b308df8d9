"""What the routes and commands of replication answer."""

import json
import re
from collections.abc import Mapping
from itertools import islice
from typing import Self

from pydantic import Field

from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.core.views import RequestBody, View, optional
from waybill.replication.domain.pending import Pending
from waybill.replication.domain.records import (
    DestinationItem,
    HistoryItem,
    RecordItem,
    RecordReader,
    RecordStatus,
    position_of,
)
from waybill.replication.domain.starter import EventOutcome, Started
from waybill.replication.domain.throughput import Throughput
from waybill.replication.models import BucketName, FileId, ObjectKey

_HISTORY_SHOWN = 20
_JSON_TEXTS = ("destinationBuckets", "successfulBuckets", "failedBuckets", "copyResults")
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^|]*\|[^|]+\|.+", re.DOTALL)


_BUCKET, _COPY, _KEY = "waybill-source", "waybill-copy-eu", "reports/2026/annual.pdf"
_RUN = "arn:aws:states:eu-west-1:123456789012:execution:waybill-file-copy:3f2a9c"
_BEGUN, _ENDED = "2026-11-02T09:15:00.000Z", "2026-11-02T09:15:04.000Z"
_VERSION, _ETAG = "3HL4kqtJlcpXroDTDmJ", "9b2cf535f27731c974343645a3985328"


class _Stored(View, extra="ignore"):
    """A view of what is stored, which has fields of its own besides."""


class RunInput(View, extra="ignore"):
    """The input of a run."""

    source_bucket: str = Field(description="Where the object is", examples=[_BUCKET])
    source_key: str = Field(description="Its key", examples=[_KEY])
    destination_buckets: tuple[str, ...] = Field(description="Where copies go", examples=[[_COPY]])
    destination_prefix: str | None = optional("What the keys of the copies begin with", examples=["archive/"])
    version_id: str | None = optional("The version to copy", examples=[_VERSION])
    e_tag: str | None = optional("The ETag that the object must have", examples=[_ETAG])
    size: int | None = optional("Its size in bytes", ge=0)
    sequencer: str | None = optional("The place of S3's event among those of the key", examples=["0055AED6DCD90281E5"])
    look_first: bool | None = optional("Whether a destination is compared before anything is copied there")
    force: bool = Field(description="Whether copies are made whatever lies there")
    nonce: str | None = optional("Tells a run from another that does the same", examples=["1f7c11"])
    request_id: str | None = optional("Tells a request from another that asks for the same", examples=["8e7c11"])
    backfill_id: str | None = optional("The backfill that it is part of", examples=["bf-2026-11-02"])


class StartReply(View):
    """A run that is under way."""

    message: str = Field(
        description="What has happened, in one sentence", examples=["Step Function execution started successfully"]
    )
    execution_arn: str = Field(description="The execution of the workflow that carries it out", examples=[_RUN])
    start_date: str = Field(description="When the run was started, ISO 8601", examples=[_BEGUN])
    input: RunInput = Field(description="What the run was asked for")
    already_running: bool = Field(description="Whether an earlier request had started it")


class WorkerStart(View):
    """One run that an event has started."""

    execution_arn: str
    start_date: str
    source_bucket: str
    source_key: str
    destination_buckets: tuple[str, ...]


class DestinationView(_Stored):
    """One destination of a file or of a run; what is not known is left out."""

    destination_bucket: str = Field(description="The bucket that the copy goes to", examples=[_COPY])
    file_key: str | None = optional("The key of the file in its source", examples=[_KEY])
    source_key: str | None = optional("The key of the file in its source", examples=[_KEY])
    source_bucket: str | None = optional("The bucket of the source", examples=[_BUCKET])
    status: str | None = optional(
        "`IN_PROGRESS`, `COMPLETED`, `FAILED`, `SUPERSEDED` or `DISMISSED`", examples=["COMPLETED"]
    )
    code: str | None = optional(
        "How the copy ended, for programs: `COPIED`, `SKIPPED_IDENTICAL`, or why it failed", examples=["COPIED"]
    )
    success: bool | None = optional("Whether the destination has the file")
    start_time: str | None = optional("When the copy was begun, ISO 8601", examples=[_BEGUN])
    timestamp: str | None = optional("When the copy ended, ISO 8601", examples=[_ENDED])
    execution_id: str | None = optional("The run that this is about", examples=[_RUN])
    attempts: int | None = optional("How often the run has tried", ge=1)
    retryable: bool | None = optional("Whether another try may succeed")
    etag: str | None = optional("The ETag of the copy", examples=[_ETAG])
    version_id: str | None = optional("The version of the copy", examples=[_VERSION])
    bytes: int | None = optional("How many bytes were moved", ge=0, examples=[48213])
    strategy: str | None = optional("How the bytes were moved: `COPY` or in parts, `MULTIPART`", examples=["COPY"])
    verification: str | None = optional(
        "What proves that the copy equals its source: `CHECKSUM`, `ETAG` or `SIZE`", examples=["CHECKSUM"]
    )
    versions: int | None = optional(
        "How many versions the run has brought, where every version is; this is the newest of them", ge=1, examples=[5]
    )
    duration_ms: int | None = optional("How long it took, in milliseconds", ge=0, examples=[310])
    error: str | None = optional("What went wrong", examples=["NoSuchBucketError"])
    cause: str | None = optional("Why, for people", examples=["there is no bucket waybill-copy-eu"])
    upload_id: str | None = optional("The upload in parts that is under way", examples=["VXBsb2FkIElE"])
    source_identity: str | None = optional("The state of the source that was copied", examples=[_VERSION])
    source_version_id: str | None = optional("The version of the source that was copied", examples=[_VERSION])
    dismissed_by: str | None = optional("Who has said that nobody will mend this failure", examples=["alice"])
    dismissed_at: str | None = optional("When that was said, ISO 8601", examples=["2026-11-03T10:00:00.000Z"])
    dismiss_reason: str | None = optional("Why nobody will mend it", examples=["The bucket is gone for good"])


class RunView(_Stored):
    """One ended run of a file."""

    file_key: str = Field(description="The key of the file in its source", examples=[_KEY])
    source_bucket: str = Field(description="The bucket of the source", examples=[_BUCKET])
    execution_id: str = Field(description="The execution of the workflow", examples=[_RUN])
    start_time: str = Field(description="When it was started, ISO 8601", examples=[_BEGUN])
    completed_at: str | None = optional("When it ended, ISO 8601", examples=[_ENDED])
    status: str = Field(description="`COMPLETED`, `FAILED` or `SUPERSEDED`", examples=["COMPLETED"])
    outcome: str = Field(
        description="`SUCCESS`, `PARTIAL_FAILURE`, `FAILED` or `SUPERSEDED`: all destinations together",
        examples=["SUCCESS"],
    )
    destination_buckets: tuple[str, ...] = Field(description="Where copies were to go", examples=[[_COPY]])
    total_buckets: int = Field(description="How many destinations it had", ge=0)
    successful_copies: int = Field(description="How many destinations had the file at its end", ge=0)
    failed_copies: int = Field(description="At how many destinations it failed", ge=0, examples=[0])
    superseded_copies: int = Field(
        default=0, description="At how many destinations something newer was there already", ge=0
    )
    successful_buckets: tuple[str, ...] = Field(description="The destinations that had it", examples=[[_COPY]])
    failed_buckets: tuple[str, ...] = Field(description="The destinations where it failed", examples=[[]])


class RecordView(_Stored):
    """The tracking record of one file: its latest run. What is not known yet is left out."""

    file_key: str = Field(description="The key of the file in its source", examples=[_KEY])
    source_bucket: str = Field(description="The bucket of the source", examples=[_BUCKET])
    status: str = Field(
        description="Of all destinations together: `IN_PROGRESS` while one is, else `FAILED` while one's last attempt "
        "failed, else `COMPLETED`; `SUPERSEDED` by something newer; `DISMISSED`: failed, and let be",
        examples=["COMPLETED"],
    )
    execution_id: str = Field(description="The latest run", examples=[_RUN])
    execution_name: str | None = optional("The name of the latest run", examples=["3f2a9c"])
    start_time: str = Field(description="When the latest run was started, ISO 8601", examples=[_BEGUN])
    completed_at: str | None = optional("When the latest run ended, ISO 8601", examples=[_ENDED])
    outcome: str | None = optional(
        "How the latest run ended: `SUCCESS`, `PARTIAL_FAILURE`, `FAILED` or `SUPERSEDED`", examples=["SUCCESS"]
    )
    destination_buckets: tuple[str, ...] = Field(default=(), description="Where copies go", examples=[[_COPY]])
    destination_prefix: str | None = optional("What the keys of the copies begin with", examples=["archive/"])
    total_destination_buckets: int = Field(description="How many destinations there are", ge=0)
    total_buckets: int | None = optional("How many destinations the ended run had", ge=0)
    successful_copies: int | None = optional("How many destinations have the file", ge=0)
    failed_copies: int | None = optional("At how many destinations it failed", ge=0, examples=[0])
    superseded_copies: int | None = optional("At how many something newer is there", ge=0, examples=[0])
    dismissed_copies: int | None = optional("How many failures nobody will mend", ge=0, examples=[0])
    successful_buckets: tuple[str, ...] | None = optional("The destinations that have it", examples=[[_COPY]])
    failed_buckets: tuple[str, ...] | None = optional("The destinations where it failed", examples=[[]])
    copy_results: tuple[DestinationView, ...] | None = optional("What came of each destination in the latest run")
    copy_results_cut: int | None = optional("How many results are left out of `copyResults`", ge=0, examples=[0])
    version_id: str | None = optional("The version that was copied", examples=[_VERSION])
    e_tag: str | None = optional("The ETag of what was copied", examples=[_ETAG])
    size: int | None = optional("The size of the file in bytes", ge=0, examples=[48213])

    @classmethod
    def of_item(cls, item: RecordItem) -> Self:
        """Return the view of a stored record."""
        return cls(**_readable(item))


class FileReport(RecordView):
    """The record of one file with what is known of it at each destination, and its last ended runs, newest first."""

    destinations: tuple[DestinationView, ...] = Field(description="What is known of the file at each destination")
    history: tuple[RunView, ...] = Field(description="Its last ended runs, at most 20, the newest first")


class DismissalBody(RequestBody):
    """Which failures nobody will mend, and why."""

    source_bucket: BucketName = Field(description="The bucket of the source", examples=[_BUCKET])
    source_key: ObjectKey = Field(description="The key of the file in its source", examples=[_KEY])
    destination_bucket: BucketName | None = Field(
        default=None, description="The destination that failed; without it, every one", examples=[_COPY]
    )
    reason: str = Field(
        description="Why nobody will mend it", min_length=1, max_length=500, examples=["The bucket is gone for good"]
    )


class DismissalReply(View):
    """What was dismissed."""

    source_bucket: str = Field(description="The bucket of the source", examples=[_BUCKET])
    source_key: str = Field(description="The key of the file in its source", examples=[_KEY])
    destination_buckets: tuple[str, ...] = Field(
        description="The destinations whose failure is no longer listed as one", examples=[[_COPY]]
    )
    status: str = Field(description="The status of the file's record now", examples=["DISMISSED"])


class HourView(View):
    """What began in an hour."""

    hour: str = Field(description="Its beginning, ISO 8601", examples=["2026-11-02T09:00:00.000Z"])
    files: int = Field(description="Files that arrived at every destination", ge=0)
    failed: int = Field(description="Files that have failed", ge=0)
    p50: float = Field(description="Seconds of a run within which half of these files arrived", ge=0)
    p95: float = Field(description="Seconds within which 95 in a hundred arrived", ge=0)
    max: float = Field(description="Seconds of the slowest", ge=0)


class ReplicationStatistics(View):
    """Files by the hour of their last run, and what is on its way."""

    hours: tuple[HourView, ...] = Field(description="The hours in which anything began, oldest first")
    since: str = Field(
        description="From when on everything is counted, ISO 8601: of very many files the newest 10,000 are",
        examples=["2026-11-01T09:15:00.000Z"],
    )
    pending_objects: int = Field(description="Files that are on their way, counted up to 20,000", ge=0)
    pending_bytes: int = Field(description="Their bytes, as far as they are known", ge=0)

    @classmethod
    def of_counts(cls, counted: Throughput, pending: Pending) -> Self:
        """Return how counts are shown."""
        hours = tuple(
            HourView(
                hour=name,
                files=len(hour.seconds),
                failed=hour.failed,
                p50=hour.percentile(50),
                p95=hour.percentile(95),
                max=hour.percentile(100),
            )
            for name, hour in sorted(counted.hours.items())
        )
        return cls(hours=hours, since=counted.since, pending_objects=pending.objects, pending_bytes=pending.bytes)


class RecordList(View):
    """Tracking records, newest first."""

    replications: tuple[RecordView, ...] = Field(description="Some records")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end",
        examples=["eyJwb3NpdGlvbiI6IjIwMjYifQ"],
    )


class RecordPage(View):
    """Some records, newest first, and the position to go on from; None when there are no more."""

    items: tuple[RecordView, ...]
    position: str | None


def list_records(records: RecordReader, status: RecordStatus | None, limit: int, position: str | None) -> RecordPage:
    """Return `limit` records of `status` (None: of every status) that come after `position`."""
    statuses = [status] if status else list(RecordStatus)
    found = list(islice(records.newest(statuses, before=position), limit + 1))
    more = position_of(found[limit - 1]) if len(found) > limit else None
    return RecordPage(items=tuple(map(RecordView.of_item, found[:limit])), position=more)


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


def _readable(item: RecordItem | DestinationItem | HistoryItem) -> dict[str, object]:
    """Return a stored item with its lists as lists."""
    return {name: json.loads(str(value)) if name in _JSON_TEXTS else value for name, value in item.items()}


def start_reply(started: Started) -> StartReply:
    """Return the answer to a manual start."""
    again = started.execution.already_running
    return StartReply(
        message="A run is carrying this out already" if again else "Step Function execution started successfully",
        execution_arn=started.execution.execution_arn,
        start_date=iso(started.execution.start_date),
        input=RunInput(**started.request.model_dump()),
        already_running=again,
    )


def worker_reply(outcome: EventOutcome) -> dict[str, object]:
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
    before = sum(started.execution.already_running for started in outcome.started)
    message = f"{len(replies) - before} replications started, {len(outcome.ignored)} records ignored"
    message += f", {before} started before" if before else ""
    only = replies[0] if len(replies) == 1 else {}
    return direct_reply(200, {"message": message, **only, "executions": replies})


def direct_reply(status: int, document: Mapping[str, object]) -> dict[str, object]:
    """Return `document` for a direct invocation, with `statusCode` and `body` besides, as the API has them."""
    return {"statusCode": status, **document, "body": json.dumps(document, ensure_ascii=False)}
