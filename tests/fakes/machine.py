"""The replication workflow without Step Functions: the same steps, and the retries that its definition declares."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.buckets import FakeBuckets
from tests.fakes.clock import Clock
from tests.fakes.probe import Crash, Probe
from tests.fakes.s3 import S3
from tests.fakes.tracking import FakeTracking, Table
from waybill.core.clock import iso
from waybill.replication.domain.copier import Copier, describe_source
from waybill.replication.domain.every_version import EveryVersion
from waybill.replication.domain.failed_copy import record_failure
from waybill.replication.domain.outcome import outcome_of
from waybill.replication.domain.records import ClaimOutcome
from waybill.replication.errors import DestinationBusyError, DestinationUnsettledError
from waybill.replication.models import (
    CopyLimits,
    CopyTask,
    DestinationResult,
    FailedCopy,
    ReplicationRequest,
    ReplicationRun,
    RunOutcome,
    RunTotals,
    SourceDescription,
    Strategy,
)

_DEFINITION = Path(__file__).resolve().parents[2] / "statemachine" / "replication.asl.json"


@dataclass(frozen=True)
class StepFailed(Exception):
    """A step that has failed for good, after `attempts`."""

    error: str
    cause: str
    attempts: int


@dataclass
class Ended:
    """How an execution ended."""

    claim: ClaimOutcome
    outcome: RunOutcome | None = None
    results: list[DestinationResult] = field(default_factory=list)
    owns_record: bool = False

    @property
    def codes(self) -> list[str]:
        return [result.code for result in self.results]


class Machine:
    """Executes the workflow in the calling thread."""

    def __init__(self, s3: S3, table: Table, limits: CopyLimits, clock: Clock, probe: Probe | None = None) -> None:
        self.probe = probe or Probe()
        self.buckets = FakeBuckets(s3, self.probe)
        self.tracking = FakeTracking(table, self.probe)
        self.limits = limits
        self.clock = clock
        self.copier = Copier(self.buckets, self.tracking, limits, clock.now, lambda: 600.0, self._every_version())

    def _every_version(self, *, removals: bool = True) -> EveryVersion | None:
        if not self.limits.every_version:
            return None
        return EveryVersion(self.buckets, self.tracking, self.limits, self.clock.now, lambda: 600.0, removals)

    def run(self, request: ReplicationRequest, name: str, *, execution_id: str | None = None) -> ReplicationRun:
        """Return the run of a new execution."""
        return ReplicationRun(
            **request.model_dump(),
            execution_id=execution_id or name,
            execution_name=name,
            workflow_start_time=iso(self.clock.now()),
        )

    def execute(self, run: ReplicationRun) -> Ended:
        """Execute the workflow for `run` until it ends."""
        claimed = self.step("LogWorkflowStart", lambda _: self.tracking.claim(run))
        if claimed.claim is not ClaimOutcome.STARTED:
            return Ended(claimed.claim)
        run = run.model_copy(update={"generation": claimed.generation})
        try:
            described = self.step("DescribeSource", lambda _: describe_source(self.buckets, run, self.limits))
        except StepFailed as failed:
            results = [self._failed(run, bucket, failed) for bucket in run.destination_buckets]
        else:
            results = [self.copy(run, bucket, described) for bucket in run.destination_buckets]
        return self._finish(run, results)

    def copy(self, run: ReplicationRun, bucket: str, described: SourceDescription) -> DestinationResult:
        """Go through one iteration of the Map."""
        run = run.model_copy(update={"destination_buckets": (bucket,)})
        task = CopyTask(run=run, destination_bucket=bucket, description=described)
        try:
            if described.strategy is Strategy.MULTIPART_BATCHES:
                return self._copy_in_batches(task)
            return self.step("CopyFile", lambda attempt: self.copier.copy_file(_at(task, attempt)))
        except StepFailed as failed:
            return self._failed(run, bucket, failed)

    def _copy_in_batches(self, task: CopyTask) -> DestinationResult:
        started = self.step("StartMultipartCopy", lambda attempt: self.copier.start_multipart_copy(_at(task, attempt)))
        if not isinstance(started, str):
            return started
        for batch in task.description.batches:
            self.step("CopyPartBatch", lambda _, batch=batch: self.copier.copy_part_batch(task, started, batch))
        return self.step(
            "CompleteMultipartCopy",
            lambda attempt: self.copier.complete_multipart_copy(_at(task, attempt), started),
        )

    def _failed(self, run: ReplicationRun, bucket: str, failed: StepFailed) -> DestinationResult:
        failure = {"Error": failed.error, "Cause": json.dumps({"errorMessage": failed.cause})}
        copy = FailedCopy(run=run, destination_bucket=bucket, failure=failure, attempt=failed.attempts)
        return self.step(
            "FormatErrorResult",
            lambda _: record_failure(copy, self.buckets, self.tracking, iso(self.clock.now())),
        )

    def _finish(self, run: ReplicationRun, results: list[DestinationResult]) -> Ended:
        superseded = sum(result.code == "SUPERSEDED" for result in results)
        succeeded = sum(result.success for result in results)
        totals = RunTotals(
            total_buckets=len(results),
            successful_copies=succeeded,
            failed_copies=len(results) - succeeded - superseded,
            superseded_copies=superseded,
            results=tuple(result.wire() for result in results),
        )
        outcome = outcome_of(totals)
        owns = self.step("UpdateDynamoDBFinal", lambda _: self.tracking.finish(run, totals, outcome))
        return Ended(ClaimOutcome.STARTED, outcome, results, owns)

    def step[T](self, state: str, action: Callable[[int], T]) -> T:
        """Do what `state` does, as often as its Retry says; `action` takes the number of the attempt."""
        used: Counter[int] = Counter()
        while True:
            attempt = used.total() + 1
            try:
                return action(attempt)
            except (Exception, Crash) as error:
                name = "Runtime.ExitError" if isinstance(error, Crash) else type(error).__name__
                retrier = next((i for i, (names, _) in enumerate(retries(state)) if name in names), None)
                if retrier is None or used[retrier] >= retries(state)[retrier][1]:
                    raise StepFailed(name, str(error), attempt) from error
                used[retrier] += 1
                if isinstance(error, DestinationUnsettledError):
                    self.probe.pause("wait")
                    self.clock.advance(seconds=15)
                if isinstance(error, DestinationBusyError):
                    self.probe.pause("busy")
                    self.clock.advance(seconds=25)


@cache
def retries(state: str) -> list[tuple[frozenset[str], int]]:
    """Return the retriers of a state: the errors they match, and how often."""
    found = _states(json.loads(_DEFINITION.read_text("utf-8")))[state]
    return [(frozenset(retry["ErrorEquals"]), retry["MaxAttempts"]) for retry in found["Retry"]]


def _states(machine: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(machine["States"])
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            found |= _states(state["ItemProcessor"])
    return found


def _at(task: CopyTask, attempt: int) -> CopyTask:
    return task.model_copy(update={"attempt": attempt})
