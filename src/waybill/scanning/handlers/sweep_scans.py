"""SweepScansFunction: goes on with jobs that nobody works on; started by a schedule or by hand."""

from typing import Any

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Take anything; return `{taken_up}`, the ids of the jobs that lay still."""
    taken_up = deployed().sweeper.sweep()
    count(WORKFLOW, "ScansTakenUp", len(taken_up))
    return {"taken_up": taken_up}
