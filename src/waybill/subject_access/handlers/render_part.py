"""RenderPart: draws what one service answered, its attachments behind it, to a file of its own."""

import time
from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.adapters.report_metrics import record_part
from waybill.subject_access.models import Claim

if TYPE_CHECKING:
    from waybill.subject_access.domain.states import ServiceEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "ServiceEvent", context: object) -> dict[str, object]:
    """Take `{requestId, claimToken, generation, service, rank}`; return the same with the part's `renderStatus`."""
    started = time.monotonic()
    part = runtime.rendering().part(Claim.parse(event), event["rank"], event["service"])
    record_part(part, time.monotonic() - started)
    return {**event, "renderStatus": part.render_status.value}
