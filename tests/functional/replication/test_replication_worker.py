"""Events that start runs: none is lost, and none starts two."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import Invoke
from waybill.core.errors import ConfigurationError
from waybill.replication.errors import EventNotHandledError

STANDARD = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-replication"
GIB = 1024**3


def upload(key: str, sequencer: str = "01", bucket: str = SOURCE, **facts: Any) -> dict[str, Any]:
    """One record of an S3 notification."""
    described = {"key": quote_plus(key, safe="/"), "size": 3, "eTag": "e", "sequencer": sequencer, **facts}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": described},
    }


def notification(*keys: str) -> dict[str, Any]:
    return {"Records": [upload(key) for key in keys]}


def batch(*bodies: Any) -> dict[str, Any]:
    """An SQS batch; messages are numbered from 0."""
    return {
        "Records": [
            {
                "messageId": str(number),
                "eventSource": "aws:sqs",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for number, body in enumerate(bodies)
        ]
    }


def failures(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def inputs(wire: Wire) -> list[dict[str, Any]]:
    return [json.loads(request.document["input"]) for request in wire.of("sfn.StartExecution")]


def keys(wire: Wire) -> list[str]:
    return [given["sourceKey"] for given in inputs(wire)]


@pytest.fixture(autouse=True)
def state_machine(workflow: Any) -> Any:
    """The state machine, for every test here."""
    return workflow


def test_an_upload_starts_one_execution_with_one_request(invoke: Invoke, wire: Wire) -> None:
    reply = invoke("replication_worker", notification("a b+c.zip"))
    assert wire.counts == {"sfn.StartExecution": 1}
    (request,) = wire.of("sfn.StartExecution")
    assert request.document["stateMachineArn"] == STANDARD
    (given,) = inputs(wire)
    assert given == {
        "sourceBucket": SOURCE,
        "sourceKey": "a b+c.zip",
        "destinationBuckets": list(DESTINATIONS),
        "eTag": "e",
        "size": 3,
        "sequencer": "01".ljust(64, "0"),
        "force": False,
    }
    assert json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == request.document["input"]
    documented = {name: reply[name] for name in ("sourceBucket", "sourceKey", "destinationBuckets")}
    assert documented == {"sourceBucket": SOURCE, "sourceKey": "a b+c.zip", "destinationBuckets": list(DESTINATIONS)}
    assert reply["statusCode"] == 200
    assert reply["executionArn"].startswith(STANDARD.replace("stateMachine", "execution"))
    assert json.loads(reply["body"])["startDate"] == reply["startDate"]


def test_every_record_of_a_notification_starts_a_run(invoke: Invoke, wire: Wire) -> None:
    reply = invoke("replication_worker", notification("a", "b", "c"))
    assert keys(wire) == ["a", "b", "c"]
    assert [one["sourceKey"] for one in reply["executions"]] == ["a", "b", "c"]


def test_the_same_event_again_is_the_same_execution(invoke: Invoke, wire: Wire) -> None:
    replies = [invoke("replication_worker", notification("a")) for _ in range(3)]
    assert len({reply["executionArn"] for reply in replies}) == 1
    assert len({json.dumps(given, sort_keys=True) for given in inputs(wire)}) == 1


def test_an_execution_that_has_ended_is_not_started_again(invoke: Invoke, wire: Wire, workflow: Any) -> None:
    arn = invoke("replication_worker", notification("a"))["executionArn"]
    workflow.stop_execution(executionArn=arn)
    wire.refuse("sfn.StartExecution", "ExecutionAlreadyExists")
    assert invoke("replication_worker", notification("a"))["executionArn"] == arn


@pytest.mark.parametrize("key", ["x" * 1024, "é" * 512, "😀", "/", "#?&=", "a" * 100 + ".zip"])
def test_any_key_makes_a_name_that_step_functions_takes(invoke: Invoke, wire: Wire, key: str) -> None:
    invoke("replication_worker", notification(key))
    name = wire.of("sfn.StartExecution")[0].document["name"]
    assert 0 < len(name) <= 80
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert keys(wire) == [key]


@pytest.mark.parametrize(
    "event",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": SOURCE},
        {"Records": [upload("a") | {"eventName": "ObjectRemoved:Delete"}]},
        {"Records": [upload("a") | {"eventName": "s3:ObjectAcl:Put"}]},
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}},
        {"Records": [upload("a", bucket=DESTINATIONS[0])]},
    ],
)
def test_what_asks_for_nothing_is_acknowledged(invoke: Invoke, wire: Wire, event: Any) -> None:
    assert invoke("replication_worker", event)["executions"] == []
    assert invoke("replication_worker", batch(event)) == {"batchItemFailures": []}
    assert wire.requests == []


@pytest.mark.parametrize(
    ("filters", "started"),
    [
        ({}, ["in/a.zip", "in/b.txt", "c.zip"]),
        ({"KEY_SUFFIX": ".zip"}, ["in/a.zip", "c.zip"]),
        ({"KEY_PREFIX": "in/"}, ["in/a.zip", "in/b.txt"]),
        ({"KEY_PREFIX": "in/", "KEY_SUFFIX": ".zip"}, ["in/a.zip"]),
    ],
)
def test_keys_are_filtered_by_prefix_and_suffix(
    invoke: Invoke, wire: Wire, filters: dict[str, str], started: Sequence[str]
) -> None:
    invoke("replication_worker", notification("in/a.zip", "in/b.txt", "c.zip"), **filters)
    assert keys(wire) == started


@pytest.mark.parametrize("payload", [None, [], "text", {}, {"Records": "x"}, {"Records": [{}]}, {"Records": [1]}])
def test_what_no_service_sends_is_raised_and_returned(invoke: Invoke, wire: Wire, payload: Any) -> None:
    with pytest.raises(EventNotHandledError):
        invoke("replication_worker", payload)
    assert failures(invoke("replication_worker", batch(json.dumps(payload), notification("good")))) == ["0"]
    assert keys(wire) == ["good"]


def test_ninety_seven_of_a_hundred_messages_start_and_three_come_back(invoke: Invoke, wire: Wire) -> None:
    bodies: list[Any] = [notification(f"file-{number}") for number in range(100)]
    bodies[7], bodies[42], bodies[99] = "{", {"Records": [upload("")]}, {"Records": [upload("x" * 1025)]}
    assert failures(invoke("replication_worker", batch(*bodies))) == ["7", "42", "99"]
    assert keys(wire) == [f"file-{number}" for number in range(99) if number not in {7, 42}]


def test_one_bad_record_does_not_keep_the_others_from_starting(invoke: Invoke, wire: Wire) -> None:
    event = {"Records": [upload("a"), upload("x" * 1025), upload("b"), {"s3": {}, "eventName": "ObjectCreated:Put"}]}
    with pytest.raises(
        EventNotHandledError, match=r"^2 records not handled, 2 started; record 1: sourceKey: .*record 3"
    ):
        invoke("replication_worker", event)
    assert keys(wire) == ["a", "b"]


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded", "ServiceUnavailable"])
def test_what_could_not_be_started_comes_back(invoke: Invoke, wire: Wire, code: str) -> None:
    wire.refuse("sfn.StartExecution", code, when=lambda request: "throttled" in request.document["input"])
    with pytest.raises(EventNotHandledError, match=f"1 records not handled, 2 started; record 1: {code}"):
        invoke("replication_worker", notification("a", "throttled", "b"))
    event = batch(notification("c"), notification("throttled"), notification("d"))
    assert failures(invoke("replication_worker", event)) == ["1"]


def test_a_connection_that_fails_comes_back_too(invoke: Invoke, wire: Wire) -> None:
    wire.cut("sfn.StartExecution", EndpointConnectionError(endpoint_url="https://states"), times=3)
    assert failures(invoke("replication_worker", batch(notification("a"), notification("b")))) == ["0"]


def test_a_message_with_several_records_comes_back_whole(invoke: Invoke, wire: Wire) -> None:
    bad = {"Records": [upload("a"), upload("x" * 1025)]}
    assert failures(invoke("replication_worker", batch(bad, notification("b")))) == ["0"]
    assert keys(wire) == ["a", "b"]


def test_a_fault_of_ours_fails_the_whole_batch_so_that_nothing_is_lost(invoke: Invoke, wire: Wire) -> None:
    wire.refuse("sfn.StartExecution", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        invoke("replication_worker", notification("a"))
    with pytest.raises(ClientError, match="AccessDenied"):
        invoke("replication_worker", batch(notification("a"), notification("b")))
    assert len(wire.of("sfn.StartExecution")) == 2


# Step Functions, "Quotas": an Express execution ends after five minutes. What is larger takes up to fifteen per copy.
@pytest.mark.parametrize(
    ("size", "express"), [(0, True), (GIB, True), (GIB + 1, False), (5 * GIB, False), (None, False)]
)
def test_express_takes_what_fits_its_five_minutes(invoke: Invoke, wire: Wire, size: int | None, express: bool) -> None:
    arn = f"{STANDARD}-express"
    wire.answer("sfn.StartExecution", 200, '{"executionArn": "arn:x", "startDate": 1795255200}')
    event = {"Records": [upload("a", size=size)]}
    invoke("replication_worker", event, FILE_COPY_EXPRESS_WORKFLOW_ARN=arn)
    assert (wire.of("sfn.StartExecution")[0].document["stateMachineArn"] == arn) is express


def test_a_missing_setting_is_named(invoke: Invoke) -> None:
    with pytest.raises(ConfigurationError, match="DESTINATION_BUCKETS"):
        invoke("replication_worker", notification("a"), DESTINATION_BUCKETS="")
    with pytest.raises(ConfigurationError, match="FILE_COPY_WORKFLOW_ARN"):
        invoke("replication_worker", notification("a"), FILE_COPY_WORKFLOW_ARN="")
