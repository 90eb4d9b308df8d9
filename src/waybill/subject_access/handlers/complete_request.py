"""CompleteRequest: completes the request in one transaction tied to the claim; removes what counts no more."""

from typing import Any

from waybill.core.observability import count, instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.models import Claim, RequestState


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a claim; return `{requestId, status, pages}`."""
    claim = Claim.parse(event)
    if runtime.fulfilment().complete(claim):
        count(WORKFLOW, "RequestsCompleted")
    return {"requestId": claim.request_id, "status": RequestState.COMPLETED.value, "pages": event.get("pages")}
