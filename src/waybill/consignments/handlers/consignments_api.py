"""ConsignmentsApiFunction: registers consignments, starts their checks, and shows what was found."""

from waybill.consignments import WORKFLOW
from waybill.consignments.api import app
from waybill.core.api import Event, ProxyResponse
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: Event, context: object) -> ProxyResponse:
    """Return the proxy response to a proxy event of API Gateway."""
    return app.resolve(event, context)
