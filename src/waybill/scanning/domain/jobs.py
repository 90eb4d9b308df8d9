"""Jobs as their users see them: started once, watched, cancelled, read."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from waybill.core.clock import iso
from waybill.core.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from waybill.core.executions import ExecutionStarter, id_for
from waybill.scanning.domain.completion import JobCompletion
from waybill.scanning.domain.restart import Restarter
from waybill.scanning.domain.source import Source
from waybill.scanning.domain.split import execution_name, first_state
from waybill.scanning.models import Job, ListingRange, Status, Tally, is_job_id
from waybill.scanning.request_models import ScanRequest

# Step Functions forgets an execution after 90 days; what became of it is on the job.
_SHOWN = 100
_EXECUTION_STATUS = {Status.LISTING: "RUNNING", Status.FAILED: "FAILED"}


class _Bucket(Protocol):
    def check(self, bucket: str, prefix: str) -> None: ...


class NewJobs(Protocol):
    """Where jobs are made."""

    def create(self, job: Job) -> Job:
        """Store a job, or return the one that is there."""
        ...

    def set_execution(self, job_id: str, execution_arn: str) -> None:
        """Record the execution that lists a job."""
        ...


class _Jobs(NewJobs, Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def resume(self, job: Job) -> bool: ...


class _Ranges(Protocol):
    def all(self, job_id: str) -> list[ListingRange]: ...


class _Outcomes(Protocol):
    def tally(self, job_id: str) -> Tally: ...


class _Admission(Protocol):
    def check(self, request: ScanRequest) -> None: ...


@dataclass(frozen=True)
class Jobs:
    """What the API and the commands do with jobs; `own` returns the versions of own detectors that count now."""

    jobs: _Jobs
    ranges: _Ranges
    outcomes: _Outcomes
    bucket: _Bucket
    completion: JobCompletion
    now: Callable[[], datetime]
    admission: _Admission
    own: Callable[[], Mapping[str, int]]
    inventory: Source | None = None

    def create(self, request: ScanRequest, subject: str, idempotency_key: str | None) -> Job:
        """Store a job for a bucket that can be listed; with an idempotency key, once per caller and key.

        Raises
        ------
        ConflictError
            The key was used for another request.
        InvalidInputError
            It asks for what there is not, or for a webhook that may not be called; says which field.
        BucketNotFoundError, BucketDeniedError
            The bucket cannot be listed; no job exists.
        """
        job_id = id_for(subject, idempotency_key) if idempotency_key else str(uuid.uuid4())
        existing = self.jobs.get(job_id) if idempotency_key else None
        if existing is None:
            self._check(request)
            created = iso(self.now())
            existing = self.jobs.create(
                Job(
                    job_id,
                    request,
                    Status.LISTING,
                    created,
                    created,
                    created_by=hashlib.sha256(subject.encode()).hexdigest(),
                    own=self.own(),
                )
            )
        if existing.request.fingerprint() != request.fingerprint():
            raise ConflictError("this Idempotency-Key was used for another request")
        return existing

    def _check(self, request: ScanRequest) -> None:
        self.admission.check(request)
        self.bucket.check(request.bucket, request.prefix)
        if request.source == "inventory":
            if self.inventory is None:
                raise InvalidInputError(FieldError("source", "inventory is not available here"))
            self.inventory.check(request)

    def start(self, job: Job, executions: ExecutionStarter, workflow_arn: str) -> str:
        """Start the listing of a job, or find it started; return the execution's ARN."""
        return start_listing(job, self.jobs, executions, workflow_arn)

    def find(self, job_id: str) -> Job:
        """Return a job; raises NotFoundError."""
        # DynamoDB refuses keys of 2,048 bytes or more.
        job = self.jobs.get(job_id) if is_job_id(job_id) else None
        if job is None:
            raise NotFoundError("there is no such job" if len(job_id) > _SHOWN else f"there is no job {job_id}")
        return job

    def cancel(self, job_id: str) -> Job:
        """Cancel a job: lister and workers stop at their next look.

        Raises
        ------
        ConflictError
            It has ended otherwise.
        """
        self.find(job_id)
        job = self.completion.end(job_id, Status.CANCELLED)
        if job is None or job.status != Status.CANCELLED:
            raise ConflictError(f"the job has ended as {job.status.value if job else 'unknown'}")
        return job

    def resume(self, job_id: str, restarter: Restarter) -> Job:
        """Go on with a job that has failed: its listing from where it was, everything that was scanned stays.

        A repeated call starts what an earlier one has not started. A job that goes on anyway is left as it is.

        Raises
        ------
        ConflictError
            It has ended otherwise.
        """
        job = self.find(job_id)
        if job.status == Status.FAILED:
            self.jobs.resume(job)
            job = self.find(job_id)
        if job.ended:
            raise ConflictError(f"only a failed job can be resumed: this one has ended as {job.status.value}")
        if job.listing_done:
            return self.completion.finish_if_done(job_id) or job
        if job.resumed:
            for part in restarter.open_ranges(job_id):
                restarter.restart(job, part)
        return job

    def report(self, job_id: str) -> dict[str, Any]:
        """Return a job's progress; what has been counted once is never taken back."""
        job = self._counted(self.find(job_id))
        return job_document(job, self.outcomes.tally(job_id))

    def _counted(self, job: Job) -> Job:
        """Return a job with the totals so far, where the final ones are not there yet."""
        if job.listing_done:
            return job
        ranges = self.ranges.all(job.job_id)
        return replace(
            job,
            total=sum(part.total for part in ranges),
            total_bytes=sum(part.total_bytes for part in ranges),
            updated_at=max([job.updated_at, *(part.updated_at for part in ranges)]),
        )

    def coverage(self, job_id: str) -> dict[str, Any]:
        """Return what of the listed objects was looked at, and why the rest was not."""
        job = self._counted(self.find(job_id))
        tally = self.outcomes.tally(job_id)
        return {
            "job_id": job_id,
            "status": job.status.value,
            "listing_complete": job.listing_done and not job.truncated,
            "objects_total": job.total,
            "objects_pending": max(0, job.total - tally.ended),
            "bytes_total": job.total_bytes,
            "bytes_scanned": tally.bytes_scanned,
            "outcomes": dict(tally.outcomes),
            "reasons": {
                reason: {"objects": count, "bytes_not_scanned": tally.bytes_by_reason.get(reason, 0)}
                for reason, count in tally.reasons.items()
            },
            "members_not_read": dict(tally.not_read),
            "detectors": dict(tally.detectors),
            "own_detectors": dict(job.own),
            "rules": dict(tally.rules),
            "triaged": dict(tally.triaged),
            "truncated_findings": tally.truncated,
            "from_cache": tally.from_cache,
        }


