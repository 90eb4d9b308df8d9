"""CheckParts: says whether every part is there, or accepted as missing."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.models import Claim


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a claim; return it with `ready` and the services that are `missing`."""
    missing = runtime.fulfilment().missing(Claim.parse(event))
    return {**event, "ready": not missing, "missing": missing}
