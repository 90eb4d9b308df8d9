"""CompleteRequest: completes the request in one transaction tied to the claim; removes what counts no more."""

from collections.abc import Mapping

from waybill.core.observability import count, instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.models import Claim, RequestState


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: object) -> dict[str, object]:
    """Take a claim; return `{requestId, status, pages}`."""
    claim = Claim.parse(event)
    if runtime.fulfilment().complete(claim):
        count(WORKFLOW, "RequestsCompleted")
    return {"requestId": claim.request_id, "status": RequestState.COMPLETED.value, "pages": event.get("pages")}
