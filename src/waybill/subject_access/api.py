"""The HTTP routes of requests, claims and reports."""

from base64 import b64encode
from datetime import date
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from waybill.core.api import (
    Role,
    allow,
    build_api,
    caller,
    fails,
    idempotency_header,
    list_cursor,
    list_position,
)
from waybill.core.clock import now
from waybill.core.cursors import CURSOR_LIMIT
from waybill.core.errors import FieldError, InvalidInputError
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.adapters.pdf_examination import counted_pages
from waybill.subject_access.domain import outside_worker
from waybill.subject_access.domain.answers import redactions_answer, trail_answer
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.claims import MOST_ATTEMPTS, lapsed_before
from waybill.subject_access.domain.corrections import Correction
from waybill.subject_access.domain.deadlines import london_day
from waybill.subject_access.domain.decisions import Extension
from waybill.subject_access.domain.downloads import What, download
from waybill.subject_access.domain.endings import Approval, Delivery, Refusal, Withdrawal
from waybill.subject_access.domain.handovers import claim_answer
from waybill.subject_access.domain.holds import HoldOrder, Release
from waybill.subject_access.domain.intake import NewRequest, accept, create
from waybill.subject_access.domain.keys import upload_key
from waybill.subject_access.domain.letters import LetterKind, LetterTexts
from waybill.subject_access.domain.mark_requests import Marks
from waybill.subject_access.domain.outside_worker import ClaimHolder, Completion, PartResult
from waybill.subject_access.domain.paging import page_of
from waybill.subject_access.domain.refusals import day_trail, trail_of
from waybill.subject_access.domain.worklist import RequestSearch, Wanted, progress, statistics, tasks
from waybill.subject_access.errors import UnknownRequestError, WrongStateError
from waybill.subject_access.models import RequestState, SubjectRequest
from waybill.subject_access.parameters import PageNumber, PageSize, Search, request_id
from waybill.subject_access.redaction_views import PartContent, PartList, RedactionsView
from waybill.subject_access.views import (
    AuditTrailView,
    ClaimView,
    HeartbeatView,
    OpenRequests,
    PackageLink,
    ReportLink,
    RequestProgress,
    RequestView,
    SavedPart,
    ShownRequest,
    TaskList,
    TaskView,
)

_READERS = (Role.SAR_USER, Role.SAR_WORKER, Role.SAR_SUPPORT, Role.SAR_APPROVER, Role.SAR_ADMIN)
_CASE_WORKERS = (Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN)
_MOST_UNCLAIMED = 1000

app = build_api(
    WORKFLOW,
    title="Subject access requests",
    description="Requests of people for what is held about them, until they have their report.",
    roles=_READERS,
)

