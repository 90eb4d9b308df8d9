"""What a backfill finds, and what it starts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.fakes.executions import FakeExecutions
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Content
from tests.fakes.world import FILE, World
from waybill.core.errors import PermanentError, RateLimitedError
from waybill.core.executions import ExecutionRefusedError, ExecutionState
from waybill.replication.domain.backfill import Backfill, BackfillVerdict, Comparison, Difference, PlanItem, compare
from waybill.replication.domain.starter import Starter, Workflows
from waybill.replication.errors import AccessDeniedError
from waybill.replication.models import ListedObject, ReplicationRun, RunOutcome

A, B = DESTINATIONS
MISSING, SIZE, ETAG = Difference.MISSING, Difference.SIZE_DIFFERS, Difference.ETAG_DIFFERS
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-replication"

# Keys whose order differs between UTF-8 and UTF-16, folder markers, and keys that begin with other keys.
KEYS = st.sampled_from(["a", "a/", "a/b", "a b", "b", "é", "\uffff", "\U0001f600", "\x01", "~", "zz"]) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4
)
CONTENTS = st.dictionaries(KEYS, st.tuples(st.integers(0, 1), st.sampled_from(["e1", "e2"])), max_size=8)


def listing(contents: dict[str, tuple[int, str]]) -> list[ListedObject]:
    """What S3 lists of a bucket: in the order of the keys' UTF-8 bytes."""
    return [ListedObject(key, *contents[key]) for key in sorted(contents, key=str.encode)]


@given(source=CONTENTS, destinations=st.lists(CONTENTS, min_size=1, max_size=3))
def test_one_pass_finds_what_dictionaries_would(source: Any, destinations: list[Any]) -> None:
    buckets = {f"bucket-{number}": contents for number, contents in enumerate(destinations)}

    found = compare(listing(source), {bucket: listing(contents) for bucket, contents in buckets.items()})

    assert [(one.source.key, set(one.copies)) for one in found] == [
        (key, {bucket for bucket, contents in buckets.items() if contents.get(key) != source[key]})
        for key in sorted(source, key=str.encode)
    ]


def test_listings_are_read_only_as_far_as_needed() -> None:
    read = dict.fromkeys((SOURCE, *DESTINATIONS), 0)

    def endless(bucket: str) -> Iterator[ListedObject]:
        while True:
            read[bucket] += 1
            yield ListedObject(f"{read[bucket]:09}", 1, "e")

    found = compare(endless(SOURCE), {bucket: endless(bucket) for bucket in DESTINATIONS})
    assert [next(found).source.key for _ in range(1000)][-1] == "000001000"
    assert max(read.values()) <= 1001


@pytest.mark.parametrize("keys", [["b", "a"], ["a", "a"]])
def test_a_listing_out_of_order_is_refused(keys: list[str]) -> None:
    wrong = [ListedObject(key, 1, "e") for key in keys]
    with pytest.raises(PermanentError, match="listing of the source is not in the order"):
        list(compare(wrong, {}))
    (found,) = compare([ListedObject("z", 1, "e")], {A: wrong})
    assert found.faults == {A: PermanentError.code}


def test_a_destination_whose_listing_fails_stops_no_other() -> None:
    """Source: replication's README, "Backfills": one destination that cannot be reached is a failure there."""

    def denied_from_the_middle_on() -> Iterator[ListedObject]:
        yield ListedObject("a", 1, "e")
        raise AccessDeniedError("s3:ListBucket")

    source = [ListedObject(key, 1, "e") for key in "abc"]
    found = list(compare(source, {A: denied_from_the_middle_on(), B: source[:1]}))
    assert [(one.source.key, dict(one.copies), dict(one.faults)) for one in found] == [
        ("a", {}, {}),
        ("b", {B: None}, {A: "ACCESS_DENIED"}),
        ("c", {B: None}, {A: "ACCESS_DENIED"}),
    ]


