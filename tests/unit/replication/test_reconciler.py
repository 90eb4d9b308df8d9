"""Runs that ended without saying so."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.executions import FakeExecutions
from tests.fakes.probe import Crash
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Content
from tests.fakes.world import FILE, SIZES, World
from waybill.core.errors import NotificationUnavailableError
from waybill.core.notifications import Notification
from waybill.replication.domain.backfill_job import BackfillJob, JobStatus
from waybill.replication.domain.backfill_notice import FailureNotices, Notice
from waybill.replication.domain.multipart import open_upload
from waybill.replication.domain.reconciler import Reconciler
from waybill.replication.domain.records import RecordStatus
from waybill.replication.errors import AccessDeniedError, RunsNotClosedError
from waybill.replication.models import FileId, ReplicationRun, RunOutcome, Strategy

_STANDARD = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-replication"


class Mailbox:
    """Keeps what people are told."""

    def __init__(self) -> None:
        self.sent: list[Notification] = []
        self.error: BaseException | None = None

    def notify(self, notification: Notification) -> None:
        if self.error:
            raise self.error
        self.sent.append(notification)


class Jobs:
    """A job, with the runs that tell of it."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}

    def read(self, backfill_id: str) -> BackfillJob:
        return BackfillJob(
            backfill_id=backfill_id,
            status=JobStatus.RUNNING,
            source_bucket=SOURCE,
            destination_buckets=DESTINATIONS,
            start_time="2026-11-21T10:00:00.000Z",
            updated_at="2026-11-21T10:00:00.000Z",
            created_by="waybill:somebody",
            worked_by="waybill:somebody",
        )

    def notice(self, backfill_id: str, hour: str, execution_id: str) -> Notice:
        return Notice(self.first.setdefault(hour, execution_id) == execution_id, 1)


class Operations:
    """A world with executions, in which runs die."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.executions = FakeExecutions()
        self.mailbox = Mailbox()
        self.jobs = Jobs()

    def claimed(self, name: str = "run", **changes: Any) -> ReplicationRun:
        """A run under way."""
        arn = self.executions.start(_STANDARD, name, {}).execution_arn
        run = self.world.machine.run(self.world.request(**changes), name, execution_id=arn)
        return run.model_copy(update={"generation": self.world.machine.tracking.claim(run).generation})

    def dead(self, name: str = "run", **changes: Any) -> ReplicationRun:
        """A run whose execution was stopped, half an hour ago."""
        run = self.claimed(name, **changes)
        self.executions.end(run.execution_id, "ABORTED")
        self.world.clock.advance(seconds=1800)
        return run

    def reconcile(self, limit: int = 100, *, by_hand: bool = False) -> list[FileId]:
        machine = self.world.machine
        return Reconciler(
            machine.tracking,
            self.executions,
            machine.buckets,
            FailureNotices(self.mailbox, self.jobs, self.world.clock.now),
            timedelta(minutes=20),
            self.world.clock.now,
        ).reconcile(limit, by_hand=by_hand)


def test_dead_runs_of_one_backfill_are_told_of_once_an_hour(world: World) -> None:
    """Source: replication's README, "Backfills": at most one notification per job and hour."""
    operations = Operations(world)
    for key in ("a", "b", "c"):
        world.s3.put(SOURCE, key, Content.of("x", 3))
        operations.dead(f"run-{key}", source_key=key)
        world.table.records[FileId(SOURCE, key)]["backfillId"] = "job"
    assert len(operations.reconcile()) == 3
    assert len(operations.mailbox.sent) == 1


@pytest.fixture
def operations(world: World) -> Operations:
    world.upload(SIZES[Strategy.MULTIPART])
    return Operations(world)


