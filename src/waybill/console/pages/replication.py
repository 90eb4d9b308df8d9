"""Replication: what could not be copied and why, one file, comparisons, backfills."""

import re
from collections import defaultdict
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts, copying
from waybill.console.domain.charts import Bar
from waybill.console.domain.web import Response
from waybill.console.domain.words import COPY_ADVICE, REPLICATION, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import ROWS, errors_of, required
from waybill.console.visit import Visit
from waybill.core.roles import Role
from waybill.core.text import count

_LOOKED_AT = 200
_HOURS = 24
# How many findings of a comparison the API shows, and what its ids may hold (Step Functions, StartExecution, "name").
_LISTED = 200
_EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIRST_FILES = 5
# How many failures one button ends: what the time of a page allows.
_MOST_AT_ONCE = 50
_NOT_KNOWN = "not known"
_NO_CODE = "UNKNOWN"
_MOST_NAMED = 100


def overview(visit: Visit, errors: Any = None, status_code: int = 200) -> Response:
    """Show what failed by its cause, and the records by their status."""
    query = visit.request.query
    status, cursor = query.get("status", ""), query.get("cursor", "")
    if status and status not in REPLICATION:
        raise PageError(404, "Page not found", "There is no such status.")
    answers = visit.api.ask_all(
        {
            "failed": Asked("listReplications", query={"status": "FAILED", "limit": _LOOKED_AT}),
            "listed": Asked("listReplications", query={"status": status, "limit": ROWS, "cursor": cursor}),
            "running": Asked("listReplications", query={"status": "IN_PROGRESS", "limit": _LOOKED_AT}),
            "day": Asked("countReplications", query={"hours": _HOURS}),
        }
    )
    failed, listed, running, day = (answers[name] for name in ("failed", "listed", "running", "day"))
    if isinstance(listed, ApiError):
        raise listed
    groups = [] if isinstance(failed, ApiError) else by_cause(failed["replications"])
    cut = not isinstance(failed, ApiError) and bool(failed["cursor"])
    records = [{**each, "tag": tag(REPLICATION, each["status"]), **_arrived(each)} for each in listed["replications"]]
    filters = [{"text": "All", "href": visit.to("replication"), "current": not status}] + [
        {"text": word.text, "href": visit.to("replication", status=each), "current": each == status}
        for each, word in REPLICATION.items()
    ]
    return visit.page(
        "replication/overview.html",
        "Replication",
        status=status_code,
        errors=errors or [],
        groups=groups,
        sentence=_sentence(groups, cut=cut, is_known=not isinstance(failed, ApiError)),
        trouble=failed if isinstance(failed, ApiError) else None,
        unknown=next((each for each in (running, day) if isinstance(each, ApiError)), None),
        waiting="" if isinstance(running, ApiError) else copying.waiting(running, visit.now),
        figures=[] if isinstance(day, ApiError) else copying.figures(day),
        arrivals="" if isinstance(day, ApiError) else copying.arrivals(day, visit.zone),
        chart=charts.bars(
            "Why do copies fail? Copies by cause",
            [Bar(each["code"], each["copies"], "red") for each in groups[:8]],
            "copy",
            "copies",
        ),
        records=records,
        filters=filters,
        query={"status": status},
        cursor=listed["cursor"],
        first=not cursor,
    )


