"""SubjectAccessApiFunction: serves the routes of requests, claims and reports, and records what it refuses."""

from typing import Any

from waybill.core.clock import now
from waybill.core.observability import instrumented
from waybill.disclosure import WORKFLOW, wiring
from waybill.disclosure.api import app
from waybill.disclosure.trail import record_refusal


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an API Gateway proxy event; return its proxy response."""
    answer = app.resolve(event, context)
    record_refusal(wiring.store(), event, answer, now())
    return answer
