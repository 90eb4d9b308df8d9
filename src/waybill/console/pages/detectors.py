"""What scans look for: detectors and allow lists, and scans that are made again and again."""

import json
import re
from collections.abc import Mapping
from typing import Any

from waybill.console.domain.web import Response
from waybill.console.domain.words import CONFIDENCE, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import Errors, error, errors_of, required
from waybill.console.visit import Visit
from waybill.core.text import count

_ID = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_EVERY = {"hour": "Every hour", "day": "Every day", "week": "Every week"}
# What somebody who has made none finds in the form; its own example holds.
_START = {
    "description": "Number of a badge",
    "keywords": ["badge"],
    "rules": [{"pattern": "B-[A-Z]{8}", "gates": ["B-[A-Z]"], "confidence": "MEDIUM", "with_keyword": "HIGH"}],
    "examples": [{"text": "badge B-QWERTZUI", "finds": "B-QWERTZUI", "confidence": "HIGH"}, {"text": "B-12345678"}],
}
_ALLOW = {
    "description": "Addresses of our own help desk",
    "allows": {"texts": ["help@example.org"], "patterns": [], "detectors": ["EMAIL"]},
}


def overview(visit: Visit) -> Response:
    """List detectors: those of the stack's own, and those that Waybill brings."""
    found = visit.api.ask_whole("listDetectors", "detectors")
    return visit.page(
        "findings/detectors.html",
        "Detectors",
        own=[each for each in found if not each["shipped"]],
        shipped=[each for each in found if each["shipped"]],
    )


