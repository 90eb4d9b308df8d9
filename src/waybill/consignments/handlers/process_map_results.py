"""ProcessMapResults: gathers the results of all groups into one document."""

from typing import Any

from waybill.consignments import WORKFLOW, wiring
from waybill.consignments.gathering import gather
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionName}`; return how many files have which result."""
    return gather(wiring.documents_of(event))
