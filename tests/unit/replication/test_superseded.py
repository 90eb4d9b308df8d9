"""The source changes while it is copied: no mixture, no alarm, and the newest content stays."""

from collections.abc import Callable

import pytest

from tests.fakes.machine import Machine
from tests.fakes.probe import Probe
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Attributes, Content, Stored
from tests.fakes.world import FILE, SIZES, World
from waybill.replication.domain.records import RecordStatus
from waybill.replication.errors import CopyUnfinishedError, S3UnavailableError, SupersededError
from waybill.replication.models import RunOutcome, Strategy

_BUCKET = DESTINATIONS[0]

type WorldWith = Callable[..., World]


def once(probe: Probe, name: str, number: int, action: Callable[[], object]) -> None:
    """Do `action` just before the call of `name` with this number."""

    def before(called: str) -> None:
        if called == name and probe.counts[name] == number - 1:
            probe.before = lambda _: None
            action()

    probe.before = before


@pytest.mark.parametrize("strategy", list(SIZES))
def test_an_overwrite_between_event_and_copy(world: World, strategy: Strategy) -> None:
    first = world.upload(SIZES[strategy])
    second = world.upload(SIZES[strategy])
    ended = world.replicate(first)
    assert ended.outcome is RunOutcome.SUPERSEDED
    assert world.record["status"] == RecordStatus.SUPERSEDED
    assert (FILE, _BUCKET) not in world.table.destinations, "a superseded copy is no failure of the destination"
    assert world.s3.landings[-1][0] == SOURCE
    assert world.replicate(second, name="second").outcome is RunOutcome.SUCCESS
    world.assert_equal()


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
@pytest.mark.parametrize("part", [1, 3, 4])
def test_an_overwrite_between_parts(world: World, strategy: Strategy, part: int) -> None:
    second: list[Stored] = []
    once(world.machine.probe, "copy_part", part, lambda: second.append(world.upload(SIZES[strategy])))
    ended = world.replicate(world.upload(SIZES[strategy]))
    assert ended.codes == ["SUPERSEDED", "SUPERSEDED"]
    assert world.s3.open_uploads() == []
    assert world.s3.bucket(_BUCKET).current(KEY) is None
    assert world.replicate(second[0], name="second").outcome is RunOutcome.SUCCESS
    world.assert_equal()


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
@pytest.mark.parametrize("versioned", [True, False])
def test_an_overwrite_before_the_upload_is_completed(
    world_with: WorldWith, strategy: Strategy, versioned: bool
) -> None:
    world = world_with({"versioned": versioned})

    def overwrite() -> None:
        newer = world.upload(3)
        assert world.function().execute(world.machine.run(world.request(newer), "second")).outcome is RunOutcome.SUCCESS

    once(world.machine.probe, "parts", 2 if strategy is Strategy.MULTIPART else 3, overwrite)
    ended = world.replicate(world.upload(SIZES[strategy]), name="first")
    assert ended.codes == ["SUPERSEDED", "SUPERSEDED"]
    assert world.s3.open_uploads() == []
    for bucket in DESTINATIONS:
        world.assert_equal(bucket)
        assert world.destination(bucket)["executionId"] == "second"


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
def test_an_overwrite_after_the_last_part_keeps_the_upload_from_being_completed(
    world: World, strategy: Strategy
) -> None:
    # Nobody has claimed the record for the newer content yet: only the source tells.
    stored = world.upload(SIZES[strategy])
    once(world.machine.probe, "describe_source", 2, world.upload)
    ended = world.replicate(stored, destination_buckets=(_BUCKET,))
    assert ended.codes == ["SUPERSEDED"]
    assert len(world.s3.part_copies) == {Strategy.MULTIPART: 4, Strategy.MULTIPART_BATCHES: 9}[strategy]
    assert world.s3.bucket(_BUCKET).current(KEY) is None
    assert world.s3.open_uploads() == []


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
def test_a_later_claim_keeps_the_upload_from_being_completed(world_with: WorldWith, strategy: Strategy) -> None:
    # The older version can still be read: only the record tells.
    world = world_with({"versioned": True})
    stored = world.upload(SIZES[strategy])
    last_look = 2 if strategy is Strategy.MULTIPART else 5
    once(world.machine.probe, "latest_run", last_look, lambda: world.claimed(world.upload(), name="second"))
    ended = world.replicate(stored, name="first", destination_buckets=(_BUCKET,))
    assert ended.codes == ["SUPERSEDED"]
    assert world.s3.bucket(_BUCKET).current(KEY) is None
    assert world.s3.open_uploads() == []