_Id = Annotated[str, request_id("The id that POST /api/subjectAccessRequest has given")]
_OfRequest = Annotated[
    str,
    Query(
        min_length=1,
        max_length=64,
        description="The id of the request",
        examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
    ),
]
_Service = Annotated[
    str,
    Path(
        json_schema_extra={"maxLength": 200},
        description="The service, by its name in the catalogue",
        examples=["keyworker-api"],
    ),
]
_TrailId = Annotated[str, request_id("The id of a request, or a day such as 2026-11-02 for what was about none")]
_CREATED: dict[int, OpenAPIResponse] = {
    201: {
        "description": "The id of the request",
        "content": {
            "text/plain": {
                "schema": {
                    "type": "string",
                    "description": "The id of the request",
                    "examples": ["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
                }
            }
        },
    }
}
_REPORT: dict[int, OpenAPIResponse] = {
    200: {
        "description": "Where the report can be downloaded; the report itself to who accepts `application/pdf` first",
        "content": {
            "application/json": {"model": ReportLink},
            "application/pdf": {"schema": {"type": "string", "format": "binary", "description": "The report"}},
        },
    },
    303: {
        "description": "Where the report can be downloaded: it is too large for an answer",
        "headers": {"Location": {"description": "A signed address", "schema": {"type": "string", "format": "uri"}}},
    },
}
_PACKAGE: dict[int, OpenAPIResponse] = {
    200: {
        "description": "Where the package can be downloaded",
        "content": {"application/json": {"model": PackageLink}},
    },
    303: {
        "description": "Where the package can be downloaded, to who accepts `application/zip` first",
        "headers": {"Location": {"description": "A signed address", "schema": {"type": "string", "format": "uri"}}},
    },
}
_LETTER: dict[int, OpenAPIResponse] = {
    200: {
        "description": "The letter",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary", "description": "The letter"}}},
    }
}
_LOST = {409: "The claim is lost: somebody else has the request, or nobody"}


@app.post("/api/subjectAccessRequest", summary="Create a request", status_code=201, responses=_CREATED)
@allow(Role.SAR_USER)
@fails({409: "The idempotency key was used for another request"})
def create_subject_access_request(
    request: NewRequest,
    idempotency_key: Annotated[
        str | None,
        idempotency_header(
            "The same key again is answered with the same request, for as long as the request is kept", "case-4711"
        ),
    ] = None,
) -> Response[str]:
    """Create a request, which a worker takes as soon as one is free; the answer is its id."""
    known = {service.name: service for service in runtime.catalogue().services()}
    accepted = accept(request, known, london_day(now()))
    made = create(accepted, caller(app).subject, now(), runtime.store(), idempotency_key)
    return Response(201, content_type="text/plain", body=made.request_id)


@app.get("/api/subjectAccessRequest/<id>", summary="Show a request")
def show_subject_access_request(id: _Id) -> ShownRequest:
    """Show one request with the state of each service, and which other requests are about the same person or case."""
    request = _found(id)
    _record(id, "REQUEST_VIEWED")
    return ShownRequest.of(runtime.answers().request(request) | {"related": runtime.lists().related(request)})


@app.get("/api/subjectAccessRequests", summary="List requests", response_description="Requests, the newest first")
def list_subject_access_requests(
    search: Search = "",
    page_number: PageNumber = None,
    page_size: PageSize = None,
    unclaimed: Annotated[bool, Query(description="Those that can be claimed, the oldest first")] = False,
) -> list[RequestView]:
    """List requests, the newest first; in pages when both page parameters are given."""
    lists, shown = runtime.lists(), runtime.answers()
    if unclaimed:
        waiting = lists.claimable(lapsed_before(now()), MOST_ATTEMPTS, _MOST_UNCLAIMED)
        return [RequestView.of(shown.request(request)) for request in lists.many(waiting)]
    _record(day_trail(now()), "LIST_VIEWED")
    wanted = page_of(lists.newest(search.strip()), page_number, page_size)
    return [RequestView.of(shown.request(request)) for request in lists.many(wanted)]


@app.post("/api/subjectAccessRequests/search", summary="Search requests", response_description="Those that are found")
def search_subject_access_requests(search: RequestSearch) -> list[RequestView]:
    """List the requests that a search finds, the newest first; what was searched for is in no address."""
    _record(day_trail(now()), "LIST_VIEWED")
    lists, shown = runtime.lists(), runtime.answers()
    wanted = page_of(lists.newest(search.text.strip()), search.page_number, search.page_size)
    return [RequestView.of(shown.request(request)) for request in lists.many(wanted)]


@app.get("/api/subjectAccessRequests/tasks", summary="List tasks")
def list_tasks(
    state: Annotated[RequestState | None, Query(description="Those in this state")] = None,
    due_before: Annotated[
        date | None, Query(alias="dueBefore", description="Those due before this day", examples=["2026-12-24"])
    ] = None,
    mine: Annotated[bool, Query(description="Those that the caller made")] = False,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    cursor: Annotated[
        str | None,
        Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged"),
    ] = None,
) -> TaskList:
    """List requests whose clock has not ended, the first one due first. Leaves no entry in the trail."""
    about = ("tasks", state, due_before, caller(app).subject if mine else None)
    wanted = Wanted(*about[1:], _task_place(cursor, about))
    page, last = tasks(runtime.lists(), runtime.legal_clock(), wanted, limit)
    return TaskList(
        tasks=[TaskView.of(one) for one in page], cursor=list_cursor({"after": list(last)}, *about) if last else None
    )


@app.get("/api/subjectAccessRequests/statistics", summary="Count what is open")
def show_statistics() -> OpenRequests:
    """Count the requests whose clock has not ended. Leaves no entry in the trail."""
    return OpenRequests.of(statistics(runtime.lists(), runtime.legal_clock()))


@app.get("/api/subjectAccessRequests/<id>/progress", summary="Show how far a request is")
def show_progress(id: _Id) -> RequestProgress:
    """Show where a request stands, and each of its parts. Leaves no entry in the trail."""
    return RequestProgress.of(progress(_found(id), runtime.legal_clock()))


@app.get("/api/totalSubjectAccessRequests", summary="Count requests", response_description="How many there are")
def count_subject_access_requests(search: Search = "") -> int:
    """Count the requests that a search finds."""
    return runtime.lists().matches(search.strip())


@app.patch("/api/subjectAccessRequests/<id>/claim", summary="Claim a request")
@allow(Role.SAR_WORKER)
def claim_request(id: _Id) -> ClaimView:
    """Take a request: the answer has the token that every later write needs; 400 when somebody else has it."""
    taken = runtime.claimer().claim(id, caller(app).subject)
    if taken is None:
        raise WrongStateError("cannot be claimed: somebody has it, or it is not waiting", field="claim")
    upload = runtime.reports().upload_url(upload_key(id, taken.generation))
    return ClaimView.of(claim_answer(taken) | {"claimExpiresAt": taken.claim_expires_at, "uploadUrl": upload})


@app.patch("/api/subjectAccessRequests/<id>/heartbeat", summary="Keep a claim")
@allow(Role.SAR_WORKER)
@fails(_LOST)
def keep_claim(id: _Id, holder: ClaimHolder) -> HeartbeatView:
    """Extend the lease, and give an upload address that is fresh again."""
    _found(id)  # nobody has had a claim on an unknown one that could be lost
    runtime.store().heartbeat(holder.of(id))
    kept = _found(id)
    upload = runtime.reports().upload_url(upload_key(id, kept.generation))
    return HeartbeatView(id=id, claim_expires_at=kept.claim_expires_at, upload_url=upload)


@app.patch("/api/subjectAccessRequests/<id>/services/<service>", summary="Report a part")
@allow(Role.SAR_WORKER)
@fails(_LOST)
def save_part(
    id: _Id,
    service: _Service,
    result: PartResult,
) -> SavedPart:
    """Write what became of one service's part."""
    outside_worker.save_result(runtime.store(), id, service, result)
    return SavedPart(id=id, service_name=service, render_status=result.render_status)


@app.patch("/api/subjectAccessRequests/<id>/complete", summary="Complete a request")
@allow(Role.SAR_WORKER)
@fails(
    {
        409: "The claim is lost, or parts are missing, or the report is not what was said",
        422: "What was uploaded is no PDF, or has scripts, actions or files in it; it is removed",
    }
)
def complete_request(id: _Id, completion: Annotated[Completion | None, Body()] = None) -> RequestView:
    """Mark a request as done; 400 when it is already, or was given up on."""
    outside_worker.complete(
        runtime.store(), runtime.fulfilment(), counted_pages, id, completion or Completion(), caller(app).subject
    )
    return _view(_found(id))


@app.get("/api/report", summary="Download a report", operation_id="downloadReport", responses=_REPORT)
@allow(Role.SAR_USER, Role.SAR_APPROVER)
@fails({404: "There is no such request, or it has no report", 409: "What is stored is not what was completed"})
def get_report(
    id: _OfRequest,
    copy: Annotated[
        Literal["staff", "subject"],
        Query(description="`subject`: the copy for the person, with its own numbers and without internal pages"),
    ] = "staff",
) -> Response[Any]:
    """Give the report: an address that is good for five minutes, or the PDF to who accepts application/pdf only."""
    return _downloaded(id, copy)


@app.get("/api/report/package", summary="Download a package", operation_id="downloadPackage", responses=_PACKAGE)
@allow(Role.SAR_USER, Role.SAR_APPROVER)
@fails({404: "There is no such request, or it has no package", 409: "What is stored is not what was completed"})
def get_package(
    id: _OfRequest,
) -> Response[Any]:
    """Give the ZIP with the person's copy of the report and every attachment that is not in it: where it is."""
    return _downloaded(id, "package")


def _downloaded(request_id: str, what: What) -> Response[Any]:
    wanted = str(app.current_event.headers.get("accept") or "")
    answer = download(runtime.store(), runtime.reports(), request_id, caller(app).subject, now(), wanted, what)
    # Powertools checks answers as JSON, which bytes are not: they go as the base64 that API Gateway turns back.
    body = b64encode(answer.body).decode() if isinstance(answer.body, bytes) else answer.body
    response = Response(answer.status, content_type=answer.content_type, body=body, headers=dict(answer.headers))
    response.base64_encoded = isinstance(answer.body, bytes)
    return response


@app.patch("/api/subjectAccessRequests/<id>/hold", summary="Stop the clock")
@allow(*_CASE_WORKERS)
def hold_request(id: _Id, order: HoldOrder) -> RequestView:
    """Note that identity, fee or clarification is waited for, from a day that may lie in the past."""
    return _view(runtime.holds().hold(id, caller(app).subject, order))


@app.patch("/api/subjectAccessRequests/<id>/release", summary="Let the clock go on")
@allow(*_CASE_WORKERS)
def release_request(id: _Id, release: Annotated[Release | None, Body()] = None) -> RequestView:
    """Note that what was waited for has come, on a day that may lie in the past."""
    return _view(runtime.holds().release(id, caller(app).subject, release or Release()))


@app.patch("/api/subjectAccessRequests/<id>/extend", summary="Extend the time limit")
@allow(*_CASE_WORKERS)
def extend_request(id: _Id, extension: Extension) -> RequestView:
    """Take the two further months, with the reason that the person was told within the first; or take that back."""
    return _view(runtime.decisions().extend(id, caller(app).subject, extension))


@app.patch("/api/subjectAccessRequests/<id>/approve", summary="Approve a report")
@allow(Role.SAR_APPROVER, Role.SAR_ADMIN)
@fails(
    {409: "The caller made or redacted it; or the report is not what was made, or older than a redaction; or unseen"}
)
def approve_report(id: _Id, approval: Annotated[Approval | None, Body()] = None) -> RequestView:
    """Let a report that was to be reviewed count as completed; neither who made the request nor who redacted it may.

    Near misses that nobody has decided about, and attachments that were not searched, are to be seen first.
    """
    return _view(runtime.endings().approve(id, caller(app).subject, approval))


@app.patch("/api/subjectAccessRequests/<id>/deliver", summary="Note a delivery")
@allow(*_CASE_WORKERS)
@fails({409: "The report is not there any more, or is not what was completed"})
def deliver_report(id: _Id, delivery: Annotated[Delivery | None, Body()] = None) -> RequestView:
    """Note that the person has the report, which ends the clock of the law."""
    return _view(runtime.endings().deliver(id, caller(app).subject, delivery or Delivery()))


@app.patch("/api/subjectAccessRequests/<id>/refuse", summary="Refuse a request")
@allow(*_CASE_WORKERS)
def refuse_request(id: _Id, refusal: Refusal) -> RequestView:
    """Note that the person was told that the request is refused, and why; or take that back."""
    return _view(runtime.endings().refuse(id, caller(app).subject, refusal))


@app.patch("/api/subjectAccessRequests/<id>/withdraw", summary="Withdraw a request")
@allow(*_CASE_WORKERS)
def withdraw_request(id: _Id, withdrawal: Withdrawal) -> RequestView:
    """Note that the person does not want an answer any more; or take that back."""
    return _view(runtime.endings().withdraw(id, caller(app).subject, withdrawal))


@app.patch("/api/subjectAccessRequests/<id>/correct", summary="Correct a request")
@allow(*_CASE_WORKERS)
@fails({409: "Services were asked about this person already: another person is a new request"})
def correct_request(id: _Id, correction: Correction) -> RequestView:
    """Correct what is wrong about a request; the id of the person only before services were asked."""
    return _view(runtime.corrections().correct(id, caller(app).subject, correction))


@app.get("/api/subjectAccessRequests/<id>/parts", summary="Show the parts of a report")
@allow(*_CASE_WORKERS, Role.SAR_APPROVER)
def list_parts(id: _Id) -> PartList:
    """Show what became of each part: its pages and attachments, what was taken out, and what is nearly that."""
    return PartList.of({"id": id, "parts": runtime.redacting().parts(id, caller(app).subject)})


@app.get("/api/subjectAccessRequests/<id>/parts/<service>/content", summary="Show what a service has answered")
@allow(*_CASE_WORKERS, Role.SAR_APPROVER)
@fails({409: "The answer is not there any more, or is too large to be shown"})
def show_part_content(
    id: _Id,
    service: _Service,
    limit: Annotated[int, Query(ge=1, le=200, description="How many values at most")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=200, description="The `cursor` of the previous answer", examples=["eyJhdCI6NTB9"])
    ] = None,
) -> PartContent:
    """Show the values of a service's answer, each with the path that names it."""
    return PartContent.of(runtime.redacting().content(id, service, caller(app).subject, limit, cursor))


