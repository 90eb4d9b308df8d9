"""Starting one replication, and telling what became of it."""

from typing import Any

import typer
from rich.console import Group, RenderableType

from waybill.cli.output import details
from waybill.cli.replication.addresses import file_of, printable, uri_of
from waybill.cli.replication.collaborators import Replication
from waybill.cli.replication.waiting import RunView, results_table, wait_for
from waybill.core.clock import iso
from waybill.core.executions import ExecutionState
from waybill.replication.domain.starter import Started
from waybill.replication.views import start_reply


def replicate(replication: Replication, target: str, to: list[str] | None, *, wait: bool, force: bool) -> None:
    """Start the run of the object at `target`, and with `wait` see it to its end."""
    output = replication.cli.output
    request = replication.checked(file_of(target), replication.destinations(to))
    started = replication.start(request, force=force)
    earlier = replication.state_of(started) if started.execution.already_running else None
    reply: dict[str, Any] = start_reply(started).wire() | ({"status": earlier.status} if earlier else {})
    parts = [_start(started), *_note(earlier)]
    view: RunView | None = None
    if wait:
        view = wait_for(replication, started, output)
        reply |= view.wire()
        parts += ["", details({"Outcome": view.outcome}), "", results_table(view)]
    output.show(reply, Group(*parts))
    if view and view.failed:
        raise typer.Exit(1)


def _start(started: Started) -> RenderableType:
    return details(
        {
            "File": printable(uri_of(started.request.file)),
            "Destinations": "\n".join(started.request.destination_buckets),
            "Started": iso(started.execution.start_date),
            "Execution": started.execution.execution_arn,
        }
    )


def _note(earlier: ExecutionState | None) -> list[RenderableType]:
    if earlier is None:
        return []
    ended = f"ended {earlier.status} at {iso(earlier.stop_date)}" if earlier.stop_date else "is still running"
    return ["", f"This run was started before and {ended}. The object is still the same; --force starts another run."]
