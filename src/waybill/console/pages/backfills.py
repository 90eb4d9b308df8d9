"""Backfills: what was there before Waybill, or is missing, is copied in the background."""

import re
from typing import Any

from waybill.console.domain import charts
from waybill.console.domain.charts import Bar
from waybill.console.domain.web import Response
from waybill.console.domain.words import BACKFILL, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import ROWS, Errors, errors_of
from waybill.console.visit import Visit
from waybill.core.text import count

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ACTS = {"cancel": ("cancelBackfill", "backfill-cancelled"), "resume": ("resumeBackfill", "backfill-resumed")}


def overview(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """List backfills, the newest first."""
    cursor = visit.request.query.get("cursor", "")
    found = visit.api.ask("listBackfills", query={"limit": ROWS, "cursor": cursor})
    return visit.page(
        "replication/backfills.html",
        "Backfills",
        status=status,
        backfills=[{**each, "tag": tag(BACKFILL, each["status"])} for each in found["backfills"]],
        cursor=found["cursor"],
        first=not cursor,
        errors=errors or [],
    )


def start(visit: Visit) -> Response:
    """Begin a backfill."""
    form = visit.form
    body: dict[str, Any] = {"prefix": form["prefix"], "contentOnly": form["content"] == "yes"}
    if form["bucket"]:
        body["sourceBucket"] = form["bucket"]
    try:
        found = visit.api.ask("startBackfill", body, once=form["once"])
    except ApiError as problem:
        return overview(visit, errors_of(problem, {"prefix": "prefix", "sourceBucket": "bucket"}, "bucket"), 400)
    return visit.go("replication/backfill", "backfill-started", id=found["backfillId"])


def show(visit: Visit) -> Response:
    """Show how a backfill stands."""
    found = visit.api.ask("showBackfill", backfillId=_id_of(visit))
    counts = found["counts"]
    bars = [
        Bar("has its copy", counts["succeeded"], "green"),
        Bar("failed", counts["failed"], "red"),
        Bar("not known yet", counts["pending"], "slate"),
    ]
    answer = f"{counts['succeeded']} of {count(counts['copies'], 'copy', 'copies')} asked for have arrived"
    return visit.page(
        "replication/backfill.html",
        _title(found),
        backfill=found,
        tag=tag(BACKFILL, found["status"]),
        chart=charts.share("What has become of it?", bars, answer, lambda value: count(value, "copy", "copies"))
        if counts["copies"]
        else "",
        may_resume=found["status"] == "STOPPED",
        may_cancel=found["status"] in {"RUNNING", "STOPPED"},
    )


def act(visit: Visit) -> Response:
    """End a backfill, or let it go on."""
    if visit.form["what"] not in _ACTS:
        raise PageError(404, "Page not found", "There is nothing of this name to do with a backfill.")
    operation, notice = _ACTS[visit.form["what"]]
    identity = _id_of(visit)
    visit.api.ask(operation, backfillId=identity)
    return visit.go("replication/backfill", notice, id=identity)


def _title(found: dict[str, Any]) -> str:
    """Return what a backfill has come to; all is well only where it has ended and every copy is known to be there."""
    counts = found["counts"]
    match found["status"]:
        case "RUNNING":
            return "What is missing is being copied"
        case "STOPPED":
            return "The backfill has stopped before its end"
        case "CANCELLED":
            return "The backfill was ended early"
        case "COMPLETED" if not counts["failed"] and not counts["pending"]:
            return "Nothing is missing of what was compared"
    if counts["failed"]:
        return f"{count(counts['failed'], 'copy', 'copies')} failed"
    return "Not every copy is known to have arrived"


def _id_of(visit: Visit) -> str:
    identity = visit.request.query.get("id", "")
    if not _ID.fullmatch(identity):
        raise PageError(404, "Page not found", "If you typed the address, check that it is right.")
    return identity
