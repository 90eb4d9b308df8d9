"""Home: what needs whoever is signed in. The box that finds anything by its name."""

import re
from datetime import UTC, datetime
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts, needs
from waybill.console.domain.charts import Bar
from waybill.console.domain.format import count, number
from waybill.console.domain.web import Response
from waybill.console.domain.words import ENDED
from waybill.console.errors import ApiError
from waybill.console.visit import MENU, Visit
from waybill.core.roles import Role

_MOST = 20
_LOOKED_AT = 200
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
# What says that there is nothing of this name, or nothing for this person; any other failure leaves it open.
_UNKNOWN = frozenset({400, 403, 404, 410})
_WORKFLOWS = {
    "consignments": "Consignments",
    "replication": "Replication",
    "findings": "Findings",
    "requests": "Requests",
}


def show(visit: Visit) -> Response:
    """Show what needs whoever is signed in, and how things stand."""
    answers = visit.api.ask_all(_questions(visit))
    found = needs.ordered(_needs(visit, answers))
    trouble = {_WORKFLOWS[name]: answer for name, answer in answers.items() if isinstance(answer, ApiError)}
    return visit.page(
        "home.html",
        "What needs you",
        needs=found[:_MOST],
        more=len(found) - _MOST,
        trouble=trouble,
        sentence=_sentence(len(found), bool(trouble)),
        figures=_figures(answers),
        chart=_due_chart(answers.get("requests")),
        roles=visit.who.roles,
        menu_roles=[(text, sorted(roles)) for text, _, roles in MENU],
    )


def _questions(visit: Visit) -> dict[str, Asked]:
    asked: dict[str, Asked] = {}
    if visit.may(Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE, Role.CONSIGNMENTS_APPROVER):
        asked["consignments"] = Asked("listConsignments", query={"limit": _LOOKED_AT})
    if visit.may(Role.REPLICATION):
        asked["replication"] = Asked("listReplications", query={"status": "FAILED", "limit": _LOOKED_AT})
    if visit.may(Role.SCANNING):
        asked["findings"] = Asked("listValues", query={"state": "open", "limit": _LOOKED_AT})
    if visit.may(Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_APPROVER, Role.SAR_ADMIN):
        asked["requests"] = Asked("listSubjectAccessRequests", query={"pageNumber": 1, "pageSize": _LOOKED_AT})
    return asked


def _needs(visit: Visit, answers: dict[str, Any]) -> list[needs.Need]:
    now = datetime.now(UTC)
    good = {name: answer for name, answer in answers.items() if not isinstance(answer, ApiError)}
    found: list[needs.Need] = []
    if "consignments" in good:
        found += needs.of_consignments(good["consignments"]["consignments"], now)
    if "replication" in good:
        page = good["replication"]
        found += needs.of_replication(page["replications"], now, bool(page["cursor"]))
    if "findings" in good:
        found += needs.of_findings(good["findings"]["findings"], now, bool(good["findings"]["cursor"]))
    if "requests" in good:
        may_approve = visit.may(Role.SAR_APPROVER, Role.SAR_ADMIN)
        found += needs.of_requests(good["requests"], visit.who.subject, may_approve)
    return found


def _sentence(total: int, is_partial: bool) -> str:
    if total:
        return f"{count(total, 'thing')}, the most urgent first."
    return "" if is_partial else "Nothing needs you."


