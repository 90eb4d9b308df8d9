"""GenerateStatuses: gives every file and the consignment their statuses, and plans the copies."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.copies import COPIES, plan_copies
from waybill.consignments.domain.judgement import generate_statuses
from waybill.consignments.domain.tables import shipped
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import GeneratedStatuses, StateEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "StateEvent", context: object) -> "GeneratedStatuses":
    """Give every file and the consignment their statuses, and plan the copies where they are wanted."""
    documents = runtime.documents_of(event)
    judged = generate_statuses(event["consignmentId"], documents, shipped())
    return {
        **judged,
        "copies": plan_copies(documents, event) if runtime.copies_wanted() else 0,
        "bucket": documents.bucket,
        "key": documents.key(COPIES),
        "concurrency": runtime.concurrency(),
    }
