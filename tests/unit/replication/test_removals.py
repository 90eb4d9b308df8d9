"""A delete marker at the source, which becomes one at destinations that keep versions (`ReplicateDeletes`)."""

from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.world import World
from tests.unit.replication.test_backfill import Scene
from tests.unit.replication.test_backfill_settling import Records
from waybill.core.clock import iso
from waybill.replication.domain.backfill import BackfillVerdict, Difference
from waybill.replication.domain.backfill_job import line_of
from waybill.replication.domain.backfill_settling import Settling
from waybill.replication.domain.events import Ignored, ObjectRemoved, records
from waybill.replication.domain.records import RecordStatus
from waybill.replication.domain.requests import Routing
from waybill.replication.models import RunOutcome

MARKER = {"bucket": {"name": SOURCE}, "object": {"key": "a+b", "versionId": "marker", "sequencer": "0A"}}
# Amazon S3 user guide, "Event message structure" and "EventBridge event message structure".
NOTIFICATION = {"eventVersion": "2.1", "eventName": "ObjectRemoved:DeleteMarkerCreated", "s3": MARKER}
ON_THE_BUS = {
    "source": "aws.s3",
    "detail-type": "Object Deleted",
    "detail": {
        "deletion-type": "Delete Marker Created",
        "bucket": {"name": SOURCE},
        "object": {"key": "a b", "version-id": "marker", "sequencer": "0A"},
    },
}
FOR_GOOD: list[dict[str, Any]] = [
    {**NOTIFICATION, "eventName": "ObjectRemoved:Delete"},
    {**ON_THE_BUS, "detail": {**ON_THE_BUS["detail"], "deletion-type": "Permanently Deleted"}},  # type: ignore[dict-item]
]


@pytest.fixture
def removed(world: World) -> World:
    """A file that was replicated to destinations with versions, and whose source is removed."""
    return replicated_and_removed(world)


def replicated_and_removed(world: World) -> World:
    for bucket in DESTINATIONS:
        world.s3.create_bucket(bucket, versioned=True)
    world.replicate(world.upload())
    world.s3.delete(SOURCE, KEY)
    return world


def removal(world: World) -> dict[str, Any]:
    return {"removed": True, "size": 0, "sequencer": f"{world.s3.number():016X}"}


@pytest.mark.parametrize("event", [NOTIFICATION, ON_THE_BUS])
def test_a_marker_is_understood_however_it_is_told_of(event: dict[str, Any]) -> None:
    assert list(records(event)) == [ObjectRemoved(SOURCE, "a b", "marker", "0A")]


@pytest.mark.parametrize("event", FOR_GOOD)
def test_a_version_that_is_gone_for_good_is_nobody_elses_business(event: dict[str, Any]) -> None:
    (ignored,) = records(event)
    assert isinstance(ignored, Ignored)


def test_removals_are_replicated_only_where_that_is_asked_for() -> None:
    event = ObjectRemoved(SOURCE, KEY, "marker", "0A")
    assert "not replicated" in str(Routing(DESTINATIONS).request(event))
    request = Routing(DESTINATIONS, removals=True).request(event)
    assert getattr(request, "removed", None) is True


def test_copies_are_hidden_and_the_record_says_so(removed: World) -> None:
    ended = removed.replicate(name="removal", **removal(removed))
    assert (ended.outcome, ended.codes) == (RunOutcome.SUCCESS, ["REMOVED", "REMOVED"])
    assert [removed.s3.bucket(bucket).current(KEY) for bucket in DESTINATIONS] == [None, None]
    assert removed.record["status"] == RecordStatus.COMPLETED
    # Nothing is left to remove: no marker is put on top of a marker.
    assert removed.replicate(name="again", **removal(removed)).codes == ["ABSENT", "ABSENT"]
    assert removed.machine.probe.counts["remove"] == 2


