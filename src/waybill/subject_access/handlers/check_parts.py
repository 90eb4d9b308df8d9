"""CheckParts: says whether every part is there, or accepted as missing."""

from collections.abc import Mapping

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.models import Claim


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: object) -> dict[str, object]:
    """Take a claim; return it with `ready` and the services that are `missing`."""
    missing = runtime.fulfilment().missing(Claim.parse(event))
    return {**event, "ready": not missing, "missing": missing}
