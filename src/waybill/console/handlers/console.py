"""ConsoleFunction: every page below `/console`."""

from typing import Any

from waybill.console.app import resolve
from waybill.core.observability import instrumented


@instrumented("console")
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event with a page."""
    return resolve(event)
