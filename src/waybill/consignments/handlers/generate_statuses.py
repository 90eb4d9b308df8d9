"""GenerateStatuses: gives every file and the consignment their statuses, and plans the copies."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.copies import COPIES, plan_copies
from waybill.consignments.domain.judgement import generate_statuses
from waybill.consignments.domain.tables import shipped
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{consignmentId, executionName, executionId}`; return the statuses, and where the copies are planned.

    `{statuses, status, accepted, problems, tableVersion, copies, bucket, key, concurrency}`; `copies` is the number of
    lines in the plan, 0 where none are wanted.
    """
    documents = runtime.documents_of(event)
    judged = generate_statuses(event["consignmentId"], documents, shipped())
    run = {"consignmentId": event["consignmentId"], "executionId": event["executionId"]}
    copies = plan_copies(documents, run) if runtime.copies_wanted() else 0
    place = {"bucket": documents.bucket, "key": documents.prefix + COPIES}
    return {**judged, "copies": copies, **place, "concurrency": runtime.concurrency()}
