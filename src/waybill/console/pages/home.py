"""Home: what needs whoever is signed in. The box that finds anything by its name."""

import re
from datetime import date
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts, needs
from waybill.console.domain.charts import Bar
from waybill.console.domain.format import number
from waybill.console.domain.web import Response
from waybill.console.errors import ApiError
from waybill.console.visit import MENU, Visit
from waybill.core.roles import Role
from waybill.core.text import count

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
    "own": "Requests",
}
# What is said where a list goes on behind what was looked at.
_CUT = {
    "replication": "Not all copies that failed were looked at.",
    "findings": "Only 200 open findings were looked at. Others may be of high confidence too.",
    "consignments": "Only the 200 newest consignments were looked at. Older ones may need you too.",
    "requests": "Only the 200 requests due first were looked at.",
}
_SENDERS = (Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE)
_CASE_WORKERS = (Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN)
# What somebody begins by themselves, and who may.
_BEGINNINGS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("Send a folder of records", "consignments/new", _SENDERS),
    ("Copy the files that were there before", "replication/backfills", (Role.REPLICATION,)),
    ("Scan a bucket for sensitive data", "scans/new", (Role.SCANNING,)),
    ("Make a subject access request", "requests/new", (Role.SAR_USER,)),
    ("Look up or mint identifiers", "identifiers", (Role.MINTING,)),
    ("Trace a file", "custody", (Role.CUSTODY,)),
    ("Erase the names of a file", "custody/erase", (Role.CUSTODY_ADMIN,)),
)


def show(visit: Visit) -> Response:
    """Show what needs whoever is signed in, and how things stand."""
    answers = visit.api.ask_all(_questions(visit))
    found = needs.ordered(_needs(visit, answers))
    trouble = {_WORKFLOWS[name]: answer for name, answer in reversed(answers.items()) if isinstance(answer, ApiError)}
    cut = [_CUT[name] for name, answer in answers.items() if name in _CUT and _is_cut(answer)]
    return visit.page(
        "home.html",
        "What needs you",
        needs=found[:_MOST],
        more=len(found) - _MOST,
        trouble=trouble,
        cut=cut,
        looks=bool(answers),
        beginnings=[(text, path) for text, path, roles in _BEGINNINGS if visit.may(*roles)],
        sentence=_sentence(len(found), is_known=bool(answers) and not trouble and not cut),
        figures=_figures(answers),
        chart=_due_chart(answers.get("requests"), visit.today),
        roles=visit.who.roles,
        menu_roles=[(text, sorted(roles)) for text, _, roles in MENU],
    )


def _questions(visit: Visit) -> dict[str, Asked]:
    asked: dict[str, Asked] = {}
    if visit.may(*_SENDERS, Role.CONSIGNMENTS_APPROVER):
        asked["consignments"] = Asked("listConsignments", query={"limit": _LOOKED_AT})
    if visit.may(Role.REPLICATION):
        asked["replication"] = Asked("listReplications", query={"status": "FAILED", "limit": _LOOKED_AT})
    if visit.may(Role.SCANNING):
        asked["findings"] = Asked("listValues", query={"state": "open", "limit": _LOOKED_AT})
    if visit.may(Role.SAR_APPROVER, *_CASE_WORKERS):
        # Tasks leave no entry in the trail of a request, and hold nothing of the person.
        asked["requests"] = Asked("listTasks", query={"limit": _LOOKED_AT})
        if visit.may(Role.SAR_APPROVER, Role.SAR_ADMIN):
            asked["own"] = Asked("listTasks", query={"mine": "true", "limit": _LOOKED_AT})
    return asked


def _needs(visit: Visit, answers: dict[str, Any]) -> list[needs.Need]:
    now = visit.now
    good = {name: answer for name, answer in answers.items() if not isinstance(answer, ApiError)}
    found: list[needs.Need] = []
    if "consignments" in good:
        found += needs.of_consignments(good["consignments"]["consignments"], now, sends=visit.may(*_SENDERS))
    if "replication" in good:
        page = good["replication"]
        found += needs.of_replication(page["replications"], now, bool(page["cursor"]))
    if "findings" in good:
        found += needs.of_findings(good["findings"]["findings"], now, bool(good["findings"]["cursor"]))
    if "requests" in good:
        rights = needs.Rights(
            own=frozenset(each["id"] for each in good["own"]["tasks"]) if "own" in good else frozenset(),
            works=visit.may(*_CASE_WORKERS),
            # Without knowing which are their own nobody is asked to approve one.
            approves="own" in good,
            administers=visit.may(Role.SAR_ADMIN),
        )
        found += needs.of_requests(good["requests"]["tasks"], rights, visit.today)
    return found


def _is_cut(answer: Any) -> bool:
    return not isinstance(answer, ApiError) and bool(answer["cursor"])


def _sentence(total: int, *, is_known: bool) -> str:
    """Return how much there is to do; that there is nothing only where everything was looked at."""
    if total:
        return f"{count(total, 'thing')}, the most urgent first."
    return "Nothing needs you." if is_known else ""


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
        value = f"{number(len(checked))}{' or more' if page['cursor'] else ''}"
        found.append(_figure("Consignments being checked", value, "slate", note))
    if not isinstance(page := answers.get("findings"), ApiError | None):
        high = sum(each["confidence"] == "HIGH" for each in page["findings"])
        value = f"{number(len(page['findings']))}{' or more' if page['cursor'] else ''}"
        found.append(
            _figure("Open findings", value, "amber" if high else "green", f"{number(high)} of high confidence")
        )
    if not isinstance(page := answers.get("requests"), ApiError | None):
        late = sum(bool(each["overdue"]) for each in page["tasks"])
        note = f"{number(late)} late" if late else "none late"
        value = f"{number(len(page['tasks']))}{' or more' if page['cursor'] else ''}"
        found.append(_figure("Requests on the clock", value, "red" if late else "green", note))
    return found


def _figure(what: str, value: str, tone: str, note: str = "") -> dict[str, str]:
    return {"what": what, "value": value, "tone": tone, "note": note}


def _due_chart(requests: Any, today: date) -> Any:
    if not requests or isinstance(requests, ApiError) or requests["cursor"]:
        return ""
    return due_chart([(date.fromisoformat(each["dueDate"]) - today).days for each in requests["tasks"]])


def due_chart(left: list[int]) -> Any:
    """Return how many requests have how many days left, from the days that each has."""
    if not left:
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
