"""The HTTP routes of requests, claims and reports."""

from base64 import b64encode
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query

from waybill.core.clock import now
from waybill.core.http import Role, allow, build_api, caller
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.api_runtime import answers
from waybill.subject_access.domain import outside_worker
from waybill.subject_access.domain.answers import trail_answer
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.claims import MOST_ATTEMPTS, lapsed_before
from waybill.subject_access.domain.corrections import Correction
from waybill.subject_access.domain.deadlines import london_day
from waybill.subject_access.domain.decisions import Extension
from waybill.subject_access.domain.downloads import download
from waybill.subject_access.domain.endings import Delivery, Refusal, Withdrawal
from waybill.subject_access.domain.holds import HoldOrder, Release
from waybill.subject_access.domain.intake import NewRequest, accept, create
from waybill.subject_access.domain.keys import upload_key
from waybill.subject_access.domain.outside_worker import ClaimHolder, Completion, PartResult
from waybill.subject_access.domain.pages import page_of
from waybill.subject_access.domain.requests import claim_answer
from waybill.subject_access.domain.trail import day_trail, trail_of
from waybill.subject_access.errors import UnknownRequestError, WrongStateError
from waybill.subject_access.models import SubjectRequest

_READERS = (Role.SAR_USER, Role.SAR_WORKER, Role.SAR_SUPPORT, Role.SAR_APPROVER, Role.SAR_ADMIN)
_CASE_WORKERS = (Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN)
_MOST_UNCLAIMED = 1000

app = build_api(WORKFLOW, title="Subject access requests", roles=_READERS)

type Document = dict[str, Any]
type Search = Annotated[str, Query(max_length=100, description="Part of a case reference or of an id")]


@app.post("/api/subjectAccessRequest", summary="Create a request", status_code=201)
@allow(Role.SAR_USER)
def create_request(
    request: NewRequest,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=256)] = None,
) -> Response[str]:
    """Create a request; the answer is its id."""
    known = {service.name: service for service in runtime.catalogue().services()}
    accepted = accept(request, known, london_day(now()))
    made = create(accepted, caller(app).subject, now(), runtime.store(), idempotency_key)
    return Response(201, content_type="text/plain", body=made.request_id)


@app.get("/api/subjectAccessRequest/<id>", summary="Show a request")
def show_request(id: str) -> Document:
    """Show one request with the state of each service, and which other requests are about the same person or case."""
    request = _found(id)
    _record(id, "REQUEST_VIEWED")
    return answers().request(request) | {"related": runtime.lists().related(request)}


@app.get("/api/subjectAccessRequests", summary="List requests")
def list_requests(
    search: Search = "",
    page_number: Annotated[int | None, Query(alias="pageNumber", ge=0)] = None,
    page_size: Annotated[int | None, Query(alias="pageSize", ge=1, le=1000)] = None,
    unclaimed: Annotated[bool, Query(description="Those that can be claimed, the oldest first")] = False,
) -> list[Document]:
    """List requests, the newest first; in pages when both page parameters are given."""
    lists, shown = runtime.lists(), answers()
    if unclaimed:
        waiting = lists.claimable(lapsed_before(now()), MOST_ATTEMPTS, _MOST_UNCLAIMED)
        return [shown.request(request) for request in lists.many(waiting)]
    _record(day_trail(now()), "LIST_VIEWED")
    wanted = page_of(lists.newest(search.strip()), page_number, page_size)
    return [shown.request(request) for request in lists.many(wanted)]


@app.get("/api/totalSubjectAccessRequests", summary="Count requests")
def count_requests(search: Search = "") -> int:
    """Count the requests that a search finds."""
    return runtime.lists().matches(search.strip())


@app.patch("/api/subjectAccessRequests/<id>/claim", summary="Claim a request")
@allow(Role.SAR_WORKER)
def claim_request(id: str) -> Document:
    """Take a request: 200 with the token that every later write needs, 400 when somebody else has it."""
    taken = runtime.claimer().claim(id, caller(app).subject)
    if taken is None:
        raise WrongStateError("cannot be claimed: somebody has it, or it is not waiting", field="claim")
    upload = runtime.reports().upload_url(upload_key(id, taken.generation))
    return claim_answer(taken) | {"claimExpiresAt": taken.claim_expires_at, "uploadUrl": upload}


@app.patch("/api/subjectAccessRequests/<id>/heartbeat", summary="Keep a claim")
@allow(Role.SAR_WORKER)
def keep_claim(id: str, holder: ClaimHolder) -> Document:
    """Extend the lease, and give an upload address that is fresh again; 409 when the claim is lost."""
    _found(id)  # nobody has had a claim on an unknown one that could be lost
    runtime.store().heartbeat(holder.of(id))
    kept = _found(id)
    upload = runtime.reports().upload_url(upload_key(id, kept.generation))
    return {"id": id, "claimExpiresAt": kept.claim_expires_at, "uploadUrl": upload}


@app.patch("/api/subjectAccessRequests/<id>/services/<service>", summary="Report a part")
@allow(Role.SAR_WORKER)
def save_part(id: str, service: str, result: PartResult) -> Document:
    """Write what became of one service's part; 409 when the claim is lost."""
    outside_worker.save_result(runtime.store(), id, service, result)
    return {"id": id, "serviceName": service, "renderStatus": result.render_status.value}


