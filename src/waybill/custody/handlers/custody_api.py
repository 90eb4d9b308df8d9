"""CustodyApiFunction: answers what happened to a file over HTTP."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.custody import WORKFLOW
from waybill.custody.api import app


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an API Gateway proxy event; return its proxy response."""
    return app.resolve(event, context)
