"""`waybill replications redrive`: nothing is lost on the way from the dead-letter queue to the worker."""

import json
from typing import Any

import pytest

from tests.fakes.functions import REGION
from tests.fakes.runs import SOURCE
from tests.fakes.wire import Wire
from tests.functional.cli.conftest import Program, lines
from waybill.core.aws.clients import client

REDRIVE = ("replications", "redrive")


class Queue:
    """One queue of the stack."""

    def __init__(self, name: str) -> None:
        self.sqs = client("sqs", REGION)
        self.url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def send(self, *bodies: str, **more: Any) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)

    def take(self) -> list[dict[str, Any]]:
        """Take all messages that can be seen."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += messages
        return found

    @property
    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.take()]


@pytest.fixture
def dead(stack: None, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The dead-letter queue; an empty one is known at once."""
    monkeypatch.setattr("waybill.cli.adapters.dead_letters._WAIT_SECONDS", 0)
    return Queue("dead")


@pytest.fixture
def retry(stack: None) -> Queue:
    return Queue("retry")


def given_up(key: str, error: str = "EventNotHandledError") -> str:
    """What Lambda sends to an on-failure destination (Lambda developer guide, "Invocation records")."""
    record = {
        "eventVersion": "2.1",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": SOURCE}, "object": {"key": key}},
    }
    return json.dumps(
        {
            "requestContext": {"condition": "RetriesExhausted"},
            "requestPayload": {"Records": [record]},
            "responsePayload": {"errorType": error, "errorMessage": "record 0: no"},
        }
    )


def test_messages_are_moved_as_they_are(waybill: Program, dead: Queue, retry: Queue) -> None:
    bodies = [f"message {number} ü" for number in range(23)]
    attribute = {"cause": {"DataType": "String", "StringValue": "RetriesExhausted"}}
    dead.send(*bodies, MessageAttributes=attribute)

    ran = waybill(*REDRIVE, "--json")

    assert (ran.status, ran.json) == (0, {"moved": 23, "failed": 0, "left": 0})
    moved = retry.take()
    assert sorted(message["Body"] for message in moved) == sorted(bodies)
    assert all(message["MessageAttributes"] == attribute for message in moved)
    assert dead.bodies == []


def test_no_more_messages_are_moved_than_asked_for(waybill: Program, dead: Queue, retry: Queue) -> None:
    dead.send(*(str(number) for number in range(25)))
    ran = waybill(*REDRIVE, "--limit", "12")
    assert lines(ran) == ["Moved      12", "Not moved  0", "Left       13"]
    assert (len(retry.bodies), len(dead.bodies)) == (12, 13)


def test_an_empty_queue_is_no_error(waybill: Program, dead: Queue) -> None:
    assert waybill(*REDRIVE, "--json").json == {"moved": 0, "failed": 0, "left": 0}
    assert waybill(*REDRIVE, "--dry-run").out == "no message waits in the dead-letter queue\n"


def test_a_message_that_cannot_be_sent_stays_and_is_told(
    waybill: Program, dead: Queue, retry: Queue, wire: Wire
) -> None:
    dead.send("good 1", "bad", "good 2")
    wire.refuse("sqs.SendMessage", "KmsAccessDenied", "no key", when=lambda sent: b'"bad"' in sent.body)

    ran = waybill(*REDRIVE)

    assert ran.status == 1
    assert lines(ran) == ["Moved      2", "Not moved  1", "Left       1"]
    assert "not all messages could be moved" in ran.err
    assert "KmsAccessDenied" in ran.err
    assert sorted(retry.bodies) == ["good 1", "good 2"]
    assert dead.bodies == ["bad"]


def test_a_message_is_deleted_only_after_it_was_sent(waybill: Program, dead: Queue, retry: Queue, wire: Wire) -> None:
    dead.send("message")
    wire.clear()
    waybill(*REDRIVE)
    order = [request.operation for request in wire.requests if "Message" in request.operation]
    assert order == ["sqs.ReceiveMessage", "sqs.SendMessage", "sqs.DeleteMessage", "sqs.ReceiveMessage"]


def test_a_message_that_was_sent_and_not_deleted_is_sent_again(
    waybill: Program, dead: Queue, retry: Queue, wire: Wire
) -> None:
    dead.send("message")
    wire.refuse("sqs.DeleteMessage", "InternalError", times=1)
    assert waybill(*REDRIVE).status == 1
    assert waybill(*REDRIVE).status == 0
    assert retry.bodies == ["message", "message"]


def test_a_dry_run_tells_what_waits_and_leaves_it_there(waybill: Program, dead: Queue, retry: Queue) -> None:
    dead.send(given_up("my+file+%281%29.zip"), given_up("x%1B%5B2J", "Sandbox.Timedout"), "nonsense", '{"a": 1}')

    shown = lines(waybill(*REDRIVE, "--dry-run"))
    told = waybill(*REDRIVE, "--dry-run", "--json").json

    assert sorted(line.split()[2:] for line in shown[1:]) == [
        ["?"],
        ["?"],
        [f"s3://{SOURCE}/my", "file", "(1).zip", "EventNotHandledError"],
        [f"s3://{SOURCE}/x\\x1b[2J", "Sandbox.Timedout"],
    ]
    assert told["count"] == 4
    assert sorted(message["objects"] for message in told["messages"]) == [
        [],
        [],
        [f"s3://{SOURCE}/my file (1).zip"],
        [f"s3://{SOURCE}/x\x1b[2J"],
    ]
    assert len(dead.bodies) == 4
    assert retry.bodies == []


def test_a_dry_run_can_be_limited(waybill: Program, dead: Queue) -> None:
    dead.send(*(given_up(str(number)) for number in range(15)))
    assert waybill(*REDRIVE, "--dry-run", "--limit", "3", "--json").json["count"] == 3
    assert len(dead.bodies) == 15
