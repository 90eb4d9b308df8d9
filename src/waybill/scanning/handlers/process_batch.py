"""ProcessBatch: lists up to 10,000 keys of a range of a job and hands them to the workers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.domain.requests import ensure_job, range_number
from waybill.scanning.runtime import deployed

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: "InvocationContext") -> dict[str, object]:
    """Take the state `{job_id, bucket, prefix, …}`; return it with `batch_size`, `messages_enqueued` and `done`."""
    job = ensure_job(deployed().table.jobs, deployed().bucket, event)
    batch = (
        deployed().lister(context).process_batch(job.job_id, range_number(event), str(event.get("execution_arn") or ""))
    )
    if batch.done:
        deployed().completion.finish_if_done(job.job_id)
    count(WORKFLOW, "ObjectsListed", batch.objects)
    return batch.state(event)
