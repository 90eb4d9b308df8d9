"""The HTTP routes of replication."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from waybill.core.clock import now
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.http import Role, build_api, caller, decode_cursor, encode_cursor
from waybill.core.wire import WireModel
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.dismissal import dismiss
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import BucketName, FileId, ObjectKey, StartRequest
from waybill.replication.views import (
    DismissalReply,
    FileReport,
    RecordView,
    StartReply,
    file_report,
    is_position,
    list_records,
    start_reply,
)

app = build_api(WORKFLOW, title="Replication", roles=[Role.REPLICATION])


class RecordList(WireModel):
    """Tracking records, newest first; `cursor` asks for the next page, null at the end."""

    replications: tuple[RecordView, ...]
    cursor: str | None


@app.post("/step-function", summary="Start a replication")
def start(request: StartRequest) -> StartReply:
    """Start the replication of one object; a run that is carrying out the same now answers for it."""
    return start_reply(runtime.start_manually(request.wire()))


class DismissalRequest(WireModel, extra="forbid"):
    """Which failures nobody will mend, and why; without `destination_bucket` those at every destination."""

    source_bucket: BucketName
    source_key: ObjectKey
    destination_bucket: BucketName | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@app.post("/replications/dismiss", summary="Dismiss failures that nobody will mend")
def dismiss_failures(request: DismissalRequest) -> DismissalReply:
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
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(description="Where an earlier answer ended")] = None,
) -> RecordList:
    """List the records of the files, newest first."""
    page = list_records(runtime.tracking(), status, limit, _position(cursor))
    next_cursor = encode_cursor({"position": page.position}) if page.position else None
    return RecordList(replications=page.items, cursor=next_cursor)


@app.get("/replications/file", summary="Show one file")
def show_replication(
    source_bucket: Annotated[BucketName, Query(alias="sourceBucket")],
    source_key: Annotated[ObjectKey, Query(alias="sourceKey")],
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
