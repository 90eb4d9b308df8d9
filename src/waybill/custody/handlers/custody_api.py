"""CustodyApiFunction: answers what happened to a file over HTTP."""

from waybill.core.api import Event, ProxyResponse
from waybill.core.observability import instrumented
from waybill.custody import WORKFLOW
from waybill.custody.api import app


@instrumented(WORKFLOW)
def lambda_handler(event: Event, context: object) -> ProxyResponse:
    """Take an API Gateway proxy event; return its proxy response."""
    return app.resolve(event, context)
