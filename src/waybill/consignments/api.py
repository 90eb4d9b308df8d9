"""The HTTP routes of the consignment checks."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.lookup import as_it_stands
from waybill.consignments.domain.registration import owned
from waybill.consignments.domain.requests import ConsignmentRequest, consignment_id_of
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import Consignment
from waybill.consignments.views import (
    CheckStartView,
    ConsignmentView,
    FileListView,
    RegistrationView,
    check_start_view,
    consignment_view,
    file_page,
    registration_view,
)
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.http import Role, build_api, caller, decode_cursor, encode_cursor

# A thousand files with paths of 4,096 bytes; API Gateway and Lambda take more.
_MAX_BODY_BYTES = 5_000_000

app = build_api(
    WORKFLOW,
    title="Consignments",
    roles=[Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE],
    max_body_bytes=_MAX_BODY_BYTES,
)


@app.post("/consignments", summary="Register a consignment", status_code=201)
def register(request: ConsignmentRequest) -> RegistrationView:
    """Register up to 1,000 files; further pages name the consignment. The same page again changes nothing."""
    who = caller(app)
    return registration_view(runtime.registrar().take(request, who.subject, rehearsal=who.rehearsal))


@app.post("/backend-checks/<consignmentId>", summary="Start the checks")
def start(consignmentId: str) -> CheckStartView:  # noqa: N803 - as in the path
    """Start the checks of a consignment, or find that they are under way."""
    return check_start_view(runtime.starter().start(_own(consignmentId)))


@app.get("/consignments/<consignmentId>", summary="Show a consignment")
def show(consignmentId: str) -> ConsignmentView:  # noqa: N803 - as in the path
    """Show statuses and progress."""
    consignment = as_it_stands(_own(consignmentId), runtime.table(), runtime.executions())
    return consignment_view(consignment, runtime.table(), runtime.table())


@app.get("/consignments/<consignmentId>/files", summary="Show the files of a consignment")
def files(
    consignmentId: str,  # noqa: N803 - as in the path
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(description="Where an earlier answer ended")] = None,
) -> FileListView:
    """Show what was found of each file, with the explanation of each verdict."""
    page, last = file_page(_own(consignmentId), runtime.table(), shipped(), limit, _position(cursor))
    return FileListView(files=page, cursor=encode_cursor({"after": last}) if last else None)


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
