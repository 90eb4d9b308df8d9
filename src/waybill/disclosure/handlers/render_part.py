"""RenderPart: draws what one service answered, its attachments behind it, to a file of its own."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.disclosure import WORKFLOW, report_wiring
from waybill.disclosure.models import Claim


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{requestId, claimToken, generation, service, rank}`; return the same with the part's `renderStatus`."""
    part = report_wiring.rendering().part(Claim.parse(event), event["rank"], event["service"])
    return {**event, "renderStatus": part.render_status.value}
