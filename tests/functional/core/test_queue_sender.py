"""The one sender to SQS.

Sources: Amazon SQS API Reference, SendMessageBatch (10 messages, bytes of all of them, `Failed` with `SenderFault`);
a partial failure was resent in one place and failed the whole request in another.
"""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.fakes.waiting import StillClock
from waybill.core.aws.sqs import BATCH_LIMIT_BYTES, Message, MessagesUnsentError, QueueSender
from waybill.core.retry import Retry


class Queue:
    """Fails a message so often as `failing` says by its body, with the fault that `faults` says."""

    def __init__(self, failing: dict[str, int] | None = None, *, fault: bool = False) -> None:
        self.failing = dict(failing or {})
        self.fault = fault
        self.taken: list[str] = []
        self.batches: list[list[dict[str, Any]]] = []
        self.errors: list[Exception] = []

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        if self.errors:
            raise self.errors.pop()
        entries = call["Entries"]
        self.batches.append(entries)
        failed = []
        for entry in entries:
            if self.failing.get(entry["MessageBody"], 0):
                self.failing[entry["MessageBody"]] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": self.fault})
            else:
                self.taken.append(entry["MessageBody"])
        return {"Failed": failed}


def messages(count: int) -> list[Message]:
    return [Message(f"message-{number}", str(number)) for number in range(count)]


def sender(queue: Any, still: StillClock | None = None, tries: int = 4) -> QueueSender:
    still = still or StillClock()
    return QueueSender(queue, "url", retry=Retry(tries=tries, first_pause=1, longest_pause=5, clock=still.clock()))


def test_what_fails_is_sent_again_and_nothing_else() -> None:
    queue, still = Queue({"3": 2, "12": 1}), StillClock()
    assert sender(queue, still).send(messages(25)) == 25
    assert sorted(queue.taken, key=int) == [str(number) for number in range(25)]
    assert [len(batch) for batch in queue.batches] == [10, 1, 1, 10, 1, 5]
    assert still.pauses == [1, 2, 1]


def test_what_is_left_in_the_end_is_named_and_the_others_are_sent() -> None:
    queue, still = Queue({"3": 10**9, "24": 10**9}), StillClock()
    with pytest.raises(
        MessagesUnsentError, match=r"message-3 \(InternalError\), message-24 \(InternalError\)"
    ) as raised:
        sender(queue, still).send(messages(25))
    assert [one.message.body for one in raised.value.unsent] == ["3", "24"]
    assert len(queue.taken) == 23
    assert still.pauses == [1, 2, 4, 1, 2, 4]


def test_what_sqs_refuses_for_good_is_not_sent_again() -> None:
    queue, still = Queue({"3": 1}, fault=True), StillClock()
    with pytest.raises(MessagesUnsentError) as raised:
        sender(queue, still).send(messages(5))
    assert [one.message.name for one in raised.value.unsent] == ["message-3"]
    assert still.pauses == []


def test_a_queue_that_does_not_answer_is_asked_again() -> None:
    queue = Queue()
    queue.errors = [EndpointConnectionError(endpoint_url=""), ClientError({"Error": {"Code": "Throttling"}}, "Send")]
    assert sender(queue).send(messages(3)) == 3


def test_a_queue_that_never_answers_ends_it() -> None:
    queue, still = Queue(), StillClock()
    queue.errors = [EndpointConnectionError(endpoint_url="") for _ in range(100)]
    with pytest.raises(MessagesUnsentError, match="EndpointConnectionError"):
        sender(queue, still).send(messages(30))
    assert still.pauses == [1, 2, 4]


def test_a_queue_that_refuses_is_not_asked_again() -> None:
    queue, still = Queue(), StillClock()
    queue.errors = [ClientError({"Error": {"Code": "AccessDenied"}}, "Send")]
    with pytest.raises(ClientError, match="AccessDenied"):
        sender(queue, still).send(messages(3))
    assert still.pauses == []


@given(st.lists(st.integers(1, BATCH_LIMIT_BYTES), max_size=25))
def test_no_batch_is_larger_than_sqs_takes(sizes: list[int]) -> None:
    queue = Queue()
    sender(queue).send(Message(str(number), "é" * (size // 2) + "a" * (size % 2)) for number, size in enumerate(sizes))
    for batch in queue.batches:
        assert len(batch) <= 10
        assert sum(len(entry["MessageBody"].encode()) for entry in batch) <= BATCH_LIMIT_BYTES
    assert [len(body.encode()) for body in queue.taken] == sizes


def test_no_more_are_read_than_are_sent() -> None:
    read: list[int] = []
    queue = Queue()
    queue.errors = [ClientError({"Error": {"Code": "AccessDenied"}}, "Send")]
    with pytest.raises(ClientError):
        sender(queue).send(Message(str(number), "x") for number in range(100) if not read.append(number))  # type: ignore[func-returns-value]
    assert len(read) == 11


def test_on_sqs() -> None:
    with mock_aws():
        client = boto3.client("sqs", "eu-west-1")
        url = client.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        sent = [Message("one", "body", group="g", deduplication="d", attributes={"workflow": "minting"})]
        assert QueueSender(client, url).send(sent) == 1
        [received] = client.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["MessageGroupId"]
        )["Messages"]
    assert (received["Body"], received["Attributes"]["MessageGroupId"]) == ("body", "g")
    assert received["MessageAttributes"]["workflow"]["StringValue"] == "minting"
