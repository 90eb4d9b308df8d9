"""The workbench: what goes out of the report, part by part, each with its reason."""

import hashlib
import json
import re
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain.redacting import Shown, marks_of, takable
from waybill.console.domain.web import Form, Response
from waybill.console.domain.words import REDACTION_REASONS
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import ROWS, Errors, error, errors_of, uuid_of
from waybill.console.visit import Visit

_NUMBER = re.compile(r"[0-9]{1,6}")


def show(visit: Visit, request_id: str, errors: Errors | None = None, status: int = 200) -> Response:
    """Show one part's values, and which of them are taken out."""
    uuid_of(request_id)
    path = {"id": request_id}
    answers = visit.api.ask_all(
        {
            "head": Asked("showSubjectAccessRequest", path),
            "parts": Asked("listParts", path),
            "marks": Asked("showRedactions", path),
        }
    )
    for answer in answers.values():
        if isinstance(answer, ApiError):
            raise answer
    parts = [part for part in answers["parts"]["parts"] if part["renderStatus"] in {"COMPLETE", "FETCHED"}]
    service = visit.request.query.get("service") or (parts[0]["serviceName"] if parts else "")
    part = next((each for each in parts if each["serviceName"] == service), None)
    if part is None:
        raise PageError(404, "There is nothing to redact", "No part of this request has an answer.")
    cursor = visit.request.query.get("cursor", "")
    content = visit.api.ask("showPartContent", query={"limit": ROWS, "cursor": cursor}, id=request_id, service=service)
    return visit.page(
        "requests/redact.html",
        f"Redact: {part['serviceLabel']}",
        status=status,
        request=answers["head"],
        parts_of=[{**each, "taken": _taken(answers["marks"], each["serviceName"])} for each in parts],
        part=part,
        values=[
            _row(number, each, answers["marks"], service, visit.form) for number, each in enumerate(content["values"])
        ],
        texts=[each for each in answers["marks"]["values"] if each["text"] and each["service"] in (None, service)],
        pages=", ".join(str(each["page"]) for each in answers["marks"]["pages"] if each["service"] == service),
        attachments=_attachments(part, answers["marks"], service, visit.form),
        near=_near(part, visit.form),
        unlisted=max(part["nearMisses"] - len(part["near"]), 0),
        cursor=content["cursor"],
        first=not cursor,
        here=cursor,
        reasons=REDACTION_REASONS,
        seen=seen_of(answers["marks"]),
        typed=set(visit.form.all("text")) if visit.form.pairs else None,
        errors=errors or [],
    )


def save(visit: Visit, request_id: str) -> Response:
    """Save what goes out of this part; what was marked elsewhere stays."""
    form, service = visit.form, visit.form["service"]
    before = visit.api.ask("showRedactions", id=uuid_of(request_id))
    if form["seen"] != seen_of(before):
        text = "These redactions were changed in another window. Yours are below, and not saved: check them, then save."
        return show(visit, request_id, [{"text": text, "href": "#words"}], 409)
    errors = [
        error(f"near-why-{number}", "Say why it stays")
        for number, path in enumerate(form.all("near"))
        if form[f"near.{number}"] == "keep" and not form[f"nearWhy.{number}"].strip()
    ]
    if errors:
        return show(visit, request_id, errors, 400)
    shown = Shown(
        service=service,
        paths=tuple(form.all("shown")),
        taken={
            path: form[f"reason.{number}"] for number, path in enumerate(form.all("shown")) if form[f"take.{number}"]
        },
        words=tuple(line.strip() for line in form["words"].splitlines() if line.strip()),
        kept_texts=frozenset(form.all("text")),
        pages=form["pages"],
        attachments=_numbers(form),
        reason=form["reason"] or REDACTION_REASONS[0],
        near={
            path: (form[f"near.{number}"], form[f"nearWhy.{number}"].strip())
            for number, path in enumerate(form.all("near"))
            if form[f"near.{number}"]
        },
    )
    try:
        visit.api.ask("redactRequest", marks_of(before, shown), id=request_id)
    except ApiError as problem:
        return show(visit, request_id, errors_of(problem, {"pages": "pages"}, "words"), 400)
    except ValueError:
        return show(
            visit, request_id, [{"text": "Enter pages as numbers with commas between: 3, 7", "href": "#pages"}], 400
        )
    return visit.go(f"requests/{request_id}/redact", "redacted", service=service, cursor=form["next"])


def _row(number: int, value: dict[str, Any], marks: dict[str, Any], service: str, form: Form) -> dict[str, Any]:
    mark = next(
        (each for each in marks["values"] if each["path"] == value["path"] and each["service"] == service), None
    )
    found = {**value, "number": number, "taken": mark is not None, "saved": mark is not None}
    found["reason"] = mark["reason"] if mark else REDACTION_REASONS[0]
    shown = form.all("shown")
    if number < len(shown) and shown[number] == value["path"]:
        # What was typed and is not saved yet.
        found["taken"] = bool(form[f"take.{number}"])
        found["reason"] = form[f"reason.{number}"] or found["reason"]
    return found


def _near(part: dict[str, Any], form: Form) -> list[dict[str, Any]]:
    """Return near misses by their place, and what was chosen; the last is all of the part, where some are open."""
    places: dict[str, dict[str, Any]] = {}
    for each in part["near"]:
        place = places.setdefault(each["path"], {"path": each["path"], "kinds": [], "stays": each["stays"]})
        if each["kind"] not in place["kinds"]:
            place["kinds"].append(each["kind"])
    rows = [each for each in places.values() if each["stays"] is None]
    if part["nearMissesOpen"]:
        rows.append({"path": "", "kinds": [], "stays": None})
    for number, row in enumerate(rows):
        same = number < len(form.all("near")) and form.all("near")[number] == row["path"]
        row |= {
            "number": number,
            "choice": form[f"near.{number}"] if same else "",
            "why": form[f"nearWhy.{number}"] if same else "",
            "takable": bool(row["path"]) and takable(row["path"]),
        }
    return [*rows, *(each for each in places.values() if each["stays"] is not None)]


def _numbers(form: Form) -> tuple[int, ...]:
    """Return the numbers of the attachments that are ticked."""
    return tuple(int(number) for number in form.all("attachment") if _NUMBER.fullmatch(number))


def seen_of(marks: dict[str, Any]) -> str:
    """Return a name for what a page has shown as taken out: another where somebody has saved meanwhile."""
    shown = {name: marks[name] for name in ("values", "pages", "attachments")}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]


def _taken(marks: dict[str, Any], service: str) -> int:
    return sum(each["service"] == service for kind in ("values", "pages", "attachments") for each in marks[kind])


def _attachments(part: dict[str, Any], marks: dict[str, Any], service: str, form: Form) -> list[dict[str, Any]]:
    taken = {each["number"] for each in marks["attachments"] if each["service"] == service}
    if form.pairs:
        taken = set(_numbers(form))
    return [{**each, "taken": each["number"] in taken} for each in part["attachments"]]
