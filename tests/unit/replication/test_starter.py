"""A run for every event, and one per request by hand and state of the source."""

import itertools
import json
from math import ceil
from typing import Any

import pytest

from tests.fakes.executions import FakeExecutions
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.world import World
from tests.workflow.support.events import eventbridge_event, in_sqs, s3_event, s3_record
from waybill.core.errors import InvalidInputError, RateLimitedError, TooLargeError
from waybill.core.executions import stable_json
from waybill.replication.domain.events import Ignored
from waybill.replication.domain.requests import Routing
from waybill.replication.domain.starter import (
    EXPRESS_LIMIT,
    EventOutcome,
    StartContext,
    Started,
    Starter,
    Workflows,
    handle_event,
)
from waybill.replication.errors import (
    AccessDeniedError,
    EventNotHandledError,
    SourceRefusedError,
    SseCUnsupportedError,
    ThrottledError,
)
from waybill.replication.models import SINGLE_COPY_LIMIT, ReplicationRun
from waybill.replication.views import direct_reply, start_reply, worker_reply

_STANDARD = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-replication"
_EXPRESS = f"{_STANDARD}-express"
_ROUTING = Routing(DESTINATIONS)
_PAYLOAD = {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBuckets": list(DESTINATIONS)}


@pytest.fixture
def executions() -> FakeExecutions:
    return FakeExecutions()


@pytest.fixture
def starter(executions: FakeExecutions) -> Starter:
    return Starter(executions, Workflows(_STANDARD))


def handle(payload: object, starter: Starter) -> EventOutcome:
    return handle_event(payload, _ROUTING, starter)


class TestEvents:
    """`handle_event`."""

    def test_an_event_starts_its_run(self, starter: Starter, executions: FakeExecutions) -> None:
        outcome = handle(s3_event(SOURCE, KEY, eTag="e", sequencer="AB"), starter)
        ((arn, given),) = executions.inputs.items()
        assert outcome.started[0].execution.execution_arn == arn
        assert given == _PAYLOAD | {
            "eTag": "e", "size": 7, "sequencer": "AB".ljust(64, "0"), "force": False,
            "eventTime": "2026-01-02T03:04:05.000Z",
        }  # fmt: skip

    def test_three_deliveries_start_one_run(self, starter: Starter, executions: FakeExecutions) -> None:
        for event in [s3_event(SOURCE, KEY, sequencer="AB", eTag="e")] * 2:
            handle(event, starter)
        again = handle(eventbridge_event(SOURCE, KEY, sequencer="AB", etag="e"), starter)
        assert len(executions.inputs) == 1
        assert again.started[0].execution.already_running

    def test_every_delivery_has_the_same_bytes(self, starter: Starter) -> None:
        requests = [
            handle(event, starter).started[0].request
            for event in (
                s3_event(SOURCE, KEY, sequencer="AB", eTag="e"),
                in_sqs(s3_event(SOURCE, KEY, eTag="e", sequencer="AB")),
                eventbridge_event(SOURCE, KEY, sequencer="AB", etag="e"),
            )
        ]
        assert len({stable_json(request.wire()) for request in requests}) == 1

    def test_good_records_start_and_bad_ones_come_back(self, starter: Starter, executions: FakeExecutions) -> None:
        records: list[Any] = [s3_record(SOURCE, f"key {number}", sequencer="AB") for number in range(97)]
        records[10:10] = [{"nonsense": True}]
        records[50:50] = [s3_record(SOURCE, "x" * 1025)]
        records.append(s3_record(SOURCE, "last", sequencer="no hex"))
        with pytest.raises(EventNotHandledError) as caught:
            handle({"Records": records}, starter)
        assert len(executions.inputs) == 97
        told = str(caught.value)
        assert told.startswith("3 records not handled, 97 started; record 10: neither an S3 notification")
        assert "record 50: sourceKey: must be at most 1024 bytes" in told
        assert "record 99: sequencer: must be hexadecimal" in told

    def test_records_that_cannot_be_started_now_come_back(self, starter: Starter, executions: FakeExecutions) -> None:
        executions.refusals = [RateLimitedError("ThrottlingException"), TooLargeError("256 KiB")]
        event = {"Records": [s3_record(SOURCE, name, sequencer="AB") for name in "abc"]}
        with pytest.raises(EventNotHandledError, match="2 records not handled, 1 started; record 0: Throttling"):
            handle(event, starter)
        assert [given["sourceKey"] for given in executions.inputs.values()] == ["c"]
        assert len(handle(event, starter).started) == 3
        assert len(executions.inputs) == 3

    def test_the_message_stays_short(self, starter: Starter) -> None:
        with pytest.raises(EventNotHandledError) as caught:
            handle({"Records": [{}] * 100}, starter)
        assert str(caught.value).count("record ") == 10

    def test_what_asks_for_nothing_is_reported(self, starter: Starter, executions: FakeExecutions) -> None:
        test, deletion = {"Event": "s3:TestEvent"}, s3_record(SOURCE, KEY) | {"eventName": "ObjectRemoved:Delete"}
        outcome = handle({"Records": [test, deletion, s3_record(DESTINATIONS[0], KEY)]}, starter)
        assert not executions.inputs
        assert [ignored.reason for ignored in outcome.ignored] == [
            "s3:TestEvent",
            "ObjectRemoved:Delete",
            "loop guard: the bucket is a destination",
        ]

    def test_new_tags_start_a_run_of_their_own_once(self, starter: Starter, executions: FakeExecutions) -> None:
        tagged = s3_record(SOURCE, KEY) | {
            "eventName": "ObjectTagging:Put",
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        }
        later = tagged | {"responseElements": {"x-amz-request-id": "D4E24FE58DE4C811"}}
        for record in (s3_record(SOURCE, KEY, sequencer="AB"), tagged, tagged, later):
            handle({"Records": [record]}, starter)
        assert len(executions.inputs) == 3

    @pytest.mark.parametrize("payload", [None, 7, "no JSON", {}, []])
    def test_what_no_service_sends_is_not_swallowed(self, starter: Starter, payload: object) -> None:
        with pytest.raises(EventNotHandledError):
            handle(payload, starter)


class TestWorkflows:
    """Which state machine runs it."""

    @pytest.mark.parametrize(
        ("size", "arn"),
        [(0, _EXPRESS), (EXPRESS_LIMIT, _EXPRESS), (EXPRESS_LIMIT + 1, _STANDARD), (None, _STANDARD)],
    )
    def test_express_takes_what_fits_its_five_minutes(self, size: int | None, arn: str) -> None:
        assert Workflows(_STANDARD, _EXPRESS).arn_for(size) == arn

    def test_the_largest_file_of_express_can_be_copied_twice_everywhere_in_its_five_minutes(self) -> None:
        """Step Functions developer guide, "Choosing workflow type": Express runs for five minutes at most."""
        destinations, at_a_time, attempts = 22, 10, 2
        copies_in_a_row = ceil(destinations / at_a_time) * attempts
        assert EXPRESS_LIMIT * copies_in_a_row / 300 <= 25e6  # bytes a second: what a copy between Regions reaches

    @pytest.mark.parametrize("express", [None, ""])
    def test_without_express_everything_is_standard(self, express: str | None) -> None:
        assert Workflows(_STANDARD, express).arn_for(3) == _STANDARD

    def test_an_event_tells_the_size(self, executions: FakeExecutions) -> None:
        starter = Starter(executions, Workflows(_STANDARD, _EXPRESS))
        handle({"Records": [s3_record(SOURCE, "small"), s3_record(SOURCE, "large", size=6 * 1024**3)]}, starter)
        assert [arn.split(":")[6] for arn in executions.inputs] == [
            "waybill-replication-express",
            "waybill-replication",
        ]


class TestByHand:
    """`Starter.start_manually`.

    Source: README of replication. Only what runs now is an answer; a slip in a name starts nothing.
    """

    @pytest.fixture
    def world(self, world: World) -> World:
        world.upload()
        return world

    def start(self, starter: Starter, world: World, trigger: str = "", **changes: Any) -> Started:
        numbers = itertools.count(100 * len(starter.executions.inputs))  # type: ignore[attr-defined]
        context = StartContext(
            world.machine.buckets,
            world.machine.tracking,
            frozenset({trigger}),
            lambda: f"nonce {next(numbers)}",
            world.clock.now,
        )
        return starter.start_manually({**_PAYLOAD, **changes}, context)

    def claim(self, world: World, started: Started) -> ReplicationRun:
        """The execution has got as far as its claim."""
        arn = started.execution.execution_arn
        run = world.machine.run(started.request, arn.rsplit(":", 1)[-1], execution_id=arn)
        return run.model_copy(update={"generation": world.machine.tracking.claim(run).generation})

    def test_nobody_makes_a_run_part_of_a_backfill(self, starter: Starter, world: World) -> None:
        """Whose failures are told once an hour: whoever named one would decide that nobody is told of theirs."""
        with pytest.raises(InvalidInputError) as refused:
            self.start(starter, world, backfillId="20261121-100000-abc")
        assert [error.field for error in refused.value.errors] == ["backfillId"]

    def test_a_running_run_answers_for_the_same_request(self, starter: Starter, world: World) -> None:
        first = self.start(starter, world)
        self.claim(world, first)
        second = self.start(starter, world, destinationBuckets=list(reversed(DESTINATIONS)))
        assert second.execution.already_running
        assert second.execution.execution_arn == first.execution.execution_arn

    def test_of_two_at_the_same_moment_one_has_started_it(self, starter: Starter, world: World) -> None:
        """Neither has claimed the record when the other looks."""
        first, second = self.start(starter, world), self.start(starter, world)
        assert (first.execution.already_running, second.execution.already_running) == (False, True)
        assert first.execution.execution_arn == second.execution.execution_arn
        # Step Functions greets equal inputs under one name as first (API Reference, StartExecution).
        assert first.request.wire() != second.request.wire()

    @pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
    @pytest.mark.parametrize("claimed", [True, False])
    def test_a_run_that_has_ended_answers_nothing(
        self, starter: Starter, world: World, executions: FakeExecutions, status: str, claimed: bool
    ) -> None:
        """Its record may say that it is in progress: whether something runs, the execution says."""
        arns = set()
        for _ in range(4):
            started = self.start(starter, world)
            assert not started.execution.already_running
            arns.add(started.execution.execution_arn)
            if claimed:
                self.claim(world, started)
            executions.end(started.execution.execution_arn, status)
        assert len(arns) == 4, "names of executions last for 90 days"

    def test_a_running_run_to_other_destinations_does_not_answer(self, starter: Starter, world: World) -> None:
        self.claim(world, self.start(starter, world))
        other = self.start(starter, world, destinationBuckets=[*DESTINATIONS, "elsewhere-builds"])
        assert not other.execution.already_running
        self.claim(world, other)
        assert self.start(starter, world).execution.execution_arn == other.execution.execution_arn

    @pytest.mark.parametrize("changes", [{"destinationPrefix": "copy/"}, {"eTag": "e"}, {"force": True}])
    def test_a_running_run_does_not_answer_for_something_else(
        self, starter: Starter, world: World, changes: dict[str, Any]
    ) -> None:
        if "eTag" in changes:
            changes = {"eTag": world.s3.get(SOURCE, KEY).e_tag}
        self.claim(world, self.start(starter, world))
        assert not self.start(starter, world, **changes).execution.already_running

    @pytest.mark.parametrize(("seconds", "answers"), [(0, True), (300, True), (331, False)])
    def test_an_express_run_is_running_for_its_five_minutes(
        self, executions: FakeExecutions, world: World, seconds: int, answers: bool
    ) -> None:
        starter = Starter(executions, Workflows(_STANDARD, _EXPRESS))
        first = self.start(starter, world)
        run = self.claim(world, first)
        world.record["executionId"] = run.execution_id.replace(":execution:", ":express:")
        executions.states.clear()
        world.clock.advance(seconds=seconds)
        assert self.start(starter, world).execution.already_running is answers

    def test_force_starts_another_each_time(self, starter: Starter, world: World, executions: FakeExecutions) -> None:
        started = [self.start(starter, world, force=force) for force in (False, True, True)]
        assert not any(one.execution.already_running for one in started)
        assert len(executions.inputs) == 3
        assert [one.request.force for one in started] == [False, True, True]

    def test_a_nonce_of_the_callers_makes_force_repeatable(self, starter: Starter, world: World) -> None:
        first, again = (self.start(starter, world, force=True, nonce="mine") for _ in range(2))
        assert again.execution.execution_arn == first.execution.execution_arn
        assert again.execution.already_running

    def test_the_state_that_was_seen_is_not_pinned(self, starter: Starter, world: World) -> None:
        # The workflow describes the source after it has claimed the record; see the decision on that.
        request = self.start(starter, world).request
        assert (request.e_tag, request.version_id) == (None, None)

    def test_the_size_that_was_seen_chooses_the_machine(self, executions: FakeExecutions, world: World) -> None:
        starter = Starter(executions, Workflows(_STANDARD, _EXPRESS))
        self.start(starter, world)
        world.upload(SINGLE_COPY_LIMIT + 1)
        self.start(starter, world)
        assert [arn.split(":")[6] for arn in executions.inputs] == [
            "waybill-replication-express",
            "waybill-replication",
        ]

    @pytest.mark.parametrize(
        ("error", "changes", "field", "words"),
        [
            (None, {"sourceKey": "build-123.ZIP"}, "sourceKey", f"there is no object s3://{SOURCE}/build-123.ZIP"),
            (None, {"sourceBucket": "globalbuilds"}, "sourceBucket", "there is no bucket globalbuilds"),
            (None, {"versionId": "gone"}, "versionId", f"s3://{SOURCE}/{KEY} has no such version"),
            (None, {"eTag": "old"}, "eTag", f"s3://{SOURCE}/{KEY} has another ETag now"),
            (AccessDeniedError("AccessDenied"), {}, "sourceKey", f"s3://{SOURCE}/{KEY} cannot be read: AccessDenied"),
            (SseCUnsupportedError("SSE-C"), {}, "sourceKey", f"s3://{SOURCE}/{KEY} cannot be read: SSE-C"),
        ],
    )
    def test_a_source_that_cannot_be_read_is_named_and_starts_nothing(
        self,
        starter: Starter,
        world: World,
        executions: FakeExecutions,
        error: Exception | None,
        changes: dict[str, Any],
        field: str,
        words: str,
    ) -> None:
        if error:
            world.machine.probe.fail("describe_source", error)
        with pytest.raises(SourceRefusedError) as caught:
            self.start(starter, world, **changes)
        assert [(one.field, one.message) for one in caught.value.errors] == [(field, words)]
        assert not executions.inputs
        assert not world.table.records

    def test_a_fault_that_passes_starts_nothing(
        self, starter: Starter, world: World, executions: FakeExecutions
    ) -> None:
        world.machine.probe.fail("describe_source", ThrottledError("SlowDown"))
        with pytest.raises(ThrottledError):
            self.start(starter, world)
        assert not executions.inputs

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"sourceKey": ""}, "sourceKey"),
            ({"destinationBuckets": ["trigger"]}, "destinationBuckets[0]"),
            ({"destinationBuckets": SOURCE}, "destinationBuckets"),
        ],
    )
    def test_mistakes_start_nothing(
        self, starter: Starter, world: World, executions: FakeExecutions, changes: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            self.start(starter, world, trigger="trigger", **changes)
        assert [error.field for error in caught.value.errors] == [field]
        assert not executions.inputs


class TestReplies:
    """What the functions answer."""

    def test_a_manual_start(self, starter: Starter) -> None:
        outcome = handle(s3_event(SOURCE, KEY, sequencer="AB"), starter)
        reply = start_reply(outcome.started[0]).wire()
        assert reply["message"] == "Step Function execution started successfully"
        assert set(reply) == {"message", "executionArn", "startDate", "input", "alreadyRunning"}
        assert reply["startDate"] == "2026-03-01T00:00:00.000Z"
        assert reply["input"]["sourceKey"] == KEY
        again = start_reply(handle(s3_event(SOURCE, KEY, sequencer="AB"), starter).started[0]).wire()
        assert (again["alreadyRunning"], again["message"]) == (True, "A run is carrying this out already")

    def test_one_record_is_answered_as_the_guide_has_it(self, starter: Starter) -> None:
        reply = worker_reply(handle(s3_event(SOURCE, KEY, sequencer="AB"), starter))
        assert reply["statusCode"] == 200
        assert reply["message"] == "1 replications started, 0 records ignored"
        assert (reply["sourceBucket"], reply["sourceKey"]) == (SOURCE, KEY)
        assert reply["destinationBuckets"] == list(DESTINATIONS)
        assert json.loads(reply["body"])["executionArn"] == reply["executionArn"]

    def test_an_event_that_comes_again_has_started_nothing(self, starter: Starter) -> None:
        handle(s3_event(SOURCE, KEY, sequencer="AB"), starter)
        reply = worker_reply(handle(s3_event(SOURCE, KEY, sequencer="AB"), starter))
        assert reply["message"] == "0 replications started, 0 records ignored, 1 started before"

    def test_several_records_are_answered_by_a_list(self, starter: Starter) -> None:
        outcome = handle({"Records": [s3_record(SOURCE, "a"), s3_record(SOURCE, "b")]}, starter)
        reply = worker_reply(EventOutcome(outcome.started, (Ignored("because"),)))
        assert reply["message"] == "2 replications started, 1 records ignored"
        assert [one["sourceKey"] for one in reply["executions"]] == ["a", "b"]
        assert "executionArn" not in reply

    def test_the_body_is_the_document(self) -> None:
        reply = direct_reply(400, {"message": "Zoë"})
        assert reply == {"statusCode": 400, "message": "Zoë", "body": '{"message": "Zoë"}'}
