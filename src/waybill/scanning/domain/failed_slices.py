"""Slices that the workers gave up on."""

from itertools import batched

from waybill.scanning.domain.completion import Completion
from waybill.scanning.domain.outcomes import skip_repeats
from waybill.scanning.domain.ports import Store
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Slice, Status

_AT_ONCE = 50


def fail_slice(work: Slice, store: Store, completion: Completion, reason: str) -> None:
    """Record every object of the slice that has no outcome as failed, so that its job ends.

    Findings that an outcome is not about are removed: of a part of a failed object, of a state before the last.
    """
    job = store.job(work.job_id)
    if job is None or job.status == Status.CANCELLED:
        return
    known = store.outcomes(job.job_id, [entry.key for entry in work.entries])
    skip_repeats(store, job, work.page, work.entries, known)
    for batch in batched((entry for entry in work.entries if entry.key not in known), _AT_ONCE, strict=False):
        failed = {
            one.key: ObjectOutcome(one.key, one.etag, one.size, ObjectStatus.FAILED, reason, page=work.page)
            for one in batch
        }
        earlier = store.record_all(job.job_id, [*failed.values()])
        skip_repeats(store, job, work.page, batch, earlier)
        known |= failed | earlier
    for outcome in known.values():
        store.keep_findings_of(job.job_id, outcome.key, outcome.looked_at)
    completion.finish_if_done(job.job_id)
