"""Subject access requests as lists: those on the clock by their legal date, those that have ended, a search."""

from datetime import date
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts
from waybill.console.domain.format import days_left, number
from waybill.console.domain.needs import will_move
from waybill.console.domain.web import Response
from waybill.console.domain.words import ENDED, REQUEST, WAITS_FOR, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import ROWS, Errors, required
from waybill.console.pages.home import due_chart
from waybill.console.visit import Visit
from waybill.core.roles import Role

# What a chart is drawn of, and how many of the newest are looked through for those that have ended.
_DRAWN = 200
_LOOKED_THROUGH = 200
_FOUND = 50
_ENDED = "ended"


def overview(visit: Visit) -> Response:
    """List requests: those on the clock, the first one due first, all of them or those of one state; or the ended."""
    state = visit.request.query.get("group", "")
    if state == _ENDED:
        return _ended(visit)
    if state and (state not in REQUEST or state in ENDED):
        raise PageError(404, "Page not found", "There is no such list.")
    cursor = visit.request.query.get("cursor", "")
    # Tasks leave no entry in the trail of a request, and hold nothing of the person.
    answers = visit.api.ask_all(
        {
            "rows": Asked("listTasks", query={"state": state, "limit": ROWS, "cursor": cursor}),
            "counts": Asked("showStatistics"),
            **({} if cursor else {"drawn": Asked("listTasks", query={"state": state, "limit": _DRAWN})}),
        }
    )
    rows, counts = answers["rows"], answers["counts"]
    if isinstance(rows, ApiError):
        raise rows
    return _page(
        visit,
        state,
        counts,
        requests=[_task(each, visit.today) for each in rows["tasks"]],
        cursor=rows["cursor"],
        first=not cursor,
        chart=_chart(answers.get("drawn"), visit.today),
    )


def _page(visit: Visit, group: str, counts: Any, **values: Any) -> Response:
    known = not isinstance(counts, ApiError)
    by_state: dict[str, int] = counts["byState"] if known else {}
    lists = [("", f"On the clock ({number(counts['open'])})" if known else "On the clock")]
    lists += [(name, f"{word.text} ({number(by_state[name])})") for name, word in REQUEST.items() if by_state.get(name)]
    if group in REQUEST and group not in by_state:
        lists.append((group, REQUEST[group].text))
    lists.append((_ENDED, "Ended"))
    return visit.page(
        "requests/list.html",
        "Subject access requests",
        **{
            "tabs": [
                {"text": text, "href": visit.to("requests", group=name), "current": name == group}
                for name, text in lists
            ],
            "group": group,
            "trouble": None if known else counts,
            "may_create": visit.may(Role.SAR_USER),
            "may_see_services": visit.may(Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN),
            "chart": "",
            **values,
        },
    )


def _task(found: dict[str, Any], today: date) -> dict[str, Any]:
    left = (date.fromisoformat(found["dueDate"]) - today).days
    return {
        **found,
        "tag": tag(REQUEST, found["state"]),
        "left": days_left(left),
        "tone": "red" if left <= 3 else "amber" if left <= 14 else "",
        "moves": will_move(found),
        "waits": WAITS_FOR.get(found["waitsFor"], found["waitsFor"]),
    }


def _chart(found: Any, today: date) -> Any:
    if not found or isinstance(found, ApiError) or found["cursor"]:
        return charts.NOTHING
    return due_chart([(date.fromisoformat(each["dueDate"]) - today).days for each in found["tasks"]])


def _ended(visit: Visit) -> Response:
    """List the newest requests that have ended, so many looked through at a time."""
    text = visit.request.query.get("page", "0")
    place = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
    answers = visit.api.ask_all(
        {
            "rows": Asked("listSubjectAccessRequests", query={"pageNumber": str(place), "pageSize": _LOOKED_THROUGH}),
            "counts": Asked("showStatistics"),
        }
    )
    found = answers["rows"]
    if isinstance(found, ApiError):
        raise found
    return _page(
        visit,
        _ENDED,
        answers["counts"],
        requests=[_whole(each) for each in found if each["state"] in ENDED],
        looked=len(found),
        older=place + 1 if len(found) == _LOOKED_THROUGH else None,
        first=place == 0,
    )


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    left = -int(found["daysLate"]) if found["overdue"] else int(found["daysLeft"])
    return {**found, "tag": tag(REQUEST, found["state"]), "left": days_left(left, found["state"] in ENDED), "tone": ""}


def search(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """Ask for what is looked for: it goes by a form, and is in no address."""
    return visit.page("requests/search.html", "Search requests", status=status, found=None, errors=errors or [])


def found(visit: Visit) -> Response:
    """List the requests that a search finds."""
    errors = required(visit.form, {"text": "Enter a name, a reference or a number"})
    if errors:
        return search(visit, errors, 400)
    body = {"text": visit.form["text"], "pageNumber": 0, "pageSize": _FOUND}
    answer = visit.api.ask("searchSubjectAccessRequests", body)
    rows = [_whole(each) for each in answer]
    return visit.page("requests/search.html", "Search requests", found=rows, is_cut=len(rows) == _FOUND, errors=[])
