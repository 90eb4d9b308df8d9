"""Parts that can be resumed, uploads that nobody forgets."""

from threading import Barrier

import pytest

from tests.fakes.runs import DESTINATIONS, KEY
from tests.fakes.s3 import Content
from tests.fakes.world import SIZES, World
from waybill.replication.domain.copier import Copier
from waybill.replication.domain.multipart import MultipartCopy, open_upload
from waybill.replication.errors import CopyUnfinishedError, SupersededError, UploadGoneError, VerificationFailedError
from waybill.replication.models import MIB, CopyTask, ObjectPlace, PartRange, Strategy

_BUCKET = DESTINATIONS[0]
_PLACE = ObjectPlace(_BUCKET, KEY)


@pytest.fixture
def task(world: World) -> CopyTask:
    """The copy of an object of four parts, the last of 3 MiB."""
    return world.task(world.claimed(world.upload(SIZES[Strategy.MULTIPART])))


def parts_of(world: World) -> list[int]:
    return [number for _, number in world.s3.part_copies]


def test_parts_follow_the_plan(world: World, task: CopyTask) -> None:
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    MultipartCopy(world.machine.buckets, task).copy_all_parts(upload_id, world.limits, lambda: 600)
    sizes = {number: part.size for number, part in world.machine.buckets.parts(_PLACE, upload_id).items()}
    assert sizes == {1: 5 * MIB, 2: 5 * MIB, 3: 5 * MIB, 4: 3 * MIB}


def test_only_missing_parts_and_those_of_another_size_are_copied(world: World, task: CopyTask) -> None:
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    copy = MultipartCopy(world.machine.buckets, task)
    copy.copy_all_parts(upload_id, world.limits, lambda: 600)
    upload = world.s3.upload(_BUCKET, upload_id)
    del upload.parts[2]
    upload.parts[3] = Content.of("other", 1), "e-tag"
    world.s3.part_copies.clear()
    copy.copy_all_parts(upload_id, world.limits, lambda: 600)
    assert parts_of(world) == [2, 3]
    assert copy.complete(upload_id).size == task.source.size
    world.assert_equal()


def test_time_that_runs_out_keeps_what_is_done(world: World, task: CopyTask) -> None:
    seconds = iter([60.0, 21.0, 19.0])
    copier = Copier(world.machine.buckets, world.machine.tracking, world.limits, world.clock.now, lambda: next(seconds))
    with pytest.raises(CopyUnfinishedError, match="time is up before part 3 of 4"):
        copier.copy_file(task)
    assert parts_of(world) == [1, 2]
    world.machine.copier.copy_file(task.model_copy(update={"attempt": 2}))
    assert parts_of(world) == [1, 2, 3, 4]
    world.assert_equal()


def test_parts_go_side_by_side(world: World, task: CopyTask) -> None:
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    copy = MultipartCopy(world.machine.buckets, task)
    together = Barrier(2, timeout=20)

    def meet(name: str) -> None:
        if name == "copy_part":
            together.wait()

    world.machine.probe.before = meet
    copy.copy_parts(upload_id, PartRange(first_part=1, last_part=4), concurrency=2, seconds_left=lambda: 600)
    assert sorted(parts_of(world)) == [1, 2, 3, 4]


def test_an_upload_without_all_its_parts_is_not_completed(world: World, task: CopyTask) -> None:
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    with pytest.raises(VerificationFailedError, match="has 0 parts that do not add up to 4 parts of 5242880 bytes"):
        MultipartCopy(world.machine.buckets, task).complete(upload_id)
    assert world.machine.probe.counts["complete_upload"] == 0


def test_a_completion_that_died_before_it_could_say_so_is_found(world: World, task: CopyTask) -> None:
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    copy = MultipartCopy(world.machine.buckets, task)
    copy.copy_all_parts(upload_id, world.limits, lambda: 600)
    done = copy.complete(upload_id)
    assert copy.complete(upload_id) == done


def test_an_object_from_before_the_run_is_not_taken_for_its_copy(world: World) -> None:
    stored = world.upload(SIZES[Strategy.MULTIPART])
    world.s3.put(_BUCKET, KEY, stored.content)
    world.clock.advance(seconds=2)
    task = world.task(world.claimed(stored))
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    copy = MultipartCopy(world.machine.buckets, task)
    copy.abort(upload_id)
    with pytest.raises(UploadGoneError):
        copy.complete(upload_id)


def test_a_completed_object_that_vanishes_is_reported(world: World, task: CopyTask) -> None:
    upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
    copy = MultipartCopy(world.machine.buckets, task)
    copy.copy_all_parts(upload_id, world.limits, lambda: 600)
    world.machine.probe.before = lambda name: world.s3.delete(_BUCKET, KEY) if name == "find" else None
    with pytest.raises(VerificationFailedError, match=f"{_BUCKET}/{KEY} is not there after completion"):
        copy.complete(upload_id)