def test_a_copy_that_landed_without_the_sdk_knowing_is_put_right(world: World) -> None:
    # The answer was lost, the SDK's own repetition met a changed source, and the newer run had been quick.
    first = world.upload()

    def land_and_be_refused() -> None:
        run_of(world, world.upload())
        world.s3.land(_BUCKET, KEY, first.content, first.attributes, checksum=first.checksum)

    once(world.machine.probe, "copy", 1, land_and_be_refused)
    assert world.replicate(first, name="first").codes == ["SUPERSEDED", "SUPERSEDED"]
    world.assert_equal()


@pytest.mark.parametrize("strategy", list(SIZES))
def test_a_late_copy_puts_the_newest_content_back(world_with: WorldWith, strategy: Strategy) -> None:
    # The older version can still be read, so that nothing but the look after landing stops it.
    world = world_with({"versioned": True})
    first, second = world.upload(SIZES[strategy]), world.upload(SIZES[Strategy.COPY])
    landing = "copy lands" if strategy is Strategy.COPY else "complete_upload"
    once(world.machine.probe, landing, 1, lambda: run_of(world, second))
    ended = world.replicate(first, name="first")
    assert ended.codes == ["SUPERSEDED", "SUPERSEDED"]
    landed = [stored.content for bucket, _, stored in world.s3.landings if bucket == _BUCKET]
    # The later run has aborted the upload of the earlier one; a CopyObject that is under way cannot be stopped.
    late = [first.content, second.content] if strategy is Strategy.COPY else []
    assert landed == [second.content, *late]
    for bucket in DESTINATIONS:
        world.assert_equal(bucket)
    assert world.record["executionId"] == "second"
    assert world.destination()["executionId"] == "second"


def run_of(world: World, stored: Stored, function: Machine | None = None) -> None:
    run = world.machine.run(world.request(stored), f"run of {stored.order}" if function else "second")
    assert (function or world.function()).execute(run).outcome is RunOutcome.SUCCESS


