"""RecordFailure: sets `ClientChecks = Failed` after a step that failed for good, and tells people which."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.core.observability import count, instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import FailedRun, RecordedFailure


@instrumented(WORKFLOW)
def lambda_handler(event: "FailedRun", context: object) -> "RecordedFailure":
    """Record the failure of a run, and tell people; what is returned becomes the execution's cause."""
    count(WORKFLOW, "ChecksBroken")
    return runtime.failure_recorder().record(event)
