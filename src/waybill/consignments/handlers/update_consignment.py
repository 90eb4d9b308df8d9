"""UpdateConsignment: the one write of the results, files first, the consignment's statuses last."""

from typing import Any

from waybill.consignments import WORKFLOW, wiring
from waybill.consignments.recording import record_results
from waybill.core.observability import count, instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionName, executionId, statuses, status}`; return `{files}`, the number written."""
    consignment = wiring.consignment_of(event)
    files = record_results(wiring.table(), consignment, wiring.documents_of(event), event["statuses"], event["status"])
    count(WORKFLOW, "FilesChecked", files)
    return {"files": files}
