"""Watching one run until it ends."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from waybill.cli.errors import CommandError
from waybill.cli.output import Output, details, table
from waybill.cli.replication.addresses import uri_of
from waybill.cli.replication.runtime import Replication
from waybill.cli.watch import watch
from waybill.core.executions import ExecutionState
from waybill.core.text import escaped
from waybill.replication.domain.records import RecordStatus
from waybill.replication.domain.starter import Started
from waybill.replication.models import CopyCode, RunOutcome

_FAILED = frozenset(
    {RunOutcome.FAILED, RunOutcome.PARTIAL_FAILURE, "FAILURE_NOTIFICATION_FAILED", "TIMED_OUT", "ABORTED"}
)
# Express executions cannot be asked, and end within five minutes; one that left no record by then never will.
_EXPRESS_SECONDS = 330.0
_HISTORY_SEARCHED = 50


@dataclass(frozen=True)
class RunProgress:
    """How a run stands: `results` has one entry per destination, of those not done with its name alone."""

    ended: bool
    outcome: str
    results: tuple[Mapping[str, Any], ...]
    cause: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended, and not well."""
        return self.ended and self.outcome in _FAILED

    def wire(self) -> dict[str, Any]:
        """Return the view as JSON-ready fields."""
        return {"outcome": self.outcome, "cause": self.cause, "results": [dict(result) for result in self.results]}


@dataclass(frozen=True)
class Watch:
    """One run, seen through its execution and the tracking records."""

    replication: Replication
    started: Started

    def views(self) -> Iterator[RunProgress]:
        """Yield how the run stands, with growing pauses; the last one is its end.

        Raises
        ------
        CommandError
            An Express run left no record within its time.
        """
        deadline = time.monotonic() + _EXPRESS_SECONDS
        for view in watch(self.look):
            yield view
            if view.ended:
                return
            if self._is_express and view.outcome != RecordStatus.IN_PROGRESS and time.monotonic() > deadline:
                raise CommandError(f"{self._arn} left no record: its log says why")

    def look(self) -> RunProgress:
        """Return how the run stands now."""
        # The execution first: the records of one that has ended are final.
        execution = self.replication.executions.state(self._arn)
        tracking, file = self.replication.tracking, self.started.request.file
        record: Mapping[str, Any] = tracking.record(file) or {}
        owner = record if self._is_ours(record) else self._ended_before(execution)
        items = {
            item["destinationBucket"]: item
            for item in tracking.destinations(file)
            if item["executionId"] == owner.get("executionId", self._arn)
        }
        items |= {result["destinationBucket"]: result for result in json.loads(owner.get("copyResults", "[]"))}
        results = tuple(items.get(bucket, {"destinationBucket": bucket}) for bucket in self._buckets)
        running = execution.status == "RUNNING" if execution else owner.get("status", "RUNNING") in _UNENDED
        return RunProgress(
            ended=not running,
            outcome=str(owner.get("status", "RUNNING")) if running else _outcome(owner, execution),
            results=results,
            cause=execution.cause if execution else None,
        )

    def _ended_before(self, execution: ExecutionState | None) -> Mapping[str, Any]:
        """Return what the history holds of this run, after a later one has taken over the record."""
        if execution and execution.status == "RUNNING":
            return {}
        history = self.replication.tracking.history(self.started.request.file, _HISTORY_SEARCHED)
        return next((item for item in history if item["executionId"] == self._arn), {})

    def _is_ours(self, record: Mapping[str, Any]) -> bool:
        # Express executions of one name are several; the one that got the record works for all of them.
        name = self._arn.split(":")[7]
        return record.get("executionId") == self._arn or record.get("executionName") == name

    @property
    def _arn(self) -> str:
        return self.started.execution.execution_arn

    @property
    def _is_express(self) -> bool:
        return ":express:" in self._arn

    @property
    def _buckets(self) -> tuple[str, ...]:
        return self.started.request.destination_buckets


_UNENDED = ("RUNNING", RecordStatus.IN_PROGRESS)


def _outcome(owner: Mapping[str, Any], execution: ExecutionState | None) -> str:
    if "outcome" in owner:
        return str(owner["outcome"])
    if execution and execution.output:
        return str(json.loads(execution.output).get("status", execution.status))
    return execution.status if execution else str(owner["status"])


def wait_for(replication: Replication, started: Started, output: Output) -> RunProgress:
    """Return how the run ended; until then, a terminal shows how it stands."""
    views = Watch(replication, started).views()
    if output.json_wanted or not output.error_console.is_terminal:
        return list(views)[-1]
    title = Spinner("dots", Text(f"replicating {escaped(uri_of(started.request.file))}"))
    with Live(title, console=output.error_console, transient=True) as live:
        for view in views:
            live.update(Group(title, results_table(view)), refresh=True)
    return view


def results_table(view: RunProgress) -> RenderableType:
    """Return the results of a run by destination, and what went wrong."""
    rows = [
        (
            result["destinationBucket"],
            _state(result),
            result.get("verification"),
            result.get("strategy"),
            decimal(result["bytes"]) if "bytes" in result else None,
        )
        for result in view.results
    ]
    causes = causes_by_bucket(view.results)
    if not causes and view.failed and view.cause:
        causes = {"Cause": escaped(view.cause)}
    parts: list[RenderableType] = [table(("Destination", "Result", "Verified by", "Copied by", "Moved"), rows)]
    return Group(*parts, "", details(causes)) if causes else parts[0]


def causes_by_bucket(results: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the causes of failures by destination; destinations that share one are named together."""
    buckets: dict[str, list[str]] = {}
    for result in results:
        if result.get("cause"):
            buckets.setdefault(escaped(str(result["cause"])), []).append(str(result["destinationBucket"]))
    return {"\n".join(named): cause for cause, named in buckets.items()}


def _state(result: Mapping[str, Any]) -> Text:
    code = result.get("code")
    if code is None:
        return Text("copying" if "status" in result else "waiting", style="dim")
    colours = {CopyCode.COPIED: "green", CopyCode.SKIPPED_IDENTICAL: "green", CopyCode.SUPERSEDED: "yellow"}
    return Text(str(code), style=colours.get(code, "red"))
