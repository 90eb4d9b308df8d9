"""ClaimRequest: takes the oldest request that may be claimed, or the one that the execution is about."""

from collections.abc import Mapping

from waybill.core.observability import count, instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.domain.audit import WORKER
from waybill.subject_access.domain.handovers import claim_answer, wanted_request


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: object) -> dict[str, object]:
    """Take `{requestId?}`; return `{claimed: false}`, or the claim with the services that are still to be asked."""
    request_id = wanted_request(event)
    claimer = runtime.claimer()
    request = claimer.claim(request_id, WORKER) if request_id else claimer.claim_oldest(WORKER)
    if request is None:
        return {"claimed": False}
    count(WORKFLOW, "RequestsClaimed")
    return claim_answer(request)
