"""A success is a statement about now: what a run does in each situation of the file and its copies.

Source of the expectations: README of replication ("What equal means", "Codes"), and the S3 user guide.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Attributes, Content
from tests.fakes.world import ATTRIBUTES, SIZES, World
from waybill.replication.domain.records import RecordStatus
from waybill.replication.errors import AccessDeniedError
from waybill.replication.models import DestinationOptions, RunOutcome, Strategy

A, B = DESTINATIONS


@pytest.fixture
def replicated(world: World) -> World:
    """A world where the file has arrived everywhere."""
    assert world.replicate(world.upload(), name="upload").outcome is RunOutcome.SUCCESS
    world.s3.landings.clear()
    return world


def written(world: World) -> list[str]:
    return [bucket for bucket, _, _ in world.s3.landings]


def codes(world: World) -> list[str]:
    return world.replicate(name=f"by hand {len(world.table.history)}").codes


def by_hand(world: World, **changes: Any) -> list[str]:
    ended = world.replicate(name=f"by hand {len(world.table.history)}", **changes)
    for bucket in changes.get("destination_buckets", DESTINATIONS):
        if ended.outcome is RunOutcome.SUCCESS:
            world.assert_equal(bucket)
    return ended.codes


def test_1_what_is_equal_is_not_written(replicated: World) -> None:
    assert by_hand(replicated) == ["SKIPPED_IDENTICAL"] * 2
    assert written(replicated) == []
    assert replicated.record["status"] == RecordStatus.COMPLETED


def test_1_looking_costs_one_request_per_place(world: World) -> None:
    plain = Attributes()
    world.replicate(world.upload(attributes=plain), name="upload")
    world.machine.probe.calls.clear()
    assert by_hand(world) == ["SKIPPED_IDENTICAL"] * 2
    asked = {name: world.machine.probe.counts[name] for name in ("describe_source", "find", "tags", "copy")}
    assert asked == {"describe_source": 1, "find": 2, "tags": 0, "copy": 0}


def test_2_a_copy_that_was_deleted_is_made_again(replicated: World) -> None:
    replicated.s3.delete(A, KEY)
    assert by_hand(replicated) == ["COPIED", "SKIPPED_IDENTICAL"]
    assert written(replicated) == [A]


@pytest.mark.parametrize("size", [3, 4])
def test_3_the_bytes_of_a_stranger_are_replaced(replicated: World, size: int) -> None:
    replicated.s3.put(A, KEY, Content.of("stranger", size), ATTRIBUTES)
    assert by_hand(replicated) == ["COPIED", "SKIPPED_IDENTICAL"]


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {**ATTRIBUTES.headers, name: value}}
        for name, value in [
            ("CacheControl", "no-store"),
            ("ContentDisposition", "inline"),
            ("ContentEncoding", ""),
            ("ContentLanguage", "DE"),
            ("ContentType", "application/zip "),
            ("Expires", "never"),
            ("CacheControl", None),
        ]
    ]
    + [
        {"website_redirect": None},
        {"website_redirect": "/elsewhere/"},
        {"metadata": {}},
        {"metadata": {"build": "123"}},
        {"metadata": {**ATTRIBUTES.metadata, "more": ""}},
        {"metadata": {**ATTRIBUTES.metadata, "author": "zoë"}},
        {"metadata": {**ATTRIBUTES.metadata, "build": "123 "}},
    ],
)
def test_4_each_header_and_all_metadata_count(replicated: World, changes: dict[str, Any]) -> None:
    if "headers" in changes:
        changes["headers"] = {name: value for name, value in changes["headers"].items() if value is not None}
    replicated.s3.change(A, KEY, **changes)
    assert by_hand(replicated) == ["COPIED", "SKIPPED_IDENTICAL"]


@pytest.mark.parametrize("tags", [{}, {"team": "a&b=c"}, {"team": "a&b=c", "stage": "Release"}, {"x": "", "y": ""}])
def test_5_tags_are_put_back_without_moving_a_byte(replicated: World, tags: dict[str, str]) -> None:
    replicated.s3.change(A, KEY, tags=tags)
    assert by_hand(replicated) == ["TAGS_COPIED", "SKIPPED_IDENTICAL"]
    assert written(replicated) == []
    assert replicated.record["status"] == RecordStatus.COMPLETED


def test_5_the_order_of_tags_means_nothing(replicated: World) -> None:
    replicated.s3.change(A, KEY, tags=dict(reversed(ATTRIBUTES.tags.items())))
    assert by_hand(replicated) == ["SKIPPED_IDENTICAL"] * 2


@pytest.mark.parametrize("tags", [{"class": "closed"}, {}, {"team": "a&b=c", "stage": ""}])
def test_6_tags_that_change_at_the_source_arrive(replicated: World, tags: dict[str, str]) -> None:
    replicated.s3.change(SOURCE, KEY, tags=tags)
    ended = replicated.replicate(name="tags", look_first=True, nonce="tags 1")
    assert ended.codes == ["TAGS_COPIED"] * 2
    replicated.assert_equal(A)
    again = replicated.replicate(name="tags again", look_first=True, nonce="tags 2")
    assert again.codes == ["SKIPPED_IDENTICAL"] * 2


def test_6_tags_that_change_again_meanwhile_arrive_too(replicated: World) -> None:
    replicated.s3.change(SOURCE, KEY, tags={"class": "1"})

    def retag(call: str) -> None:
        if call == "put_tags" and replicated.machine.probe.counts["put_tags"] == 0:
            replicated.s3.change(SOURCE, KEY, tags={"class": "2"})

    replicated.machine.probe.before = retag
    assert by_hand(replicated) == ["TAGS_COPIED"] * 2


def test_6_where_tags_are_not_copied_they_are_not_looked_at(replicated: World) -> None:
    replicated.s3.options[A] = DestinationOptions(tags=False)
    replicated.s3.change(A, KEY, tags={"mine": "1"})
    assert by_hand(replicated, destination_buckets=(B,)) == ["SKIPPED_IDENTICAL"]
    ended = replicated.replicate(name="without tags", destination_buckets=(A,))
    assert ended.codes == ["SKIPPED_IDENTICAL"]


def test_7_a_source_that_was_rolled_back_is_what_counts(world_with: Callable[..., World]) -> None:
    world = world_with({"versioned": True})
    world.replicate(world.upload(label="old"), name="first")
    newest = world.upload(label="new")
    world.replicate(newest, name="second")
    versions = world.s3.bucket(SOURCE).versions[KEY]
    versions.remove(newest)
    assert by_hand(world) == ["COPIED"] * 2
    assert world.s3.get(A, KEY).content == Content.of("old", 3)


def test_9_and_10_a_permission_is_tried_and_not_remembered(world: World) -> None:
    world.machine.probe.fail("copy", AccessDeniedError("s3:PutObject on region-a-builds: AccessDenied"))
    world.replicate(world.upload(), name="upload")
    world.machine.probe.fail("copy", AccessDeniedError("s3:PutObject on region-a-builds: AccessDenied"))
    assert by_hand(world) == ["ACCESS_DENIED", "SKIPPED_IDENTICAL"]
    assert world.record["status"] == RecordStatus.FAILED
    assert by_hand(world) == ["COPIED", "SKIPPED_IDENTICAL"]
    assert world.record["status"] == RecordStatus.COMPLETED


def test_13_and_14_a_run_that_ends_well_hides_no_failure_elsewhere(world: World) -> None:
    world.machine.probe.fail("copy", AccessDeniedError("s3:PutObject on region-a-builds: AccessDenied"))
    world.replicate(world.upload(), name="upload")
    assert by_hand(world, destination_buckets=(B,)) == ["SKIPPED_IDENTICAL"]
    assert (world.record["status"], world.record["failed"]) == (RecordStatus.FAILED, (A,))
    assert by_hand(world, destination_buckets=(A,)) == ["COPIED"]
    assert (world.record["status"], world.record["failed"]) == (RecordStatus.COMPLETED, ())


@pytest.mark.parametrize("strategy", list(SIZES))
def test_15_a_replica_that_comes_back_is_not_written(world: World, strategy: Strategy) -> None:
    """Another stack has copied the file here: the event of that copy asks for it to be copied back."""
    stored = world.upload(SIZES[strategy])
    for bucket in DESTINATIONS:
        world.s3.land(bucket, KEY, stored.content, stored.attributes, checksum=stored.checksum, e_tag="another-2")
    world.s3.landings.clear()
    assert world.replicate(stored, look_first=True).codes == ["SKIPPED_IDENTICAL"] * 2
    assert written(world) == []


def test_16_force_copies_whatever_lies_there(replicated: World) -> None:
    assert by_hand(replicated, force=True) == ["COPIED"] * 2
    assert written(replicated) == [A, B]


def test_an_archived_source_is_compared_and_fails_only_where_it_has_to_be_read(replicated: World) -> None:
    replicated.s3.change(SOURCE, KEY, storage_class="DEEP_ARCHIVE")
    assert replicated.replicate(name="equal").codes == ["SKIPPED_IDENTICAL"] * 2
    replicated.s3.delete(A, KEY)
    assert replicated.replicate(name="missing").codes == ["SOURCE_ARCHIVED", "SKIPPED_IDENTICAL"]


def test_a_file_that_is_deleted_before_its_copy_is_no_failure(world: World) -> None:
    """Source: the README of replication: it is superseded."""
    stored = world.upload()
    world.s3.delete(SOURCE, KEY)
    assert world.replicate(stored).outcome is RunOutcome.SUPERSEDED
    assert world.replicate(name="tags", look_first=True).outcome is RunOutcome.SUPERSEDED
    assert world.replicate(name="by hand").outcome is RunOutcome.FAILED


def test_lifecycle_and_storage_classes_are_no_difference(replicated: World) -> None:
    replicated.s3.change(A, KEY, storage_class="GLACIER_IR")
    assert codes(replicated) == ["SKIPPED_IDENTICAL"] * 2


def test_what_only_the_size_speaks_for_is_copied_unless_the_record_proves_it(world: World) -> None:
    world.s3.bucket(SOURCE).checksum = None
    for bucket in DESTINATIONS:
        world.s3.bucket(bucket).encryption = "aws:kms"
    stored = world.upload()
    for bucket in DESTINATIONS:
        copy = world.s3.land(bucket, KEY, stored.content, stored.attributes, checksum=None)
        assert copy.e_tag != stored.e_tag
    assert codes(world) == ["COPIED"] * 2
    assert codes(world) == ["SKIPPED_IDENTICAL"] * 2
    versions = world.s3.bucket(A).versions[KEY]
    versions[-1] = replace(versions[-1], e_tag="somebody else's", checksum=None)
    assert codes(world) == ["COPIED", "SKIPPED_IDENTICAL"]
