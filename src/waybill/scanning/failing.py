"""Slices that the workers gave up on."""

from waybill.scanning.completion import Completion
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Slice
from waybill.scanning.ports import Store


def fail_slice(work: Slice, store: Store, completion: Completion, reason: str) -> None:
    """Record every object of the slice that has no outcome as failed, so that its job ends."""
    job = store.job(work.job_id)
    if job is None or job.ended:
        return
    recorded = store.outcomes(job.job_id, [entry.key for entry in work.entries])
    for entry in work.entries:
        if entry.key not in recorded:
            outcome = ObjectOutcome(entry.key, entry.etag, entry.size, ObjectStatus.FAILED, reason)
            store.record(job.job_id, work.bucket, outcome, None)
    completion.finish_if_done(job.job_id)
