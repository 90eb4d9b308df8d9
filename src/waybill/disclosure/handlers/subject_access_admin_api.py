"""SubjectAccessAdminApiFunction: serves the routes of support and administration, and records what it refuses."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.disclosure import WORKFLOW
from waybill.disclosure.admin_api import app
from waybill.disclosure.serving import serve


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an API Gateway proxy event; return its proxy response."""
    return serve(app, event, context)
