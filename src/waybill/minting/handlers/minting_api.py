"""MintingApiFunction: mints and looks up identifiers over HTTP."""

from waybill.core.api import Event, ProxyResponse
from waybill.core.observability import instrumented
from waybill.minting import WORKFLOW
from waybill.minting.api import app


@instrumented(WORKFLOW)
def lambda_handler(event: Event, context: object) -> ProxyResponse:
    """Take an API Gateway proxy event; return its proxy response."""
    return app.resolve(event, context)
