"""Slices that the workers gave up on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Protocol

from waybill.scanning.domain.completion import JobCompletion
from waybill.scanning.domain.outcomes import skip_repeats
from waybill.scanning.models import Job, ObjectOutcome, ObjectStatus, Slice, Status

_AT_ONCE = 50


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...


class _Outcomes(Protocol):
    def get(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]: ...
    def record(self, job_id: str, outcomes: Sequence[ObjectOutcome]) -> dict[str, ObjectOutcome]: ...


class _Findings(Protocol):
    def delete_others(self, job_id: str, key: str, etag: str) -> None: ...


@dataclass(frozen=True)
class FailedSlices:
    """Records what the workers have left without an outcome."""

    jobs: _Jobs
    outcomes: _Outcomes
    findings: _Findings
    completion: JobCompletion

    def fail(self, work: Slice, reason: str) -> None:
        """Record every object of the slice that has no outcome as failed, so that its job ends.

        Findings that an outcome is not about are deleted: of a part of a failed object, of a state before the last.
        """
        job = self.jobs.get(work.job_id)
        if job is None or job.status == Status.CANCELLED:
            return
        known = self.outcomes.get(job.job_id, [entry.key for entry in work.entries])
        skip_repeats(self.outcomes, job, work.page, work.entries, known)
        for batch in batched((entry for entry in work.entries if entry.key not in known), _AT_ONCE, strict=False):
            failed = {
                one.key: ObjectOutcome(one.key, one.etag, one.size, ObjectStatus.FAILED, reason, page=work.page)
                for one in batch
            }
            earlier = self.outcomes.record(job.job_id, [*failed.values()])
            skip_repeats(self.outcomes, job, work.page, batch, earlier)
            known |= failed | earlier
        for outcome in known.values():
            self.findings.delete_others(job.job_id, outcome.key, outcome.looked_at)
        self.completion.finish_if_done(job.job_id)