@app.get("/api/subjectAccessRequests/<id>/redactions", summary="Show what is taken out")
@allow(*_CASE_WORKERS, Role.SAR_APPROVER)
@fails({409: "What was taken out is not noted any more"})
def show_redactions(id: _Id) -> RedactionsView:
    """Show what people take out of the report."""
    return RedactionsView.of(redactions_answer(runtime.redacting().marks(id, caller(app).subject)))


@app.put("/api/subjectAccessRequests/<id>/redactions", summary="Take something out")
@allow(*_CASE_WORKERS)
@fails({409: "Pages are marked on another drawing, or an answer is not there any more"})
def redact_request(id: _Id, marks: Marks) -> RequestView:
    """Say all that is taken out of the report: values, pages, attachments. It has to be drawn again, and approved."""
    return _view(runtime.redacting().mark(id, caller(app).subject, marks))


@app.post("/api/subjectAccessRequests/<id>/render", summary="Draw a report again")
@allow(*_CASE_WORKERS)
@fails({409: "What the report was drawn from is not there"})
def render_request(id: _Id) -> RequestView:
    """Have the report drawn again from the answers that are there, without what is taken out; then it is reviewed."""
    return _view(runtime.redacting().render(id, caller(app).subject))


@app.post("/api/subjectAccessRequests/<id>/letters/<letter>", summary="Write a letter", responses=_LETTER)
@allow(*_CASE_WORKERS)
def write_letter(
    id: _Id,
    letter: Annotated[LetterKind, Path(description="Which letter")],
    texts: Annotated[LetterTexts | None, Body()] = None,
) -> Response[Any]:
    """Draw a letter to who asked: acknowledgement, extension, refusal, or the one that goes with the report."""
    drawn = runtime.letters().letter(id, caller(app).subject, letter, texts or LetterTexts())
    disposition = f'attachment; filename="{letter.value}.pdf"'
    response = Response(200, "application/pdf", b64encode(drawn).decode(), {"Content-Disposition": disposition})
    response.base64_encoded = True
    return response


