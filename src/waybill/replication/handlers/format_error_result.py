"""FormatErrorResult: aborts the upload that a failed copy left open, records the failure and shapes its result."""

from typing import Any

from waybill.core.clock import iso, now
from waybill.core.observability import count, instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.failed_copy import record_failure
from waybill.replication.models import CopyCode, FailedCopy


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{run, destinationBucket, attempt, failure: {Error, Cause}}`; return the destination result."""
    result = record_failure(FailedCopy.parse(event), runtime.buckets(), runtime.tracking(), iso(now()))
    if result.code == CopyCode.SUPERSEDED:
        count(WORKFLOW, "CopiesSuperseded")
    else:
        count(WORKFLOW, "CopiesFailed")
    return result.wire()