class TestSettling:
    """What a copy that landed late does, and how it ends."""

    @pytest.fixture
    def world(self, world_with: WorldWith) -> World:
        """A source with versions, and a first run that has described its first version and then lost the record."""
        return world_with({"versioned": True})

    def late(self, world: World, size: int = 3, newer: int = 3, *, attempt: int = 2, seconds: int = 60) -> str:
        """Let an old run go on in its second attempt, after a later one has done its work; return its code."""
        first = world.upload(size)
        task = world.task(world.claimed(first, name="first"), attempt=attempt)
        run_of(world, world.upload(newer))
        world.clock.advance(seconds=seconds)
        # What the first attempt has left on top.
        world.s3.land(_BUCKET, KEY, first.content, first.attributes, checksum=first.checksum)
        return world.machine.copier.copy_file(task).code

    def test_a_second_attempt_that_finds_itself_outranked_looks_at_the_destination(self, world: World) -> None:
        assert self.late(world) == "SUPERSEDED"
        world.assert_equal()

    def test_a_first_attempt_that_finds_itself_outranked_has_left_nothing(self, world: World) -> None:
        self.late(world, attempt=1)
        assert set(world.machine.probe.counts) == {"claim", "describe_source", "latest_run", "destination"}

    def test_a_first_run_does_not_look_twice_within_seconds_and_finds_out_after_its_copy(self, world: World) -> None:
        assert self.late(world, attempt=1, seconds=0) == "SUPERSEDED"
        assert world.machine.probe.counts["copy"] == 2
        world.assert_equal()

    def test_an_outranked_attempt_aborts_the_upload_of_the_one_before(self, world: World) -> None:
        first = world.upload(SIZES[Strategy.MULTIPART])
        task = world.task(world.claimed(first, name="first"), attempt=2)
        upload_id = world.machine.buckets.create_upload(
            task.source, world.machine.buckets.headers(task.source), task.place
        )
        world.machine.tracking.record_upload(task.run, _BUCKET, task.source, upload_id)
        world.claimed(world.upload(), name="second")
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
        assert upload_id not in world.s3.open_uploads()

    @pytest.mark.parametrize("newer", [SIZES[Strategy.COPY], SIZES[Strategy.MULTIPART]])
    def test_the_current_state_comes_back_whatever_its_size(self, world: World, newer: int) -> None:
        assert self.late(world, newer=newer) == "SUPERSEDED"
        world.assert_equal()
        assert world.s3.open_uploads() == []

    def test_an_object_in_batches_that_has_been_recorded_comes_back_too(self, world: World) -> None:
        assert self.late(world, newer=SIZES[Strategy.MULTIPART_BATCHES]) == "SUPERSEDED"
        world.assert_equal()

    @pytest.mark.parametrize("begun", [False, True])
    def test_an_object_in_batches_that_is_under_way_is_left_to_its_run(self, world: World, begun: bool) -> None:
        first = world.upload()
        task = world.task(world.claimed(first, name="first"), attempt=2)
        second = world.claimed(world.upload(SIZES[Strategy.MULTIPART_BATCHES]), name="second")
        if begun:
            world.machine.copier.start_multipart_copy(world.task(second))
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
        assert world.s3.bucket(_BUCKET).current(KEY) is None

    def test_what_lies_there_already_is_not_copied_again(self, world: World) -> None:
        first, second = world.upload(), world.upload()
        task = world.task(world.claimed(first, name="first"))
        run_of(world, second)
        world.machine.probe.fail("copy", SupersededError("after an answer that was lost"))
        copies = len(world.s3.landings)
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
        assert len(world.s3.landings) == copies

    def test_the_same_bytes_with_other_metadata_are_not_taken_for_the_newest(self, world: World) -> None:
        first = world.upload(label="bytes", attributes=Attributes(metadata={"build": "1"}))
        second = world.upload(label="bytes", attributes=Attributes(metadata={"build": "2"}))
        once(world.machine.probe, "copy lands", 1, lambda: run_of(world, second))
        assert world.replicate(first, name="first").outcome is RunOutcome.SUPERSEDED
        world.assert_equal()

    def test_what_an_earlier_attempt_has_put_back_is_not_taken_for_the_newest(self, world: World) -> None:
        first = world.upload()
        task = world.task(world.claimed(first, name="first"), attempt=2)
        between = world.upload(label="bytes", attributes=Attributes(metadata={"build": "1"}))
        run_of(world, world.upload(label="bytes", attributes=Attributes(metadata={"build": "2"})))
        world.s3.land(_BUCKET, KEY, between.content, between.attributes, checksum=between.checksum)
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
        world.assert_equal()

    def test_a_source_that_is_gone_leaves_the_copy(self, world: World) -> None:
        task = world.task(world.claimed(world.upload(), name="first"), attempt=2)
        world.claimed(world.upload(), name="second")
        world.s3.delete(SOURCE, KEY)
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"

    def test_a_manual_run_of_the_same_state_makes_no_copy_superseded(self, world: World) -> None:
        first = world.upload()
        once(world.machine.probe, "copy lands", 1, lambda: world.claimed(name="manual"))
        ended = world.replicate(first, name="first")
        assert ended.codes == ["COPIED", "COPIED"]
        assert not ended.owns_record
        world.assert_equal()

    def test_a_source_that_changes_again_is_followed(self, world: World) -> None:
        first, second = world.upload(), world.upload()
        probe = world.machine.probe
        once(probe, "copy lands", 1, lambda: (run_of(world, second), once(probe, "copy lands", 1, world.upload)))
        ended = world.replicate(first, name="first", destination_buckets=(_BUCKET,))
        assert ended.codes == ["SUPERSEDED"]
        world.assert_equal()

    def test_a_source_that_never_rests_is_left_to_the_next_attempt(self, world: World) -> None:
        first = world.upload()
        task = world.task(world.claimed(first, name="first"), attempt=2)
        world.claimed(world.upload(), name="second")

        def restless(name: str) -> None:
            if name == "copy lands":
                world.upload()

        world.machine.probe.before = restless
        with pytest.raises(CopyUnfinishedError, match="changes faster than it can be copied"):
            world.machine.copier.copy_file(task)

    def test_an_overwrite_while_settling_is_seen(self, world_with: WorldWith) -> None:
        world = world_with()
        task = world.task(world.claimed(world.upload(), name="first"), attempt=2)
        world.claimed(world.upload(), name="second")
        once(world.machine.probe, "copy", 1, world.upload)
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
        world.assert_equal()

    def test_a_failure_while_settling_leaves_no_upload(self, world: World) -> None:
        first = world.upload()
        task = world.task(world.claimed(first, name="first"), attempt=2)
        world.claimed(world.upload(SIZES[Strategy.MULTIPART]), name="second")
        world.machine.probe.fail("copy_part", S3UnavailableError("InternalError"), 2)
        with pytest.raises(S3UnavailableError):
            world.machine.copier.copy_file(task)
        assert world.s3.open_uploads() == []