def _figures(answers: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    if not isinstance(page := answers.get("replication"), ApiError | None):
        failed = len(page["replications"])
        value = f"{number(failed)}{' or more' if page['cursor'] else ''}"
        found.append(_figure("Files that could not be copied", value, "red" if failed else "green"))
    if not isinstance(page := answers.get("consignments"), ApiError | None):
        checked = [each for each in page["consignments"] if each["status"] == "InProgress"]
        files = sum(each["files"] for each in checked)
        note = count(files, "file") if checked else ""
        found.append(_figure("Consignments being checked", number(len(checked)), "slate", note))
    if not isinstance(page := answers.get("findings"), ApiError | None):
        high = sum(each["confidence"] == "HIGH" for each in page["findings"])
        value = f"{number(len(page['findings']))}{' or more' if page['cursor'] else ''}"
        found.append(
            _figure("Open findings", value, "amber" if high else "green", f"{number(high)} of high confidence")
        )
    if not isinstance(page := answers.get("requests"), ApiError | None):
        running = [each for each in page if each["state"] not in ENDED]
        late = sum(bool(each["overdue"]) for each in running)
        note = f"{number(late)} late" if late else "none late"
        found.append(_figure("Requests on the clock", number(len(running)), "red" if late else "green", note))
    return found


def _figure(what: str, value: str, tone: str, note: str = "") -> dict[str, str]:
    return {"what": what, "value": value, "tone": tone, "note": note}


def _due_chart(requests: Any) -> Any:
    if not requests or isinstance(requests, ApiError):
        return ""
    return due_chart([each for each in requests if each["state"] not in ENDED])


def due_chart(running: list[dict[str, Any]]) -> Any:
    """Return how many requests have how many days left."""
    if not running:
        return ""
    steps = (
        ("late", -9999, -1),
        ("0–3", 0, 3),
        ("4–7", 4, 7),
        ("8–14", 8, 14),
        ("15–21", 15, 21),
        ("22–28", 22, 28),
        ("29+", 29, 9999),
    )
    tones = {"late": "red", "0–3": "red", "4–7": "amber", "8–14": "amber"}
    left = [-int(each["daysLate"]) if each["overdue"] else int(each["daysLeft"]) for each in running]
    bars = [Bar(name, sum(low <= days <= high for days in left), tones.get(name, "brand")) for name, low, high in steps]
    soon = sum(bar.value for bar in bars[1:4])
    answer = f"{count(bars[0].value, 'request')} late, {soon} due within 14 days, {len(left)} in all"
    return charts.columns("How many days are left? Open requests by days to their due date", bars, answer)


def search(visit: Visit) -> Response:
    """Lead to the page of what is called so; where it may be several things, show the ways on."""
    text = visit.request.query.get("q", "").strip()[:1024]
    ways, trouble = _ways(visit, text) if text else ([], {})
    if len(ways) == 1 and not trouble:
        return visit.go(ways[0]["path"], **ways[0]["query"])
    return visit.page("search.html", "Find", searched=text, ways=ways, trouble=trouble)


def _ways(visit: Visit, text: str) -> tuple[list[dict[str, Any]], dict[str, ApiError]]:
    """Return what of the API's knows this text, asked where its form allows it, and what could not be asked."""
    asked: dict[str, Asked] = {}
    ways: dict[str, dict[str, Any]] = {}

    def offer(name: str, question: Asked, what: str, path: str, **query: str) -> None:
        asked[name], ways[name] = question, {"what": what, "path": path, "query": query}

    if _UUID.fullmatch(text):
        if visit.may(Role.CONSIGNMENTS, Role.CONSIGNMENTS_APPROVER):
            offer(
                "consignment",
                Asked("showConsignment", {"consignmentId": text}),
                "A consignment",
                f"consignments/{text}",
            )
        if visit.may(Role.SCANNING):
            offer("scan", Asked("showJob", {"job_id": text}), "A scan", f"scans/{text}")
        if visit.may(Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN):
            offer("request", Asked("showSubjectAccessRequest", {"id": text}), "A request", f"requests/{text}")
    elif _SHA256.fullmatch(text):
        if visit.may(Role.CUSTODY):
            question = Asked("traceFile", query={"sha256": text.lower(), "limit": 1})
            offer("content", question, "A file with this content", "custody/file", sha256=text.lower())
    else:
        if visit.may(Role.MINTING) and re.fullmatch(r"[a-z0-9]{4,32}", text):
            offer("identifier", Asked("showIdentifier", {"canonicalId": text}), "An identifier", f"identifiers/{text}")
        if visit.may(Role.CUSTODY) and "/" in text:
            bucket, _, key = text.removeprefix("s3://").partition("/")
            question = Asked("traceFile", query={"bucket": bucket, "key": key, "limit": 1})
            offer("file", question, "A file", "custody/file", bucket=bucket, key=key)
    answers = visit.api.ask_all(asked)
    failed = {name: answer for name, answer in answers.items() if isinstance(answer, ApiError)}
    known = [ways[name] for name in answers if name not in failed]
    trouble = {ways[name]["what"]: answer for name, answer in failed.items() if answer.status not in _UNKNOWN}
    return known, trouble
