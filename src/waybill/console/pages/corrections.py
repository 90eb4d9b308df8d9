"""Corrected files: of a consignment that was checked, only what was wrong is sent again, or left out."""

import json
from typing import Any
from uuid import UUID

from waybill.console.adapters.api import Asked
from waybill.console.domain.verdicts import verdict_of
from waybill.console.domain.web import JSON, Response
from waybill.console.errors import ApiError
from waybill.console.pages.common import Errors, error, errors_of, uuid_of
from waybill.console.pages.consignments import body_of
from waybill.console.visit import Visit

# So many files are looked at for one page, which has 120 kB at most.
_JUDGED = 100
_MOST_LEFT_OUT = 100


def show(visit: Visit, consignment_id: str, errors: Errors | None = None, status: int = 200) -> Response:
    """Show the files that their sender can put right."""
    path = {"consignmentId": uuid_of(consignment_id)}
    cursor = visit.request.query.get("cursor", "")
    answers = visit.api.ask_all(
        {
            "head": Asked("showConsignment", path),
            "files": Asked("listConsignmentFiles", path, {"limit": _JUDGED, "cursor": cursor}),
        }
    )
    for answer in answers.values():
        if isinstance(answer, ApiError):
            raise answer
    head, listed = answers["head"], answers["files"]
    judged = [{**each, "verdict": verdict_of(each)} for each in listed["files"]]
    return visit.page(
        "consignments/corrections.html",
        f"Send corrected files of {head['reference']}",
        status=status,
        consignment=head,
        files=[each for each in judged if each["verdict"].who in {"sender", "waiting"}],
        more=listed["cursor"],
        first=not cursor,
        chosen=set(visit.form.all("leave")),
        errors=errors or [],
    )


def correct(visit: Visit, consignment_id: str) -> Response:
    """Leave files out, or hand corrections over to the API for the script of the page."""
    identity = uuid_of(consignment_id)
    if visit.request.media_type == JSON:
        answer = visit.api.ask("correctConsignment", body_of(visit), consignmentId=identity)
        return Response(200, json.dumps(answer), content_type=JSON)
    leaving = [each for each in dict.fromkeys(visit.form.all("leave")) if _is_id(each)][:_MOST_LEFT_OUT]
    if not leaving:
        return show(visit, identity, [error("leave", "Choose which files to leave out")], 400)
    body: dict[str, Any] = {"leaveOut": leaving}
    try:
        visit.api.ask("correctConsignment", body, consignmentId=identity)
    except ApiError as problem:
        return show(visit, identity, errors_of(problem, {}, "leave"), 400)
    return visit.go(f"consignments/{identity}/corrections", f"left-out.{len(leaving)}")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
