"""One run, one destination: what a copy carries, what proves it, and when there is nothing to copy."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Attributes, Content
from tests.fakes.world import ATTRIBUTES, LIMITS, SIZES, World
from waybill.core.errors import PermanentError, RetryableError
from waybill.replication.domain.copier import describe_source
from waybill.replication.domain.records import ClaimOutcome, RecordStatus
from waybill.replication.errors import (
    AccessDeniedError,
    KmsDeniedError,
    NoSuchBucketError,
    S3UnavailableError,
    SseCUnsupportedError,
    SupersededError,
    ThrottledError,
    VerificationFailedError,
)
from waybill.replication.models import GIB, SINGLE_COPY_LIMIT, Checksum, CopyLimits, CopyProof, RunOutcome, Strategy

_BUCKET = DESTINATIONS[0]

type WorldWith = Callable[..., World]


@pytest.mark.parametrize("strategy", list(SIZES))
def test_everything_of_the_source_arrives_whichever_way_the_bytes_go(world: World, strategy: Strategy) -> None:
    stored = world.upload(SIZES[strategy])
    ended = world.replicate(stored)
    assert ended.codes == ["COPIED", "COPIED"]
    for bucket in DESTINATIONS:
        world.assert_equal(bucket)
        assert world.s3.get(bucket, KEY).attributes == ATTRIBUTES
        recorded = world.destination(bucket)
        assert recorded["strategy"] == strategy
        assert recorded["bytes"] == SIZES[strategy]
        assert recorded["verification"] == CopyProof.CHECKSUM
        assert recorded["etag"] == world.s3.get(bucket, KEY).e_tag


@pytest.mark.parametrize(
    ("size", "strategy"),
    [
        (0, Strategy.COPY),
        (SINGLE_COPY_LIMIT, Strategy.COPY),
        (SINGLE_COPY_LIMIT + 1, Strategy.MULTIPART),
        (64 * GIB, Strategy.MULTIPART),
        (64 * GIB + 1, Strategy.MULTIPART_BATCHES),
    ],
)
def test_the_strategy_follows_from_the_size(size: int, strategy: Strategy) -> None:
    world = World(limits=CopyLimits())
    stored = world.upload(size)
    assert world.replicate(stored).outcome is RunOutcome.SUCCESS
    assert world.destination()["strategy"] == strategy
    world.assert_equal()


def test_folder_markers_and_empty_objects_take_one_call(world: World) -> None:
    stored = world.s3.put(SOURCE, "folder/", Content.of("nothing", 0), ATTRIBUTES)
    ended = world.replicate(stored, source_key="folder/")
    assert ended.codes == ["COPIED", "COPIED"]
    assert world.machine.probe.counts["copy"] == 2
    assert world.s3.get(_BUCKET, "folder/").attributes == ATTRIBUTES


def test_a_small_file_costs_few_calls(world: World) -> None:
    world.replicate(world.upload())
    counts = world.machine.probe.counts
    s3 = {"describe_source", "copy", "find", "headers", "create_upload", "open_uploads", "abort_upload"}
    assert {name: times for name, times in counts.items() if name in s3} == {"describe_source": 1, "copy": 2}
    writes = {"claim": 1, "record_destination": 2, "finish": 1}
    assert {name: counts[name] for name in writes} == writes


def test_two_tasks_through_one_copier_do_not_mix(world: World) -> None:
    other = Attributes(metadata={"build": "other"}, headers={"ContentType": "text/plain"}, tags={"other": "1"})
    stored = world.upload(SIZES[Strategy.MULTIPART])
    plain = world.s3.put(SOURCE, "plain", Content.of("plain", SIZES[Strategy.MULTIPART]), other)
    bare = world.s3.put(SOURCE, "bare", Content.of("bare", SIZES[Strategy.MULTIPART]))
    world.replicate(stored)
    world.replicate(plain, source_key="plain", name="plain")
    world.replicate(bare, source_key="bare", name="bare")
    world.assert_equal()
    assert world.s3.get(_BUCKET, "plain").attributes == other
    assert world.s3.get(_BUCKET, "bare").attributes == Attributes()


def test_a_prefix_stands_before_the_key(world: World) -> None:
    ended = world.replicate(world.upload(), destination_prefix="copies/")
    assert ended.outcome is RunOutcome.SUCCESS
    world.assert_equal(key=f"copies/{KEY}")


@pytest.mark.parametrize(
    ("source", "others", "stored", "level"),
    [
        pytest.param({}, {}, {}, "CHECKSUM", id="both keep the same checksum"),
        pytest.param({}, {"encryption": "aws:kms"}, {}, "CHECKSUM", id="checksums see through encryption"),
        pytest.param({"checksum": None}, {}, {}, "ETAG", id="no checksum, ETags are digests"),
        pytest.param({"checksum": None}, {"encryption": "aws:kms"}, {}, "SIZE", id="KMS: the ETag is no digest"),
        pytest.param({"checksum": None, "encryption": "aws:kms"}, {}, {}, "SIZE", id="KMS at the source"),
        pytest.param({"checksum": None}, {}, {"e_tag": "0123-4"}, "SIZE", id="the source was uploaded in parts"),
        pytest.param(
            {},
            {},
            {"checksum": Checksum(algorithm="SHA256", value="abc-3", composite=True), "e_tag": "0123-3"},
            "SIZE",
            id="a checksum over parts",
        ),
    ],
)
def test_the_best_proof_is_recorded(
    world_with: WorldWith, source: dict[str, Any], others: dict[str, Any], stored: dict[str, Any], level: str
) -> None:
    world = world_with(source, others)
    uploaded = world.s3.put(SOURCE, KEY, Content.of("bytes", 3), **stored)
    ended = world.replicate(uploaded)
    assert ended.codes == ["COPIED", "COPIED"]
    assert [result.verification for result in ended.results] == [level, level]


def test_less_than_the_best_proof_is_accepted_only_after_a_look(world: World) -> None:
    world.s3.answers_checksums = False
    ended = world.replicate(world.upload())
    assert [result.verification for result in ended.results] == ["CHECKSUM", "CHECKSUM"]
    assert world.machine.probe.counts["find"] == 2


@pytest.mark.parametrize("strategy", list(SIZES))
def test_a_corrupted_copy_is_tried_once_more_and_then_fails(world: World, strategy: Strategy) -> None:
    world.s3.bucket(_BUCKET).corrupts = True
    ended = world.replicate(world.upload(SIZES[strategy]))
    assert ended.results[1].code == "COPIED"
    failed = ended.results[0]
    assert not failed.success
    assert failed.attempts == 2
    assert world.destination()["status"] == RecordStatus.FAILED
    assert world.s3.open_uploads() == []
    assert failed.code == "VERIFICATION_FAILED"
    assert failed.cause == f"{_BUCKET}/{KEY} differs from {SOURCE}/{KEY} by checksum"
    assert world.s3.get(_BUCKET, KEY).content.labels == {"corrupted"}, "nothing is deleted"


def test_a_copy_that_is_not_there_is_not_verified(world: World) -> None:
    world.s3.answers_checksums = False
    stored = world.upload()

    def delete(name: str) -> None:
        if name == "find":
            world.s3.delete(_BUCKET, KEY)

    world.machine.probe.before = delete
    task = world.task(world.claimed(stored))
    with pytest.raises(VerificationFailedError, match=f"{_BUCKET}/{KEY} is not there after the copy"):
        world.machine.copier.copy_file(task)


class TestSkipping:
    """A destination that has this very state of the source is left alone."""

    def test_a_repeated_run_copies_nothing(self, world: World) -> None:
        stored = world.upload()
        run = world.machine.run(world.request(stored), "run")
        world.machine.execute(run)
        ended = world.machine.execute(run)
        assert ended.codes == ["SKIPPED_IDENTICAL", "SKIPPED_IDENTICAL"]
        assert ended.outcome is RunOutcome.SUCCESS
        assert [result.bytes for result in ended.results] == [0, 0]
        assert world.machine.probe.counts["copy"] == 2

    @pytest.mark.parametrize("strategy", list(SIZES))
    def test_a_forced_run_copies_only_where_it_is_needed(self, world: World, strategy: Strategy) -> None:
        world.replicate(world.upload(SIZES[strategy]))
        world.s3.delete(_BUCKET, KEY)
        assert world.replicate(name="forced").codes == ["COPIED", "SKIPPED_IDENTICAL"]
        world.assert_equal()

    @pytest.mark.parametrize("versioned", [True, False])
    def test_the_same_bytes_with_other_metadata_are_copied(self, world_with: WorldWith, versioned: bool) -> None:
        world = world_with({"versioned": versioned})
        world.replicate(world.upload(label="bytes"))
        world.upload(label="bytes", attributes=replace(ATTRIBUTES, metadata={"build": "124"}))
        assert world.replicate(name="by hand").codes == ["COPIED", "COPIED"]
        world.assert_equal()

    def test_a_later_event_is_copied_even_if_nothing_of_it_shows(self, world: World) -> None:
        # Written within the same second, with the same bytes: S3 shows the same ETag and the same time.
        first = world.upload(label="bytes")
        world.replicate(first, name="first")
        second = world.s3.put(SOURCE, KEY, first.content, Attributes(metadata={"build": "124"}), written=first.written)
        assert world.replicate(second, name="second").codes == ["COPIED", "COPIED"]
        world.assert_equal()

    def test_a_version_that_was_copied_before_is_not_copied_for_its_event(self, world_with: WorldWith) -> None:
        world = world_with({"versioned": True})
        stored = world.upload()
        world.replicate(name="by hand")
        assert world.replicate(stored, name="event").codes == ["SKIPPED_IDENTICAL", "SKIPPED_IDENTICAL"]

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda world: world.s3.delete(_BUCKET, KEY), id="deleted"),
            pytest.param(lambda world: world.s3.put(_BUCKET, KEY, Content.of("foreign", 3)), id="overwritten"),
            pytest.param(lambda world: world.s3.put(_BUCKET, KEY, Content.of("foreign", 4)), id="of another size"),
            pytest.param(
                lambda world: world.s3.put(_BUCKET, KEY, world.s3.get(SOURCE, KEY).content, e_tag="other"),
                id="written again by somebody",
            ),
        ],
    )
    def test_a_copy_that_somebody_has_touched_is_made_again(
        self, world: World, spoil: Callable[[World], object]
    ) -> None:
        world.replicate(world.upload())
        spoil(world)
        assert world.replicate(name="again").codes == ["COPIED", "SKIPPED_IDENTICAL"]
        world.assert_equal()

    def test_a_failed_copy_is_not_taken_for_done(self, world: World) -> None:
        stored = world.upload()
        world.machine.probe.fail("copy", AccessDeniedError("s3:PutObject"))
        assert world.replicate(stored).codes == ["ACCESS_DENIED", "COPIED"]
        assert world.replicate(name="again").codes == ["COPIED", "SKIPPED_IDENTICAL"]


class TestFailures:
    """One destination never fails another; only what may pass is tried again."""

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (NoSuchBucketError("s3:PutObject on b: NoSuchBucket"), "NO_SUCH_BUCKET"),
            (AccessDeniedError("s3:PutObject on b: AccessDenied"), "ACCESS_DENIED"),
            (KmsDeniedError("kms:GenerateDataKey"), "KMS_DENIED"),
        ],
    )
    def test_what_no_repetition_mends_gets_one_attempt(self, world: World, error: PermanentError, code: str) -> None:
        world.machine.probe.fail("copy", error)
        ended = world.replicate(world.upload())
        assert ended.codes == [code, "COPIED"]
        assert world.machine.probe.counts["copy"] == 2
        failed = ended.results[0]
        assert (failed.attempts, failed.retryable, failed.cause) == (1, False, str(error))
        assert ended.outcome is RunOutcome.PARTIAL_FAILURE
        assert world.record["status"] == RecordStatus.FAILED

    @pytest.mark.parametrize("error", [ThrottledError("SlowDown"), S3UnavailableError("InternalError")])
    def test_what_passes_is_tried_three_times_more(self, world: World, error: RetryableError) -> None:
        world.machine.probe.fail("copy", error, 1, 2, 3)
        assert world.replicate(world.upload()).results[0].attempts == 4
        world.machine.probe.fail("copy", error, *range(6, 10))
        ended = world.replicate(world.upload(), name="second")
        assert ended.codes == [error.code, "COPIED"]
        assert ended.results[0].retryable

    def test_all_destinations_fail_when_a_bucket_of_theirs_is_missing(self, world: World) -> None:
        ended = world.replicate(world.upload(), destination_buckets=("missing-a", "missing-b"))
        assert ended.codes == ["NO_SUCH_BUCKET", "NO_SUCH_BUCKET"]
        assert ended.outcome is RunOutcome.FAILED

    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (lambda world: world.s3.delete(SOURCE, KEY), "SOURCE_NOT_FOUND"),
            (lambda world: world.upload(attributes=Attributes(storage_class="GLACIER")), "SOURCE_ARCHIVED"),
            (lambda world: world.s3.put(SOURCE, KEY, Content.of("x", 1), encryption="SSE-C"), "SSE_C_UNSUPPORTED"),
        ],
    )
    def test_a_source_that_cannot_be_read_fails_every_destination(
        self, world: World, spoil: Callable[[World], object], code: str
    ) -> None:
        world.upload()
        spoil(world)
        ended = world.replicate()
        assert ended.codes == [code, code]
        assert world.destination()["code"] == code
        assert world.machine.probe.counts["copy"] == 0


class TestDescribing:
    """The source is looked at once, as the request pins it."""

    def test_an_event_pins_its_version(self, world_with: WorldWith) -> None:
        world = world_with({"versioned": True})
        first = world.upload()
        world.upload()
        described = describe_source(world.machine.buckets, world.request(first), LIMITS)
        assert described.source.version_id == first.version_id

    def test_an_event_pins_its_e_tag_where_there_are_no_versions(self, world: World) -> None:
        first = world.upload()
        world.upload()
        with pytest.raises(SupersededError):
            describe_source(world.machine.buckets, world.request(first), LIMITS)

    def test_a_manual_run_takes_what_is_there(self, world: World) -> None:
        stored = world.upload()
        assert describe_source(world.machine.buckets, world.request(), LIMITS).source.e_tag == stored.e_tag

    @pytest.mark.parametrize(
        ("attributes", "changes", "error"),
        [
            (Attributes(), {"encryption": "SSE-C"}, SseCUnsupportedError),
        ],
    )
    def test_what_cannot_be_read_says_why(
        self, world: World, attributes: Attributes, changes: dict[str, Any], error: type[PermanentError]
    ) -> None:
        world.s3.put(SOURCE, KEY, Content.of("x", 1), attributes, **changes)
        with pytest.raises(error):
            describe_source(world.machine.buckets, world.request(), LIMITS)


def test_a_duplicate_and_a_stale_run_end_at_the_claim(world_with: WorldWith) -> None:
    world = world_with({"versioned": True})
    first, second = world.upload(), world.upload()
    assert world.replicate(second, name="second").claim is ClaimOutcome.STARTED
    copies = world.machine.probe.counts["copy"]
    again = world.machine.run(world.request(second), "second", execution_id="another execution")
    assert world.machine.execute(again).claim is ClaimOutcome.DUPLICATE
    assert world.replicate(first, name="first").claim is ClaimOutcome.STALE
    assert world.machine.probe.counts["copy"] == copies
    assert world.record["executionId"] == "second"
