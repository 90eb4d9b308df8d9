"""The tracking records on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.live import Live
from rich.text import Text

from waybill.cli.output import Output, details, table
from waybill.cli.replication.addresses import file_of, uri_of
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.waiting import causes_by_bucket
from waybill.cli.watch import command_retry
from waybill.core.clock import Clock, now
from waybill.core.cursors import list_cursor, list_position
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.executions import known_state
from waybill.core.retry import looks
from waybill.core.text import escaped
from waybill.replication.domain.pending import COUNTED, pending_of
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import FileId
from waybill.replication.views import RecordPage, RecordView, file_report, is_position, list_records

_REFRESH_SECONDS = 2.0
# S3 user guide, "Meeting compliance requirements with S3 Replication Time Control".
_THRESHOLD = timedelta(minutes=15)
_SECONDS = len("2026-11-21T10:00:00")


def status_named(name: str | None) -> RecordStatus | None:
    """Return the status that was typed; another word is bad usage."""
    try:
        return RecordStatus(name.upper()) if name else None
    except ValueError:
        raise typer.BadParameter(f"--status {name} is none of {', '.join(RecordStatus)}") from None


def list_newest(replication: Replication, status: RecordStatus | None, limit: int, cursor: str | None) -> None:
    """Print the newest records, or those after `cursor`."""
    page = list_records(replication.tracking, status, limit, _position(cursor, status))
    more = list_cursor({"position": page.position}, "replications", status) if page.position else None
    records = [item.wire() | _death(replication, item.wire()) for item in page.items]
    replication.cli.output.show({"replications": records, "cursor": more}, _records_table(page, more, records))


def _death(replication: Replication, record: Mapping[str, Any]) -> dict[str, str]:
    """Return how the run of a record in progress has ended, where it is dead: it only says that it is under way."""
    if record["status"] != RecordStatus.IN_PROGRESS:
        return {}
    state = known_state(replication.executions, str(record["executionId"]))
    return {"runEnded": state.status} if state and state.status != "RUNNING" else {}


def _standing(record: Mapping[str, Any]) -> str:
    return f"{record['status']} (dead: {record['runEnded']})" if "runEnded" in record else str(record["status"])


def list_pending(replication: Replication, limit: int) -> None:
    """Print what is on its way, the oldest first; what is dead is said to be."""
    moment = now()
    records = list(replication.tracking.oldest_open(COUNTED))
    whole = pending_of(records, moment, _THRESHOLD)
    listed = [
        (RecordView.of_item(item), known_state(replication.executions, item["executionId"])) for item in records[:limit]
    ]
    rows = (
        (
            timedelta(seconds=round((moment - datetime.fromisoformat(view.start_time)).total_seconds())),
            "dead" if state and state.status != "RUNNING" else "",
            "" if view.size is None else decimal(view.size),
            escaped(uri_of(FileId(view.source_bucket, view.file_key))),
        )
        for view, state in listed
    )
    more = "at least " if whole.objects == COUNTED else ""
    facts = {
        "Pending": f"{more}{whole.objects:,} ({decimal(whole.bytes)})",
        "Overdue": f"{whole.overdue:,} for longer than {_THRESHOLD.seconds // 60} minutes",
    }
    replication.cli.output.show(
        {"pending": whole.wire(), "replications": [view.wire() for view, _ in listed]},
        Group(details(facts), "", table(("For", "", "Size", "File"), rows)) if listed else "nothing is on its way",
    )


def _position(cursor: str | None, status: RecordStatus | None) -> str | None:
    if cursor is None:
        return None
    position = list_position(cursor, "replications", status, field="--cursor").get("position")
    if not isinstance(position, str) or not is_position(position):
        raise InvalidInputError(FieldError("--cursor", "is not a cursor of this list"))
    return position


def watch_newest(replication: Replication, status: RecordStatus | None, limit: int) -> None:
    """Show the newest records, again and again, until it is interrupted; outside a terminal whenever they change."""
    output, tracking, retry = replication.cli.output, replication.tracking, command_retry()

    def page() -> RecordPage:
        return retry.call(lambda: list_records(tracking, status, limit, None))

    pages = looks(page, first_pause=_REFRESH_SECONDS, longest_pause=_REFRESH_SECONDS, clock=Clock())
    try:
        _refresh(output, pages) if output.console.is_terminal else _print_changes(output, pages)
    except KeyboardInterrupt:
        return


def _refresh(output: Output, pages: Iterator[RecordPage]) -> None:
    with Live(_records_table(next(pages)), console=output.console, auto_refresh=False) as live:
        for page in pages:
            live.update(_records_table(page), refresh=True)


def _print_changes(output: Output, pages: Iterator[RecordPage]) -> None:
    last: RecordPage | None = None
    for page in pages:
        if page != last:
            output.console.print(_records_table(page))
        last = page


def show_file(replication: Replication, target: str) -> None:
    """Print everything that is recorded of one file."""
    file = file_of(target)
    report = file_report(replication.tracking, file).wire()
    report |= _death(replication, report)
    replication.cli.output.show(report, _report(file, report))


def reading(moment: object) -> str:
    """Return a time as records hold it, to the second, for reading."""
    return str(moment)[:_SECONDS].replace("T", " ") if moment else ""


def _records_table(
    page: RecordPage, more: str | None = None, records: Sequence[Mapping[str, Any]] | None = None
) -> RenderableType:
    if not page.items:
        return "no records"
    rows = (
        (
            reading(record["startTime"]),
            _standing(record),
            _copies(record),
            escaped(uri_of(FileId(record["sourceBucket"], record["fileKey"]))),
        )
        for record in records or [item.wire() for item in page.items]
    )
    listed = table(("Started (UTC)", "Status", "Copies", "File"), rows)
    how = f"--cursor {more}" if more else "--limit"
    return Group(listed, Text(f"there are more: {how}", style="dim")) if page.position else listed


def _copies(record: Mapping[str, Any]) -> str:
    # Of an ended run's file: all its destinations, not those of the last run alone.
    return f"{record.get('successfulCopies', '…')}/{record.get('totalBuckets') or record['totalDestinationBuckets']}"


def _report(file: FileId, report: Mapping[str, Any]) -> RenderableType:
    facts = {
        "File": escaped(uri_of(file)),
        "Status": _standing(report),
        "Outcome": report.get("outcome"),
        "Started (UTC)": reading(report["startTime"]),
        "Ended (UTC)": reading(report.get("completedAt")),
        "Copies": _copies(report),
        "Size": decimal(report["size"]) if "size" in report else None,
        "Version": report.get("versionId"),
        "ETag": report.get("eTag"),
        "Execution": report["executionId"],
    }
    parts: list[RenderableType] = [details({name: value for name, value in facts.items() if value})]
    parts += ["", _destinations(report["destinations"])] if report["destinations"] else []
    dismissed = {
        f"Dismissed at {item['destinationBucket']}": escaped(
            f"{item['dismissReason']} ({item['dismissedBy']}, {reading(item['dismissedAt'])})"
        )
        for item in report["destinations"]
        if item["status"] == RecordStatus.DISMISSED and "dismissReason" in item
    }
    parts += ["", details(dismissed)] if dismissed else []
    causes = causes_by_bucket(report["destinations"])
    parts += ["", details(causes)] if causes else []
    parts += ["", _history(report["history"])] if report["history"] else []
    return Group(*parts)


def _destinations(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("Destination", "Status", "Code", "Verified by", "Copied by", "Looked at (UTC)"),
        (
            (
                item["destinationBucket"],
                item["status"],
                item.get("code"),
                item.get("verification"),
                item.get("strategy"),
                reading(item.get("timestamp")),
            )
            for item in items
        ),
    )


def _history(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("Ended runs (UTC)", "Outcome", "Copies", "Failed"),
        (
            (
                f"{reading(item['startTime'])}",
                item["outcome"],
                f"{item['successfulCopies']}/{item['totalBuckets']}",
                ", ".join(item["failedBuckets"]),
            )
            for item in items
        ),
    )
