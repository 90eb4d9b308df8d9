"""ConsoleFunction: every page below `/console`."""

from typing import TYPE_CHECKING

from waybill.console.app import resolve
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.core.api import Event, ProxyResponse


@instrumented("console")
def lambda_handler(event: "Event", context: object) -> "ProxyResponse":
    """Answer an API Gateway proxy event with a page."""
    return resolve(event)
