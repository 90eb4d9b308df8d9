"""FailAttempt: gives the request back, to be tried again later or to be looked at by a person."""

from typing import TYPE_CHECKING

from waybill.core.observability import count, instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.domain.handovers import failure_code
from waybill.subject_access.models import Claim

if TYPE_CHECKING:
    from waybill.subject_access.domain.states import FailedAttempt, FailedAttemptEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "FailedAttemptEvent", context: object) -> "FailedAttempt":
    """Take a claim with `failure: {Error, Cause}`; return `{requestId, state, code, counted, notified}`."""
    claim = Claim.parse(event)
    failed = runtime.fulfilment().fail(claim, failure_code(event.get("failure")))
    if failed.counted:
        count(WORKFLOW, "AttemptsFailed")
    return {
        "requestId": claim.request_id,
        "state": failed.state.value,
        "code": failed.code,
        "counted": failed.counted,
        "notified": True,
    }
