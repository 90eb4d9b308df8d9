"""The HTTP routes of support and administration: views, restarts, the catalogue of services, templates."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import File, Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from waybill.core.api import Role, allow, build_api, caller, fails, idempotency_header
from waybill.core.clock import now
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.domain.admin_views import AdminFilter, admin_view
from waybill.subject_access.domain.answers import moment, service_answer, summary, template_answer
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.decisions import Without
from waybill.subject_access.domain.intake import duplicate
from waybill.subject_access.domain.lifecycle import LONG_WAIT, has_waited_long
from waybill.subject_access.domain.refusals import day_trail
from waybill.subject_access.domain.services import Move, ServiceEntry, checked_template
from waybill.subject_access.domain.sweep import by_due_day
from waybill.subject_access.models import SubjectRequest
from waybill.subject_access.parameters import PageNumber, PageSize, Search, request_id
from waybill.subject_access.views import (
    AdminList,
    DuplicateView,
    OverdueList,
    RequestView,
    ServiceView,
    SummaryView,
    TemplateView,
    ValidTemplate,
)

app = build_api(
    WORKFLOW,
    title="Subject access administration",
    description="What support and administration look after: requests that are late, services and templates.",
    roles=[Role.SAR_SUPPORT, Role.SAR_ADMIN],
)

_Id = Annotated[str, request_id("The id of the request")]
_Service = Annotated[
    str,
    Path(
        json_schema_extra={"maxLength": 200},
        description="The service, by its name in the catalogue",
        examples=["keyworker-api"],
    ),
]
_File = Annotated[bytes, File(description="The text of the template, UTF-8")]
_DUPLICATED: dict[int, OpenAPIResponse] = {201: {"description": "A copy of the request"}}
_ADDED: dict[int, OpenAPIResponse] = {201: {"description": "The service as it is kept"}}
_REGISTERED: dict[int, OpenAPIResponse] = {201: {"description": "The version as it is kept"}}


@app.get("/api/subjectAccessRequests/overdue", summary="Overdue requests")
def list_overdue_requests() -> OverdueList:
    """List requests that have been waiting for more than 12 hours, and those that the law wants an answer to soon."""
    _record("OVERDUE_VIEWED")
    shown = runtime.answers()
    return OverdueList.of(shown.overdue(_long_waiting(), by_due_day(runtime.lists(), shown.clock)))


@app.get("/api/subjectAccessRequests/summary", summary="Backlog and overdue counts")
def show_summary() -> SummaryView:
    """Count the requests that wait, and those that are late: in being worked on, and by law."""
    _record("SUMMARY_VIEWED")
    clock = runtime.legal_clock()
    urgent = by_due_day(runtime.lists(), clock)
    past_due = sum(map(clock.is_past_due, urgent))
    return SummaryView.of(
        summary(runtime.lists().count("PENDING"), len(_long_waiting()), past_due, len(urgent) - past_due)
    )


@app.post("/api/subjectAccessRequests/<id>/duplicate", summary="Duplicate a request", responses=_DUPLICATED)
@fails({409: "The idempotency key was used for another request"})
def duplicate_request(
    id: _Id,
    idempotency_key: Annotated[
        str | None,
        idempotency_header(
            "The same key again is answered with the same copy, for as long as the copy is kept", "case-4711-again"
        ),
    ] = None,
) -> Response[DuplicateView]:
    """Create a new `Pending` copy that is the caller's."""
    copy = duplicate(id, caller(app).subject, now(), runtime.store(), idempotency_key)
    view = DuplicateView(id=copy.request_id, original_id=id, sar_case_reference_number=copy.sar_case_reference_number)
    return Response(201, content_type="application/json", body=view)


@app.get("/api/admin/subjectAccessRequests", summary="All requests, by state")
@allow(Role.SAR_ADMIN)
def list_requests_by_state(  # noqa: PLR0917 (Powertools passes parameters by name)
    search: Search = "",
    completed: Annotated[bool, Query(description="Whether those are shown that are completed")] = True,
    errored: Annotated[bool, Query(description="Whether those are shown that were given up on")] = True,
    overdue: Annotated[bool, Query(description="Whether those are shown that have waited for long")] = True,
    pending: Annotated[bool, Query(description="Whether those are shown that wait")] = True,
    page_number: PageNumber = None,
    page_size: PageSize = None,
) -> AdminList:
    """List requests by state, the newest first; `Overdue` is `Pending` for more than 12 hours."""
    _record("ADMIN_LIST_VIEWED")
    wanted = AdminFilter(completed, errored, overdue, pending, search.strip(), page_number, page_size)
    return AdminList.of(admin_view(runtime.lists(), runtime.answers(), wanted))


