"""Stacks that are each other's destinations: the newer write stays, and all of them come to rest with it.

Source: README of replication: no endless copies, nothing newer is overwritten by something older; Amazon
S3 user guide, "What isn't replicated": a replica is not sent on to where it came from.
"""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.ring import Ring
from tests.fakes.runs import DESTINATIONS, KEY
from tests.fakes.s3 import Content
from tests.fakes.world import SIZES, World
from waybill.replication.models import Strategy

A, B, C = "ring-a", "ring-b", "ring-c"
_RINGS = {2: (A, B), 3: (A, B, C)}
_PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def written(size: int, versioned: bool, writes: Sequence[tuple[str, str, float]], data: st.DataObject) -> Ring:
    ring = Ring(_RINGS[size], versioned=versioned)
    for number, write in enumerate(writes):
        ring.writer(f"writer {number}", [write])
    ring.perform(lambda waiting: waiting[data.draw(st.integers(0, len(waiting) - 1))])
    return ring


@pytest.mark.parametrize("size", list(_RINGS))
@_PATIENT
@given(data=st.data(), versioned=st.booleans())
def test_one_write_goes_round_once(size: int, data: st.DataObject, versioned: bool) -> None:
    ring = written(size, versioned, [(A, "x", 1.0)], data)
    assert len(ring.s3.landings) == size
    assert list(ring.held().values()) == [{"x"}] * size


@pytest.mark.parametrize("size", list(_RINGS))
@pytest.mark.parametrize("seconds", [0.0, 2.0])
@_PATIENT
@given(data=st.data(), versioned=st.booleans())
def test_all_sides_written_at_once_end_with_the_newest(
    size: int, seconds: float, data: st.DataObject, versioned: bool
) -> None:
    """Within the same second S3 tells nobody which was first: all the same, they agree on one."""
    ring = Ring(_RINGS[size], versioned=versioned)
    for number, bucket in enumerate(_RINGS[size]):
        ring.clock.advance(seconds=seconds)
        ring.s3.put(bucket, KEY, Content.of(f"write {number}", 3))
    ring.perform(lambda waiting: waiting[data.draw(st.integers(0, len(waiting) - 1))])
    held = list(ring.held().values())
    assert held == [held[0]] * size, "\n".join(ring.stage.story)
    assert not seconds or held[0] == {f"write {size - 1}"}, "\n".join(ring.stage.story)


@pytest.mark.parametrize("versioned", [True, False])
@_PATIENT
@given(data=st.data())
def test_two_writes_on_one_side_while_the_first_comes_back_end_with_the_second(
    versioned: bool, data: st.DataObject
) -> None:
    ring = Ring(_RINGS[2], versioned=versioned)
    ring.writer("writer", [(A, "first", 1.0), (A, "second", 2.0)])
    ring.perform(lambda waiting: waiting[data.draw(st.integers(0, len(waiting) - 1))])
    assert ring.held() == {A: {"second"}, B: {"second"}}, "\n".join(ring.stage.story)


def test_a_destination_that_is_nobodys_source_gets_what_the_source_has(world: World) -> None:
    """Row 3 of the table of situations: a stranger's bytes are replaced, whenever they were written."""
    stored = world.upload()
    world.clock.advance(seconds=5)
    for bucket in DESTINATIONS:
        world.s3.put(bucket, KEY, Content.of("a stranger's", 3))
    assert world.replicate(stored).codes == ["COPIED"] * 2
    assert world.machine.probe.counts["find"] == 0


@pytest.mark.parametrize("after", ["the copy", "the look"])
@pytest.mark.parametrize("strategy", [Strategy.COPY, Strategy.MULTIPART])
def test_what_is_written_there_stays_also_where_a_late_copy_is_put_right(
    world_with: Callable[..., World], strategy: Strategy, after: str
) -> None:
    """A run that has lost its record puts the source's state back; a newer write over there is none of its business."""
    # The older version can still be read, so that nothing but the look after landing stops it.
    world = world_with({"versioned": True})
    bucket, probe = DESTINATIONS[0], world.machine.probe
    world.s3.bucket(bucket).watched = True
    task = world.task(world.claimed(world.upload(), name="first"), bucket)
    world.claimed(world.upload(SIZES[strategy]), name="second")
    calls: list[str] = []

    def write() -> None:
        world.clock.advance(seconds=2)
        world.s3.put(bucket, KEY, Content.of("newer", 3))
        world.clock.advance(seconds=90)

    def meanwhile(call: str) -> None:
        calls.append(call)
        landing = "copy lands" if strategy is Strategy.COPY else "complete_upload"
        if after == "the copy" and call == "latest_run" and "copy lands" in calls and "write" not in calls:
            calls.append("write")
            write()
        if after == "the look" and call == landing and (strategy is not Strategy.COPY or calls.count(call) == 2):
            probe.before = lambda _: None
            write()

    probe.before = meanwhile
    assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
    assert world.s3.get(bucket, KEY).content.labels == {"newer"}


def test_whoever_asks_by_hand_gets_what_the_source_has(world: World) -> None:
    stored = world.upload()
    world.replicate(stored, name="upload")
    world.clock.advance(seconds=90)
    bucket = DESTINATIONS[0]
    world.s3.bucket(bucket).watched = True
    world.s3.put(bucket, KEY, Content.of("newer", 3))
    assert world.replicate(name="by hand").codes == ["COPIED", "SKIPPED_IDENTICAL"]


@pytest.mark.parametrize("there", [None, "older"])
@pytest.mark.parametrize(("then", "code"), [("newer", "SUPERSEDED"), (None, "COPIED")])
@pytest.mark.parametrize("strategy", list(SIZES))
def test_what_is_done_there_between_the_look_and_the_copy_is_seen(
    world: World, strategy: Strategy, there: str | None, then: str | None, code: str
) -> None:
    """Amazon S3 API reference, CopyObject and CompleteMultipartUpload: `If-Match`, `If-None-Match`."""
    bucket, probe = DESTINATIONS[0], world.machine.probe
    world.s3.bucket(bucket).watched = True
    if there:
        world.s3.put(bucket, KEY, Content.of(there, 3))

    def meanwhile(call: str) -> None:
        if call == ("copy lands" if strategy is Strategy.COPY else "complete_upload"):
            probe.before = lambda _: None
            world.clock.advance(seconds=2)
            world.s3.delete(bucket, KEY)
            if then:
                world.s3.put(bucket, KEY, Content.of(then, 3))

    probe.before = meanwhile
    stored = world.upload(SIZES[strategy])
    assert world.replicate(stored).codes == [code, "COPIED"]
    assert world.s3.get(bucket, KEY).content.labels == ({then} if then else stored.content.labels)
    assert world.s3.open_uploads() == []