@app.patch("/api/subjectAccessRequests/<id>/complete", summary="Complete a request")
@allow(Role.SAR_WORKER)
def complete_request(id: str, completion: Annotated[Completion | None, Body()] = None) -> Document:
    """Mark a request as done; 400 when it is already, or was given up on."""
    outside_worker.complete(runtime.store(), runtime.fulfilment(), id, completion or Completion(), caller(app).subject)
    return answers().request(_found(id))


@app.get("/api/report", summary="Download a report")
@allow(Role.SAR_USER, Role.SAR_APPROVER)
def get_report(id: Annotated[str, Query(min_length=1, max_length=64)]) -> Response[Any]:
    """Give the report: an address that is good for five minutes, or the PDF to who accepts application/pdf only."""
    wanted = str(app.current_event.headers.get("accept") or "")
    answer = download(runtime.store(), runtime.reports(), id, caller(app).subject, now(), wanted)
    # Powertools checks answers as JSON, which bytes are not: they go as the base64 that API Gateway turns back.
    body = b64encode(answer.body).decode() if isinstance(answer.body, bytes) else answer.body
    response = Response(answer.status, content_type=answer.content_type, body=body, headers=dict(answer.headers))
    response.base64_encoded = isinstance(answer.body, bytes)
    return response


@app.patch("/api/subjectAccessRequests/<id>/hold", summary="Stop the clock")
@allow(*_CASE_WORKERS)
def hold_request(id: str, order: HoldOrder) -> Document:
    """Note that identity, fee or clarification is waited for, from a day that may lie in the past."""
    return answers().request(runtime.holds().hold(id, caller(app).subject, order))


@app.patch("/api/subjectAccessRequests/<id>/release", summary="Let the clock go on")
@allow(*_CASE_WORKERS)
def release_request(id: str, release: Annotated[Release | None, Body()] = None) -> Document:
    """Note that what was waited for has come, on a day that may lie in the past."""
    return answers().request(runtime.holds().release(id, caller(app).subject, release or Release()))


@app.patch("/api/subjectAccessRequests/<id>/extend", summary="Extend the time limit")
@allow(*_CASE_WORKERS)
def extend_request(id: str, extension: Extension) -> Document:
    """Take the two further months, with the reason that the person was told within the first; or take that back."""
    return answers().request(runtime.decisions().extend(id, caller(app).subject, extension))


@app.patch("/api/subjectAccessRequests/<id>/approve", summary="Approve a report")
@allow(Role.SAR_APPROVER, Role.SAR_ADMIN)
def approve_report(id: str) -> Document:
    """Let a report that was to be reviewed count as completed; 409 for who made the request."""
    return answers().request(runtime.endings().approve(id, caller(app).subject))


@app.patch("/api/subjectAccessRequests/<id>/deliver", summary="Note a delivery")
@allow(*_CASE_WORKERS)
def deliver_report(id: str, delivery: Annotated[Delivery | None, Body()] = None) -> Document:
    """Note that the person has the report, which ends the clock; 409 when it is not there any more."""
    return answers().request(runtime.endings().deliver(id, caller(app).subject, delivery or Delivery()))


@app.patch("/api/subjectAccessRequests/<id>/refuse", summary="Refuse a request")
@allow(*_CASE_WORKERS)
def refuse_request(id: str, refusal: Refusal) -> Document:
    """Note that the person was told that the request is refused, and why; or take that back."""
    return answers().request(runtime.endings().refuse(id, caller(app).subject, refusal))


@app.patch("/api/subjectAccessRequests/<id>/withdraw", summary="Withdraw a request")
@allow(*_CASE_WORKERS)
def withdraw_request(id: str, withdrawal: Withdrawal) -> Document:
    """Note that the person does not want an answer any more; or take that back."""
    return answers().request(runtime.endings().withdraw(id, caller(app).subject, withdrawal))


@app.patch("/api/subjectAccessRequests/<id>/correct", summary="Correct a request")
@allow(*_CASE_WORKERS)
def correct_request(id: str, correction: Correction) -> Document:
    """Correct what is wrong about a request; 409 for the id of the person once services were asked."""
    return answers().request(runtime.corrections().correct(id, caller(app).subject, correction))


@app.get("/api/subjectAccessRequests/<id>/audit", summary="Show the audit trail")
@allow(Role.SAR_SUPPORT, Role.SAR_ADMIN)
def show_audit(id: str) -> Document:
    """Show what was done about a request, or on a day (2026-11-02) about none, and whether the chain holds."""
    about = trail_of(id)
    end = runtime.store().chain_end(about)
    if end is None:
        raise UnknownRequestError("There is no such request")
    return trail_answer(about, runtime.store().audit(about), end)


def _found(request_id: str) -> SubjectRequest:
    request = runtime.store().request(request_id)
    if request is None:
        raise UnknownRequestError("There is no such request")
    return request


def _record(about: str, name: str) -> None:
    runtime.store().record(about, Action(caller(app).subject, name, {}))