def new(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """Ask for a detector of the stack's own, or an allow list."""
    is_list = visit.request.query.get("kind") == "allow"
    return visit.page(
        "findings/detector.html",
        "New allow list" if is_list else "New detector",
        status=status,
        detector=None,
        text=_shown(_ALLOW if is_list else _START),
        query={"kind": "allow"} if is_list else {},
        errors=errors or [],
    )


def create(visit: Visit) -> Response:
    """Save a new detector."""
    name = visit.form["id"]
    if not _ID.fullmatch(name):
        return new(visit, [error("id", "Enter an id in capitals, such as TOWN_HALL_BADGE")], 400)
    try:
        visit.api.ask("showDetector", detector_id=name)
    except ApiError as problem:
        if problem.status != 404:
            raise
    else:
        return new(visit, [error("id", "There is a detector of this id already")], 400)
    errors = _saved(visit, name)
    return new(visit, errors, 400) if errors else visit.go(f"detectors/{name}", "detector-saved")


def show(visit: Visit, detector_id: str, errors: Errors | None = None, status: int = 200) -> Response:
    """Show a detector with its examples."""
    found = visit.api.ask("showDetector", detector_id=_id_of(detector_id))
    definition = found["definition"] or {}
    return visit.page(
        "findings/detector.html",
        found["id"],
        status=status,
        detector=found,
        examples=definition.get("examples") or [],
        text=_shown({name: value for name, value in definition.items() if value not in (None, [], "")}),
        query={},
        errors=errors or [],
    )


def change(visit: Visit, detector_id: str) -> Response:
    """Save what was changed, or delete the detector; what somebody else has changed meanwhile is not overwritten."""
    name, form = _id_of(detector_id), visit.form
    now = visit.api.ask("showDetector", detector_id=name)
    if str(now["version"] or "") != form["version"]:
        text = f"Somebody else has changed it meanwhile: this is version {now['version']}. Put your change into it."
        return show(visit, detector_id, [error("definition", text)], 409)
    match form["what"]:
        case "delete":
            visit.api.ask("deleteDetector", detector_id=name)
            return visit.go("detectors", "detector-deleted")
        case "save":
            errors = _saved(visit, name)
            return show(visit, detector_id, errors, 400) if errors else visit.go(f"detectors/{name}", "detector-saved")
    raise PageError(404, "Page not found", "There is nothing of this name to do with a detector.")


def ask_text(visit: Visit, detector_id: str, errors: Errors | None = None, status: int = 200) -> Response:
    """Ask for a text that a detector is to be tried on."""
    name = _id_of(detector_id)
    found = visit.api.ask("showDetector", detector_id=name)
    return visit.page("findings/trial.html", f"Try {name}", status=status, detector=found, errors=errors or [])


def try_out(visit: Visit, detector_id: str) -> Response:
    """Show what a detector finds in a text, beside the text.

    The form has no name for this one sending: a page that answers one is kept for a while, and this one has the text.
    """
    name, text = _id_of(detector_id), visit.form["text"].replace("\r\n", "\n")
    errors = required(visit.form, {"text": "Enter a text"})
    if errors:
        return ask_text(visit, name, errors, 400)
    try:
        trial = visit.api.ask("testDetector", {"text": text}, detector_id=name)
    except ApiError as problem:
        return ask_text(visit, name, errors_of(problem, {"text": "text"}, "text"), 400)
    found = visit.api.ask("showDetector", detector_id=name)
    rows = [{**each, "sure": tag(CONFIDENCE, each["confidence"])} for each in trial["findings"]]
    return visit.page(
        "findings/trial.html", f"Try {name}", detector=found, trial=trial, rows=rows, said=_tried(trial), errors=[]
    )


def _tried(trial: Mapping[str, Any]) -> str:
    """Return what came of a trial, in a sentence."""
    said = f"{count(trial['total'], 'value')} found" if trial["total"] else "Nothing is found in this text"
    return f"{said}, {count(trial['allowed'], 'more', 'more')} on an allow list." if trial["allowed"] else f"{said}."


def schedules(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """List scans that are made again and again."""
    found = visit.api.ask_whole("listSchedules", "schedules")
    return visit.page(
        "findings/schedules.html",
        "Schedules",
        status=status,
        schedules=[{**each, "often": _EVERY[each["every"]]} for each in found],
        every=_EVERY,
        errors=errors or [],
    )


def change_schedules(visit: Visit) -> Response:
    """Make a schedule; suspend, resume or end one."""
    form = visit.form
    for name, suspended, notice in (("suspend", True, "schedule-suspended"), ("resume", False, "schedule-resumed")):
        if form[name]:
            visit.api.ask("changeSchedule", {"suspended": suspended}, query={"id": form[name]})
            return visit.go("scans/schedules", notice)
    if form["end"]:
        visit.api.ask("deleteSchedule", query={"id": form["end"]})
        return visit.go("scans/schedules", "unscheduled")
    errors = required(form, {"bucket": "Enter the bucket"})
    if form["every"] not in _EVERY:
        errors.append(error("every", "Choose how often"))
    if not errors:
        body = {"bucket": form["bucket"], "prefix": form["prefix"], "every": form["every"]}
        if form["first"]:
            body["first_at"] = form["first"]
        try:
            visit.api.ask("createSchedule", body, once=form["once"])
        except ApiError as problem:
            fields = {"bucket": "bucket", "prefix": "prefix", "every": "every", "first_at": "first"}
            errors = errors_of(problem, fields, "bucket")
    return schedules(visit, errors, 400) if errors else visit.go("scans/schedules", "scheduled")


def _saved(visit: Visit, name: str) -> Errors:
    """Save the definition of the form; return what is wrong with it."""
    try:
        definition = json.loads(visit.form["definition"])
    except (ValueError, RecursionError) as problem:
        place = f" in line {problem.lineno}" if isinstance(problem, json.JSONDecodeError) else ""
        return [error("definition", f"This is no JSON{place}")]
    if not isinstance(definition, dict):
        return [error("definition", "Enter one definition: it begins with { and ends with }")]
    try:
        visit.api.ask("putDetector", definition, detector_id=name)
    except ApiError as problem:
        errors = errors_of(problem, {}, "definition")
        named = [f"{field.removeprefix('body.')}: {text}" for field, text in problem.fields]
        return [error("definition", text) for text in named] or errors
    return []


def _id_of(text: str) -> str:
    if not _ID.fullmatch(text):
        raise PageError(404, "Page not found", "If you typed the address, check that it is right.")
    return text


def _shown(definition: dict[str, Any]) -> str:
    return json.dumps(definition, indent=2, ensure_ascii=False)
