"""FormatErrorResult: aborts the upload that a failed copy left open, records the failure and shapes its result."""

from waybill.core.clock import iso, now
from waybill.core.observability import count, instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.failed_copy import record_failure
from waybill.replication.models import CopyCode, FailedCopy


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, object]:
    """Take `{run, destinationBucket, attempt, failure: {Error, Cause}}`; return the destination result."""
    result = record_failure(FailedCopy.parse(event), runtime.buckets(), runtime.tracking(), iso(now()))
    if result.code == CopyCode.SUPERSEDED:
        count(WORKFLOW, "CopiesSuperseded")
    else:
        count(WORKFLOW, "CopiesFailed")
    return result.wire()
