"""Whatever order uploads, events, copies and crashes come in: the destinations end with what the source holds."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.interleaving import Actor, Choices
from tests.fakes.play import Manual, Play, Removal, Upload
from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.fakes.world import SIZES, World
from waybill.replication.models import Strategy

pytestmark = pytest.mark.usefixtures("one_thread")

_ONE = DESTINATIONS[:1]
# Enough for every order that matters of two runs: the claim, the looks at the record, and a copy that takes long.
_MEETINGS = frozenset({"claim", "latest_run", "copy lands"})
_OTHERS = [DESTINATIONS, _ONE, DESTINATIONS[1:]]


def play(
    *, versioned: bool, uploads: Sequence[Upload | Removal], checksum: str | None = "CRC64NVME", **changes: object
) -> Play:
    world = World()
    world.s3.create_bucket(SOURCE, versioned=versioned, checksum=checksum)
    world.upload(label="before all")
    performed = Play(world, **changes)  # type: ignore[arg-type]
    performed.uploader(uploads)
    return performed


@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("second", ["other bytes", "bytes"])
def test_every_order_of_two_overwrites_converges(versioned: bool, second: str) -> None:
    choices = Choices()
    for _ in choices.orders():
        played = play(
            versioned=versioned,
            uploads=[Upload("bytes"), Upload(second)],
            destinations=_ONE,
            meetings=_MEETINGS,
        )
        played.perform(choices.choose)
        assert not played.failed, played.told("failed")
        played.assert_converged()
        played.assert_recorded()
    assert choices.count > 50


@pytest.mark.parametrize("changes", [[Upload("one"), Removal()], [Removal(), Upload("one")]], ids=["last", "first"])
@pytest.mark.parametrize("versioned", [True, False])
def test_every_order_of_an_overwrite_and_a_removal_converges(versioned: bool, changes: list[Upload | Removal]) -> None:
    """What was removed stays removed, and what came after it is there: Amazon S3 user guide, "Delete markers"."""
    choices = Choices()
    for _ in choices.orders():
        played = play(versioned=versioned, uploads=changes, destinations=_ONE, meetings=_MEETINGS | {"removal lands"})
        played.world.s3.create_bucket(_ONE[0], versioned=True)
        played.perform(choices.choose)
        assert not played.failed, played.told("failed")
        played.assert_converged()
    assert choices.count > 20


def test_every_order_of_an_overwrite_a_removal_and_new_tags_converges() -> None:
    """The event of new tags has no sequencer (Amazon S3 user guide, "Event message structure"): it orders nothing."""
    choices = Choices()
    for _ in choices.orders():
        played = play(
            versioned=True,
            uploads=[Upload("one"), Removal()],
            destinations=_ONE,
            meetings=frozenset({"claim", "copy lands", "removal lands"}),
        )
        played.world.s3.create_bucket(_ONE[0], versioned=True)
        tags = played.world.request(destination_buckets=_ONE, look_first=True, nonce="tags 1")
        played.event(tags, "new tags")
        played.perform(choices.choose)
        assert not played.failed, played.told("failed")
        played.assert_converged()
    assert choices.count > 20


@pytest.mark.parametrize("versioned", [True, False])
def test_every_order_of_two_overwrites_and_every_crash_of_the_first_converges(versioned: bool) -> None:
    choices = Choices()
    for _ in choices.orders():
        played = play(
            versioned=versioned,
            uploads=[Upload("one"), Upload("two")],
            destinations=_ONE,
            meetings=frozenset({"copy lands", "latest_run"}),
        )
        lives = [1]

        def dies(actor: Actor, lives: list[int] = lives) -> bool:
            mortal = lives and actor.name.startswith("event 0")
            return bool(mortal and choices.choose([False, True]) and lives.pop())

        played.perform(choices.choose, dies)
        assert not played.failed, played.told("failed")
        played.assert_converged()
        played.assert_recorded()
    assert choices.count > 200


@pytest.mark.parametrize("pinned", [True, False])
def test_every_order_of_an_upload_and_a_manual_run_elsewhere_converges(pinned: bool) -> None:
    # A manual run takes over the record, and must not keep the upload's run from destinations that are not its own, nor
    # from those that it will not bring the newest state to.
    for elsewhere in (DESTINATIONS[1:], _ONE):
        choices = Choices()
        for _ in choices.orders():
            played = play(
                versioned=False,
                uploads=[Upload("new")],
                destinations=_ONE,
                meetings=frozenset({"claim", "latest_run"}),
            )
            played.manual(Manual(elsewhere, pinned=pinned), "manual")
            played.perform(choices.choose)
            assert not played.failed, played.told("failed")
            played.assert_converged()


@pytest.mark.parametrize("strategy", list(SIZES))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_history_converges(strategy: Strategy, data: st.DataObject) -> None:
    upload = st.builds(
        Upload,
        label=st.sampled_from("abc"),
        size=st.sampled_from([3, SIZES[strategy]]),
        deliveries=st.sampled_from([1, 2]),
    )
    played = play(
        versioned=data.draw(st.booleans(), "source with versions"),
        uploads=data.draw(st.lists(upload, min_size=1, max_size=3), "uploads"),
        checksum=data.draw(st.sampled_from(["CRC64NVME", None]), "checksum"),
        express=data.draw(st.booleans(), "express"),
    )
    for number, manual in enumerate(
        data.draw(st.lists(st.builds(Manual, st.sampled_from(_OTHERS), st.booleans()), max_size=1), "manual runs")
    ):
        played.manual(manual, f"manual {number}")
    crashes = data.draw(st.lists(st.integers(0, 60), max_size=2), "crashes")
    steps = iter(range(10_000))
    played.perform(
        lambda waiting: waiting[data.draw(st.integers(0, len(waiting) - 1))],
        lambda _: next(steps) in crashes,
    )
    played.assert_never_mixed()
    played.assert_recorded()
    if not played.failed:
        played.assert_converged()
    if strategy is not Strategy.MULTIPART_BATCHES:
        assert not played.failed, played.told("failed")
    if not crashes:
        assert played.world.s3.open_uploads() == [], played.told("open uploads")


@pytest.mark.parametrize("destinations_with_versions", [True, False])
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_object_in_batches_is_the_newest_or_people_are_told(
    destinations_with_versions: bool, data: st.DataObject
) -> None:
    # With versions, the upload that was started last is the current one, not the one that was completed last.
    played = play(
        versioned=True,
        uploads=[Upload("small"), Upload("large", SIZES[Strategy.MULTIPART_BATCHES])],
        destinations=_ONE,
    )
    for bucket in DESTINATIONS:
        played.world.s3.create_bucket(bucket, versioned=destinations_with_versions)
    played.perform(lambda waiting: waiting[data.draw(st.integers(0, len(waiting) - 1))])
    played.assert_recorded()
    if not played.failed:
        played.assert_converged()
