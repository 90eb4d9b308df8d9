"""HandleError: records on the job that its listing failed, and notifies people."""

from typing import TYPE_CHECKING

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.models import Status
from waybill.scanning.runtime import deployed

if TYPE_CHECKING:
    from waybill.scanning.domain.states import ClosedJob, FailedListing


@instrumented(WORKFLOW)
def lambda_handler(event: "FailedListing", context: object) -> "ClosedJob":
    """Take `{job_id, failure: {Error, Cause}}`; return `{job_id, status, notified}`."""
    job = deployed().completion.end(event["job_id"], Status.FAILED, str(event["failure"].get("Error", "unknown")))
    count(WORKFLOW, "ScansFailed")
    return {
        "job_id": event["job_id"],
        "status": job.status.value if job else Status.FAILED.value,
        "notified": job is not None,
    }
