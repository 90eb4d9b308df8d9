"""Jobs and findings as a person reads them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from waybill.cli.output import details, table

if TYPE_CHECKING:
    from waybill.scanning.domain.local_report import FilesReport


def job(report: dict[str, Any], coverage: dict[str, Any]) -> Group:
    """Return how a job stands, and what was and was not looked at."""
    truncated = coverage["truncated_findings"]
    shown = {
        "Job": report["job_id"],
        "Place": f"s3://{report['bucket']}/{report['prefix']}",
        "Status": f"{report['status']}: {report['status_message']}",
        "Objects": f"{report['total']:,}, {coverage['objects_pending']:,} of them without an outcome yet",
        "Bytes": f"{coverage['bytes_scanned']:,} of {coverage['bytes_total']:,} looked at",
        "From cache": coverage["from_cache"] or None,
        "Truncated": f"{truncated:,} objects hold more findings than are stored" if truncated else None,
        "Export": report.get("export", {}).get("uri"),
        "Security Hub": _told(report.get("export", {}).get("security_hub")),
        "Webhook": report.get("webhook", {}).get("status"),
        "Error": report.get("error"),
    }
    outcomes = [(outcome, f"{count:,}", "") for outcome, count in coverage["outcomes"].items()]
    outcomes += [
        (f"  {reason}", f"{found['objects']:,}", f"{found['bytes_not_scanned']:,}")
        for reason, found in coverage["reasons"].items()
    ]
    detectors = sorted(report["detectors"].items(), key=lambda row: -int(row[1]))
    return Group(
        details({name: value for name, value in shown.items() if value}),
        "",
        table(("Outcome", "Objects", "Bytes not looked at"), outcomes),
        "",
        table(("Detector", "Found"), ((name, f"{count:,}") for name, count in detectors)),
    )


def _told(hub: dict[str, Any] | None) -> str | None:
    if hub is None:
        return None
    refused = "".join(f"; {each['id']}: {each['code']}" for each in hub["errors"])
    said = f"{hub['imported']:,} sent, {hub['archived']:,} archived, {hub['refused']:,} refused{refused}"
    return said if hub["status"] == "told" else f"{said} so far"


def objects(found: list[dict[str, Any]]) -> RenderableType:
    """Return the objects of a job, each with its outcome and what of it was not read."""
    rows = (
        (
            each["key"],
            each["status"],
            each["reason"] or "",
            ", ".join(f"{unread['member'] or 'itself'}: {unread['reason']}" for unread in each["unread"]),
        )
        for each in found
    )
    return table(("Key", "Status", "Reason", "Not read"), rows)


def value(shown: dict[str, Any]) -> RenderableType:
    """Return a value and what people say of it."""
    names = {"Value": "masked_match", "Detector": "detector", "State": "state", "Reason": "reason", "Until": "until"}
    places = "\n".join(f"s3://{place['bucket']}/{place['key']}" for place in shown["places"])
    return details({title: shown[name] for title, name in names.items() if shown[name]} | {"Seen": places})


def local_files(result: "FilesReport", left_out: Mapping[str, int]) -> Group:
    """Return what was found in local files, and how much of them was looked at.

    `left_out` are those that a baseline names or that are not sure enough, by detector.
    """
    coverage = result["coverage"]
    found = {name: count - left_out.get(name, 0) for name, count in coverage["detectors"].items()}
    rows = (
        (
            f"{'!'.join(filter(None, (finding['file'], finding.get('member'))))}:"
            + (finding.get("cell") or f"{finding['line']}:{finding['column']}"),
            finding["detector"],
            finding["confidence"] + (" (sample)" if "sample" in finding else ""),
            finding["masked_match"],
        )
        for finding in result["findings"]
    )
    summary = {
        "Files": ", ".join(f"{count} {outcome}" for outcome, count in coverage["outcomes"].items() if count) or "none",
        "Bytes": f"{coverage['bytes_scanned']:,} of {coverage['bytes_total']:,} looked at",
        "Not looked at": ", ".join(f"{count} {reason}" for reason, count in coverage["reasons"].items()) or None,
        "Found": _counts(found) or "nothing",
    }
    if left_out:
        summary["Left out"] = f"{_counts(left_out)}, known or less sure"
    return Group(table(("Place", "Detector", "Confidence", "Value"), rows), "", details(summary))


def _counts(by_detector: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(by_detector.items()) if count)
