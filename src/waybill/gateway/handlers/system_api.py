"""SystemApiFunction: `GET /health` and `GET /openapi.json`."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.gateway.api import app


@instrumented("gateway")
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return app.resolve(event, context)
