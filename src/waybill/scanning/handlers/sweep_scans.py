"""SweepScansFunction: makes the scans that are due, goes on with jobs that nobody works on; started by a schedule."""

from typing import Any

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Take anything; return `{started, taken_up}`, the ids of the jobs that were due, and of those that lay still."""
    started = deployed().due_scans.start()
    taken_up = deployed().sweeper.sweep()
    count(WORKFLOW, "ScansStarted", len(started))
    count(WORKFLOW, "ScansTakenUp", len(taken_up))
    return {"started": started, "taken_up": taken_up}