def job_document(job: Job, tally: Tally) -> dict[str, Any]:
    """Return a job as the API shows it."""
    counted = job.listing_done and job.total
    percent = 100.0 if job.listing_done and not job.total else 0.0
    if counted:
        percent = min(100.0, int(1000 * tally.ended / job.total) / 10)
    waiting = max(0, job.total - tally.ended) if job.scanned_on else 0
    # Objects left out of a sample are counted at once, without being taken.
    processing = min(waiting, max(0, tally.taken - tally.ended))
    return {
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "prefix": job.request.prefix,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "status": job.status.value,
        "status_message": _message(job, tally),
        "step_function_status": _execution_status(job),
        "execution_arn": job.execution_arn or None,
        "total": job.total,
        "queued": waiting - processing,
        "processing": processing,
        "succeeded": tally.succeeded,
        "skipped": tally.skipped,
        "failed": tally.failed,
        "total_findings": tally.findings,
        "progress_percent": percent,
        "detectors": dict(tally.detectors),
        "triaged": dict(tally.triaged),
        "truncated": job.truncated,
        **({"error": job.error} if job.error else {}),
        **({"webhook": dict(job.webhook)} if job.webhook else {}),
        **({"export": dict(job.exported)} if job.exported else {}),
    }


def _execution_status(job: Job) -> str | None:
    if not job.execution_arn:
        return None
    if job.status == Status.CANCELLED and not job.listing_done:
        return "ABORTED"
    return _EXECUTION_STATUS.get(job.status, "SUCCEEDED")


def _message(job: Job, tally: Tally) -> str:
    match job.status:
        case Status.LISTING:
            return f"Listing objects ({job.total} so far)"
        case Status.PROCESSING:
            return f"Scanning objects ({tally.ended}/{job.total})"
        case Status.COMPLETED:
            return "The one object has an outcome" if job.total == 1 else f"All {job.total} objects have an outcome"
        case Status.COMPLETED_WITH_ERRORS:
            objects = "object" if job.total == 1 else "objects"
            return f"{tally.failed} of {job.total} {objects} failed" if tally.failed else "The listing was cut short"
        case Status.FAILED:
            return "The listing failed; what is listed is scanned, and the job can be resumed"
    return "Cancelled"


def start_listing(job: Job, jobs: NewJobs, executions: ExecutionStarter, workflow_arn: str) -> str:
    """Start the listing of a job, or find it started; return the execution's ARN."""
    if job.execution_arn:
        return job.execution_arn
    started = executions.start(workflow_arn, execution_name(job.job_id, 0, 1), first_state(job))
    jobs.set_execution(job.job_id, started.execution_arn)
    return started.execution_arn
