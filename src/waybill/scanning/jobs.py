"""Jobs as their users see them: started once, watched, cancelled, read."""

import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from waybill.core.clock import iso
from waybill.core.cursors import decode_cursor, encode_cursor
from waybill.core.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from waybill.core.executions import ExecutionStarter
from waybill.scanning.completion import Completion
from waybill.scanning.models import ENDED, Job, ScanRequest, Status, Tally
from waybill.scanning.ports import Bucket, Store

_SHOWN = ("detector", "masked_match", "context", "byte_offset", "byte_length", "line", "column", "confidence")
_SHOWN_IF_SET = ("sample", "decoded_from", "member")


@dataclass(frozen=True)
class Jobs:
    """What the API and the commands do with jobs."""

    store: Store
    bucket: Bucket
    completion: Completion
    now: Callable[[], datetime]

    def create(self, request: ScanRequest, subject: str, idempotency_key: str | None) -> Job:
        """Store a job for a bucket that can be listed; with an idempotency key, once per caller and key.

        Raises
        ------
        ConflictError
            The key was used for another request.
        BucketNotFoundError, BucketDeniedError
            The bucket cannot be listed; no job exists.
        """
        job_id = _job_id(subject, idempotency_key) if idempotency_key else str(uuid.uuid4())
        existing = self.store.job(job_id) if idempotency_key else None
        if existing is None:
            self.bucket.check(request.bucket, request.prefix)
            created = iso(self.now())
            existing = self.store.create(
                Job(
                    job_id,
                    request,
                    Status.LISTING,
                    created,
                    created,
                    created_by=hashlib.sha256(subject.encode()).hexdigest(),
                )
            )
        if existing.request.fingerprint() != request.fingerprint():
            raise ConflictError("this Idempotency-Key was used for another request")
        return existing

    def start(self, job: Job, executions: ExecutionStarter, workflow_arn: str) -> str:
        """Start the listing of a job, or find it started; return the execution's ARN."""
        if job.execution_arn:
            return job.execution_arn
        started = executions.start(workflow_arn, execution_name(job.job_id, 1), first_state(job))
        self.store.started(job.job_id, started.execution_arn)
        return started.execution_arn

    def find(self, job_id: str) -> Job:
        """Return a job; raises NotFoundError."""
        job = self.store.job(job_id)
        if job is None:
            raise NotFoundError(f"there is no job {job_id}")
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

    def report(self, job_id: str) -> dict[str, Any]:
        """Return a job's progress; what has been counted once is never taken back."""
        job = self.find(job_id)
        return job_document(job, self.store.tally(job_id))

    def coverage(self, job_id: str) -> dict[str, Any]:
        """Return what of the listed objects was looked at, and why the rest was not."""
        job = self.find(job_id)
        tally = self.store.tally(job_id)
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
            "detectors": dict(tally.detectors),
            "from_cache": tally.from_cache,
        }


def execution_name(job_id: str, generation: int) -> str:
    """Return the name of a job's `generation`th execution; a repeated hand-over finds it taken."""
    return f"scan-{job_id}-{generation}"


def first_state(job: Job) -> dict[str, Any]:
    """Return the workflow's input."""
    return {
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "prefix": job.request.prefix,
        "continuation_token": None,
        "objects_processed": 0,
    }


def job_document(job: Job, tally: Tally) -> dict[str, Any]:
    """Return a job as the API shows it."""
    counted = job.listing_done and job.total
    percent = 100.0 if job.listing_done and not job.total else 0.0
    if counted:
        percent = min(100.0, int(1000 * tally.ended / job.total) / 10)
    processing = max(0, job.total - tally.ended) if job.status not in ENDED else 0
    return {
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "prefix": job.request.prefix,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "status": job.status.value,
        "status_message": _message(job, tally),
        "execution_arn": job.execution_arn or None,
        "total": job.total,
        "queued": processing,
        "succeeded": tally.succeeded,
        "skipped": tally.skipped,
        "failed": tally.failed,
        "total_findings": tally.findings,
        "progress_percent": percent,
        "detectors": dict(tally.detectors),
        "truncated": job.truncated,
        **({"error": job.error} if job.error else {}),
    }


def _message(job: Job, tally: Tally) -> str:
    match job.status:
        case Status.LISTING:
            return f"Listing objects ({job.total} so far)"
        case Status.PROCESSING:
            return f"Scanning objects ({tally.ended}/{job.total})"
        case Status.COMPLETED:
            return f"All {job.total} objects have an outcome"
        case Status.COMPLETED_WITH_ERRORS:
            return f"{tally.failed} of {job.total} objects failed" if tally.failed else "The listing was cut short"
        case Status.FAILED:
            return "The listing failed"
    return "Cancelled"


@dataclass(frozen=True)
class Results:
    """The findings of jobs, page by page; `secret` signs the cursors."""

    store: Store
    secret: bytes

    def page(self, job: Job, limit: int, cursor: str | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return `{findings, limit, has_more, next_cursor}`.

        Raises
        ------
        InvalidInputError
            The cursor is not one of this job.
        """
        after = self._position(cursor, job.job_id) if cursor else None
        items, position = self.store.findings(job.job_id, limit, after, wanted)
        return {
            "findings": [_finding_document(job, item) for item in items],
            "limit": limit,
            "has_more": position is not None,
            "next_cursor": self._cursor(position, job.job_id) if position else None,
        }

    def _cursor(self, position: str, job_id: str) -> str:
        return encode_cursor({"after": position, "seal": self._seal(position, job_id)})

    def _position(self, cursor: str, job_id: str) -> str:
        decoded = decode_cursor(cursor)
        position, seal = decoded.get("after"), decoded.get("seal")
        if not isinstance(position, str) or not isinstance(seal, str):
            raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
        if not hmac.compare_digest(seal, self._seal(position, job_id)):
            raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
        return position

    def _seal(self, position: str, job_id: str) -> str:
        return hmac.digest(self.secret, f"cursor {job_id} {position}".encode(), "sha256").hex()[:32]


def _finding_document(job: Job, item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["sk"].removeprefix("F#"),
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "key": item["key"],
        **{name: item[name] for name in _SHOWN},
        "fingerprint": item["fingerprint"],
        "created_at": item["created_at"],
        **{name: item[name] for name in _SHOWN_IF_SET if item.get(name)},
    }


def _job_id(subject: str, idempotency_key: str) -> str:
    digest = hashlib.sha256(f"{len(subject)}:{subject}{idempotency_key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))