@app.get("/api/subjectAccessRequests/<id>/audit", summary="Show the audit trail")
@allow(Role.SAR_SUPPORT, Role.SAR_ADMIN)
def show_audit(id: _TrailId) -> AuditTrailView:
    """Show what was done about a request, or on a day (2026-11-02) about none, and whether the chain holds.

    The trail is compared with itself and with the request; `notShown` names what only custody's log shows.
    """
    about = trail_of(id)
    trail = runtime.store().trail(about)
    if trail is None:
        raise UnknownRequestError("There is no such request")
    return AuditTrailView.of(trail_answer(about, trail))


def _task_place(cursor: str | None, about: tuple[object, ...]) -> tuple[str, str] | None:
    match list_position(cursor, *about) if cursor is not None else None:
        case None:
            return None
        case {"after": [str(due), str(found)]}:
            return due, found
    raise InvalidInputError(FieldError("cursor", "is not a cursor of this list: use the one from the previous answer"))


def _found(request_id: str) -> SubjectRequest:
    request = runtime.store().request(request_id)
    if request is None:
        raise UnknownRequestError("There is no such request")
    return request


def _view(request: SubjectRequest) -> RequestView:
    return RequestView.of(runtime.answers().request(request))


def _record(about: str, name: str) -> None:
    runtime.store().record(about, Action(caller(app).subject, name, {}))
