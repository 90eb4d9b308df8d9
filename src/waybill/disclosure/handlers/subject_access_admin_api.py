"""SubjectAccessAdminApiFunction: serves the routes of support and administration, and records what it refuses."""

from typing import Any

from waybill.core.clock import now
from waybill.core.observability import instrumented
from waybill.disclosure import WORKFLOW, wiring
from waybill.disclosure.admin_api import app
from waybill.disclosure.trail import record_refusal


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an API Gateway proxy event; return its proxy response."""
    answer = app.resolve(event, context)
    record_refusal(wiring.store(), event, answer, now())
    return answer
