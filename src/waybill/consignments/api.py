"""The HTTP routes of the consignment checks."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.lookup import as_it_stands, consignment_report, file_page
from waybill.consignments.domain.registration import owned
from waybill.consignments.domain.requests import ConsignmentRequest, consignment_id_of
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import Consignment
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.http import Role, build_api, caller, decode_cursor, encode_cursor
from waybill.core.wire import WireModel

# A thousand files with paths of 4,096 bytes; API Gateway and Lambda take more.
_MAX_BODY_BYTES = 5_000_000

app = build_api(
    WORKFLOW,
    title="Consignments",
    roles=[Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE],
    max_body_bytes=_MAX_BODY_BYTES,
)


class RegisteredFileReply(WireModel):
    """Where one file is to be uploaded to."""

    file_id: str
    path: str
    upload_key: str


class RegistrationReply(WireModel):
    """A registered page."""

    consignment_id: str
    files: list[RegisteredFileReply]


class CheckReply(WireModel):
    """A run that exists now; `already_running` says that an earlier request had started it."""

    execution_arn: str
    already_running: bool


class FileList(WireModel):
    """Files with their results; `cursor` asks for the next page, null at the end."""

    files: list[dict[str, Any]]
    cursor: str | None


@app.post("/consignments", summary="Register a consignment", status_code=201)
def register(request: ConsignmentRequest) -> RegistrationReply:
    """Register up to 1,000 files; further pages name the consignment. The same page again changes nothing."""
    who = caller(app)
    return RegistrationReply.model_validate(runtime.registrar().take(request, who.subject, rehearsal=who.rehearsal))


@app.post("/backend-checks/<consignmentId>", summary="Start the checks")
def start(consignmentId: str) -> CheckReply:  # noqa: N803 - as in the path
    """Start the checks of a consignment, or find that they are under way."""
    started = runtime.starter().start(_own(consignmentId))
    return CheckReply(execution_arn=started.execution_arn, already_running=started.already_running)


@app.get("/consignments/<consignmentId>", summary="Show a consignment")
def show(consignmentId: str) -> dict[str, Any]:  # noqa: N803 - as in the path
    """Show statuses and progress."""
    consignment = as_it_stands(_own(consignmentId), runtime.table(), runtime.executions())
    return consignment_report(consignment, runtime.table(), runtime.table())


@app.get("/consignments/<consignmentId>/files", summary="Show the files of a consignment")
def files(
    consignmentId: str,  # noqa: N803 - as in the path
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(description="Where an earlier answer ended")] = None,
) -> FileList:
    """Show what was found of each file, with the explanation of each verdict."""
    page, last = file_page(_own(consignmentId), runtime.table(), shipped(), limit, _position(cursor))
    return FileList(files=page, cursor=encode_cursor({"after": last}) if last else None)


def _own(consignment_id: str) -> Consignment:
    who = caller(app)
    service = who.may([Role.CONSIGNMENTS_SERVICE])
    return owned(runtime.table(), consignment_id_of(consignment_id), who.subject, service=service)


def _position(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return consignment_id_of(decode_cursor(cursor).get("after"), "cursor")
    except InvalidInputError:
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list")) from None