def test_death_after_any_call_of_a_removal_tells_of_it_all_the_same() -> None:
    """README of replication: what the run has removed is `REMOVED`, whichever attempt lives to tell of it."""
    world = replicated_and_removed(World())
    before = len(world.machine.probe.calls)
    world.replicate(name="removal", **removal(world))
    calls = world.machine.probe.calls
    assert "remove" in calls[before:]
    for number in range(before + 1, len(calls) + 1):
        world = replicated_and_removed(World())
        world.machine.probe.crash_after(number)
        ended = world.replicate(name="removal", **removal(world))
        assert ended.codes == ["REMOVED", "REMOVED"], f"died after call {number}, {calls[number - 1]}"
        assert [world.s3.bucket(bucket).current(KEY) for bucket in DESTINATIONS] == [None, None]
        assert world.record["status"] == RecordStatus.COMPLETED


def test_a_bucket_without_versions_loses_nothing_and_is_named(removed: World) -> None:
    removed.s3.bucket(DESTINATIONS[0]).versioned = False
    ended = removed.replicate(name="removal", **removal(removed))
    assert ended.codes == ["DESTINATION_NOT_VERSIONED", "REMOVED"]
    assert removed.s3.bucket(DESTINATIONS[0]).current(KEY) is not None
    assert removed.record["status"] == RecordStatus.FAILED


def test_a_removal_that_failed_is_retried(removed: World) -> None:
    """README of replication, "Codes": after `DESTINATION_NOT_VERSIONED` versioning is turned on, and it is retried."""
    removed.s3.bucket(DESTINATIONS[0]).versioned = False
    removed.replicate(name="removal", **removal(removed))
    removed.s3.bucket(DESTINATIONS[0]).versioned = True
    scene = Scene(removed)
    item = scene.backfill.plan_named(KEY, [DESTINATIONS[0]], removals=True)
    assert (item.verdict, item.differences) == (BackfillVerdict.NEEDED, {DESTINATIONS[0]: Difference.NOT_REMOVED})
    line = line_of(scene.backfill.start(item), DESTINATIONS[:1], iso(removed.clock.now()))
    settling = Settling(Records(removed), scene.backfill)
    # The first run dies before it has done anything: it is followed by another, of the same kind.
    scene.executions.end(scene.started[0], "ABORTED")
    line = settling.look(line, removed.clock.now())
    scene.execute(scene.started[1])
    (settled,) = settling.look(line, removed.clock.now()).results.values()
    assert (settled.result, settled.code) == ("SUCCEEDED", "REMOVED")
    assert removed.s3.bucket(DESTINATIONS[0]).current(KEY) is None
    assert removed.record["status"] == RecordStatus.COMPLETED


def test_a_removal_whose_run_died_behind_its_marker_is_told_of_by_the_run_that_repeats_it(removed: World) -> None:
    """README of replication: what the run has removed is `REMOVED`, whichever attempt lives to tell of it."""
    claimed = removed.claimed(name="removal", **removal(removed))
    for bucket in DESTINATIONS:
        removed.machine.buckets.remove(removed.task(claimed, bucket).place)
    scene = Scene(removed)
    scene.executions.end(claimed.execution_id, "ABORTED")
    item = scene.backfill.plan_named(KEY, DESTINATIONS, removals=True)
    scene.execute(scene.backfill.start(item).execution or "")
    assert {removed.destination(bucket)["code"] for bucket in DESTINATIONS} == {"REMOVED"}


@pytest.mark.parametrize("removals", [False, True])
def test_a_source_that_is_gone_without_an_event_of_its_removal_is_gone(world: World, removals: bool) -> None:
    world.replicate(world.upload())
    world.s3.delete(SOURCE, KEY)
    assert Scene(world).backfill.plan_named(KEY, DESTINATIONS, removals=removals).verdict is BackfillVerdict.GONE


def test_what_is_there_again_is_left_to_its_own_event(removed: World) -> None:
    late = removal(removed)
    removed.upload()
    ended = removed.replicate(name="removal", **late)
    assert ended.codes == ["SUPERSEDED", "SUPERSEDED"]
    assert removed.machine.probe.counts["remove"] == 0
