"""SQS as the lister's way to the workers, on moto: everything arrives, though SQS refuses some of it at first."""

import json
from typing import Any

import pytest

from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.core.clock import Clock
from waybill.core.retry import Retry
from waybill.scanning.adapters.queues import SqsQueue
from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.models import Entry, Slice

SLICES = [Slice("job", "archive", f"000#{number:09}", (Entry(f"k{number}", 1, "e"),)) for number in range(10)]


@pytest.fixture
def url(wire: Wire) -> str:
    return str(client("sqs").create_queue(QueueName="slices")["QueueUrl"])


@pytest.fixture
def queue(url: str, wire: Wire) -> SqsQueue:
    return SqsQueue(client("sqs"), url, retry=Retry(tries=5, clock=Clock(sleep=wire.waits.append)))


def received(url: str) -> set[str]:
    found: set[str] = set()
    while messages := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found |= {message["Body"] for message in messages}
    return found


def entries(wire: Wire) -> list[int]:
    return [len(request.document["Entries"]) for request in wire.of("sqs.SendMessageBatch")]


def refuse(wire: Wire, count: int, times: int) -> None:
    """Let SQS say of the last `count` entries of the next `times` batches that they failed."""
    left = times

    def fail(answer: Any) -> None:
        nonlocal left
        if left > 0 and "Successful" in answer:
            left -= 1
            failed = answer["Successful"][-count:]
            answer["Successful"] = answer["Successful"][:-count]
            answer["Failed"] = [{"Id": one["Id"], "SenderFault": False, "Code": "InternalError"} for one in failed]

    wire.change("sqs.SendMessageBatch", fail)


def test_what_sqs_refuses_is_sent_again_and_nothing_else(queue: SqsQueue, url: str, wire: Wire) -> None:
    refuse(wire, 3, times=2)
    assert queue.send(SLICES) == 10
    assert entries(wire) == [10, 3, 3]
    assert {Slice.of(json.loads(body)) for body in received(url)} == set(SLICES)
    assert len(wire.waits) == 2


def test_a_queue_that_refuses_everything_is_unavailable(queue: SqsQueue, wire: Wire) -> None:
    refuse(wire, 10, times=100)
    with pytest.raises(QueueUnavailableError, match=r"SQS has not taken .* \(InternalError\)"):
        queue.send(SLICES)
    assert entries(wire) == [10] * 5
    assert len(wire.waits) == 4


@pytest.mark.parametrize(("code", "status"), [("ServiceUnavailable", 503), ("AccessDenied", 403)])
def test_an_error_of_sqs_is_ours_to_repeat(queue: SqsQueue, wire: Wire, code: str, status: int) -> None:
    wire.refuse("sqs.SendMessageBatch", code, status=status)
    with pytest.raises(QueueUnavailableError):
        queue.send(SLICES)


def test_large_messages_go_in_several_batches(queue: SqsQueue, url: str, wire: Wire) -> None:
    large = [
        Slice("job", "archive", f"{number}", tuple(Entry("k" * 1000 + str(key), 1, "e" * 32) for key in range(90)))
        for number in range(10)
    ]
    assert queue.send(large) == 10
    assert sum(entries(wire)) == 10
    assert all(len(request.body) < 256 * 1024 for request in wire.of("sqs.SendMessageBatch"))
    assert len(received(url)) == 10


def test_a_message_in_work_can_be_told_when_to_come_again(queue: SqsQueue, url: str, wire: Wire) -> None:
    queue.send(SLICES[:1])
    [message] = client("sqs").receive_message(QueueUrl=url)["Messages"]
    queue.wait(message["ReceiptHandle"], 0)
    assert len(received(url)) == 1
