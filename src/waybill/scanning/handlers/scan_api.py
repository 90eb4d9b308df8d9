"""ScanApiFunction: serves the scanner's routes."""

from waybill.core.api import Event, ProxyResponse
from waybill.core.observability import instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.api import app


@instrumented(WORKFLOW)
def lambda_handler(event: Event, context: object) -> ProxyResponse:
    """Take an API Gateway proxy event; return its proxy response."""
    return app.resolve(event, context)