@pytest.mark.parametrize(
    ("state", "closed"),
    [("RUNNING", False), ("ABORTED", True), ("TIMED_OUT", True), ("SUCCEEDED", True), (None, False)],
)
def test_by_hand_a_run_is_closed_as_soon_as_its_execution_says_that_it_has_ended(
    operations: Operations, state: str | None, closed: bool
) -> None:
    """The grace is for what is unknown: Express runs, and those that Step Functions does not know yet."""
    run = operations.claimed()
    if state is None:
        del operations.executions.states[run.execution_id]
    else:
        operations.executions.end(run.execution_id, state)
    assert operations.reconcile() == []
    assert operations.reconcile(by_hand=True) == ([run.file] if closed else [])


def test_an_abandoned_run_is_closed_and_told(operations: Operations) -> None:
    run = operations.dead()
    assert operations.reconcile() == [run.file]
    record = operations.world.record
    assert (record["status"], record["outcome"]) == (RecordStatus.FAILED, RunOutcome.FAILED)
    assert [one["code"] for one in record["totals"].results] == ["ABANDONED", "ABANDONED"]
    assert record["totals"].results[0]["cause"] == "the execution ended before this destination was done"
    (told,) = operations.mailbox.sent
    assert told.notification_id == run.execution_name
    assert "❌ The run ended without a result and was closed by the reconciler" in told.body
    assert "❌ region-a-builds: ABANDONED" in told.body


def test_it_is_closed_once(operations: Operations) -> None:
    operations.dead()
    operations.reconcile()
    assert operations.reconcile() == []
    assert len(operations.mailbox.sent) == 1


def test_a_running_execution_is_left_alone(operations: Operations) -> None:
    operations.claimed()
    operations.world.clock.advance(days=3)
    assert operations.reconcile() == []
    assert operations.world.record["status"] == RecordStatus.IN_PROGRESS


def test_a_run_within_the_grace_period_is_left_alone(operations: Operations) -> None:
    run = operations.claimed()
    operations.executions.end(run.execution_id, "ABORTED")
    operations.world.clock.advance(seconds=19 * 60)
    assert operations.reconcile() == []
    operations.world.clock.advance(seconds=60)
    assert operations.reconcile() == [run.file]


def test_an_execution_that_nobody_knows_has_ended(operations: Operations) -> None:
    run = operations.dead()
    del operations.executions.states[run.execution_id]
    assert operations.reconcile() == [run.file]


def test_an_execution_of_another_stack_is_closed_after_the_grace_period(operations: Operations) -> None:
    """A table that was restored from another stack's: nobody here may look at its executions."""
    run = operations.dead()
    operations.executions.refused.add(run.execution_id)
    assert operations.reconcile() == [run.file]


def test_open_uploads_are_aborted(operations: Operations) -> None:
    world = operations.world
    run = operations.dead()
    for bucket in DESTINATIONS:
        open_upload(world.machine.buckets, world.machine.tracking, world.task(run, bucket))
    operations.reconcile()
    assert world.s3.open_uploads() == []


def test_what_was_done_counts_as_done(operations: Operations) -> None:
    world = operations.world
    run = operations.dead()
    world.machine.copier.copy_file(world.task(run))
    operations.reconcile()
    record = world.record
    assert record["outcome"] == RunOutcome.PARTIAL_FAILURE
    assert [(one["success"], one["code"]) for one in record["totals"].results] == [
        (True, "COPIED"),
        (False, "ABANDONED"),
    ]
    assert "✅ 1 of 2 destinations have the file" in operations.mailbox.sent[0].body


def test_a_run_that_had_done_everything_is_closed_without_an_alarm(operations: Operations) -> None:
    world = operations.world
    run = operations.dead()
    for bucket in DESTINATIONS:
        world.machine.copier.copy_file(world.task(run, bucket))
    operations.reconcile()
    assert world.record["status"] == RecordStatus.COMPLETED
    assert operations.mailbox.sent == []


def test_what_an_earlier_run_has_done_does_not_count(operations: Operations) -> None:
    world = operations.world
    earlier = operations.claimed("earlier")
    world.machine.copier.copy_file(world.task(earlier))
    operations.dead("later")
    operations.reconcile()
    assert [one["code"] for one in world.record["totals"].results] == ["ABANDONED", "ABANDONED"]


