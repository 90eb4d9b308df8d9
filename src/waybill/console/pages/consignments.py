"""Consignments: the list, sending a folder, what the checks found, one file, its exception, exports."""

import json
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts
from waybill.console.domain.charts import Bar
from waybill.console.domain.verdicts import Verdicts, formats_of, verdict_of
from waybill.console.domain.web import JSON, Response, redirect
from waybill.console.domain.words import CONSIGNMENT, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import ROWS, errors_of, required, uuid_of
from waybill.console.visit import Visit
from waybill.core.bodies import json_object
from waybill.core.errors import InvalidInputError
from waybill.core.roles import Role
from waybill.core.text import count

# So many files are judged together for the figures of a page; of more, pages of files are shown. Each of them may have
# to be shown, and a page has 120 kB at most.
_JUDGED = 150
_STATES = ("Registered", "InProgress", "CompletedWithIssues", "Completed", "Failed")
_FORMATS = {
    "csv": "One row for each file (CSV)",
    "droid-csv": "The same in DROID’s form (CSV)",
    "premis": "PREMIS 3 (XML)",
    "ndjson": "Everything that is known (NDJSON)",
    "report": "Report to print (HTML)",
}
_ENDINGS = {"csv": "csv", "droid-csv": "droid.csv", "premis": "premis.xml", "ndjson": "ndjson", "report": "html"}


def overview(visit: Visit) -> Response:
    """List consignments, newest first."""
    status = visit.request.query.get("status", "")
    cursor = visit.request.query.get("cursor", "")
    if status and status not in _STATES:
        raise PageError(404, "Page not found", "There is no such status.")
    found = visit.api.ask("listConsignments", query={"status": status, "limit": ROWS, "cursor": cursor})
    filters = [{"text": "All", "href": visit.to("consignments"), "current": not status}] + [
        {"text": CONSIGNMENT[each].text, "href": visit.to("consignments", status=each), "current": each == status}
        for each in _STATES
    ]
    consignments = [{**each, "tag": tag(CONSIGNMENT, each["status"])} for each in found["consignments"]]
    return visit.page(
        "consignments/list.html",
        "Consignments",
        consignments=consignments,
        filters=filters,
        query={"status": status},
        cursor=found["cursor"],
        first=not cursor,
        may_send=visit.may(Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE),
    )


def new(visit: Visit) -> Response:
    """Show how to send a folder."""
    return visit.page("consignments/send.html", "Send a folder", consignment=None)


def upload(visit: Visit, consignment_id: str) -> Response:
    """Go on with sending a folder."""
    found = visit.api.ask("showConsignment", consignmentId=uuid_of(consignment_id))
    return visit.page("consignments/send.html", f"Go on sending {found['reference']}", consignment=found)


def register(visit: Visit) -> Response:
    """Hand a page of files over to the API, for the script of the page."""
    return _json(visit.api.ask("registerConsignment", body_of(visit)))


def addresses(visit: Visit, consignment_id: str) -> Response:
    """Give fresh addresses, for the script of the page."""
    return _json(visit.api.ask("renewUploads", body_of(visit), consignmentId=uuid_of(consignment_id)))


def start(visit: Visit, consignment_id: str) -> Response:
    """Start the checks."""
    visit.api.ask("startChecks", consignmentId=uuid_of(consignment_id))
    return visit.go(f"consignments/{consignment_id}", "checks-started")


def back(visit: Visit, consignment_id: str = "") -> Response:
    """Lead back from an address that takes forms only."""
    return visit.go(f"consignments/{consignment_id}".rstrip("/"))


def show(visit: Visit, consignment_id: str) -> Response:
    """Show how the checks stand, and what they found."""
    uuid_of(consignment_id)
    cursor = visit.request.query.get("cursor", "")
    path = {"consignmentId": consignment_id}
    answers = visit.api.ask_all(
        {
            "head": Asked("showConsignment", path),
            "files": Asked("listConsignmentFiles", path, {"limit": _JUDGED, "cursor": cursor}),
        }
    )
    head, listed = answers["head"], answers["files"]
    if isinstance(head, ApiError):
        raise head
    files = [] if isinstance(listed, ApiError) else listed["files"]
    more = None if isinstance(listed, ApiError) else listed["cursor"]
    verdicts = Verdicts.of(files)
    wanted = visit.request.query.get("show", "")
    is_whole = not isinstance(listed, ApiError) and not more and not cursor
    return visit.page(
        "consignments/show.html",
        _title(head, verdicts, is_whole),
        consignment=head,
        tag=tag(CONSIGNMENT, head["status"]),
        verdicts=verdicts,
        is_whole=is_whole,
        files=_shown(files, wanted),
        show=wanted,
        more=more,
        first=not cursor,
        trouble=listed if isinstance(listed, ApiError) else None,
        chart=_format_chart(files) if is_whole and head["status"] != "InProgress" else "",
        figures=_figures(verdicts),
        steps=progress_steps(head["progress"]),
        may_send=visit.may(Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE),
        may_correct=head["status"] == "CompletedWithIssues",
        exports=_FORMATS,
        judged=_JUDGED,
    )


def progress(visit: Visit, consignment_id: str) -> Response:
    """Show how far the checks are: the part of the page that is looked at again and again."""
    head = visit.api.ask("showConsignment", consignmentId=uuid_of(consignment_id))
    steps = progress_steps(head["progress"])
    return visit.page("consignments/progress.html", "", consignment=head, steps=steps)


