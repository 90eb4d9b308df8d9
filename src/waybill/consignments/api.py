"""The HTTP routes of the consignment checks."""

import re
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.listing import ConsignmentLists
from waybill.consignments.domain.lookup import as_it_stands
from waybill.consignments.domain.registration import owned
from waybill.consignments.domain.reports.exports import CONTENT_TYPES, EXTENSIONS, ExportFormat, export
from waybill.consignments.domain.reports.page import report
from waybill.consignments.domain.requests import (
    ConsignmentRequest,
    CorrectionsRequest,
    UploadsRequest,
    WaiverRequest,
    consignment_id_of,
)
from waybill.consignments.domain.tables import shipped
from waybill.consignments.errors import FileNotFoundInConsignmentError
from waybill.consignments.models import Consignment, ConsignmentStatus
from waybill.consignments.views import (
    CheckStartView,
    ConsignmentListView,
    ConsignmentView,
    CorrectionsView,
    FileListView,
    FileView,
    RegistrationView,
    UploadsView,
    check_start_view,
    consignment_list_view,
    consignment_view,
    corrections_view,
    file_documents,
    file_page,
    file_view,
    registration_view,
    uploads_view,
)
from waybill.core.api import Role, allow, build_api, caller, fails, list_cursor, list_position
from waybill.core.clock import now
from waybill.core.cursors import CURSOR_LIMIT
from waybill.core.errors import FieldError, InvalidInputError

# A thousand files with paths of 4,096 bytes; API Gateway and Lambda take more.
_MAX_BODY_BYTES = 5_000_000

# Lambda answers with 6 MB at most, in which a text is written as JSON.
_MAX_TEXT_BYTES = 4_000_000
# When it was registered, and its id; the place in a list of files is an id alone.
_PLACE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_READ_ALL = (Role.CONSIGNMENTS_SERVICE, Role.CONSIGNMENTS_APPROVER)
_READERS = (Role.CONSIGNMENTS, *_READ_ALL)
_LOCATION: dict[str, OpenAPIResponseHeader] = {
    "Location": {"description": "An address that is good for five minutes", "schema": {"type": "string"}}
}
_ELSEWHERE: OpenAPIResponse = {"description": "It is too long for an answer, and is there", "headers": _LOCATION}
_PAGE: OpenAPIResponse = {
    "description": "The page",
    "content": {"text/html": {"schema": {"type": "string", "description": "The page"}}},
}
_REPORT: dict[int, OpenAPIResponse] = {200: _PAGE, 303: _ELSEWHERE}
_EXPORT: dict[int, OpenAPIResponse] = {
    200: {
        "description": "The results",
        "content": {
            kind: {"schema": {"type": "string", "description": what}}
            for kind, what in (
                ("text/csv", "A row for each file"),
                ("application/xml", "PREMIS 3: an event for each check of each file"),
                ("application/x-ndjson", "A line of JSON for each file"),
            )
        },
    },
    303: _ELSEWHERE,
}

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


