"""The HTTP routes of the consignment checks."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

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
from waybill.core.cursors import CURSOR_LIMIT
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.http import Role, build_api, caller, decode_cursor, encode_cursor, fails

# A thousand files with paths of 4,096 bytes; API Gateway and Lambda take more.
_MAX_BODY_BYTES = 5_000_000

app = build_api(
    WORKFLOW,
    title="Consignments",
    description="Checks batches of files that are sent in: malware, checksum, format and redactions of each file.",
    roles=[Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE],
    max_body_bytes=_MAX_BODY_BYTES,
)


_ConsignmentId = Annotated[
    str,
    Path(
        max_length=100,
        description="The id that POST /consignments has given, a UUID",
        examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
    ),
]


@app.post("/consignments", summary="Register a consignment", status_code=201)
@fails(
    {
        404: "There is no such consignment",
        409: "The checks were started, or the same was registered otherwise, or by somebody else",
    }
)
def register_consignment(request: ConsignmentRequest) -> RegistrationView:
    """Register up to 1,000 files; further pages name the consignment. The same page again changes nothing."""
    who = caller(app)
    return registration_view(runtime.registrar().take(request, who.subject, rehearsal=who.rehearsal))


@app.post("/backend-checks/<consignmentId>", summary="Start the checks")
@fails({409: "Fewer files are registered than were announced, or none"})
def start_checks(consignmentId: _ConsignmentId) -> CheckStartView:  # noqa: N803 - as in the path
    """Start the checks of a consignment, or find that they are under way."""
    return check_start_view(runtime.starter().start(_own(consignmentId)))


@app.get("/consignments/<consignmentId>", summary="Show a consignment")
def show_consignment(consignmentId: _ConsignmentId) -> ConsignmentView:  # noqa: N803 - as in the path
    """Show how the checks of a consignment stand, and how far they are."""
    consignment = as_it_stands(_own(consignmentId), runtime.table(), runtime.executions())
    return consignment_view(consignment, runtime.table(), runtime.table())


@app.get("/consignments/<consignmentId>/files", summary="Show the files of a consignment")
def list_consignment_files(
    consignmentId: _ConsignmentId,  # noqa: N803 - as in the path
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 100,
    cursor: Annotated[
        str | None,
        Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged"),
    ] = None,
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