@app.patch("/api/admin/subjectAccessRequests/<id>/restart", summary="Restart a request")
@allow(Role.SAR_ADMIN)
def restart_request(
    id: _Id,
    fresh: Annotated[bool, Query(description="Ask every service again")] = False,
) -> RequestView:
    """Make a request that was given up on `Pending` again; parts that are finished are kept, unless fresh."""
    return _view(runtime.decisions().restart(id, caller(app).subject, fresh=fresh))


@app.patch("/api/admin/subjectAccessRequests/<id>/issue-without", summary="Issue without a part")
@allow(Role.SAR_ADMIN)
def issue_without_part(id: _Id, without: Without) -> RequestView:
    """Accept that a service's part is missing; the report says so, with the reason."""
    return _view(runtime.decisions().issue_without(id, caller(app).subject, without.service, without.reason))


@app.get("/api/services", summary="List services", response_description="The services")
@allow(Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN)
def list_services() -> list[ServiceView]:
    """List the services, in the order of the report."""
    return [ServiceView.of(service_answer(service)) for service in runtime.catalogue().services()]


@app.post("/api/services", summary="Add a service", status_code=201, responses=_ADDED)
def create_service(entry: ServiceEntry) -> Response[ServiceView]:
    """Add a service to the catalogue; 400 when there is one of this name."""
    view = ServiceView.of(service_answer(runtime.services().add(entry, caller(app).subject)))
    return Response(201, content_type="application/json", body=view)


@app.put("/api/services/<id>", summary="Change a service")
def change_service(id: _Service, entry: ServiceEntry) -> ServiceView:
    """Change a service; its name stays, and so does its address until a second person agrees to another one.

    Only sar-admin may propose another host, scheme or port.
    """
    by = caller(app)
    changed = runtime.services().change(id, entry, by.subject, may_move=by.may([Role.SAR_ADMIN]))
    return ServiceView.of(service_answer(changed))


@app.patch("/api/services/<id>", summary="Agree to a service's address")
@allow(Role.SAR_ADMIN)
@fails({409: "This address is not proposed (any more), or by the caller"})
def move_service(id: _Service, move: Move) -> ServiceView:
    """Move a service to the address that somebody else has proposed, or take the proposal back."""
    return ServiceView.of(service_answer(runtime.services().move(id, move, caller(app).subject)))


@app.patch("/api/services/<id>/suspend", summary="Suspend or resume a service")
def suspend_service(
    id: _Service,
    suspended: Annotated[bool, Query(description="Whether it is suspended, or resumed")] = True,
) -> ServiceView:
    """Suspend a service, which holds its requests back; resumed, they are claimable at once."""
    by = caller(app).subject
    changed = runtime.services().suspend(id, by, suspended=suspended)
    if not suspended:
        runtime.decisions().resumed(id, by)
    return ServiceView.of(service_answer(changed))


@app.get(
    "/api/templates/service/<id>",
    summary="List template versions",
    response_description="The versions, the newest first",
)
def list_templates(id: _Service) -> list[TemplateView]:
    """List the template versions of a service, the newest first."""
    runtime.services().found(id)
    return [TemplateView.of(template_answer(version)) for version in runtime.catalogue().template_versions(id)]


@app.post("/api/templates/service/<id>", summary="Register a template", status_code=201, responses=_REGISTERED)
def register_template(id: _Service, file: _File) -> Response[TemplateView]:
    """Register the text of a service's template; it is published when the service is found to use it."""
    version = runtime.services().register(id, file, _check, caller(app).subject)
    return Response(201, content_type="application/json", body=TemplateView.of(template_answer(version)))


@app.post("/api/templates/validate", summary="Validate a template")
def validate_template(file: _File) -> ValidTemplate:
    """Say whether a text can be used as a template; 400 with the reason when not."""
    return ValidTemplate(valid=True, file_hash=checked_template(file, _check), checked_at=str(moment(now())))


def _view(request: SubjectRequest) -> RequestView:
    return RequestView.of(runtime.answers().request(request))


def _long_waiting() -> list[SubjectRequest]:
    lists = runtime.lists()
    old = lists.many(list(lists.queued("PENDING", now() - LONG_WAIT)))
    # Time on hold is no waiting.
    return [request for request in old if has_waited_long(request, now())]


def _check(text: str) -> None:
    # Not at the top: the function that describes all APIs has no layer for templates.
    from waybill.subject_access.domain.report.templates import check_registration

    check_registration(text)


def _record(name: str) -> None:
    runtime.store().record(day_trail(now()), Action(caller(app).subject, name, {}))