class Scene:
    """A world with a backfill, whose runs are executed when the test says so."""

    def __init__(self, world: World, *, content_only: bool = False) -> None:
        self.world = world
        self.executions = FakeExecutions()
        self.backfill = Backfill(
            SOURCE,
            world.machine.tracking,
            world.machine.buckets,
            Starter(self.executions, Workflows(MACHINE)),
            content_only,
        )

    def listed(self, bucket: str) -> list[ListedObject]:
        stored = self.world.s3.bucket(bucket).current(KEY)
        return [ListedObject(KEY, stored.content.size, stored.e_tag)] if stored else []

    def compared(self) -> Comparison:
        (found,) = compare(self.listed(SOURCE), {bucket: self.listed(bucket) for bucket in DESTINATIONS})
        return found

    def plan(self) -> PlanItem:
        return self.backfill.plan(self.compared())

    def run(self) -> BackfillVerdict:
        """One backfill."""
        item = self.plan()
        return self.backfill.start(item).verdict if item.verdict is BackfillVerdict.NEEDED else item.verdict

    @property
    def started(self) -> list[str]:
        return list(self.executions.inputs)

    def execute(self, arn: str) -> None:
        """Let a run that was started do its work and end."""
        request = self.world.request(**_snake(self.executions.inputs[arn]))
        name = arn.rsplit(":", 1)[-1]
        ended = self.world.machine.execute(self.world.machine.run(request, name, execution_id=arn))
        failed = ended.outcome in {RunOutcome.FAILED, RunOutcome.PARTIAL_FAILURE}
        self.executions.end(arn, "FAILED" if failed else "SUCCEEDED")


def _snake(payload: Any) -> dict[str, Any]:
    return {
        "destination_buckets": tuple(payload["destinationBuckets"]),
        "e_tag": payload.get("eTag"),
        "size": payload["size"],
        "nonce": payload.get("nonce"),
        "look_first": payload.get("lookFirst"),
        "removed": payload.get("removed"),
    }


KINDS = {
    "plain": {},
    "versioned": {"source": {"versioned": True}},
    "KMS": {"others": {"encryption": "aws:kms"}},
    "KMS, versioned": {"source": {"versioned": True, "encryption": "aws:kms"}, "others": {"encryption": "aws:kms"}},
}


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture(params=KINDS)
def any_scene(request: pytest.FixtureRequest, world_with: Callable[..., World]) -> Scene:
    """A scene with buckets of every kind."""
    return Scene(world_with(**KINDS[request.param]))


def test_what_was_never_replicated_is_needed_everywhere(any_scene: Scene) -> None:
    any_scene.world.upload()
    item = any_scene.plan()
    assert (item.verdict, item.differences, item.follows) == (BackfillVerdict.NEEDED, {A: MISSING, B: MISSING}, None)


def test_what_was_replicated_is_identical_whatever_its_etags(any_scene: Scene) -> None:
    any_scene.world.replicate(any_scene.world.upload())
    assert any_scene.plan().verdict is BackfillVerdict.IDENTICAL


def test_a_copy_of_many_parts_is_identical(scene: Scene) -> None:
    upload = scene.world.upload(size=20_000_000)
    scene.world.replicate(upload)
    assert scene.plan().verdict is BackfillVerdict.IDENTICAL


def test_an_overwritten_source_is_needed_everywhere(any_scene: Scene) -> None:
    any_scene.world.replicate(any_scene.world.upload())
    any_scene.world.upload()
    item = any_scene.plan()
    assert (item.verdict, item.differences, item.follows) == (BackfillVerdict.NEEDED, {A: ETAG, B: ETAG}, "run")


@pytest.mark.parametrize(("size", "difference"), [(3, ETAG), (4, SIZE)])
def test_an_overwritten_copy_is_needed_there(any_scene: Scene, size: int, difference: Difference) -> None:
    any_scene.world.replicate(any_scene.world.upload())
    any_scene.world.s3.put(B, KEY, Content.of("something else", size))
    item = any_scene.plan()
    assert (item.verdict, item.differences, item.follows) == (BackfillVerdict.NEEDED, {B: difference}, "run")


def test_a_deleted_copy_is_needed_there(any_scene: Scene) -> None:
    any_scene.world.replicate(any_scene.world.upload())
    any_scene.world.s3.delete(A, KEY)
    item = any_scene.plan()
    assert (item.verdict, item.differences, item.follows) == (BackfillVerdict.NEEDED, {A: MISSING}, "run")


