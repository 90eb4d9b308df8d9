"""Findings and scans: what was found, what is decided about it, what was not looked at."""

import re
from collections.abc import Mapping
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain import charts
from waybill.console.domain.charts import Bar
from waybill.console.domain.format import size
from waybill.console.domain.web import Response
from waybill.console.domain.words import CONFIDENCE, JOB, JOB_RUNS, OBJECT, TRIAGE, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import ROWS, Errors, error, errors_of, required, uuid_of
from waybill.console.visit import Visit
from waybill.core.text import count

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_MOST_AT_ONCE = 50
_FIRST_REASONS = 8
_EARLIER = 200
# Values that are decided on, and what is said of one and of many.
_APART = {
    "accepted": ("is accepted", "are accepted"),
    "false_positive": ("is marked as not real", "are marked as not real"),
}
_REASON_TO_DO = {
    "OVERSIZE": "Scan it with a larger limit of size.",
    "ENCRYPTED": "Only who has the key can look into it.",
    "ARCHIVED": "Restore it from its archive class, then scan again.",
    "ACCESS_DENIED": "Let the scanner read it, then scan again.",
}


def overview(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """List values that scans found, open ones first."""
    query = visit.request.query
    state, cursor = query.get("state", "open"), query.get("cursor", "")
    bucket, detector = query.get("bucket", ""), query.get("detector", "")
    if state not in {*TRIAGE, "all"}:
        raise PageError(404, "Page not found", "There is no such state.")
    asked = {"state": "" if state == "all" else state, "bucket": bucket, "detector": detector}
    found = visit.api.ask("listValues", query={**asked, "limit": ROWS, "cursor": cursor})
    kept = {"bucket": bucket, "detector": detector}
    tabs = [
        {"text": word.text, "href": visit.to("findings", {**kept, "state": name}), "current": name == state}
        for name, word in TRIAGE.items()
    ] + [{"text": "All", "href": visit.to("findings", {**kept, "state": "all"}), "current": state == "all"}]
    ranked = {"HIGH": 0, "MEDIUM": 1, "LOW": 2}
    values = sorted(found["findings"], key=lambda each: (ranked[each["confidence"]], each["detector"]))
    return visit.page(
        "findings/list.html",
        "Findings",
        status=status,
        values=[_value(each) for each in values],
        tabs=tabs,
        chart=_kinds(values),
        query={**kept, "state": state},
        cursor=found["cursor"],
        first=not cursor,
        state=state,
        chosen=set(visit.form.all("value")),
        apart=_apart(found["passed_over"], is_cut=bool(cursor or found["cursor"])),
        errors=errors or [],
    )


def _apart(passed: Mapping[str, int], *, is_cut: bool) -> str:
    """Return how many values are counted apart, as far as it is known."""
    said = []
    for name, (one, many) in _APART.items():
        if number := passed.get(name, 0):
            said.append(f"{number}{' or more' if is_cut else ''} {one if number == 1 else many}")
    return f"{', '.join(said)}: counted apart, in every scan." if said else ""


def triage(visit: Visit) -> Response:
    """Decide about several values at once."""
    chosen = [each for each in visit.form.all("value") if _FINGERPRINT.fullmatch(each)][:_MOST_AT_ONCE]
    errors = _wrong_decision(visit)
    if not chosen:
        errors.insert(0, error("value", "Choose at least one finding"))
    if not errors:
        errors = _triaged(visit, chosen)
    if errors:
        return overview(visit, errors, 400)
    kept = {name: visit.request.query.get(name, "") for name in ("state", "bucket", "detector")}
    return visit.go("findings", f"marked-{visit.form['state']}.{len(set(chosen))}", **kept)


def _triaged(visit: Visit, chosen: list[str]) -> Errors:
    body = _decision(visit)
    answers = visit.api.ask_all({each: Asked("triageValue", {"fingerprint": each}, body=body) for each in chosen})
    failed = [answer for answer in answers.values() if isinstance(answer, ApiError)]
    if not failed:
        return []
    if len(failed) == len(chosen):
        return errors_of(failed[0], {"reason": "reason", "until": "until", "state": "state"}, "reason")
    why = failed[0].detail or "The API did not answer for the others."
    return [error("value", f"{len(chosen) - len(failed)} of {len(chosen)} are decided. {why}")]


def scans(visit: Visit) -> Response:
    """List scans, the newest first."""
    cursor = visit.request.query.get("cursor", "")
    found = visit.api.ask("listJobs", query={"limit": ROWS, "cursor": cursor})
    jobs = [{**each, "tag": tag(JOB, each["status"])} for each in found["scans"]]
    return visit.page("findings/scans.html", "Scans", jobs=jobs, cursor=found["cursor"], first=not cursor)


def new_scan(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """Ask what is to be scanned."""
    detectors = visit.api.ask_whole("listDetectors", "detectors")
    return visit.page(
        "findings/new-scan.html",
        "Scan a bucket",
        status=status,
        detectors=detectors,
        chosen=set(visit.form.all("detector")),
        errors=errors or [],
    )


def start_scan(visit: Visit) -> Response:
    """Start a scan."""
    form = visit.form
    errors = required(form, {"bucket": "Enter the bucket"})
    if not errors:
        body: dict[str, Any] = {"bucket": form["bucket"], "prefix": form["prefix"]}
        if form.all("detector"):
            body["detectors"] = form.all("detector")
        if form["percent"]:
            body["sample"] = {"percent": float(form["percent"])} if form["percent"].isdecimal() else form["percent"]
        try:
            found = visit.api.ask("startScan", body, once=form["once"])
        except ApiError as problem:
            errors = errors_of(problem, {"bucket": "bucket", "prefix": "prefix", "sample": "percent"}, "bucket")
        else:
            return visit.go(f"scans/{found['job_id']}", "scan-started")
    return new_scan(visit, errors, 400)


def scan(visit: Visit, job_id: str) -> Response:
    """Show how a scan stands, what it found, and what it did not look at."""
    path = {"job_id": uuid_of(job_id)}
    answers = visit.api.ask_all({"job": Asked("showJob", path), "coverage": Asked("showCoverage", path)})
    job, coverage = answers["job"], answers["coverage"]
    if isinstance(job, ApiError):
        raise job
    known = not isinstance(coverage, ApiError)
    reasons = sorted(coverage["reasons"].items(), key=lambda pair: -pair[1]["objects"]) if known else []
    return visit.page(
        "findings/scan.html",
        _scan_title(job, coverage if known else None),
        job=job,
        tag=tag(JOB, job["status"]),
        coverage=coverage if known else None,
        trouble=None if known else coverage,
        reasons=[(reason, numbers, _REASON_TO_DO.get(reason, "")) for reason, numbers in reasons],
        chart=_coverage_chart(coverage) if known else "",
        why=charts.bars(
            "Why was something not looked at? Objects by reason",
            [
                Bar(reason.replace("_", " ").lower(), numbers["objects"], "amber")
                for reason, numbers in reasons[:_FIRST_REASONS]
            ],
            "object",
        ),
        detectors=charts.bars(
            "What was found? Findings by kind",
            [Bar(name, number) for name, number in sorted(job["detectors"].items(), key=lambda pair: -pair[1])[:10]],
            "finding",
        ),
        is_whole=known and _is_whole(coverage),
        unread=sorted(coverage["members_not_read"].items()) if known else [],
        runs=job["status"] in JOB_RUNS,
        triaged=_triaged_sentence(job["triaged"]),
    )


def _triaged_sentence(triaged: Mapping[str, int]) -> str:
    """Return what people had decided about findings of a scan before it found them."""
    known = {**_APART, "resolved": ("is marked as resolved", "are marked as resolved")}
    said = [
        f"{number} {known[name][number != 1]}" for name, number in sorted(triaged.items()) if name in known and number
    ]
    return f"Of these findings {', '.join(said)}, and not open." if said else ""


def compare(visit: Visit) -> Response:
    """Show what has changed from one scan to another, or ask for which."""
    query = visit.request.query
    later = uuid_of(query.get("later", ""))
    job = visit.api.ask("showJob", job_id=later)
    if not query.get("earlier"):
        found = visit.api.ask("listJobs", query={"limit": _EARLIER})["scans"]
        same = [each for each in found if each["bucket"] == job["bucket"] and each["job_id"] != later]
        earlier = [{**each, "tag": tag(JOB, each["status"])} for each in same if each["created_at"] < job["created_at"]]
        return visit.page("findings/compare.html", "Compare with an earlier scan", job=job, earlier=earlier, rows=[])
    paths = {name: {"job_id": uuid_of(query.get(name, ""))} for name in ("earlier", "later")}
    answers = visit.api.ask_all(
        {
            "before": Asked("showJob", paths["earlier"]),
            "seen_before": Asked("showCoverage", paths["earlier"]),
            "seen_now": Asked("showCoverage", paths["later"]),
        }
    )
    for answer in answers.values():
        if isinstance(answer, ApiError):
            raise answer
    before = answers["before"]
    return visit.page(
        "findings/compare.html",
        compared(before, job),
        job=job,
        before=before,
        rows=_changes(before["detectors"], job["detectors"]),
        seen=[(before, answers["seen_before"]), (job, answers["seen_now"])],
        is_alike=(before["bucket"], before["prefix"]) == (job["bucket"], job["prefix"]),
    )


def compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return what a scan has found more, or less, than an earlier one."""
    more = now["total_findings"] - before["total_findings"]
    if not more:
        return "As many findings as before"
    return f"{count(abs(more), 'finding')} {'more' if more > 0 else 'fewer'} than before"


def _changes(before: Mapping[str, int], now: Mapping[str, int]) -> list[dict[str, Any]]:
    rows = [{"kind": kind, "before": before.get(kind, 0), "now": now.get(kind, 0)} for kind in sorted({*before, *now})]
    return sorted(rows, key=lambda row: (-abs(row["now"] - row["before"]), row["kind"]))


def scan_progress(visit: Visit, job_id: str) -> Response:
    """Show how far a scan is: the part of the page that is looked at again and again."""
    job = visit.api.ask("showJob", job_id=uuid_of(job_id))
    return visit.page("findings/scan-progress.html", "", job=job, runs=job["status"] in JOB_RUNS)


def objects(visit: Visit, job_id: str) -> Response:
    """List the objects of a scan."""
    query = visit.request.query
    status, reason, cursor = query.get("status", ""), query.get("reason", ""), query.get("cursor", "")
    asked = {"status": status, "reason": reason, "limit": ROWS, "cursor": cursor}
    found = visit.api.ask("showObjects", query=asked, job_id=uuid_of(job_id))
    tabs = [{"text": "All", "href": visit.to(f"scans/{job_id}/objects"), "current": not status}] + [
        {"text": word.text, "href": visit.to(f"scans/{job_id}/objects", status=name), "current": name == status}
        for name, word in OBJECT.items()
    ]
    rows = [{**each, "tag": tag(OBJECT, each["status"])} for each in found["objects"]]
    return visit.page(
        "findings/objects.html",
        "Objects of this scan",
        objects=rows,
        tabs=tabs,
        job_id=job_id,
        query={"status": status, "reason": reason},
        cursor=found["cursor"],
        first=not cursor,
    )


def act_on_scan(visit: Visit, job_id: str) -> Response:
    """Stop a scan, or let a failed one go on."""
    what = visit.form["what"]
    if what not in {"cancel", "resume"}:
        raise PageError(404, "Page not found", "There is nothing of this name to do with a scan.")
    if what == "cancel":
        visit.api.ask("cancelJob", job_id=uuid_of(job_id))
        return visit.go(f"scans/{job_id}", "scan-cancelled")
    visit.api.ask("resumeJob", job_id=uuid_of(job_id))
    return visit.go(f"scans/{job_id}", "scan-resumed")


def back(visit: Visit, job_id: str) -> Response:
    """Lead back from an address that takes forms only."""
    return visit.go(f"scans/{job_id}")


def _wrong_decision(visit: Visit) -> Errors:
    errors = required(visit.form, {"reason": "Enter a reason"})
    if visit.form["state"] not in TRIAGE:
        errors.insert(0, error("state", "Choose what it is"))
    return errors


def _decision(visit: Visit) -> dict[str, Any]:
    form = visit.form
    decision = {"state": form["state"], "reason": form["reason"]}
    return {**decision, "until": form["until"]} if form["until"] and form["state"] == "accepted" else decision


def _value(found: dict[str, Any]) -> dict[str, Any]:
    history = [{**each, "tag": tag(TRIAGE, each["state"])} for each in found["history"]]
    return {
        **found,
        "history": history,
        "tag": tag(TRIAGE, found["state"]),
        "sure": tag(CONFIDENCE, found["confidence"]),
    }


def _kinds(values: list[dict[str, Any]]) -> Any:
    counts: dict[str, int] = {}
    for each in values:
        counts[each["detector"]] = counts.get(each["detector"], 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:8]
    return (
        charts.bars("What kinds are on this page? Values by detector", [Bar(*pair) for pair in ranked], "value")
        if len(ranked) > 1
        else ""
    )


def _scan_title(job: dict[str, Any], coverage: dict[str, Any] | None) -> str:
    where = f"{job['bucket']}/{job['prefix']}" if job["prefix"] else job["bucket"]
    if job["status"] in JOB_RUNS:
        return f"{where} is being scanned"
    if coverage is None or not coverage["bytes_total"]:
        return f"Scan of {where}"
    # Rounded down: 100 % is said of what was looked at to its last byte alone.
    tenths = 1000 * coverage["bytes_scanned"] // coverage["bytes_total"]
    listed = "" if coverage["listing_complete"] else "what was listed of "
    return f"{tenths / 10:.1f} % of {listed}{where} was looked at, {count(job['total_findings'], 'finding')}"


def _is_whole(coverage: dict[str, Any]) -> bool:
    left_out = coverage["objects_pending"] or coverage["reasons"] or coverage["members_not_read"]
    return bool(coverage["listing_complete"]) and not left_out


def _coverage_chart(coverage: dict[str, Any]) -> Any:
    left_out = sum(each["bytes_not_scanned"] for each in coverage["reasons"].values())
    looked = coverage["bytes_scanned"]
    other = max(coverage["bytes_total"] - looked - left_out, 0)
    bars = [
        Bar("looked at", looked, "green"),
        Bar("not looked at", left_out, "amber"),
        Bar("not known yet", other, "slate"),
    ]
    if not coverage["bytes_total"]:
        return ""
    answer = f"{size(looked)} of {size(coverage['bytes_total'])} were looked at"
    return charts.share(f"How much was really looked at? {answer}", bars, answer, size)
