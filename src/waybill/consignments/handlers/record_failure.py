"""RecordFailure: sets `ClientChecks = Failed` after a step that failed for good, and tells people which."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.core.observability import count, instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{consignmentId, executionName, executionId, executionStartTime, step, error}`; return the run's last word.

    `error` is what Step Functions caught, `{Error, Cause}`. The answer is
    `{consignmentId, backEndChecksProcess, error, cause, recorded, notified}`.
    """
    count(WORKFLOW, "ChecksBroken")
    return runtime.failure_recorder().record(event)
