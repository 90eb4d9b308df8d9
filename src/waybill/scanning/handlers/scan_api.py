"""ScanApiFunction: serves the scanner's routes."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.api import app


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an API Gateway proxy event; return its proxy response."""
    return app.resolve(event, context)
