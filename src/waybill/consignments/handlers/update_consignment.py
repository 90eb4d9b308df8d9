"""UpdateConsignment: the one write of the results, files first, the consignment's statuses last."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.results_write import Judged, record_results
from waybill.core.observability import count, instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import UpdateConsignmentEvent, WrittenFiles


@instrumented(WORKFLOW)
def lambda_handler(event: "UpdateConsignmentEvent", context: object) -> "WrittenFiles":
    """Write what the run has found of every file, then of the consignment."""
    consignment = runtime.consignment_of(event)
    judged = Judged(event["statuses"], event["status"], event["copies"])
    files = record_results(runtime.table(), consignment, runtime.documents_of(event), judged)
    count(WORKFLOW, "FilesChecked", files)
    return {"files": files}
