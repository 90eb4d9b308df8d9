"""The HTTP routes of replication."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from waybill.core.clock import now
from waybill.core.cursors import CURSOR_LIMIT
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.http import Role, build_api, caller, decode_cursor, encode_cursor, fails
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.dismissal import dismiss
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import BucketName, FileId, ObjectKey, StartRequest
from waybill.replication.views import (
    DismissalBody,
    DismissalReply,
    FileReport,
    RecordList,
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
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    cursor: Annotated[
        str | None,
        Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged"),
    ] = None,
) -> RecordList:
    """List the records of the files, newest first."""
    page = list_records(runtime.tracking(), status, limit, _position(cursor))
    next_cursor = encode_cursor({"position": page.position}) if page.position else None
    return RecordList(replications=page.items, cursor=next_cursor)


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


def _position(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    position = decode_cursor(cursor).get("position")
    if not isinstance(position, str) or not is_position(position):
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
    return position
