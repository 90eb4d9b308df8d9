"""RecordFailure: sets `ClientChecks = Failed` after a step that failed for good, and tells people which."""

from typing import Any

from waybill.consignments import WORKFLOW, wiring
from waybill.core.observability import count, instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{consignmentId, executionName, executionId, step, error: {Error, Cause}}`; return the run's last word.

    `{consignmentId, backEndChecksProcess, error, cause, recorded, notified}`.
    """
    count(WORKFLOW, "ChecksBroken")
    return wiring.failure_recorder().record(event)