class TestOpening:
    """One upload per run, destination and state of the source."""

    def test_the_recorded_upload_is_used_again(self, world: World, task: CopyTask) -> None:
        buckets, tracking = world.machine.buckets, world.machine.tracking
        assert open_upload(buckets, tracking, task) == open_upload(buckets, tracking, task)
        assert len(world.s3.open_uploads()) == 1

    def test_an_upload_that_was_not_recorded_is_aborted(self, world: World, task: CopyTask) -> None:
        orphan = MultipartCopy(world.machine.buckets, task).create()
        upload_id = open_upload(world.machine.buckets, world.machine.tracking, task)
        assert orphan != upload_id
        assert world.s3.open_uploads() == [upload_id]

    def test_uploads_to_other_keys_and_from_before_the_run_stay(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART])
        other = world.s3.put("global-builds", f"{KEY}.sig", Content.of("sig", 18 * MIB))
        before = MultipartCopy(world.machine.buckets, world.task(world.claimed(stored, name="early"))).create()
        world.clock.advance(seconds=2)
        task = world.task(world.claimed(world.s3.get("global-builds", KEY), name="late", sequencer="FF"))
        elsewhere = MultipartCopy(
            world.machine.buckets, world.task(world.machine.run(world.request(other, source_key=f"{KEY}.sig"), "sig"))
        ).create()
        mine = open_upload(world.machine.buckets, world.machine.tracking, task)
        assert world.s3.open_uploads() == [before, elsewhere, mine]

    def test_a_run_that_has_lost_the_record_aborts_nobodys_upload(self, world: World) -> None:
        first, second = world.upload(SIZES[Strategy.MULTIPART]), world.upload(SIZES[Strategy.MULTIPART])
        late = world.claimed(second, name="late")
        task = world.task(late)
        early = task.model_copy(update={"run": world.machine.run(world.request(first), "early")})
        theirs = MultipartCopy(world.machine.buckets, task).create()
        mine = open_upload(world.machine.buckets, world.machine.tracking, early)
        assert world.s3.open_uploads() == [theirs, mine]

    def test_the_upload_of_an_earlier_run_is_aborted_when_a_later_one_takes_its_place(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART])
        buckets, tracking = world.machine.buckets, world.machine.tracking
        early = open_upload(buckets, tracking, world.task(world.claimed(stored, name="early")))
        world.clock.advance(seconds=5)
        late = open_upload(buckets, tracking, world.task(world.claimed(name="late")))
        assert early != late
        assert world.s3.open_uploads() == [late]

    def test_a_later_run_keeps_its_place(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART])
        buckets, tracking = world.machine.buckets, world.machine.tracking
        early = world.task(world.claimed(stored, name="early"))
        late = open_upload(buckets, tracking, world.task(world.claimed(name="late")))
        with pytest.raises(SupersededError, match="a later run copies to region-a-builds"):
            open_upload(buckets, tracking, early)
        assert world.s3.open_uploads() == [late]

    def test_a_single_copy_aborts_the_upload_of_an_earlier_run(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART])
        open_upload(world.machine.buckets, world.machine.tracking, world.task(world.claimed(stored, name="early")))
        world.clock.advance(seconds=5)
        assert world.replicate(world.upload(), name="late").codes == ["COPIED", "COPIED"]
        assert world.s3.open_uploads() == []

    def test_a_failure_aborts_the_upload_of_an_earlier_run(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART])
        open_upload(world.machine.buckets, world.machine.tracking, world.task(world.claimed(stored, name="early")))
        world.clock.advance(seconds=5)
        world.s3.delete("global-builds", KEY)
        assert world.replicate(name="late").codes == ["SOURCE_NOT_FOUND", "SOURCE_NOT_FOUND"]
        assert world.s3.open_uploads() == []

    def test_another_state_of_the_source_gets_another_upload(self, world: World) -> None:
        # A manual run that is redriven describes the source anew.
        world.upload(SIZES[Strategy.MULTIPART])
        run = world.claimed()
        buckets, tracking = world.machine.buckets, world.machine.tracking
        first = open_upload(buckets, tracking, world.task(run))
        world.upload(SIZES[Strategy.MULTIPART])
        second = open_upload(buckets, tracking, world.task(run))
        assert first != second
        assert world.s3.open_uploads() == [second]


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
def test_an_upload_that_somebody_aborts_is_started_again_or_reported(world: World, strategy: Strategy) -> None:
    stored = world.upload(SIZES[strategy])

    def abort(name: str) -> None:
        if name == "copy_part" and world.machine.probe.counts["copy_part"] == 2:
            world.s3.bucket(_BUCKET).uploads.clear()

    world.machine.probe.before = abort
    ended = world.replicate(stored)
    assert world.s3.open_uploads() == []
    if strategy is Strategy.MULTIPART:
        assert ended.codes == ["COPIED", "COPIED"]
        world.assert_equal()
    else:
        assert ended.codes == ["UPLOAD_GONE", "COPIED"]
