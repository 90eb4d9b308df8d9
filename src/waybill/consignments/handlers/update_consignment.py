"""UpdateConsignment: the one write of the results, files first, the consignment's statuses last."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.record import Judged, record_results
from waybill.core.observability import count, instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionName, executionId, statuses, status, copies}`; return `{files}`, the number.

    `copies` is the number of lines in the plan of the copies, 0 where none are wanted.
    """
    consignment = runtime.consignment_of(event)
    judged = Judged(event["statuses"], event["status"], copied=event["copies"] > 0)
    files = record_results(runtime.table(), consignment, runtime.documents_of(event), judged)
    count(WORKFLOW, "FilesChecked", files)
    return {"files": files}