def test_what_arrived_after_it_was_listed_is_identical(any_scene: Scene) -> None:
    upload = any_scene.world.upload()
    compared = any_scene.compared()
    any_scene.world.replicate(upload)
    assert any_scene.backfill.plan(compared).verdict is BackfillVerdict.IDENTICAL


def test_what_was_overwritten_after_it_was_listed_is_identical_when_the_new_content_arrived(any_scene: Scene) -> None:
    any_scene.world.replicate(any_scene.world.upload(), name="first")
    any_scene.world.s3.delete(A, KEY)
    compared = any_scene.compared()
    any_scene.world.replicate(any_scene.world.upload(size=5), name="second")
    assert any_scene.backfill.plan(compared).verdict is BackfillVerdict.IDENTICAL


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("RUNNING", BackfillVerdict.IN_PROGRESS),
        ("ABORTED", BackfillVerdict.NEEDED),
        ("TIMED_OUT", BackfillVerdict.NEEDED),
        ("FAILED", BackfillVerdict.NEEDED),
        (None, BackfillVerdict.NEEDED),
    ],
)
def test_whether_a_run_is_under_way_its_execution_says_and_not_its_record(
    scene: Scene, state: str | None, verdict: BackfillVerdict
) -> None:
    """An execution that is not running blocks nothing."""
    run = scene.world.claimed(scene.world.upload())
    if state:
        scene.executions.states[run.execution_id] = ExecutionState(state)
    assert scene.plan().verdict is verdict


def test_a_run_of_another_stack_is_not_running_here(scene: Scene) -> None:
    """A table that was restored from another stack's: nobody may look at its executions here, and they block none."""
    scene.world.claimed(scene.world.upload())
    theirs = MACHINE.replace(":stateMachine:", ":execution:").replace("waybill", "before") + ":run"
    scene.world.record["executionId"] = theirs
    scene.executions.refused.add(theirs)
    assert scene.run() is BackfillVerdict.STARTED
    scene.execute(scene.started[0])
    scene.world.assert_equal()


def test_a_run_of_this_stack_that_nobody_may_look_at_is_a_fault(scene: Scene) -> None:
    scene.world.claimed(scene.world.upload())
    ours = MACHINE.replace(":stateMachine:", ":execution:") + ":run"
    scene.world.record["executionId"] = ours
    scene.executions.refused.add(ours)
    with pytest.raises(ExecutionRefusedError):
        scene.plan()


def test_an_express_run_cannot_be_asked_and_is_left_to_the_reconciler(scene: Scene) -> None:
    scene.world.claimed(scene.world.upload())
    scene.world.record["executionId"] = "arn:aws:states:eu-west-1:1:express:waybill-replication-express:a:b"
    assert scene.plan().verdict is BackfillVerdict.IN_PROGRESS


def test_what_failed_is_needed_where_it_failed(scene: Scene) -> None:
    upload = scene.world.upload()
    del scene.world.s3.buckets[B]
    scene.world.replicate(upload, name="failed")
    scene.world.s3.create_bucket(B)
    item = scene.plan()
    assert (item.verdict, item.differences, item.follows) == (BackfillVerdict.NEEDED, {B: MISSING}, "failed")


def test_lookups_are_made_only_where_listings_leave_a_doubt(scene: Scene) -> None:
    calls = scene.world.machine.probe.calls
    scene.backfill.plan(Comparison(ListedObject(KEY, 3, "e")))
    assert calls == []
    scene.world.upload()
    scene.plan()
    assert calls == ["latest_run"]


def test_the_content_of_an_encrypted_copy_costs_no_request_to_s3(world_with: Callable[..., World]) -> None:
    scene = Scene(world_with(**KINDS["KMS"]), content_only=True)
    scene.world.replicate(scene.world.upload())
    compared = scene.compared()
    calls = scene.world.machine.probe.calls
    calls.clear()
    assert scene.backfill.plan(compared).verdict is BackfillVerdict.IDENTICAL
    assert calls == ["latest_run", "destination", "destination"]


def test_the_run_copies_what_was_listed_to_where_it_is_needed(scene: Scene) -> None:
    upload = scene.world.upload()
    scene.world.s3.put(A, KEY, upload.content)

    assert scene.run() is BackfillVerdict.STARTED

    (payload,) = scene.executions.inputs.values()
    assert payload["destinationBuckets"] == [B]
    assert (payload["eTag"], payload["size"]) == (upload.e_tag, 3)
    assert "versionId" not in payload


