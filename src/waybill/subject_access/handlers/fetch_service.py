"""FetchService: asks one service for what it holds about the person, and keeps the answer with its attachments."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.adapters.upstream_metrics import told
from waybill.subject_access.models import Claim

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext
    from waybill.subject_access.domain.states import ServiceEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "ServiceEvent", context: "InvocationContext") -> dict[str, object]:
    """Take `{requestId, claimToken, generation, service, rank}`; return the same with the part's `renderStatus`.

    A service that fails, refuses or talks nonsense is a part that is `ERRORED`, not an exception.
    """
    part = runtime.fetcher(context).fetch(Claim.parse(event), event["rank"], event["service"])
    told(part)
    return {**event, "renderStatus": part.render_status.value}
