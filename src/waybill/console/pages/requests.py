"""Subject access requests: one request, what is decided about it, its report, its trail."""

import re
from datetime import date
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts
from waybill.console.domain.decisions import DECISIONS, Decision, blocked, next_step, will_move
from waybill.console.domain.format import day_of, days_left, moment
from waybill.console.domain.web import Response, redirect
from waybill.console.domain.words import ENDED, HOLDS, PART, REQUEST, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import Errors, error, errors_of, required, uuid_of
from waybill.console.visit import Visit
from waybill.core.roles import Role
from waybill.core.text import count

_FIELDS = {
    "nomisId": "person",
    "ndeliusId": "person",
    "dateFrom": "dateFrom",
    "dateTo": "dateTo",
    "sarCaseReferenceNumber": "reference",
    "services": "services",
    "subjectName": "subjectName",
    "receivedDate": "received",
    "requesterName": "requesterName",
    "requesterAuthority": "requesterAuthority",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[0-9]{1,9}")
_PRISON_ID = re.compile(r"[A-Za-z]\d{4}[A-Za-z]{2}")


def show(visit: Visit, request_id: str) -> Response:
    """Show one request: its clock, its parts, what may be done next."""
    uuid_of(request_id)
    questions = {"head": Asked("showSubjectAccessRequest", {"id": request_id})}
    if visit.may(Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN, Role.SAR_APPROVER):
        questions["parts"] = Asked("listParts", {"id": request_id})
    answers = visit.api.ask_all(questions)
    found, parts = answers["head"], answers.get("parts")
    if isinstance(found, ApiError):
        raise found
    told = [] if parts is None or isinstance(parts, ApiError) else parts["parts"]
    drawn = {each["serviceName"]: each for each in told}
    return visit.page(
        "requests/show.html",
        found["sarCaseReferenceNumber"],
        request=found,
        tag=tag(REQUEST, found["state"]),
        left=days_left(_left(found), found["state"] in ENDED),
        clock=_clock(found, visit.today),
        parts_of=[
            {**each, "tag": tag(PART, each["renderStatus"]), "drawn": drawn.get(each["serviceName"])}
            for each in found["services"]
        ],
        holds=[{**hold, "text": HOLDS.get(hold["reason"], hold["reason"])} for hold in found["holds"]],
        moves=will_move(found),
        step=next_step(found, _possible(visit, found), told),
        is_at_work=found["state"] in {"Pending", "InProgress"},
        decisions=_possible(visit, found),
        impossible=[(each, why) for each in _mine(visit) if (why := blocked(each, found, visit.who.subject))],
        trouble=parts if isinstance(parts, ApiError) else None,
        has_report=bool(found["objectUrl"]) and visit.may(Role.SAR_USER, Role.SAR_APPROVER),
        may_redact=found["state"] in {"ReadyForReview", "Completed", "NeedsAttention", "Errored"}
        and visit.may(Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN),
        may_audit=visit.may(Role.SAR_SUPPORT, Role.SAR_ADMIN),
    )


def confirm(visit: Visit, request_id: str, errors: Errors | None = None, status: int = 200) -> Response:
    """Show what a decision means, and ask for what it needs."""
    decision = _decision(visit)
    found = visit.api.ask("showSubjectAccessRequest", id=uuid_of(request_id))
    why = blocked(decision, found, visit.who.subject)
    unseen = _unseen(visit, request_id) if decision.name == "approve" and not why else {}
    return visit.page(
        "requests/decide.html",
        decision.title,
        status=status,
        decision=decision,
        request=found,
        blocked=why,
        has_report=decision.name in {"approve", "deliver"} and visit.may(Role.SAR_USER, Role.SAR_APPROVER),
        left=days_left(_left(found), found["state"] in ENDED),
        moves=will_move(found),
        unseen=unseen,
        errors=(status == 409 and _made_again(visit, found)) or errors or [],
    )


def _made_again(visit: Visit, found: dict[str, Any]) -> Errors:
    """Say so where the report that is there is not the one that was read; empty where it is, or none was sent."""
    read, there = visit.form["sha256"], found["reportSha256"]
    if found["state"] != "ReadyForReview" or not (read and there) or read == there:
        return []
    made = max(filter(None, map(moment, (each["renderedAt"] for each in found["services"]))), default=None)
    local = made.astimezone(visit.zone) if made else None
    at = f" on {local.day} {local:%B %Y, %H:%M}" if local else ""
    return [error("read", f"The report was made again{at}. Read it first.")]


def _unseen(visit: Visit, request_id: str) -> dict[str, int]:
    """Return how much of a report is for a person to look at before it is approved, by the API's names of it."""
    parts = visit.api.ask("listParts", id=request_id)["parts"]
    counts = {
        "nearMisses": sum(each["nearMissesOpen"] for each in parts),
        "notSearched": sum(each["notSearched"] for each in parts),
    }
    return {name: count for name, count in counts.items() if count}


def decide(visit: Visit, request_id: str) -> Response:
    """Take a decision."""
    decision, form = _decision(visit), visit.form
    binds = decision.name == "approve"
    errors = required(form, {each.name: _wanted(each.label) for each in decision.fields if each.needed})
    if binds and form["read"] != "yes":
        errors.append(error("read", "Say that you have read this report"))
    if binds and not _SHA256.fullmatch(form["sha256"]):
        errors.append(error("read", "Open this page again: it does not say which report was read"))
    if errors:
        return confirm(visit, request_id, errors, 400)
    body: dict[str, Any] | None = {each.name: form[each.name] for each in decision.fields if form[each.name]} or None
    if binds:
        body = {"sha256": form["sha256"]} | {
            name: int(form[name]) for name in ("nearMisses", "notSearched") if _COUNT.fullmatch(form[name])
        }
    once = form["once"] if decision.name == "duplicate" else ""
    try:
        found = visit.api.ask(decision.operation, body, once=once, id=uuid_of(request_id))
    except ApiError as problem:
        default = decision.fields[0].name if decision.fields else "main-content"
        known = {each.name: each.name for each in decision.fields}
        default = "read" if binds else default
        return confirm(visit, request_id, errors_of(problem, known, default), 409 if problem.status == 409 else 400)
    if decision.name == "duplicate":
        return visit.go(f"requests/{found['id']}", "duplicate")
    return visit.go(f"requests/{request_id}", decision.name)


def new(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """Ask for what a request needs."""
    services = visit.api.ask("listServices")
    usable = [each for each in services if each["enabled"]]
    return visit.page(
        "requests/new.html",
        "New request",
        status=status,
        groups=[
            (text, [each for each in usable if each["category"] == name])
            for text, name in (("Prison services", "PRISON"), ("Probation services", "PROBATION"))
        ],
        suspended=[each["label"] for each in usable if each["suspended"]],
        chosen=set(visit.form.all("services")),
        today=visit.now.strftime("%d/%m/%Y"),
        errors=errors or [],
    )


def create(visit: Visit) -> Response:
    """Create a request."""
    form = visit.form
    errors = required(
        form,
        {
            "person": "Enter the person’s id",
            "reference": "Enter the reference of the case",
            "dateTo": "Enter the last day that is asked about",
        },
    )
    if not form.all("services"):
        errors.append(error("services", "Choose at least one service"))
    if not errors:
        try:
            identity = visit.api.ask("createSubjectAccessRequest", _new_request(visit), once=form["once"])
        except ApiError as problem:
            errors = errors_of(problem, _FIELDS, "person")
        else:
            return visit.go(f"requests/{str(identity).strip()}", "created")
    return new(visit, errors, 400)


def report(visit: Visit, request_id: str) -> Response:
    """Lead on to the report, or the package, which a signed address of five minutes holds."""
    wanted = visit.request.query.get("what", "report")
    query: dict[str, str] = {"id": uuid_of(request_id)}
    if wanted == "copy":
        query["copy"] = "subject"
    operation = "downloadPackage" if wanted == "package" else "downloadReport"
    found = visit.api.ask(operation, query=query)
    return redirect(str(found.get("location") or found["url"]))


def audit(visit: Visit, request_id: str) -> Response:
    """Show what was done about a request."""
    found = visit.api.ask("showAudit", id=uuid_of(request_id))
    return visit.page("requests/audit.html", "What was done", trail=found, request_id=request_id)


def _new_request(visit: Visit) -> dict[str, Any]:
    form = visit.form
    person = form["person"]
    body: dict[str, Any] = {
        "nomisId" if _PRISON_ID.fullmatch(person) else "ndeliusId": person,
        "sarCaseReferenceNumber": form["reference"],
        "dateTo": form["dateTo"],
        "services": form.all("services"),
        "review": form["review"] != "no",
    }
    named = {
        "dateFrom": "dateFrom",
        "subjectName": "subjectName",
        "receivedDate": "received",
        "requesterName": "requesterName",
        "requesterAuthority": "requesterAuthority",
    }
    return body | {name: form[entered] for name, entered in named.items() if form[entered]}


def _decision(visit: Visit) -> Decision:
    decision = DECISIONS.get(visit.request.query.get("what", ""))
    if decision is None:
        raise PageError(404, "Page not found", "There is no such decision.")
    if not visit.may(*decision.roles):
        wanted = ", ".join(sorted(decision.roles))
        raise PageError(403, "You cannot do this", f"It needs one of these roles: {wanted}.")
    return decision


def _mine(visit: Visit) -> list[Decision]:
    return [each for each in DECISIONS.values() if visit.may(*each.roles)]


def _possible(visit: Visit, found: dict[str, Any]) -> list[Decision]:
    return [each for each in _mine(visit) if not blocked(each, found, visit.who.subject)]


def _left(found: dict[str, Any]) -> int:
    return -int(found["daysLate"]) if found["overdue"] else int(found["daysLeft"])


def _clock(found: dict[str, Any], today: date) -> Any:
    received, due = date.fromisoformat(found["receivedDate"]), date.fromisoformat(found["dueDate"])
    whole = max((due - received).days, 1)
    holds = [
        (_share(received, hold["since"], whole), _share(received, hold["until"] or today.isoformat(), whole))
        for hold in found["holds"]
    ]
    spent = (today - received).days / whole
    answer = f"Received {day_of(found['receivedDate'])}, due {day_of(found['dueDate'])}"
    if found["heldDays"]:
        answer += f", {count(found['heldDays'], 'day')} on hold"
    if will_move(found):
        answer += ", which will move: the clock is stopped"
    return charts.clock(_short(received), _short(today), _short(due), spent, holds, answer)


def _share(received: date, day: str, whole: int) -> float:
    return min(max((date.fromisoformat(day[:10]) - received).days / whole, 0.0), 1.0)


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _wanted(label: str) -> str:
    return f"Enter: {label[:1].lower()}{label[1:]}"
