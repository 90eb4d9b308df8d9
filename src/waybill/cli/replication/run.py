"""Starting one replication, and telling what became of it."""

from typing import Any

import typer
from rich.console import Group, RenderableType

from waybill.cli.errors import CommandError
from waybill.cli.output import details
from waybill.cli.replication.addresses import file_of, uri_of
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.waiting import RunProgress, results_table, wait_for
from waybill.core.clock import iso
from waybill.core.text import escaped
from waybill.replication.domain.starter import Started
from waybill.replication.errors import SourceRefusedError
from waybill.replication.models import ReplicationRequest, RunOutcome
from waybill.replication.views import start_reply

# How often a run is followed by another: each one looks at every destination, and only a source that keeps changing, or
# somebody else who keeps starting runs, asks for one more.
_RUNS = 5
# Another run owns the record, in the words of a run's outcome and of the workflow's answer.
_OVERTAKEN = frozenset({RunOutcome.SUPERSEDED, "DUPLICATE", "STALE"})


def replicate(replication: Replication, target: str, to: list[str] | None, *, wait: bool, force: bool) -> None:
    """Start the run of the object at `target`, and with `wait` see that every destination has it in the end."""
    output = replication.cli.output
    request = replication.checked(file_of(target), replication.destinations(to))
    started = _start(replication, request, force=force)
    parts = [_described(started), *_note(started)]
    reply: dict[str, Any] = start_reply(started).wire()
    view: RunProgress | None = None
    if wait:
        started, view = _wait(replication, request, started)
        reply = start_reply(started).wire() | view.wire()
        parts = [_described(started), "", details({"Outcome": view.outcome}), "", results_table(view)]
    output.show(reply, Group(*parts))
    if view and view.outcome != RunOutcome.SUCCESS:
        raise typer.Exit(1)


def _start(replication: Replication, request: ReplicationRequest, *, force: bool) -> Started:
    try:
        return replication.start(request, force=force)
    except SourceRefusedError as refused:
        raise CommandError("; ".join(escaped(error.message) for error in refused.errors)) from refused


def _wait(replication: Replication, request: ReplicationRequest, started: Started) -> tuple[Started, RunProgress]:
    """Return the run that has looked at every destination asked for, and how it ended.

    A run that somebody else has started, and one that a newer run has overtaken, say nothing of what lies there now.
    """
    for number in range(1, _RUNS + 1):
        view = wait_for(replication, started, replication.cli.output)
        if not started.execution.already_running and view.outcome not in _OVERTAKEN:
            break
        if number < _RUNS:
            started = _start(replication, request, force=False)
    return started, view


def _described(started: Started) -> RenderableType:
    return details(
        {
            "File": escaped(uri_of(started.request.file)),
            "Destinations": "\n".join(started.request.destination_buckets),
            "Started": iso(started.execution.start_date),
            "Execution": started.execution.execution_arn,
        }
    )


def _note(started: Started) -> list[RenderableType]:
    if not started.execution.already_running:
        return []
    return ["", "This run was started before and is still running; --wait looks at the destinations when it has ended."]
