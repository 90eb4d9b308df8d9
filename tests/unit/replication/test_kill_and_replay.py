"""A function may die after any call it makes; the retries of the workflow bring the run to the same end."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.fakes.probe import Crash
from tests.fakes.runs import DESTINATIONS
from tests.fakes.s3 import Stored
from tests.fakes.world import FILE, SIZES, World
from waybill.core.errors import RetryableError
from waybill.replication.domain.records import RecordStatus
from waybill.replication.errors import S3UnavailableError, ThrottledError, TrackingUnavailableError
from waybill.replication.models import RunOutcome, Strategy

_ALL = list(SIZES)


def fresh(strategy: Strategy, *, versioned: bool = False) -> tuple[World, Stored]:
    world = World()
    for bucket in DESTINATIONS:
        world.s3.create_bucket(bucket, versioned=versioned)
    return world, world.upload(SIZES[strategy])


def calls_of(strategy: Strategy) -> list[str]:
    world, stored = fresh(strategy)
    world.replicate(stored)
    return world.machine.probe.calls


def assert_done(world: World) -> None:
    for bucket in DESTINATIONS:
        world.assert_equal(bucket)
        assert world.table.destinations[FILE, bucket]["status"] == RecordStatus.COMPLETED
    assert world.s3.open_uploads() == []
    assert world.record["status"] == RecordStatus.COMPLETED
    assert world.record["outcome"] == RunOutcome.SUCCESS


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("strategy", _ALL)
def test_death_after_any_call_changes_nothing_in_the_end(strategy: Strategy, versioned: bool) -> None:
    calls = calls_of(strategy)
    for number in range(1, len(calls) + 1):
        world, stored = fresh(strategy, versioned=versioned)
        world.machine.probe.crash_after(number)
        ended = world.replicate(stored)
        assert ended.outcome is RunOutcome.SUCCESS, f"died after call {number}, {calls[number - 1]}"
        assert_done(world)
        copied_twice = [part for part, times in Counter(world.s3.part_copies).items() if times > 1]
        assert not copied_twice, f"died after call {number}, {calls[number - 1]}"


@pytest.mark.parametrize("strategy", _ALL)
def test_two_deaths_in_one_step_change_nothing_either(strategy: Strategy) -> None:
    calls = calls_of(strategy)
    for number in range(1, len(calls) + 1):
        world, stored = fresh(strategy)
        world.machine.probe.crash_after(number)
        world.machine.probe.crash_after(number + 1)
        assert world.replicate(stored).outcome is RunOutcome.SUCCESS, f"died after call {number} and the one after it"
        assert_done(world)


@pytest.mark.parametrize("strategy", _ALL)
@pytest.mark.parametrize("error", [ThrottledError("SlowDown"), TrackingUnavailableError("throttled")])
def test_a_passing_fault_of_any_call_goes_unseen(strategy: Strategy, error: RetryableError) -> None:
    for name in dict.fromkeys(calls_of(strategy)):
        of_table = name in {"claim", "latest_run", "destination", "record_upload", "record_destination", "finish"}
        if of_table is not isinstance(error, TrackingUnavailableError):
            continue
        world, stored = fresh(strategy)
        world.machine.probe.fail(name, error)
        assert world.replicate(stored).outcome is RunOutcome.SUCCESS, name
        assert_done(world)
        assert len(world.s3.part_copies) == len(set(world.s3.part_copies)), name


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
@pytest.mark.parametrize(
    "last_step",
    [
        pytest.param(lambda name: name == "copy_part", id="copying a part"),
        pytest.param(lambda name: name == "complete_upload", id="completing"),
    ],
)
def test_what_never_succeeds_leaves_no_upload_behind(strategy: Strategy, last_step: Callable[[str], bool]) -> None:
    world, stored = fresh(strategy)

    def fail(name: str) -> None:
        if last_step(name):
            raise S3UnavailableError("InternalError")

    world.machine.probe.before = fail
    ended = world.replicate(stored)
    assert ended.outcome is RunOutcome.FAILED
    assert ended.codes == ["S3_UNAVAILABLE", "S3_UNAVAILABLE"]
    assert world.s3.open_uploads() == []
    assert world.record["status"] == RecordStatus.FAILED


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
def test_a_function_that_always_dies_fails_its_destination_and_leaves_no_upload_behind(strategy: Strategy) -> None:
    world, stored = fresh(strategy)

    def die(name: str) -> None:
        if name == "copy_part":
            raise Crash(name)

    world.machine.probe.before = die
    ended = world.replicate(stored)
    assert ended.codes == ["FUNCTION_FAILED", "FUNCTION_FAILED"]
    assert [result.attempts for result in ended.results] == [3, 3]
    assert world.s3.open_uploads() == []


def test_a_death_while_another_has_taken_over_leaves_the_newer_content() -> None:
    # The first run has landed on top of the second's copy when it dies, and only its repetition can know.
    world = World()
    world.s3.create_bucket("global-builds", versioned=True)
    first, second = world.upload(), world.upload()
    died: list[str] = []

    def between(name: str) -> None:
        if name == "copy lands" and "second" not in died:
            died.append("second")
            world.function().execute(world.machine.run(world.request(second), "second"))
        if name == "latest_run" and world.machine.probe.counts["copy"] == 1 and "first" not in died:
            died.append("first")
            raise Crash("after the copy, before the look")

    world.machine.probe.before = between
    ended = world.replicate(first, name="first")
    assert ended.codes[0] == "SUPERSEDED"
    for bucket in DESTINATIONS:
        world.assert_equal(bucket)
    assert world.record["executionId"] == "second"
    assert world.record["status"] == RecordStatus.COMPLETED
