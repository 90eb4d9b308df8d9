"""What becomes of the runs of a backfill.

Source of the cases: replication's README, "Backfills": what died, was overtaken or went elsewhere is looked at and
started again; whether something runs, the execution says and not the record.
"""

from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, KEY
from tests.fakes.world import World
from tests.unit.replication.test_backfill import Scene
from waybill.core.clock import iso
from waybill.replication.domain.backfill_engine import asked
from waybill.replication.domain.backfill_job import JobCounts, ObjectLine, PlaceResult, Result, line_of
from waybill.replication.domain.backfill_settling import Settling
from waybill.replication.models import FileId

A, B = DESTINATIONS


class Records:
    """Reads the records of a world as the real table gives them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def record(self, file: FileId) -> Any:
        return self.world.table.records.get(file)

    def destinations(self, file: FileId) -> list[Any]:
        return [dict(item) for (of, _), item in self.world.table.destinations.items() if of == file]


class Waiting:
    """A backfill that waits for its run of one object."""

    def __init__(self, world: World) -> None:
        self.scene = Scene(world)
        self.settling = Settling(Records(world), self.scene.backfill)

    def begun(self) -> ObjectLine:
        item = self.scene.backfill.start(self.scene.plan())
        return line_of(item, DESTINATIONS, iso(self.scene.world.clock.now()))

    def look(self, line: ObjectLine) -> ObjectLine:
        return self.settling.look(line, self.scene.world.clock.now())


@pytest.fixture
def waiting(world: World) -> Waiting:
    world.upload()
    return Waiting(world)


def results(line: ObjectLine) -> dict[str, tuple[str, str | None]]:
    return {bucket: (place.result.value, place.code) for bucket, place in line.results.items()}


def test_a_run_under_way_stays_pending(waiting: Waiting) -> None:
    line = waiting.begun()
    assert waiting.look(line) == line


def test_a_run_that_has_its_final_record_is_known_without_asking(waiting: Waiting) -> None:
    """Source: Step Functions developer guide, "Quotas": DescribeExecution is refilled with 15 a second."""
    line = waiting.begun()
    arn = waiting.scene.started[0]
    now = waiting.scene.world.clock.now()
    waiting.scene.executions.end(arn, "ABORTED")
    assert waiting.settling.look(line, now, ask=False) == line
    waiting.scene.execute(arn)
    settled = waiting.settling.look(line, now, ask=False)
    assert results(settled) == {A: ("SUCCEEDED", "COPIED"), B: ("SUCCEEDED", "COPIED")}


def test_each_of_many_runs_is_asked_for_in_its_turn() -> None:
    pending = {A: PlaceResult(result=Result.STARTED)}
    settled = {A: PlaceResult(result=Result.SUCCEEDED)}
    lines = [ObjectLine(key=str(number), results=settled if number % 2 else pending) for number in range(200)]
    turns = [asked(lines, turn) for turn in range(4)]
    assert [sum(asked) for asked in turns] == [25] * 4
    assert [any(column) for column in zip(*turns, strict=True)] == [not number % 2 for number in range(200)]
    assert asked([], 3) == []


def test_a_run_that_ended_tells_what_became_of_each_destination(waiting: Waiting) -> None:
    line = waiting.begun()
    del waiting.scene.world.s3.buckets[B]
    waiting.scene.execute(waiting.scene.started[0])
    settled = waiting.look(line)
    assert results(settled) == {A: ("SUCCEEDED", "COPIED"), B: ("FAILED", "NO_SUCH_BUCKET")}
    counts = JobCounts().plus([line])
    assert (counts.pending, counts.copies) == (2, 2)
    counts = counts.settled([line], [settled])
    assert (counts.pending, counts.succeeded, counts.failed) == (0, 1, 1)


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_a_run_that_died_is_followed_by_another_a_few_times(waiting: Waiting, status: str) -> None:
    line = waiting.begun()
    for number in range(4):
        waiting.scene.executions.end(waiting.scene.started[number], status)
        line = waiting.look(line)
    assert len(waiting.scene.started) == 4
    assert results(line) == {A: ("FAILED", "ABANDONED"), B: ("FAILED", "ABANDONED")}


def test_a_run_of_another_stack_is_followed_by_one_of_ours(waiting: Waiting) -> None:
    """A job that was restored with its table: what it had started is not running here."""
    line = waiting.begun()
    theirs = "arn:aws:states:eu-west-1:123456789012:execution:before-replication:run"
    waiting.scene.executions.refused.add(theirs)
    line = waiting.look(line.model_copy(update={"execution": theirs}))
    assert line.execution in waiting.scene.started


def test_a_source_that_was_overwritten_meanwhile_is_brought_as_it_is_now(waiting: Waiting) -> None:
    line = waiting.begun()
    newest = waiting.scene.world.upload()
    waiting.scene.execute(waiting.scene.started[0])  # pinned to what was listed: superseded
    line = waiting.look(line)
    assert line.pending == [A, B]
    waiting.scene.execute(waiting.scene.started[1])
    assert results(waiting.look(line)) == {A: ("SUCCEEDED", "COPIED"), B: ("SUCCEEDED", "COPIED")}
    assert [waiting.scene.world.s3.get(bucket, KEY).content for bucket in DESTINATIONS] == [newest.content] * 2


def test_a_source_that_was_deleted_meanwhile_is_nobodys_failure(waiting: Waiting) -> None:
    line = waiting.begun()
    waiting.scene.world.s3.delete("global-builds", KEY)
    waiting.scene.execute(waiting.scene.started[0])
    assert results(waiting.look(line)) == {A: ("GONE", None), B: ("GONE", None)}
    assert waiting.scene.world.record["status"] != "FAILED"


def test_a_run_of_somebody_else_that_went_elsewhere_is_followed_by_one_to_the_rest(waiting: Waiting) -> None:
    world, executions = waiting.scene.world, waiting.scene.executions
    stored = world.s3.get("global-builds", KEY)
    arn = executions.start("arn:aws:states:eu-west-1:1:stateMachine:waybill-replication", "other", {}).execution_arn
    request = world.request(destination_buckets=(A,), e_tag=stored.e_tag, size=stored.content.size)
    run = world.machine.run(request, "other", execution_id=arn)
    world.machine.tracking.claim(run)
    line = line_of(waiting.scene.plan(), DESTINATIONS, iso(world.clock.now()))
    assert results(line) == {A: ("IN_PROGRESS", None), B: ("IN_PROGRESS", None)}

    world.s3.put(A, KEY, stored.content, stored.attributes)
    executions.end(arn)
    line = waiting.look(line)

    assert results(line) == {A: ("SUCCEEDED", "SKIPPED_IDENTICAL"), B: ("IN_PROGRESS", None)}
    assert executions.inputs[waiting.scene.started[-1]]["destinationBuckets"] == [B]


def test_an_express_run_has_its_time_to_come_to_its_record(waiting: Waiting) -> None:
    """Source: Step Functions developer guide: Express executions end within five minutes, and cannot be described."""
    line = waiting.begun().model_copy(update={"execution": "arn:aws:states:eu-west-1:1:express:machine:name:uuid"})
    assert waiting.look(line) == line
    waiting.scene.world.clock.advance(seconds=400)
    waiting.scene.executions.end(waiting.scene.started[0], "FAILED")
    assert waiting.look(line).attempts == 2


def test_what_somebody_has_brought_is_there(waiting: Waiting) -> None:
    line = waiting.begun()
    waiting.scene.executions.end(waiting.scene.started[0], "ABORTED")
    stored = waiting.scene.world.s3.get("global-builds", KEY)
    for bucket in DESTINATIONS:
        waiting.scene.world.s3.put(bucket, KEY, stored.content, stored.attributes)
    assert results(waiting.look(line)) == dict.fromkeys(DESTINATIONS, ("SUCCEEDED", "SKIPPED_IDENTICAL"))