def progress_steps(found: dict[str, int]) -> list[dict[str, Any]]:
    """Return what each check has come to: `{what, done, of}`."""
    named = (("Malware", "antivirus"), ("Checksum", "checksum"), ("Format", "fileFormat"))
    return [{"what": what, "done": found[name], "of": found["files"]} for what, name in named]


def export(visit: Visit, consignment_id: str) -> Response:
    """Hand the results over as a file."""
    wanted = visit.request.query.get("format", "")
    if wanted not in _FORMATS:
        raise PageError(404, "Page not found", "There is no such form of the results.")
    identity = uuid_of(consignment_id)
    if wanted == "report":
        found = visit.api.fetch("getConsignmentReport", consignmentId=identity)
    else:
        found = visit.api.fetch("exportConsignment", query={"format": wanted}, consignmentId=identity)
    if found.location:
        return redirect(found.location)
    headers = {"Content-Disposition": f'attachment; filename="{consignment_id}.{_ENDINGS[wanted]}"'}
    return Response(200, found.text, content_type=found.content_type, headers=headers)


def show_file(visit: Visit, consignment_id: str, errors: Any = None, status: int = 200) -> Response:
    """Show what the checks found of one file."""
    path = {"consignmentId": uuid_of(consignment_id), "fileId": uuid_of(visit.request.query.get("file", ""))}
    answers = visit.api.ask_all(
        {
            "head": Asked("showConsignment", {"consignmentId": consignment_id}),
            "file": Asked("showConsignmentFile", path),
        }
    )
    for answer in answers.values():
        if isinstance(answer, ApiError):
            raise answer
    found = answers["file"]
    verdict = verdict_of(found)
    waivable = [
        each
        for each in found["explanations"]
        if each["action"]
        and each["statusName"] in {"Antivirus", "FFID", "Redaction"}
        and each["value"] not in {"Failed", "VirusDetected"}
    ]
    return visit.page(
        "consignments/file.html",
        found["path"].rpartition("/")[2],
        status=status,
        consignment=answers["head"],
        file=found,
        verdict=verdict,
        formats=formats_of(found),
        waivable=waivable if visit.may(Role.CONSIGNMENTS_APPROVER) else [],
        may_trace=visit.may(Role.CUSTODY),
        errors=errors or [],
    )


def waive(visit: Visit, consignment_id: str) -> Response:
    """Make an exception for a file."""
    errors = required(visit.form, {"reason": "Enter why the file may be accepted", "status": "Choose what may pass"})
    file_id = uuid_of(visit.request.query.get("file", ""))
    if not errors:
        body = {"status": visit.form["status"], "reason": visit.form["reason"]}
        try:
            visit.api.ask("waiveConsignmentFile", body, consignmentId=uuid_of(consignment_id), fileId=file_id)
        except ApiError as problem:
            errors = errors_of(problem, {"reason": "reason", "status": "status"}, "reason")
    if errors:
        return show_file(visit, consignment_id, errors, 400)
    return visit.go(f"consignments/{consignment_id}/file", "waived", file=file_id)


def _shown(files: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    judged = [{**each, "verdict": verdict_of(each)} for each in files]
    if wanted == "all":
        return judged
    if wanted == "accepted":
        return [each for each in judged if each["verdict"].who == "accepted"]
    return [each for each in judged if each["verdict"].who in {"sender", "us", "locked"}]


def _title(head: dict[str, Any], verdicts: Verdicts, is_whole: bool) -> str:
    total, refused = int(head["progress"]["files"]), verdicts.refused
    match head["status"]:
        case "Registered":
            return f"{head['reference']} has not been checked yet"
        case "InProgress":
            return f"{head['reference']} is being checked"
        case "Failed":
            return "The checks could not be finished"
        case "Completed":
            return f"All {count(total, 'file')} are accepted" if total != 1 else "The file is accepted"
    return (
        f"{refused} of {count(total, 'file')} cannot be accepted yet"
        if is_whole
        else "Some files cannot be accepted yet"
    )


def _figures(verdicts: Verdicts) -> list[dict[str, Any]]:
    named = (
        ("Accepted", verdicts.accepted, "green"),
        ("For the sender to put right", verdicts.sender, "amber"),
        ("For us to look at", verdicts.us, "slate"),
        ("Locked away as malware", verdicts.locked, "red"),
    )
    return [{"what": what, "value": f"{value:,}", "tone": tone, "note": ""} for what, value, tone in named]


def _format_chart(files: list[dict[str, Any]]) -> Any:
    counts: dict[str, int] = {}
    for each in files:
        found = formats_of(each)
        name = found[0] if found else "not known"
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [Bar(name, number) for name, number in ranked[:8]]
    rest = sum(number for _, number in ranked[8:])
    shown += [Bar("others", rest, "slate")] if rest else []
    return charts.bars("Which formats are these? Files by PRONOM format", shown, "file")


def body_of(visit: Visit) -> dict[str, Any]:
    """Return the JSON that a script of a page has sent; raises PageError where it is none."""
    try:
        return json_object(visit.request.json_bytes().decode())
    except (InvalidInputError, UnicodeDecodeError):
        raise PageError(400, "This cannot be read") from None


def _json(answer: Any) -> Response:
    return Response(200, json.dumps(answer), content_type=JSON)
