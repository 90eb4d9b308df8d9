"""Runs that ended without saying so: their records are closed, their uploads aborted, people are told.

A run that is stopped, times out or dies cannot write its final record. Anything in progress for longer than the grace
period whose execution is no longer running is closed as FAILED, with the code ABANDONED for every destination that the
run has not recorded as done. Whoever asks by hand need not wait where the execution itself says that it has ended; the
grace is for those that are unknown, as Express ones are.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.core.clock import iso
from waybill.core.executions import known_state
from waybill.replication.domain.backfill_notice import FailureNotices
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.outcome import outcome_of
from waybill.replication.domain.records import DestinationItem, LatestRun, OpenRuns, RecordItem, RecordStatus
from waybill.replication.domain.starter import FileCopyExecutions
from waybill.replication.errors import RunsNotClosedError
from waybill.replication.models import DestinationResult, FileId, ObjectPlace, ReplicationRun, RunTotals

ABANDONED = "ABANDONED"


@dataclass(frozen=True)
class Reconciler:
    """Closes abandoned runs that started longer than `grace` ago."""

    tracking: OpenRuns
    executions: FileCopyExecutions
    buckets: Buckets
    failure_notices: FailureNotices
    grace: timedelta
    now: Callable[[], datetime]

    def reconcile(self, limit: int, *, by_hand: bool = False) -> list[FileId]:
        """Close at most `limit` abandoned runs and return their files; `by_hand`: those of a moment ago too.

        Repeating it, or dying between its steps, does no harm: the record is closed last, so an unfinished closing is
        found again; a notification may then be sent twice, with the same id.

        Raises
        ------
        RunsNotClosedError
            Some runs could not be closed; all others have been.
        """
        graced = iso(self.now() - self.grace)
        overdue = self.tracking.open_runs(started_before=iso(self.now()) if by_hand else graced)
        closed: list[FileId] = []
        problems: list[Exception] = []
        for record in overdue:
            if len(closed) >= limit:
                break
            run = _run_of(record)
            try:
                if self._may_be_running(run.execution_id, in_grace=run.workflow_start_time > graced):
                    continue
                if latest := self._still_open(run):
                    # The index of open runs does not hold the job.
                    self._close(run.model_copy(update={"backfill_id": latest.backfill_id}))
                    closed.append(run.file)
            except Exception as error:
                # One run that cannot be closed must not keep the others open for ever.
                problems.append(error)
        if problems:
            reasons = "; ".join(f"{type(error).__name__} {error}" for error in problems[:10])
            raise RunsNotClosedError(f"{len(problems)} runs not closed, {len(closed)} closed; {reasons}") from problems[
                0
            ]
        return closed

    def _may_be_running(self, execution_arn: str, *, in_grace: bool) -> bool:
        state = known_state(self.executions, execution_arn)
        return in_grace if state is None else state.status == "RUNNING"

    def _still_open(self, run: ReplicationRun) -> LatestRun | None:
        # The index of open runs lags behind the records: this one may have ended, or lost its record, in between.
        latest = self.tracking.latest_run(run.file)
        if latest is None or latest.execution_id != run.execution_id or latest.status != RecordStatus.IN_PROGRESS:
            return None
        return latest

    def _close(self, run: ReplicationRun) -> None:
        items = {item["destinationBucket"]: item for item in self.tracking.destinations_of(run)}
        for bucket, item in items.items():
            if item.get("uploadId"):
                self.buckets.abort_upload(ObjectPlace(bucket, run.destination_key), item["uploadId"])
        totals = _totals(run, items, iso(self.now()))
        outcome = outcome_of(totals)
        failure = {
            "status": outcome.value,
            "message": "The run ended without a result and was closed by the reconciler",
            "results": totals.results,
        }
        if totals.failed_copies:
            self.failure_notices.tell(run, failure)
        self.tracking.finish(run, totals, outcome)


def _run_of(record: RecordItem) -> ReplicationRun:
    return ReplicationRun(
        source_bucket=record["sourceBucket"],
        source_key=record["fileKey"],
        destination_buckets=tuple(json.loads(record["destinationBuckets"])),
        destination_prefix=record.get("destinationPrefix"),
        version_id=record.get("versionId"),
        e_tag=record.get("eTag"),
        execution_id=record["executionId"],
        execution_name=record["executionName"],
        workflow_start_time=record["startTime"],
    )


def _totals(run: ReplicationRun, items: Mapping[str, DestinationItem], timestamp: str) -> RunTotals:
    results = [_result(run, bucket, items.get(bucket), timestamp) for bucket in run.destination_buckets]
    succeeded = sum(result.success for result in results)
    return RunTotals(
        total_buckets=len(results),
        successful_copies=succeeded,
        failed_copies=len(results) - succeeded,
        results=tuple(result.wire() for result in results),
    )


def _result(run: ReplicationRun, bucket: str, item: DestinationItem | None, timestamp: str) -> DestinationResult:
    done = item is not None and item["executionId"] == run.execution_id and item["status"] == RecordStatus.COMPLETED
    return DestinationResult(
        destination_bucket=bucket,
        source_key=run.source_key,
        source_bucket=run.source_bucket,
        success=done,
        code=item["code"] if item and done else ABANDONED,
        timestamp=timestamp,
        execution_id=run.execution_id,
        retryable=None if done else True,
        cause=None if done else "the execution ended before this destination was done",
    )
