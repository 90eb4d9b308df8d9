"""ProcessBatch: lists up to 10,000 keys of a job and hands them to the workers."""

from typing import Any

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW, wiring
from waybill.scanning.requests import ensure_job


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the state `{job_id, bucket, prefix, …}`; return it with `batch_size`, `messages_enqueued` and `done`."""
    job = ensure_job(wiring.store(), wiring.bucket(), event)
    batch = wiring.lister(context).process_batch(job.job_id)
    if batch.done:
        wiring.completion().finish_if_done(job.job_id)
    count(WORKFLOW, "ObjectsListed", batch.objects)
    return batch.state(event)