class TestGivingWay:
    """Whom a run leaves its destination to, and whom not."""

    def test_to_a_later_event_for_the_same_place(self, world: World) -> None:
        first = world.upload()
        task = world.task(world.claimed(first, name="first"))
        world.claimed(world.upload(), name="second")
        world.clock.advance(seconds=10)
        assert world.machine.copier.copy_file(task).code == "SUPERSEDED"
        assert world.machine.probe.counts["copy"] == 0

    @pytest.mark.parametrize(
        "later",
        [
            pytest.param({"destination_buckets": DESTINATIONS[1:]}, id="other destinations"),
            pytest.param({"destination_prefix": "elsewhere/"}, id="another prefix"),
            pytest.param({"sequencer": None}, id="by hand, pinned"),
            pytest.param({"sequencer": None, "e_tag": None}, id="by hand"),
        ],
    )
    @pytest.mark.parametrize("strategy", list(SIZES))
    def test_never_to_anybody_else(self, world: World, later: dict[str, object], strategy: Strategy) -> None:
        stored = world.upload(SIZES[strategy])
        taken = world.request(stored, **{"sequencer": "FFFF", **later})
        once(
            world.machine.probe,
            "latest_run",
            1,
            lambda: world.machine.tracking.claim(world.machine.run(taken, "later")),
        )
        ended = world.replicate(stored, name="first", destination_buckets=(_BUCKET,))
        assert world.record["executionId"] == "later"
        assert ended.codes == ["COPIED"]
        world.assert_equal()

    @pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
    def test_to_whoever_has_recorded_an_upload_there_since(self, world: World, strategy: Strategy) -> None:
        # Started by hand in the middle of the event's run: the later of the two goes on, without an alarm.
        def start_by_hand() -> None:
            manual = world.claimed(name="manual")
            function = world.function()
            assert function.copy(manual, _BUCKET, world.task(manual).description).code == "COPIED"

        once(world.machine.probe, "copy_part", 2, start_by_hand)
        ended = world.replicate(world.upload(SIZES[strategy]), destination_buckets=(_BUCKET,))
        # A whole object that is what this run would have made is as good as its own.
        assert ended.codes == ["COPIED" if strategy is Strategy.MULTIPART else "SUPERSEDED"]
        assert world.s3.open_uploads() == []
        world.assert_equal()

    def test_to_whoever_does_so_while_an_upload_is_opened(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART_BATCHES])
        once(
            world.machine.probe,
            "record_upload",
            1,
            lambda: world.function().copy(
                manual := world.claimed(name="manual"), _BUCKET, world.task(manual).description
            ),
        )
        ended = world.replicate(stored, destination_buckets=(_BUCKET,))
        assert ended.codes == ["SUPERSEDED"]
        assert world.s3.open_uploads() == []
        world.assert_equal()

    def test_a_batch_tells_the_reason(self, world: World) -> None:
        stored = world.upload(SIZES[Strategy.MULTIPART_BATCHES])
        task = world.task(world.claimed(stored, name="first"))
        upload_id = world.machine.copier.start_multipart_copy(task)
        world.claimed(world.upload(), name="second")
        with pytest.raises(SupersededError, match="the run of a later event owns global-builds/build"):
            world.machine.copier.copy_part_batch(task, str(upload_id), task.description.batches[0])
        started = world.machine.copier.start_multipart_copy(task)
        assert not isinstance(started, str)
        assert started.code == "SUPERSEDED"
        assert world.s3.open_uploads() == []


def test_what_lands_on_an_object_in_batches_before_it_is_recorded_is_noticed(world: World) -> None:
    stored = world.upload(SIZES[Strategy.MULTIPART_BATCHES])
    once(
        world.machine.probe,
        "record_destination",
        1,
        lambda: world.s3.put(_BUCKET, KEY, Content.of("an older one", 3)),
    )
    ended = world.replicate(stored, destination_buckets=(_BUCKET,))
    assert ended.codes == ["VERIFICATION_FAILED"]
    assert world.record["status"] == RecordStatus.FAILED


@pytest.mark.parametrize("strategy", [Strategy.MULTIPART, Strategy.MULTIPART_BATCHES])
def test_an_upload_that_was_completed_just_too_late_is_put_right(world_with: WorldWith, strategy: Strategy) -> None:
    world = world_with({"versioned": True})
    first = world.upload(SIZES[strategy])
    # Between the completion and the look at what it made.
    once(world.machine.probe, "find", 1, lambda: world.claimed(world.upload(), name="second"))
    ended = world.replicate(first, name="first", destination_buckets=(_BUCKET,))
    assert ended.codes == ["SUPERSEDED"]
    world.assert_equal()
    # That write is recorded too, as the destination has it.
    [written] = world.table.put_back
    assert (written["code"], written["executionId"]) == ("PUT_BACK", "first")
    copy = world.s3.bucket(_BUCKET).current(KEY)
    assert copy is not None
    assert written["etag"] == copy.e_tag
    assert written["bytes"] == copy.content.size


def test_an_older_run_that_ends_last_changes_no_record(world_with: WorldWith) -> None:
    world = world_with({"versioned": True})
    first, second = world.upload(), world.upload()
    once(world.machine.probe, "finish", 1, lambda: run_of(world, second))
    ended = world.replicate(first, name="first")
    assert not ended.owns_record
    assert world.record["executionId"] == "second"
    assert world.record["status"] == RecordStatus.COMPLETED
    assert [item["executionId"] for item in world.table.history] == ["second", "first"]
    world.assert_equal()
