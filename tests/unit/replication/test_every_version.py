"""Every version of a file, in order and once each (`ReplicateEveryVersion`).

What is expected: Amazon S3 user guide, "What does Amazon S3 replicate?" (each version is replicated), and the field's
notes of S3 Replication and MinIO: five quick writes leave five versions, in the order of the source.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.interleaving import Actor, Choices
from tests.fakes.play import Manual, Play, Removal, Upload
from tests.fakes.probe import READS
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Attributes, Content, Stored
from tests.fakes.world import FILE, LIMITS, SIZES, World
from waybill.replication.domain.records import RecordStatus
from waybill.replication.errors import AccessDeniedError, KmsDeniedError
from waybill.replication.models import RunOutcome, Strategy

pytestmark = pytest.mark.usefixtures("one_thread")

_ONE = DESTINATIONS[:1]
_MEETINGS = frozenset({"claim", "latest_run", "versions_at", "copy lands", "removal lands", "complete_upload", "busy"})
_MARKER = "removed"
_UPLOADS = [Upload("one"), Upload("two"), Upload("two")]


def keeping_versions(**source: object) -> World:
    """A world whose buckets keep versions, and whose stack replicates every one."""
    world = World(limits=replace(LIMITS, every_version=True))
    for name in (SOURCE, *DESTINATIONS):
        world.s3.create_bucket(name, versioned=True, **(source if name == SOURCE else {}))
    return world


def written(world: World, bucket: str) -> list[object]:
    """What was written to the file, the oldest first: contents with attributes, and markers."""
    found = world.s3.bucket(bucket).written.get(KEY, [])
    return [(one.content, one.attributes) if isinstance(one, Stored) else _MARKER for one in found]


def assert_all_there(world: World, buckets: Sequence[str] = DESTINATIONS, about: str = "") -> None:
    for bucket in buckets:
        assert written(world, bucket) == written(world, SOURCE), about


def test_five_quick_writes_leave_five_versions_in_order_whichever_event_comes_first() -> None:
    world = keeping_versions()
    stored = [world.upload() for _ in range(5)]
    # The third event comes first, and brings all.
    assert world.replicate(stored[2], name="third").codes == ["COPIED", "COPIED"]
    assert_all_there(world)
    assert world.destination()["versions"] == 5
    for number in (4, 0, 3, 1):
        world.replicate(stored[number], name=f"event {number}")
    assert_all_there(world)
    assert world.record["status"] == RecordStatus.COMPLETED


def test_what_another_run_has_brought_is_not_brought_again() -> None:
    world = keeping_versions()
    first, second = world.upload(), world.upload()
    world.replicate(first, name="first")
    ended = world.replicate(second, name="second")
    assert (ended.outcome, ended.codes) == (RunOutcome.SUCCESS, ["SKIPPED_IDENTICAL", "SKIPPED_IDENTICAL"])
    assert_all_there(world)


@pytest.mark.parametrize("strategy", list(Strategy)[:3])
def test_versions_of_any_size_are_brought(strategy: Strategy) -> None:
    world = keeping_versions()
    stored = [world.upload(size=SIZES[strategy]) for _ in range(3)]
    assert world.replicate(stored[-1]).outcome is RunOutcome.SUCCESS
    assert_all_there(world)
    assert world.s3.open_uploads() == []


@pytest.mark.parametrize("strategy", [Strategy.COPY, Strategy.MULTIPART])
def test_death_after_any_call_leaves_each_version_once(strategy: Strategy) -> None:
    """Bytes that come twice in a row, with the same metadata, are two versions."""

    def prepared() -> tuple[World, Stored]:
        world = keeping_versions()
        for label in ("same", "same", "other"):
            last = world.upload(size=SIZES[strategy], label=label)
        return world, last

    world, last = prepared()
    world.replicate(last)
    calls = world.machine.probe.calls
    for number, call in enumerate(calls, 1):
        if call in READS:
            continue
        world, last = prepared()
        world.machine.probe.crash_after(number)
        ended = world.replicate(last)
        about = f"died after call {number}, {call}"
        assert ended.outcome is RunOutcome.SUCCESS, about
        assert_all_there(world, about=about)
        assert world.s3.open_uploads() == [], about


@pytest.mark.parametrize("changes", [_UPLOADS[:2], _UPLOADS[1:], [Upload("one"), Removal()], [Removal(), Upload("b")]])
def test_every_order_of_two_changes_keeps_their_order(changes: list[Upload | Removal]) -> None:
    choices = Choices()
    for _ in choices.orders():
        world = keeping_versions()
        played = Play(world, destinations=_ONE, meetings=_MEETINGS)
        world.upload(label="before all")
        played.uploader(changes)
        played.perform(choices.choose)
        assert not played.failed, played.told("failed")
        assert_all_there(world, _ONE, played.told("versions"))
        played.assert_recorded()
    assert choices.count > 20


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.data(),
    changes=st.lists(
        st.one_of(
            st.builds(Upload, st.sampled_from("ab"), st.sampled_from([3, 18 * 1024**2]), st.integers(1, 2)),
            st.just(Removal()),
        ),
        min_size=2,
        max_size=5,
    ),
    by_hand=st.booleans(),
)
def test_any_order_with_deaths_keeps_each_version_once(
    data: st.DataObject, changes: list[Upload | Removal], by_hand: bool
) -> None:
    world = keeping_versions()
    played = Play(world, destinations=_ONE, meetings=_MEETINGS)
    world.upload(label="before all")
    played.uploader(changes)
    if by_hand and not isinstance(changes[-1], Removal):
        played.manual(Manual(destinations=_ONE), "manual")
    deaths = iter([data.draw(st.integers(0, 40)) for _ in range(2)])
    next_death = [next(deaths, None)]
    step = [0]

    def dies(actor: Actor) -> bool:
        step[0] += 1
        if next_death[0] is not None and step[0] > next_death[0] and actor.waits_for in {"copy lands", "versions_at"}:
            next_death[0] = next(deaths, None)
            return True
        return False

    played.perform(lambda waiting: data.draw(st.sampled_from(waiting)), dies)
    found = [one for one in played.failed if not one.startswith("manual")]
    assert not found, played.told("failed")
    # A marker on nothing but a marker is none that anybody has to see.
    assert _without_doubled_markers(written(world, _ONE[0])) == _without_doubled_markers(written(world, SOURCE)), (
        played.told("versions")
    )


def _without_doubled_markers(found: list[object]) -> list[object]:
    return [one for number, one in enumerate(found) if one != _MARKER or (number and found[number - 1] != _MARKER)]


def test_a_run_by_hand_brings_what_is_missing_too() -> None:
    world = keeping_versions()
    for _ in range(3):
        world.upload()
    assert world.replicate(name="manual").codes == ["COPIED", "COPIED"]
    assert_all_there(world)
    # A stranger's bytes on top are covered by the newest version, as ever.
    world.s3.put(DESTINATIONS[0], KEY, Content.of("stranger", 3), Attributes())
    assert world.replicate(name="again").codes == ["COPIED", "SKIPPED_IDENTICAL"]
    world.assert_equal()


def test_where_the_option_comes_later_it_goes_on_behind_what_was_copied() -> None:
    world = keeping_versions()
    world.limits = LIMITS
    world.machine = world.function()
    world.replicate(world.upload())
    world.limits = replace(LIMITS, every_version=True)
    world.machine = world.function()
    world.upload()
    world.replicate(world.upload(), name="later")
    assert_all_there(world)


def test_a_version_that_was_deleted_for_good_is_not_waited_for() -> None:
    world = keeping_versions()
    first, _, last = world.upload(), world.upload(), world.upload()
    world.s3.forget(SOURCE, KEY, first.version_id)
    assert world.replicate(last).outcome is RunOutcome.SUCCESS
    assert_all_there(world)
    # All that has arrived is gone at the source: what is newer by its time is missing.
    for stored in world.s3.bucket(SOURCE).versions[KEY]:
        world.s3.forget(SOURCE, KEY, stored.version_id)
    before = written(world, DESTINATIONS[0])
    world.replicate(world.upload(), name="later")
    assert written(world, DESTINATIONS[0]) == before + written(world, SOURCE)


def test_a_version_that_cannot_be_copied_costs_itself_and_is_a_failure_until_it_is_dismissed() -> None:
    """The list of failures loses an entry when the file arrives, or somebody dismisses it."""
    world = keeping_versions()
    world.upload()
    world.upload(attributes=Attributes(storage_class="GLACIER"))
    last = world.upload()
    ended = world.replicate(last, name="last")
    assert ended.codes == ["VERSION_NOT_COPIED", "VERSION_NOT_COPIED"]
    assert "is in an archive" in (ended.results[0].cause or "")
    assert written(world, DESTINATIONS[0]) == [written(world, SOURCE)[0], written(world, SOURCE)[2]]
    # What is written later arrives, and does not hide what has not.
    ended = world.replicate(world.upload(), name="later")
    assert ended.codes == ["VERSION_NOT_COPIED", "VERSION_NOT_COPIED"]
    world.assert_equal()
    assert world.record["status"] == RecordStatus.FAILED
    for bucket in DESTINATIONS:
        world.destination(bucket)["status"] = RecordStatus.DISMISSED
    assert world.replicate(world.upload(), name="dismissed").codes == ["COPIED", "COPIED"]


def test_a_destination_that_refuses_keeps_the_places_of_all() -> None:
    world = keeping_versions()
    stored = [world.upload() for _ in range(3)]
    world.machine.probe.fail("copy", AccessDeniedError("s3:PutObject"), *range(1, 4))
    assert world.replicate(stored[-1]).codes == ["ACCESS_DENIED", "COPIED"]
    assert written(world, DESTINATIONS[0]) == []
    # Mended: everything comes, in order.
    assert world.replicate(name="again").codes == ["COPIED", "SKIPPED_IDENTICAL"]
    assert_all_there(world)


def test_one_refusal_in_the_middle_passes_over_one_version() -> None:
    world = keeping_versions()
    stored = [world.upload() for _ in range(3)]
    world.machine.probe.fail("copy", KmsDeniedError("kms:Decrypt"), 2)
    ended = world.replicate(stored[-1])
    assert ended.codes == ["VERSION_NOT_COPIED", "COPIED"]
    assert {item["code"] for item in world.table.versions} == {"COPIED", "KMS_DENIED"}


def test_an_upload_that_was_begun_before_and_completed_behind_later_versions_is_told() -> None:
    """Amazon S3 user guide, multipart upload: the version that was begun first is the older one."""
    world = keeping_versions()
    late, last = world.upload(), world.upload()
    log = world.s3.bucket(SOURCE).written[KEY]
    log.remove(late)
    world.replicate(last)
    log.insert(0, late)
    event = world.request(late, sequencer=f"{world.s3.number():016X}")
    ended = world.machine.execute(world.machine.run(event, "late"))
    assert ended.codes == ["VERSION_NOT_COPIED", "VERSION_NOT_COPIED"]
    assert len(written(world, DESTINATIONS[0])) == 1


@pytest.mark.parametrize("kind", ["not versioned", "somebody's source"])
def test_where_copies_cannot_be_told_from_originals_the_current_version_is_copied(kind: str) -> None:
    world = keeping_versions()
    target = world.s3.bucket(DESTINATIONS[0])
    target.versioned, target.watched = kind == "somebody's source", kind != "not versioned"
    world.upload()
    world.replicate(world.upload())
    assert len(target.versions[KEY]) == 1
    world.assert_equal()
    assert (FILE, DESTINATIONS[0]) not in world.table.turns
    assert_all_there(world, DESTINATIONS[1:])