def test_the_destinations_of_a_run_with_a_prefix_are_those_of_its_prefix(operations: Operations) -> None:
    world = operations.world
    run = operations.dead(destination_prefix="copies/")
    open_upload(world.machine.buckets, world.machine.tracking, world.task(run))
    operations.reconcile()
    assert world.s3.open_uploads() == []
    assert json.loads(world.record["destinationBuckets"]) == list(DESTINATIONS)


@pytest.mark.parametrize("step", ["abort_upload", "finish"])
def test_dying_between_its_steps_is_made_good_by_the_next_round(operations: Operations, step: str) -> None:
    world = operations.world
    run = operations.dead()
    open_upload(world.machine.buckets, world.machine.tracking, world.task(run))
    world.machine.probe.fail(step, Crash("the function's time is up"))
    with pytest.raises(Crash):
        operations.reconcile()
    assert world.record["status"] == RecordStatus.IN_PROGRESS
    assert operations.reconcile() == [run.file]
    assert world.record["status"] == RecordStatus.FAILED
    assert world.s3.open_uploads() == []
    assert len({told.notification_id for told in operations.mailbox.sent}) == 1


def test_people_are_told_before_the_record_is_closed(operations: Operations) -> None:
    run = operations.dead()
    operations.mailbox.error = NotificationUnavailableError("Throttled from SNS")
    with pytest.raises(RunsNotClosedError):
        operations.reconcile()
    assert operations.world.record["status"] == RecordStatus.IN_PROGRESS
    operations.mailbox.error = None
    assert operations.reconcile() == [run.file]


def test_a_later_run_that_has_taken_over_is_left_alone(operations: Operations) -> None:
    operations.dead("earlier")
    later = operations.claimed("later")
    assert operations.reconcile() == []
    assert operations.world.record["executionId"] == later.execution_id
    assert operations.world.record["status"] == RecordStatus.IN_PROGRESS
    assert operations.mailbox.sent == []


@pytest.mark.parametrize("ending", ["ended", "overtaken"])
def test_an_index_that_lags_behind_closes_nothing(operations: Operations, ending: str) -> None:
    world = operations.world
    run = operations.dead()
    stale = dict(world.record)

    def change(name: str) -> None:
        if name == "latest_run":
            world.record.update({"status": RecordStatus.COMPLETED} if ending == "ended" else {"executionId": "later"})

    world.machine.probe.before = change
    assert operations.reconcile() == []
    assert stale["executionId"] == run.execution_id
    assert operations.mailbox.sent == []
    assert world.table.history == []


def test_a_later_run_that_takes_over_while_it_is_closed_keeps_its_record(operations: Operations) -> None:
    operations.dead("earlier")
    probe, later = operations.world.machine.probe, []

    def take_over(name: str) -> None:
        if name == "finish" and not later:
            later.append(operations.claimed("later"))

    probe.before = take_over
    operations.reconcile()
    assert operations.world.record["executionId"] == later[0].execution_id
    assert operations.world.record["status"] == RecordStatus.IN_PROGRESS


def test_a_run_that_cannot_be_closed_does_not_keep_others_open(operations: Operations) -> None:
    world = operations.world
    stuck = operations.dead()
    open_upload(world.machine.buckets, world.machine.tracking, world.task(stuck))
    other = operations.dead("other", source_key="other.zip")
    world.machine.probe.fail("abort_upload", AccessDeniedError("s3:AbortMultipartUpload"))
    told = "1 runs not closed, 1 closed; AccessDeniedError s3:AbortMultipartUpload"
    with pytest.raises(RunsNotClosedError, match=told):
        operations.reconcile()
    assert world.table.records[other.file]["status"] == RecordStatus.FAILED
    assert world.table.records[FILE]["status"] == RecordStatus.IN_PROGRESS


def test_no_more_than_the_limit_are_closed_at_a_time(operations: Operations) -> None:
    for number in range(5):
        operations.dead(f"run {number}", source_key=f"{number}-{KEY}")
    assert len(operations.reconcile(2)) == 2
    assert len(operations.reconcile(2)) == 2
    assert len(operations.reconcile(2)) == 1
