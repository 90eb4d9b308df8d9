"""The HTTP routes of replication."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.http import Role, build_api, decode_cursor, encode_cursor
from waybill.core.wire import WireModel
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import BucketName, FileId, ObjectKey, ReplicationRequest
from waybill.replication.views import (
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
def start(request: ReplicationRequest) -> StartReply:
    """Start the replication of one object; the same request for the same state of the object starts it once."""
    return start_reply(runtime.start_manually(request.wire()))


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
