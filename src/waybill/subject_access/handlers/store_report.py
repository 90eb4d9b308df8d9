"""StoreReport: looks that the report is in the bucket as it was rendered, and makes the request point at it."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, wiring
from waybill.subject_access.models import Claim
from waybill.subject_access.requests import RenderedReport


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a claim with `reportKey`, `bytes`, `sha256` and `pages`; return it."""
    wiring.fulfilment().keep_report(Claim.parse(event), RenderedReport.parse(event).stored)
    return event
