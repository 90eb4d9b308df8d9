"""ConsignmentsApiFunction: registers consignments, starts their checks, and shows what was found."""

from typing import Any

from waybill.consignments import WORKFLOW
from waybill.consignments.api import app
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an API Gateway proxy event; return its proxy response."""
    return app.resolve(event, context)
