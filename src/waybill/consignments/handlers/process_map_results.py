"""ProcessMapResults: gathers the results of all groups into one document."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.results import gather
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionName}`; return how many files have which result."""
    return gather(runtime.documents_of(event))
