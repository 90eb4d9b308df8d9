"""Runs, results and facts of one build that goes to two regions, with what a test wants different."""

from typing import Any

from waybill.core.executions import execution_name
from waybill.replication.domain.outcome import outcome_of
from waybill.replication.models import (
    CopyTask,
    DestinationResult,
    ObjectFacts,
    ReplicationRun,
    RunOutcome,
    RunTotals,
    SourceDescription,
    Strategy,
    pad_sequencer,
)

SOURCE = "global-builds"
DESTINATIONS = ("region-a-builds", "region-b-builds")
KEY = "build-123.zip"
# Of the content b"abc".
E_TAG = "900150983cd24fb0d6963f7d28e17f72"
START = "2026-11-21T10:00:00.000Z"
_MACHINE = "arn:aws:states:eu-west-1:123456789012:execution:waybill-replication"


def a_run(
    label: str = "1", *, key: str = KEY, start: str = START, sequencer: str | None = None, **changes: Any
) -> ReplicationRun:
    """Return a run; each `label` is an execution of its own."""
    name = changes.pop("execution_name", None) or execution_name(key, SOURCE, key, label)
    return ReplicationRun(
        **{
            "source_bucket": SOURCE,
            "source_key": key,
            "destination_buckets": DESTINATIONS,
            "execution_id": f"{_MACHINE}:{name}",
            "execution_name": name,
            "workflow_start_time": start,
            "sequencer": sequencer and pad_sequencer(sequencer),
            **changes,
        }
    )


def facts(**changes: Any) -> ObjectFacts:
    """Return what S3 says about the source."""
    return ObjectFacts(**{"bucket": SOURCE, "key": KEY, "size": 3, "e_tag": E_TAG, **changes})


def result(run: ReplicationRun, bucket: str, **changes: Any) -> DestinationResult:
    """Return the result of a copy that went well."""
    return DestinationResult(
        **{
            "destination_bucket": bucket,
            "source_key": run.source_key,
            "source_bucket": run.source_bucket,
            "success": True,
            "code": "COPIED",
            "timestamp": "2026-11-21T10:00:02.000Z",
            "execution_id": run.execution_id,
            "etag": E_TAG,
            **changes,
        }
    )


def failure(run: ReplicationRun, bucket: str, **changes: Any) -> DestinationResult:
    """Return the result of a copy that failed."""
    failed = {
        "success": False,
        "code": "NO_SUCH_BUCKET",
        "etag": None,
        "error": "NoSuchBucketError",
        "cause": f"s3:PutObject on {bucket}: NoSuchBucket",
        "retryable": False,
    }
    return result(run, bucket, **failed | changes)


def totals(*results: DestinationResult) -> RunTotals:
    """Return the results counted, as state ProcessResults does it."""
    superseded = sum(one.code == "SUPERSEDED" for one in results)
    succeeded = sum(one.success for one in results)
    return RunTotals(
        total_buckets=len(results),
        successful_copies=succeeded,
        failed_copies=len(results) - succeeded - superseded,
        superseded_copies=superseded,
        results=tuple(one.wire() for one in results),
    )


def ended(*results: DestinationResult) -> tuple[RunTotals, RunOutcome]:
    """Return the totals and what they come to."""
    counted = totals(*results)
    return counted, outcome_of(counted)


def task(run: ReplicationRun, source: ObjectFacts, bucket: str = DESTINATIONS[0], **described: Any) -> CopyTask:
    """Return the copy of `source` to `bucket`, in one call unless `described` says otherwise."""
    description = SourceDescription(source=source, **{"strategy": Strategy.COPY, **described})
    return CopyTask(run=run, destination_bucket=bucket, description=description)
