"""Stacks that are each other's destinations: the newer write stays, and all of them come to rest with it.

Source: README of replication: no endless copies, nothing newer is overwritten by something older; Amazon
S3 user guide, "What isn't replicated": a replica is not sent on to where it came from.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.ring import Ring
from tests.fakes.runs import DESTINATIONS, E_TAG, KEY, a_run, facts, task
from tests.fakes.s3 import Content
from tests.fakes.world import SIZES, World
from waybill.core.clock import iso
from waybill.replication.domain.newest import Writes
from waybill.replication.domain.records import DestinationRecord
from waybill.replication.errors import DestinationUnsettledError
from waybill.replication.models import ObjectFacts, Strategy

pytestmark = pytest.mark.usefixtures("one_thread")

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


_WRITTEN = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
# Of a write, its event and the record of its copy may be on their way for a minute: docs, "newest".
_MINUTE = timedelta(seconds=60)


def write(seconds: int, e_tag: str = E_TAG, **more: object) -> ObjectFacts:
    return facts(last_modified=iso(_WRITTEN + seconds * _SECOND), e_tag=e_tag, **more)


def newer_is_there(
    source: ObjectFacts,
    found: ObjectFacts,
    *,
    generation: int = 1,
    look_first: bool = False,
    after: timedelta = _SECOND,
    recorded: str | None = None,
) -> bool:
    """Ask `after` the write at the destination; `recorded` is the ETag of the last copy that was recorded there."""
    run = a_run(sequencer="01", generation=generation, look_first=look_first)
    record = DestinationRecord("arn:earlier", "COMPLETED", None, recorded, None) if recorded else None
    written = datetime.fromisoformat(found.last_modified or "")
    return Writes(task(run, source), found, record, lambda: written + after).newer_is_there()


@pytest.mark.parametrize(
    ("source", "found", "newer"),
    [
        (write(0), write(1, "other"), True),
        (write(1), write(0, "other"), False),
        # Within one second both sides have to call the same one newer.
        (write(0, "aa"), write(0, "bb"), True),
        (write(0, "bb"), write(0, "aa"), False),
        (write(0, properties={"Content-Type": "a"}), write(0, properties={"Content-Type": "b"}), True),
        # What is no later than the source, and no other write, hides nothing newer.
        (write(0), write(0), False),
    ],
)
def test_which_of_two_writes_is_newer(source: ObjectFacts, found: ObjectFacts, newer: bool) -> None:
    assert newer_is_there(source, found) is newer
    assert newer_is_there(source, found, after=2 * _MINUTE) is newer


def test_the_first_run_of_a_file_knows_at_once_that_a_newer_write_is_not_its_own() -> None:
    """Nothing of this stack can lie there before a file's first run; a second may meet the copy of the first."""
    older, newer = write(0), write(1, "other")
    assert newer_is_there(older, newer, generation=1)
    with pytest.raises(DestinationUnsettledError):
        newer_is_there(older, newer, generation=2)
    assert not newer_is_there(older, newer, generation=2, recorded="other")


@pytest.mark.parametrize(
    ("after", "settled"),
    [(timedelta(), False), (_MINUTE - _SECOND, False), (_MINUTE, False), (_MINUTE + _SECOND, True)],
)
@pytest.mark.parametrize("newer", [True, False])
def test_a_write_of_the_last_minute_is_looked_at_again(after: timedelta, settled: bool, newer: bool) -> None:
    """It may be a copy whose record is on its way, or the original of the source, which is."""
    source, found = (write(0), write(1, "other")) if newer else (write(1), write(0, "other"))
    if settled:
        assert newer_is_there(source, found, generation=2, look_first=True, after=after) is newer
        return
    with pytest.raises(DestinationUnsettledError):
        newer_is_there(source, found, generation=2, look_first=True, after=after)
