"""Trace a file: everything that happened to it, over all workflows, with the proof."""

import re
from itertools import groupby
from typing import Any

from waybill.console.domain.custody import Known, entries_of, known_of, sentence_of
from waybill.console.domain.web import Response
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import Errors, errors_of, required
from waybill.console.visit import Visit

_EVENTS = 200
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NAMES = ("bucket", "key", "versionId", "sha256", "identifier", "consignmentId", "fileId")


def ask(visit: Visit) -> Response:
    """Ask which file."""
    return visit.page("custody/ask.html", "Trace a file")


def show(visit: Visit) -> Response:
    """Show what happened to one file, oldest first."""
    asked = {name: visit.request.query[name].strip() for name in _NAMES if visit.request.query.get(name, "").strip()}
    if not asked:
        return visit.page("custody/ask.html", "Trace a file")
    if "sha256" in asked and not _SHA256.fullmatch(asked["sha256"]):
        raise PageError(400, "That is no SHA-256", "It has 64 digits from 0 to 9 and a to f.")
    cursor = visit.request.query.get("cursor", "")
    query = {**asked, "limit": _EVENTS, "cursor": cursor}
    try:
        found = visit.api.ask("traceFile", query={**query, "prove": "true"})
    except ApiError as problem:
        if problem.status == 404:
            return visit.page("custody/unknown.html", "Waybill knows nothing about this file", asked=asked)
        if problem.status != 409:
            raise
        # The proof does not hold: the events are shown, and that it does not is said first.
        found = visit.api.ask("traceFile", query=query) | {"broken": problem.detail}
    entries = entries_of(found["events"], visit.zone, proven="broken" not in found)
    days = [(day, list(some)) for day, some in groupby(entries, key=lambda entry: entry.day)]
    return visit.page(
        "custody/show.html",
        _title(found, asked),
        trace=found,
        days=days,
        asked=asked,
        cursor=found["cursor"],
        first=not cursor,
        broken=_broken(found),
        known=(known := known_of(found["events"])),
        sentence=sentence_of(known, visit.zone),
        identifiers=found["subject"]["identifiers"],
        copies=[each for each in found["subject"]["copies"] if not _is_among(each, known)],
    )


def ask_erasure(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """Ask whose names are to go from the history."""
    query = visit.request.query
    here = {name: query.get(name, "") for name in ("bucket", "key")}
    return visit.page(
        "custody/erase.html", "Erase the names of a file", status=status, here=here, places=[], errors=errors or []
    )


def erase(visit: Visit) -> Response:
    """Show which places lose their names; where that was seen, let them go."""
    asked = {"bucket": "Enter the bucket", "key": "Enter the key", "reason": "Enter why the names are to go"}
    if errors := required(visit.form, asked):
        return ask_erasure(visit, errors, 400)
    body, is_seen = {name: visit.form[name] for name in asked}, visit.form["step"] == "erase"
    try:
        answer = visit.api.ask("eraseNames", {**body, "dryRun": not is_seen})
    except ApiError as problem:
        return ask_erasure(visit, errors_of(problem, dict(zip(asked, asked, strict=True)), "key"), 400)
    places = answer["places"]
    if is_seen:
        return visit.go("custody/erase", f"names-erased.{len(places)}")
    return visit.page("custody/erase.html", "Erase these names for good?", here=body, places=places, errors=[])


def _title(found: dict[str, Any], asked: dict[str, str]) -> str:
    if "key" in asked:
        return asked["key"].rpartition("/")[2] or asked["key"]
    places = found["subject"]["places"]
    return (places[0]["key"].rpartition("/")[2] or places[0]["key"]) if places else next(iter(asked.values()))


def _broken(found: dict[str, Any]) -> str:
    """Return what is wrong with the record, empty where nothing is."""
    if found.get("broken"):
        return str(found["broken"])
    for number, event in enumerate(found["events"], start=1):
        if not event["intact"]:
            return f"The chain breaks at event {number}: it is not as it was recorded."
    return ""


def _is_among(place: dict[str, str], known: list[Known]) -> bool:
    return any((each.bucket, each.key) == (place["bucket"], place["key"]) for each in known)