def by_cause(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the failures in groups of one cause and destination, the largest first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in failed:
        for copy in _failures_of(record):
            groups[_cause(copy)].append(record)
    found = [
        {
            "code": code,
            "destination": destination,
            "copies": len(records),
            "files": records[:_FIRST_FILES],
            "since": min(each["startTime"] for each in records),
            "advice": COPY_ADVICE.get(code, "Open a file to see what happened."),
            "is_known": destination != _NOT_KNOWN,
        }
        for (code, destination), records in groups.items()
    ]
    return sorted(found, key=lambda group: (-group["copies"], group["code"]))


def _failures_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    # `failedBuckets` follows what was done since; `copyResults` is what the latest run came to, and may be cut.
    results = {str(each["destinationBucket"]): each for each in record.get("copyResults") or []}
    failed = record.get("failedBuckets") or [
        bucket for bucket, each in results.items() if each.get("status") == "FAILED" or each.get("success") is False
    ]
    return [{"code": results.get(each, {}).get("code"), "destinationBucket": each} for each in failed or [_NOT_KNOWN]]


def _cause(copy: dict[str, Any]) -> tuple[str, str]:
    return str(copy.get("code") or _NO_CODE), str(copy["destinationBucket"])


def retry(visit: Visit) -> Response:
    """Start what has failed for one cause at one destination once more, as one job for each source."""
    code, destination = visit.form["code"], visit.form["destination"]
    by_source: dict[str, list[str]] = defaultdict(list)
    for record in _failed(visit, code, destination):
        by_source[record["sourceBucket"]].append(record["fileKey"])
    if not by_source:
        raise PageError(409, "No copy fails so any more", "Look at the page about replication for what fails now.")
    questions = {
        bucket: Asked(
            "retryReplications",
            body={**_what_to_retry(code, bucket, keys), "to": [destination]},
            once=f"{visit.form['once'][:64]}-{place}",
        )
        for place, (bucket, keys) in enumerate(sorted(by_source.items()))
    }
    answers = visit.api.ask_all(questions)
    started = [answer for answer in answers.values() if not isinstance(answer, ApiError)]
    if len(started) == len(answers) == 1:
        return visit.go("replication/backfill", "retried", id=started[0]["backfillId"])
    return _done(visit, answers, "retried-several", "started")


def _what_to_retry(code: str, bucket: str, keys: list[str]) -> dict[str, Any]:
    if code != _NO_CODE:
        return {"cause": code, "sourceBucket": bucket}
    # Without a cause they are named, as many at once as the API takes.
    return {"files": [{"sourceBucket": bucket, "sourceKey": key} for key in keys[:_MOST_NAMED]]}


def confirm_group(visit: Visit, errors: Any = None, status: int = 200) -> Response:
    """Ask whether nobody will mend the failures of one cause and destination."""
    code, destination = visit.request.query.get("code", ""), visit.request.query.get("destination", "")
    found = _failed(visit, code, destination)
    if not found and not errors:
        raise PageError(404, "No copy fails so any more", "Look at the page about replication for what fails now.")
    shown = found[:_MOST_AT_ONCE]
    return visit.page(
        "replication/dismiss-group.html",
        f"Stop trying to copy {count(len(shown), 'file')}?",
        status=status,
        code=code,
        destination=destination,
        files=shown,
        more=len(found) - len(shown),
        errors=errors or [],
    )


def dismiss_group(visit: Visit) -> Response:
    """Note that nobody will mend failures: of the files that the page has shown, and no others."""
    destination, reason = visit.request.query.get("destination", ""), visit.form["reason"]
    files = [each.partition("/") for each in visit.form.all("file")[:_MOST_AT_ONCE]]
    errors = required(visit.form, {"reason": "Enter why nobody will mend them"})
    if errors or not files:
        return confirm_group(visit, errors, 400)
    questions = {
        f"{bucket}/{key}": Asked(
            "dismissFailures",
            body={
                "sourceBucket": bucket,
                "sourceKey": key,
                "reason": reason,
                **({"destinationBucket": destination} if destination else {}),
            },
        )
        for bucket, _, key in files
    }
    return _done(visit, visit.api.ask_all(questions), "group-dismissed", "dismissed")


def _failed(visit: Visit, code: str, destination: str) -> list[dict[str, Any]]:
    """Return the records of what fails now for this cause at this destination, once each."""
    failed = visit.api.ask("listReplications", query={"status": "FAILED", "limit": _LOOKED_AT})["replications"]
    return [record for record in failed if (code, destination) in {_cause(copy) for copy in _failures_of(record)}]


def _done(visit: Visit, answers: dict[str, Any], notice: str, word: str) -> Response:
    """Lead back with what was done of several; where not all of it was, the page says how much, and why not."""
    failed = [answer for answer in answers.values() if isinstance(answer, ApiError)]
    if not failed:
        return visit.go("replication", f"{notice}.{len(answers)}")
    why = failed[0].detail or "The API did not answer for the others."
    text = f"{len(answers) - len(failed)} of {len(answers)} are {word}. {why}"
    return overview(visit, [{"text": text, "href": "#failed"}], 400)


def show_file(visit: Visit, errors: Any = None, status: int = 200) -> Response:
    """Show where a file is and where it is not."""
    bucket, key = _file_of(visit)
    found = visit.api.ask("showReplication", query={"sourceBucket": bucket, "sourceKey": key})
    destinations = [{**each, "tag": tag(REPLICATION, str(each.get("status", "")))} for each in found["destinations"]]
    return visit.page(
        "replication/file.html",
        key.rpartition("/")[2] or key,
        status=status,
        file=found,
        tag=tag(REPLICATION, found["status"]),
        destinations=destinations,
        history=[{**each, "tag": tag(REPLICATION, each["status"])} for each in found["history"]],
        missing=[each["destinationBucket"] for each in destinations if each.get("status") == "FAILED"],
        advice=COPY_ADVICE,
        may_trace=visit.may(Role.CUSTODY),
        errors=errors or [],
        here={"bucket": bucket, "key": key},
    )


def copy_again(visit: Visit) -> Response:
    """Start a run for a file."""
    bucket, key = _file_of(visit)
    body: dict[str, Any] = {
        "sourceBucket": bucket,
        "sourceKey": key,
        "destinationBuckets": visit.form.all("destination"),
        "requestId": visit.form["once"],
    }
    if visit.form["prefix"]:
        body["destinationPrefix"] = visit.form["prefix"]
    try:
        visit.api.ask("startReplication", body)
    except ApiError as problem:
        return show_file(visit, errors_of(problem, {}, "main-content"), 400)
    return visit.go("replication/file", "copy-started", bucket=bucket, key=key)


def back(visit: Visit) -> Response:
    """Lead back from an address that takes forms only."""
    return visit.go("replication")


def confirm_dismissal(visit: Visit, errors: Any = None, status: int = 200) -> Response:
    """Ask whether nobody will mend a failure."""
    bucket, key = _file_of(visit)
    return visit.page(
        "replication/dismiss.html",
        "Stop trying to copy this file?",
        status=status,
        here={"bucket": bucket, "key": key},
        destination=visit.request.query.get("destination", ""),
        errors=errors or [],
    )


def dismiss(visit: Visit) -> Response:
    """Note that nobody will mend a failure."""
    bucket, key = _file_of(visit)
    errors = required(visit.form, {"reason": "Enter why nobody will mend it"})
    if not errors:
        body = {"sourceBucket": bucket, "sourceKey": key, "reason": visit.form["reason"]}
        if destination := visit.form["destination"]:
            body["destinationBucket"] = destination
        try:
            visit.api.ask("dismissFailures", body)
        except ApiError as problem:
            errors = errors_of(problem, {"reason": "reason"}, "reason")
    if errors:
        return confirm_dismissal(visit, errors, 400)
    return visit.go("replication/file", "dismissed", bucket=bucket, key=key)


def verifications(visit: Visit, errors: Any = None, status: int = 200) -> Response:
    """List comparisons of copies with their sources."""
    cursor = visit.request.query.get("cursor", "")
    found = visit.api.ask("listVerifications", query={"limit": ROWS, "cursor": cursor})
    return visit.page(
        "replication/verifications.html",
        "Comparisons",
        status=status,
        verifications=found["verifications"],
        cursor=found["cursor"],
        first=not cursor,
        errors=errors or [],
    )


def verify(visit: Visit) -> Response:
    """Start a comparison."""
    body: dict[str, Any] = {"prefix": visit.form["prefix"], "deep": visit.form["deep"] == "yes"}
    if visit.form["bucket"]:
        body["sourceBucket"] = visit.form["bucket"]
    try:
        found = visit.api.ask("startVerification", body, once=visit.form["once"])
    except ApiError as problem:
        wrong = errors_of(problem, {"prefix": "prefix", "sourceBucket": "bucket"}, "bucket")
        return verifications(visit, wrong, 400)
    return visit.go("replication/verification", "verification-started", id=found["verificationId"])


def verification(visit: Visit) -> Response:
    """Show what a comparison found, differences first."""
    identity = visit.request.query.get("id", "")
    if not _EXECUTION.fullmatch(identity):
        raise PageError(404, "Page not found", "If you typed the address, check that it is right.")
    found = visit.api.ask("showVerification", verificationId=identity)
    counts = found["counts"]
    bars = [
        Bar("the same", counts["equal"], "green"),
        Bar("differ", counts["differs"], "red"),
        Bar("missing", counts["missing"], "amber"),
        Bar("not proven", counts["notProven"] + counts["notChecked"], "slate"),
    ]
    answer = f"{counts['equal']} of {counts['compared']} compared copies are the same"
    return visit.page(
        "replication/verification.html",
        compared(found["status"], counts),
        verification=found,
        is_cut=len(found["findings"]) >= _LISTED,
        chart=charts.share("What did the comparison find?", bars, answer, lambda value: count(value, "copy", "copies")),
        findings=sorted(found["findings"], key=lambda each: (each["result"], each["key"])),
    )


def compared(status: str, counts: dict[str, int]) -> str:
    """Return what a comparison has come to; all is well only where it has ended and every copy is known to be equal."""
    wrong = counts["differs"] + counts["missing"]
    unknown = counts["notProven"] + counts["notChecked"]
    said = []
    if wrong:
        said.append(f"{count(wrong, 'copy', 'copies')} {'differs or is' if wrong == 1 else 'differ or are'} missing")
    if unknown:
        said.append(f"{count(unknown, 'copy', 'copies')} {'is' if unknown == 1 else 'are'} not known to be equal")
    match status:
        case "RUNNING":
            return "Copies are being compared"
        case "STOPPED":
            return ", ".join(["The comparison was stopped", *said])
        case "COMPLETED" if not said:
            return "No copy differs from its source"
    return ", ".join(said) or "Not every copy is known to be equal"


def _file_of(visit: Visit) -> tuple[str, str]:
    bucket, key = visit.request.query.get("bucket", ""), visit.request.query.get("key", "")
    if not bucket or not key or len(bucket) > 63 or len(key.encode()) > 1024:
        raise PageError(404, "Page not found", "The address has to name a bucket and a key.")
    return bucket, key


def _arrived(record: dict[str, Any]) -> dict[str, str]:
    total = int(record.get("totalBuckets") or record["totalDestinationBuckets"])
    return {"arrived": f"{int(record.get('successfulCopies') or 0)} of {total}"}


def _sentence(groups: list[dict[str, Any]], *, cut: bool, is_known: bool) -> str:
    # A page may be empty and yet not the last one.
    if not is_known or (cut and not groups):
        return ""
    total = sum(group["copies"] for group in groups)
    if not total:
        return "No copy has failed."
    return f"{total} or more copies failed." if cut else f"{count(total, 'copy', 'copies')} failed."
