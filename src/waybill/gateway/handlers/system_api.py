"""SystemApiFunction: `GET /health` and `GET /openapi.json`."""

from waybill.core.api import Event, ProxyResponse
from waybill.core.observability import instrumented
from waybill.gateway.api import app


@instrumented("gateway")
def lambda_handler(event: Event, context: object) -> ProxyResponse:
    """Answer an API Gateway proxy event."""
    return app.resolve(event, context)
