"""SweepScansFunction: makes the scans that are due and those of uploads, goes on with jobs that lie still."""

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, list[str]]:
    """Take anything; return `{started, taken_up}`, the ids of the jobs that were due, and of those that lay still."""
    # A scan that cannot be started is no reason to let others lie still: its fault goes up when both are done.
    try:
        started = deployed().due_scans.start()
    finally:
        try:
            of_uploads = deployed().upload_scans.start()
        finally:
            taken_up = deployed().sweeper.sweep()
            count(WORKFLOW, "ScansTakenUp", len(taken_up))
    started = [*started, *of_uploads]
    count(WORKFLOW, "ScansStarted", len(started))
    return {"started": started, "taken_up": taken_up}
