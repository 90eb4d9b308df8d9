"""What a run comes to: its outcome, and what people are told when it failed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from waybill.core.notifications import Notification
from waybill.core.text import escaped, shell_word
from waybill.replication import WORKFLOW
from waybill.replication.errors import code_of, is_retryable
from waybill.replication.models import CopyCode, DestinationResult, ReplicationRun, RunOutcome, RunTotals

# A notification that nobody can read helps nobody; the records hold every destination.
_LISTED_BUCKETS = 40
_CAUSE_IN_BODY = 400
# Up to 50 results travel through states of 256 KiB; S3's own messages are a tenth of this.
_CAUSE_LIMIT_BYTES = 2_000


def outcome_of(totals: RunTotals) -> RunOutcome:
    """Return how a run ended; superseded copies are neither success nor failure."""
    if totals.failed_copies:
        return RunOutcome.PARTIAL_FAILURE if totals.successful_copies else RunOutcome.FAILED
    return RunOutcome.SUPERSEDED if totals.superseded_copies else RunOutcome.SUCCESS


def failed_result(
    run: ReplicationRun, bucket: str, failure: Mapping[str, object], attempts: int, timestamp: str
) -> DestinationResult:
    """Return the result for a copy that failed with `failure`: Step Functions' `Error` and `Cause`.

    The cause that Lambda reports is JSON with `errorMessage`; its stack trace stays out of records and messages.
    """
    error = str(failure.get("Error", "Unknown"))
    return DestinationResult(
        destination_bucket=bucket,
        source_key=run.source_key,
        source_bucket=run.source_bucket,
        success=False,
        code=code_of(error),
        timestamp=timestamp,
        execution_id=run.execution_id,
        attempts=attempts,
        retryable=is_retryable(error),
        error=error,
        cause=_cut(message_of(failure.get("Cause"))),
    )


def failure_notification(run: ReplicationRun, failure: Mapping[str, Any]) -> Notification:
    """Return what people are told of a failed run.

    `failure` is the workflow's result: `status`, `message`, the counts, and `results` per destination where there are
    any.
    """
    status = str(failure["status"])
    results = failure.get("results", [])
    address, key = shell_word(f"s3://{run.source_bucket}/{run.source_key}"), escaped(run.source_key)
    lines = [
        f"❌ {escaped(str(failure.get('message') or 'The replication failed'))}",
        "",
        f"File:          {key}",
        f"Source bucket: {run.source_bucket}",
        f"Status:        {status}",
        f"Execution:     {run.execution_id}",
        "",
        *_bucket_lines(results),
        "",
        "🔎 Where to look",
        f"Record:   waybill replications show {address}",
        f"Table:    FileCopyTracking, fileKey = {key}, sourceBucket = {run.source_bucket}",
        f"Again:    waybill replicate {address} --wait",
    ]
    return Notification(
        workflow=WORKFLOW,
        status=status,
        about=f"{run.source_bucket}/{run.source_key}",
        subject=f"File Copy Failures: {run.source_key}",
        body="\n".join(lines),
        notification_id=run.execution_name,
    )


def _bucket_lines(results: Sequence[Mapping[str, object]]) -> list[str]:
    copied = [result for result in results if result["success"]]
    superseded = [result for result in results if result["code"] == CopyCode.SUPERSEDED]
    failed = [result for result in results if not result["success"] and result["code"] != CopyCode.SUPERSEDED]
    lines = [f"✅ {len(copied)} of {len(results)} destinations have the file"] if results else []
    if superseded:
        lines.append(f"⏭️ {len(superseded)} are left to the run of a newer upload")
    lines += [
        f"❌ {escaped(str(result['destinationBucket']))}: {result['code']}{_reason(result)}"
        for result in failed[:_LISTED_BUCKETS]
    ]
    if len(failed) > _LISTED_BUCKETS:
        lines.append(f"… and {len(failed) - _LISTED_BUCKETS} more failed destinations")
    return lines


def _reason(result: Mapping[str, object]) -> str:
    cause = str(result.get("cause") or "")
    return f" ({escaped(cause[:_CAUSE_IN_BODY])})" if cause else ""


def _cut(text: str | None) -> str | None:
    return text and text.encode(errors="replace")[:_CAUSE_LIMIT_BYTES].decode(errors="ignore")


def message_of(cause: object) -> str | None:
    """Return what a `Cause` of Step Functions says: of Lambda's, which is JSON, its message."""
    if not isinstance(cause, str) or not cause:
        return None
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told["errorMessage"]) if isinstance(told, Mapping) and "errorMessage" in told else cause
