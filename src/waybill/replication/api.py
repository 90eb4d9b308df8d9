"""The HTTP routes of replication."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import Annotated
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from waybill.core.api import (
    Role,
    build_api,
    caller,
    decode_cursor,
    encode_cursor,
    fails,
    idempotency_header,
    list_cursor,
    list_position,
)
from waybill.core.clock import now
from waybill.core.cursors import CURSOR_LIMIT
from waybill.core.errors import ConflictError, FieldError, InvalidInputError
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.backfill_job import RECORD as BACKFILL
from waybill.replication.domain.backfill_job import BackfillJob, JobEndedError
from waybill.replication.domain.backfill_report import ReportPlace, report_page
from waybill.replication.domain.backfill_request import (
    BackfillRequest,
    RetryRequest,
    backfill_asked,
    failed_entries,
    named_entries,
    retry_asked,
)
from waybill.replication.domain.dismissal import dismiss
from waybill.replication.domain.pending import COUNTED, pending_of
from waybill.replication.domain.records import RecordStatus
from waybill.replication.domain.throughput import ENDED, throughput_of
from waybill.replication.domain.verification_job import RECORD as VERIFICATION
from waybill.replication.domain.verification_request import VerificationRequest
from waybill.replication.job_views import (
    BackfillList,
    BackfillView,
    VerificationList,
    VerificationReport,
    VerificationView,
    job_position,
)
from waybill.replication.models import BucketName, FileId, ObjectKey, StartRequest
from waybill.replication.views import (
    DismissalBody,
    DismissalReply,
    FileReport,
    RecordList,
    ReplicationStatistics,
    StartReply,
    file_report,
    is_position,
    list_records,
    start_reply,
)

app = build_api(
    WORKFLOW,
    title="Replication",
    description="Copies every file of a source to every destination, and keeps account of each copy.",
    roles=[Role.REPLICATION],
)


_FINDINGS = 200
_REPORT: dict[int, OpenAPIResponse] = {
    200: {
        "description": "The report, or the part of it that follows what came before",
        "headers": {
            "Link": {
                "description": 'Where the next part is, with `rel="next"`: the parts after each other are the report',
                "schema": {"type": "string"},
            }
        },
        "content": {"text/csv": {"schema": {"type": "string", "description": "A row for each object and destination"}}},
    }
}
_LIMIT = Annotated[int, Query(ge=1, le=200, description="How many at most")]
_CURSOR = Annotated[
    str | None, Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged")
]
_JOB_ID = Annotated[str, Path(description="Its id", max_length=100, examples=["20261102-091500-1f7c11aa"])]


@app.post("/step-function", summary="Start a replication")
def start_replication(request: StartRequest) -> StartReply:
    """Start the replication of one object; a run that is carrying out the same now answers for it."""
    return start_reply(runtime.start_manually(request.wire()))


@app.post("/replications/dismiss", summary="Dismiss failures that nobody will mend")
@fails({404: "The file has no record"})
def dismiss_failures(request: DismissalBody) -> DismissalReply:
    """Take failures of one file out of the list of failures, with who said so and why; no copy is touched."""
    records, file = runtime.tracking(), FileId(request.source_bucket, request.source_key)
    by, bucket = caller(app).subject, request.destination_bucket
    buckets = dismiss(records, file, bucket, by=by, reason=request.reason, now=now)
    status = file_report(records, file).status
    return DismissalReply(
        source_bucket=file.source_bucket, source_key=file.source_key, destination_buckets=buckets, status=status
    )


@app.get("/replications", summary="List tracking records")
def list_replications(
    status: Annotated[RecordStatus | None, Query(description="Only records of this status")] = None,
    limit: _LIMIT = 50,
    cursor: _CURSOR = None,
) -> RecordList:
    """List the records of the files, newest first."""
    page = list_records(runtime.tracking(), status, limit, _position(cursor, status))
    next_cursor = list_cursor({"position": page.position}, "replications", status) if page.position else None
    return RecordList(replications=page.items, cursor=next_cursor)


@app.get("/replications/statistics", summary="Count replications by the hour", operation_id="countReplications")
def count_replications(
    hours: Annotated[int, Query(ge=1, le=168, description="How many hours back")] = 24,
) -> ReplicationStatistics:
    """Count files by the hour of their last run with how long it took, and what is on its way."""
    records, moment = runtime.tracking(), now()
    counted = throughput_of(records.newest(ENDED), moment - timedelta(hours=hours))
    waiting = pending_of(records.oldest_open(COUNTED), moment, timedelta())
    return ReplicationStatistics.of_counts(counted, waiting)


@app.get("/replications/file", summary="Show one file")
@fails({404: "The file has no record"})
def show_replication(
    source_bucket: Annotated[
        BucketName, Query(alias="sourceBucket", description="The bucket of the source", examples=["waybill-source"])
    ],
    source_key: Annotated[
        ObjectKey,
        Query(alias="sourceKey", description="The key of the file in its source", examples=["reports/2026/annual.pdf"]),
    ],
) -> FileReport:
    """Show the record of one file with its destinations and its history."""
    return file_report(runtime.tracking(), FileId(source_bucket, source_key))


def _page(cursor: str | None, record: str) -> Mapping[str, str] | None:
    return None if cursor is None else job_position(decode_cursor(cursor), record)


def _next(position: Mapping[str, str] | None) -> str | None:
    return encode_cursor(dict(position)) if position else None


@app.get("/backfills", summary="List backfills")
def list_backfills(limit: _LIMIT = 50, cursor: _CURSOR = None) -> BackfillList:
    """List the backfills, newest first."""
    page = runtime.backfills().newest(limit, _page(cursor, BACKFILL))
    return BackfillList(backfills=tuple(map(BackfillView.of_job, page.jobs)), cursor=_next(page.position))


@app.post("/backfills", summary="Start a backfill", status_code=202)
@fails({409: "The idempotency key was used for another backfill"})
def start_backfill(
    request: BackfillRequest,
    idempotency_key: Annotated[
        str | None, idempotency_header("The same key again is answered with the same backfill", "first-backfill")
    ] = None,
) -> Response[BackfillView]:
    """Bring everything that is missing or differs, in the background; a run for each object that needs one."""
    by, settings = caller(app).subject, runtime.job_defaults()
    asked = backfill_asked(request, runtime.job_id(by, idempotency_key), *settings, by, now())
    return _accepted(runtime.start_backfill(asked, lambda: named_entries(request)))


@app.post("/replications/retry", summary="Retry what has failed", operation_id="retryReplications", status_code=202)
@fails({404: "A file has no record", 409: "None of these files has failed, or the key was used for another request"})
def retry_replications(
    request: RetryRequest,
    idempotency_key: Annotated[
        str | None, idempotency_header("The same key again is answered with the same backfill", "retry-denied")
    ] = None,
) -> Response[BackfillView]:
    """Start what has failed once more, as a backfill; what has arrived since is left alone."""
    by, settings = caller(app).subject, runtime.job_defaults()
    asked = retry_asked(request, runtime.job_id(by, idempotency_key), *settings, by, now())
    return _accepted(runtime.start_backfill(asked, lambda: failed_entries(request, runtime.tracking())))


@app.post("/backfills/<backfillId>/resume", summary="Resume a backfill", status_code=202)
@fails({404: "There is no such backfill, or it is no longer kept", 409: "It has ended"})
def resume_backfill(backfillId: _JOB_ID) -> Response[BackfillView]:  # noqa: N803 - as in the path
    """Let the server go on with a backfill behind its last object, whoever has worked on it before."""
    try:
        return _accepted(runtime.resume_backfill(backfillId, caller(app).subject))
    except JobEndedError as ended:
        raise ConflictError(str(ended)) from ended


def _accepted(job: BackfillJob) -> Response[BackfillView]:
    return Response(202, content_type="application/json", body=BackfillView.of_job(job))


@app.get("/backfills/<backfillId>", summary="Show a backfill")
@fails({404: "There is no such backfill, or it is no longer kept"})
def show_backfill(backfillId: _JOB_ID) -> BackfillView:  # noqa: N803 - as in the path
    """Show how a backfill stands."""
    return BackfillView.of_job(runtime.backfills().read(backfillId))


@app.get("/backfills/<backfillId>/report", summary="Export the report of a backfill", responses=_REPORT)
@fails({404: "There is no such backfill, or it is no longer kept"})
def export_backfill(backfillId: _JOB_ID, cursor: _CURSOR = None) -> Response[str]:  # noqa: N803 - as in the path
    """Give a row for each object and destination, so far; what does not fit an answer follows at `Link`."""
    jobs = runtime.backfills()
    job = jobs.read(backfillId)
    begin = ReportPlace(0, 0) if cursor is None else _place(decode_cursor(cursor), job)
    text, follows = report_page(job, lambda part: jobs.lines(backfillId, part), begin)
    headers = {"Content-Disposition": f'attachment; filename="backfill-{quote(backfillId)}.csv"'}
    if follows:
        more = encode_cursor({"backfill": backfillId, "part": follows.part, "line": follows.line})
        # Relative to what was asked for (RFC 8288), whose path has the stage of the API before it.
        headers["Link"] = f'<?cursor={more}>; rel="next"'
    return Response(200, content_type="text/csv; charset=utf-8", body=text, headers=headers)


def _place(decoded: Mapping[str, object], job: BackfillJob) -> ReportPlace:
    match decoded:
        case {"backfill": job.backfill_id, "part": int(part), "line": int(line)} if part in range(job.chunks):
            return ReportPlace(part, max(line, 0))
    raise InvalidInputError(FieldError("cursor", "is not a cursor of this report"))


@app.post("/backfills/<backfillId>/cancel", summary="Cancel a backfill")
@fails({404: "There is no such backfill, or it is no longer kept", 409: "It has ended"})
def cancel_backfill(backfillId: _JOB_ID) -> BackfillView:  # noqa: N803 - as in the path
    """End a backfill, wherever it is worked on; runs that it has started go on."""
    try:
        return BackfillView.of_job(runtime.backfills().cancel(backfillId))
    except JobEndedError as ended:
        raise ConflictError(str(ended)) from ended


@app.get("/verifications", summary="List verifications")
def list_verifications(limit: _LIMIT = 50, cursor: _CURSOR = None) -> VerificationList:
    """List the verifications, newest first."""
    page = runtime.verification_table().newest(limit, _page(cursor, VERIFICATION))
    return VerificationList(verifications=tuple(map(VerificationView.of_job, page.jobs)), cursor=_next(page.position))


@app.post("/verifications", summary="Start a verification", status_code=202)
@fails({409: "The idempotency key was used for another verification"})
def start_verification(
    request: VerificationRequest,
    idempotency_key: Annotated[
        str | None,
        idempotency_header("The same key again is answered with the same verification", "weekly-2026-45"),
    ] = None,
) -> Response[VerificationView]:
    """Compare copies with their sources, in the background; people are told of what was found."""
    job = runtime.start_verification(request, caller(app).subject, idempotency_key)
    return Response(202, content_type="application/json", body=VerificationView.of_job(job))


@app.get("/verifications/<verificationId>", summary="Show a verification")
@fails({404: "There is no such verification, or it is no longer kept"})
def show_verification(
    verificationId: _JOB_ID,  # noqa: N803 - as in the path
) -> VerificationReport:
    """Show how a verification stands, with the first of its findings."""
    table = runtime.verification_table()
    job = table.read(verificationId)
    return VerificationReport.of_findings(job, list(islice(table.findings(job), _FINDINGS)))


def _position(cursor: str | None, status: RecordStatus | None) -> str | None:
    if cursor is None:
        return None
    position = list_position(cursor, "replications", status).get("position")
    if not isinstance(position, str) or not is_position(position):
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
    return position
