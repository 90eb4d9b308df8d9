"""Slices that the workers gave up on."""

from itertools import batched

from waybill.scanning.completion import Completion
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Slice
from waybill.scanning.ports import Store

_AT_ONCE = 50


def fail_slice(work: Slice, store: Store, completion: Completion, reason: str) -> None:
    """Record every object of the slice that has no outcome as failed, so that its job ends.

    Findings of a part of an object are removed: its outcome says that it was not scanned.
    """
    job = store.job(work.job_id)
    if job is None or job.ended:
        return
    known = store.outcomes(job.job_id, [entry.key for entry in work.entries])
    for batch in batched((entry for entry in work.entries if entry.key not in known), _AT_ONCE, strict=False):
        failed = {one.key: ObjectOutcome(one.key, one.etag, one.size, ObjectStatus.FAILED, reason) for one in batch}
        known |= failed | store.record_all(job.job_id, [*failed.values()])
    for outcome in known.values():
        if outcome.status == ObjectStatus.FAILED:
            store.keep_findings_of(job.job_id, outcome.key, "")
    completion.finish_if_done(job.job_id)