def test_two_backfills_start_one_run(scene: Scene) -> None:
    scene.world.upload()
    assert [scene.run(), scene.run()] == [BackfillVerdict.STARTED, BackfillVerdict.IN_PROGRESS]
    (payload,) = scene.executions.inputs.values()
    assert payload["destinationBuckets"] == [A, B]


def test_a_failed_run_is_followed_by_one_more(scene: Scene) -> None:
    scene.world.upload()
    del scene.world.s3.buckets[B]
    comparison = Comparison(*[ListedObject(KEY, 3, scene.world.s3.get(SOURCE, KEY).e_tag), {A: None, B: None}])
    scene.backfill.start(scene.backfill.plan(comparison))
    scene.execute(scene.started[0])
    scene.world.s3.create_bucket(B)

    assert [scene.run(), scene.run()] == [BackfillVerdict.STARTED, BackfillVerdict.IN_PROGRESS]
    scene.execute(scene.started[1])
    assert scene.run() is BackfillVerdict.IDENTICAL
    assert len(scene.started) == 2


def test_runs_that_ended_without_a_record_are_followed_by_one_more(scene: Scene) -> None:
    scene.world.upload()
    for number in range(3):
        assert [scene.run(), scene.run()] == [BackfillVerdict.STARTED, BackfillVerdict.IN_PROGRESS]
        scene.executions.end(scene.started[number], "FAILED")
    assert [payload.get("nonce") for payload in scene.executions.inputs.values()] == [None, *scene.started[:2]]


def test_a_refused_start_is_told(scene: Scene) -> None:
    scene.world.upload()
    scene.executions.refusals = [RateLimitedError("slow down")]
    with pytest.raises(RateLimitedError):
        scene.run()
    assert scene.run() is BackfillVerdict.STARTED


class Backfilling(RuleBasedStateMachine):
    """Whatever happened before, backfills bring every destination to what the source holds, and then start nothing."""

    @initialize(kind=st.sampled_from(sorted(KINDS)))
    def begin(self, kind: str) -> None:
        options = KINDS[kind]
        world = World()
        world.s3.create_bucket(SOURCE, **options.get("source", {}))
        for name in DESTINATIONS:
            world.s3.create_bucket(name, **options.get("others", {}))
        self.scene, self.world = Scene(world), world
        self.stored = world.upload()
        self.claimed: list[ReplicationRun] = []

    @rule()
    def overwrite_the_source(self) -> None:
        self.stored = self.world.upload()

    @rule()
    def deliver_the_event(self) -> None:
        self.world.replicate(self.stored, name=f"event {self.stored.order}")

    @rule(bucket=st.sampled_from(DESTINATIONS))
    def delete_a_copy(self, bucket: str) -> None:
        self.world.s3.delete(bucket, KEY)

    @rule(bucket=st.sampled_from(DESTINATIONS), size=st.sampled_from([0, 3]))
    def overwrite_a_copy(self, bucket: str, size: int) -> None:
        self.world.s3.put(bucket, KEY, Content.of("somebody else's", size))

    @rule()
    def backfill(self) -> None:
        self.scene.run()

    @precondition(lambda self: self.running())
    @rule()
    def execute(self) -> None:
        self.scene.execute(self.running()[0])

    @precondition(lambda self: self.running())
    @rule()
    def die_before_the_record(self) -> None:
        self.scene.executions.end(self.running()[0], "FAILED")

    def running(self) -> list[str]:
        return [arn for arn in self.scene.started if self.scene.executions.running(arn)]

    def teardown(self) -> None:
        if not hasattr(self, "scene"):
            return
        while self.running():
            self.scene.execute(self.running()[0])
        self.scene.run()
        while self.running():
            self.scene.execute(self.running()[0])
        for bucket in DESTINATIONS:
            assert self.world.s3.get(bucket, KEY).content == self.stored.content
        assert self.scene.run() is BackfillVerdict.IDENTICAL
        assert self.world.table.records[FILE]["status"] != "IN_PROGRESS"


TestBackfilling = Backfilling.TestCase
TestBackfilling.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