_FileId = Annotated[
    str,
    Path(
        max_length=100,
        description="The id of a file, as POST /consignments has given it, a UUID",
        examples=["6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"],
    ),
]
_Limit = Annotated[int, Query(ge=1, le=200, description="How many at most")]
_Cursor = Annotated[
    str | None,
    Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged"),
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


@app.post("/consignments/<consignmentId>/uploads", summary="Renew the addresses of uploads")
@fails({404: "There is no such consignment, or no such file in it"})
def renew_uploads(consignmentId: _ConsignmentId, request: UploadsRequest) -> UploadsView:  # noqa: N803 - as in the path
    """Give fresh signed addresses for files: the earlier ones have lapsed, or the files come anew."""
    ids = [str(file_id) for file_id in request.file_ids]
    return uploads_view(runtime.registrar().renew(_own(consignmentId), ids))


@app.post("/consignments/<consignmentId>/corrections", summary="Correct files of a consignment")
@fails(
    {
        404: "There is no such consignment, or no such file in it",
        409: "The checks are under way, a file to be left out is accepted, or two files would have the same path",
    }
)
def correct_consignment(consignmentId: _ConsignmentId, request: CorrectionsRequest) -> CorrectionsView:  # noqa: N803 - as in the path
    """Give some files another content or path, and leave others out; what was found of them is forgotten.

    Upload the new contents, and start the checks: they are of these files alone, and what was found of the
    others stays, with the run that it is from.
    """
    return corrections_view(runtime.corrector().take(_own(consignmentId), request))


@app.post("/backend-checks/<consignmentId>", summary="Start the checks")
@fails({409: "Fewer files are registered than were announced, or none"})
def start_checks(consignmentId: _ConsignmentId) -> CheckStartView:  # noqa: N803 - as in the path
    """Start the checks of a consignment, or find that they are under way."""
    return check_start_view(runtime.starter().start(_own(consignmentId)))


@app.get("/consignments", summary="List consignments")
@allow(*_READERS)
def list_consignments(
    status: Annotated[ConsignmentStatus | None, Query(description="Only those that stand so at this moment")] = None,
    limit: _Limit = 50,
    cursor: _Cursor = None,
) -> ConsignmentListView:
    """List consignments, newest first: one's own, or everybody's for those who may read them all."""
    who = caller(app)
    owner = None if who.may(_READ_ALL) else who.subject
    lists = ConsignmentLists(runtime.table(), runtime.execution_states())
    about = ("consignments", owner, status)
    found, last = lists.page(owner, status, limit, _place(cursor, about))
    return consignment_list_view(found, list_cursor({"after": last}, *about) if last else None)


@app.get("/consignments/<consignmentId>", summary="Show a consignment")
@allow(*_READERS)
def show_consignment(consignmentId: _ConsignmentId) -> ConsignmentView:  # noqa: N803 - as in the path
    """Show how the checks of a consignment stand, and how far they are."""
    consignment = as_it_stands(_readable(consignmentId), runtime.table(), runtime.execution_states())
    return consignment_view(consignment, runtime.table(), runtime.table())


@app.get("/consignments/<consignmentId>/files", summary="Show the files of a consignment")
@allow(*_READERS)
def list_consignment_files(
    consignmentId: _ConsignmentId,  # noqa: N803 - as in the path
    limit: _Limit = 50,
    cursor: _Cursor = None,
) -> FileListView:
    """Show what was found of each file, with the explanation of each verdict."""
    about = ("files", consignmentId)
    page, last = file_page(_readable(consignmentId), runtime.table(), shipped(), limit, _position(cursor, about))
    return FileListView(files=page, cursor=list_cursor({"after": last}, *about) if last else None)


@app.get("/consignments/<consignmentId>/files/<fileId>", summary="Show a file of a consignment")
@allow(*_READERS)
@fails({404: "There is no such consignment, or no such file in it"})
def show_consignment_file(consignmentId: _ConsignmentId, fileId: _FileId) -> FileView:  # noqa: N803 - as in the path
    """Show what was found of one file, with the explanation of each verdict and the exceptions that were made."""
    consignment = _readable(consignmentId)
    file_id = consignment_id_of(fileId, "fileId")
    row = runtime.table().file_row(consignment.consignment_id, file_id)
    if row is None:
        raise FileNotFoundInConsignmentError(f"there is no file {file_id} in the consignment")
    return file_view(row, shipped())


@app.post("/consignments/<consignmentId>/files/<fileId>/waive", summary="Make an exception for a file")
@allow(Role.CONSIGNMENTS_APPROVER)
@fails(
    {
        404: "There is no such consignment, or no such file in it",
        409: "The checks have not ended, or there is no verdict that an exception can be made for",
    }
)
def waive_consignment_file(
    consignmentId: _ConsignmentId,  # noqa: N803 - as in the path
    fileId: _FileId,  # noqa: N803 - as in the path
    request: WaiverRequest,
) -> FileView:
    """Let a verdict on a file pass, with the reason: for somebody else than who has sent the consignment.

    It holds for this verdict and this content. Malware, and what failed of ours, cannot pass.
    """
    consignment = as_it_stands(_readable(consignmentId), runtime.table(), runtime.execution_states())
    file_id, by = consignment_id_of(fileId, "fileId"), caller(app).subject
    return file_view(runtime.waivers().waive(consignment, file_id, request.status, request.reason, by), shipped())


@app.get("/consignments/<consignmentId>/report", summary="Show the report of a consignment", responses=_REPORT)
@allow(*_READERS)
def get_consignment_report(consignmentId: _ConsignmentId) -> Response[str]:  # noqa: N803 - as in the path
    """Show the printable report of a consignment as it stands: what was sent, what is wrong, what checked it."""
    consignment = as_it_stands(_readable(consignmentId), runtime.table(), runtime.execution_states())
    shown = consignment_view(consignment, runtime.table(), runtime.table()).wire()
    left_out = list(runtime.table().left_out(consignment.consignment_id))
    page = report(shown, file_documents(consignment, runtime.table(), shipped()), now(), left_out)
    # Nothing in it asks for anything: should something ever slip through the template, no browser runs it.
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return _text(page, "text/html; charset=utf-8", f"reports/{consignment.consignment_id}.html", policy)


@app.get("/consignments/<consignmentId>/export", summary="Export the results of a consignment", responses=_EXPORT)
@allow(*_READERS)
def export_consignment(
    consignmentId: _ConsignmentId,  # noqa: N803 - as in the path
    format: Annotated[ExportFormat, Query(description="The form: of other tools, or of this API")],
) -> Response[str]:
    """Give what was found of every file; where that is too long for an answer, an address that is good for minutes."""
    consignment = as_it_stands(_readable(consignmentId), runtime.table(), runtime.execution_states())
    shown = consignment_view(consignment, runtime.table(), runtime.table()).wire()
    left_out = list(runtime.table().left_out(consignment.consignment_id))
    text = export(format, shown, file_documents(consignment, runtime.table(), shipped()), left_out)
    key = f"exports/{consignment.consignment_id}.{EXTENSIONS[format]}"
    name = key.removeprefix("exports/")
    return _text(text, CONTENT_TYPES[format], key, {"Content-Disposition": f'attachment; filename="{name}"'})


def _text(text: str, content_type: str, key: str, headers: dict[str, str]) -> Response[str]:
    """Return a text as an answer, or where it is too long for one, the address of a copy of it."""
    if len(text.encode(errors="replace")) <= _MAX_TEXT_BYTES:
        return Response(200, content_type=content_type, body=text, headers=headers)
    files = runtime.result_files()
    files.put(key, text, content_type)
    return Response(303, body="", headers={"Location": files.address(key, key.rpartition("/")[2])})


def _readable(consignment_id: str) -> Consignment:
    """Return a consignment that the caller may read: the owner, and who may read all of them."""
    who = caller(app)
    return owned(runtime.table(), consignment_id_of(consignment_id), who.subject, service=who.may(_READ_ALL))


def _own(consignment_id: str) -> Consignment:
    who = caller(app)
    service = who.may([Role.CONSIGNMENTS_SERVICE])
    return owned(runtime.table(), consignment_id_of(consignment_id), who.subject, service=service)


def _place(cursor: str | None, about: tuple[object, ...]) -> str | None:
    """Return the place in a list that a cursor names."""
    if cursor is None:
        return None
    place = list_position(cursor, *about).get("after")
    if not isinstance(place, str) or not _PLACE.fullmatch(place):
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
    return place


def _position(cursor: str | None, about: tuple[object, ...]) -> str | None:
    if cursor is None:
        return None
    try:
        return consignment_id_of(list_position(cursor, *about).get("after"), "cursor")
    except InvalidInputError:
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list")) from None
