"""FormatErrorResult: aborts the upload that a failed copy left open, records the failure and shapes its result."""

from typing import Any

from waybill.core.clock import iso, now
from waybill.core.observability import count, instrumented
from waybill.replication import WORKFLOW, wiring
from waybill.replication.failing import fail_destination
from waybill.replication.models import CopyCode, FailedCopy


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{run, destinationBucket, attempt, failure: {Error, Cause}}`; return the destination result."""
    result = fail_destination(FailedCopy.parse(event), wiring.buckets(), wiring.tracking(), iso(now()))
    if result.code != CopyCode.SUPERSEDED:
        count(WORKFLOW, "CopiesFailed")
    return result.wire()
