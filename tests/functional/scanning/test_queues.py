"""Slices on their way to SQS: what SQS reports as failed is sent again, and nothing is lost without an error."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.fakes.wire import Wire
from tests.functional.scanning.conftest import Scanner
from waybill.core.aws import client
from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.models import Entry, Slice
from waybill.scanning.queues import SqsQueue

type Refuse = Callable[[int, dict[str, Any]], list[str]]


class Disturbed:
    """SQS, which refuses the entries that `refuse` names, in an answer 200."""

    def __init__(self, sqs: Any, refuse: Refuse) -> None:
        self._sqs = sqs
        self._refuse = refuse
        self.calls = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        assert len(Entries) <= 10
        assert sum(len(entry["MessageBody"].encode()) for entry in Entries) <= 262_144
        self.calls += 1
        refused = {Entries[int(index)]["Id"] for index in self._refuse(self.calls, {"Entries": Entries})}
        taken = [entry for entry in Entries if entry["Id"] not in refused]
        answer = self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=taken) if taken else {}
        return answer | {"Failed": [{"Id": one, "SenderFault": False, "Code": "InternalError"} for one in refused]}


@pytest.fixture
def url(wire: Wire) -> str:
    return str(client("sqs").create_queue(QueueName="slices")["QueueUrl"])


def slices(count: int, keys: int = 1, length: int = 5) -> list[Slice]:
    entries = [[Entry(f"{number}-{key}".ljust(length), 1, "e") for key in range(keys)] for number in range(count)]
    return [Slice("job", "archive", "000#000000001", tuple(each)) for each in entries]


def received(url: str) -> Counter[str]:
    found: Counter[str] = Counter()
    sqs = boto3.client("sqs", "eu-west-1")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found.update(json.loads(message["Body"])["objects"][0][0] for message in messages)
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_three_of_ten_that_fail_twice_are_delivered_once(url: str) -> None:
    pauses: list[float] = []
    sqs = Disturbed(client("sqs"), lambda call, _: ["0", "1", "2"] if call in {1, 2} else [])
    queue = SqsQueue(sqs, url, pause=pauses.append)
    assert queue.send(slices(10)) == 10
    assert received(url) == Counter(f"{number}-0  " for number in range(10))
    assert (sqs.calls, len(pauses)) == (3, 2)


def test_what_fails_for_good_is_an_error_and_nothing_counts_as_sent(url: str) -> None:
    sqs = Disturbed(client("sqs"), lambda call, batch: ["0"])
    with pytest.raises(QueueUnavailableError, match="1 messages"):
        SqsQueue(sqs, url, pause=lambda _: None).send(slices(3))
    assert sqs.calls == 5


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch"),
        EndpointConnectionError(endpoint_url="https://sqs"),
    ],
)
def test_a_call_that_fails_is_an_error_that_passes(url: str, fault: Exception) -> None:
    def fail(call: int, batch: Any) -> list[str]:
        raise fault

    with pytest.raises(QueueUnavailableError):
        SqsQueue(Disturbed(client("sqs"), fail), url).send(slices(1))


def test_large_messages_go_in_smaller_batches(url: str) -> None:
    sqs = Disturbed(client("sqs"), lambda call, batch: [])
    assert SqsQueue(sqs, url).send(slices(10, keys=100, length=900)) == 10
    assert sqs.calls >= 4
    assert sum(received(url).values()) == 10


def test_a_listing_whose_messages_are_refused_stops_before_the_page_and_goes_on_later(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {f"k{number:02}": b"" for number in range(30)}
    scanner.bucket.page_keys = 10
    job = scanner.create()
    send, calls = scanner.queue.send, 0

    def refuse(works: Any) -> int:
        nonlocal calls
        calls += 1
        if calls in {2, 3}:
            raise QueueUnavailableError("refused")
        return send(works)

    monkeypatch.setattr(scanner.queue, "send", refuse)
    for _ in range(2):
        with pytest.raises(QueueUnavailableError):
            scanner.list_all(job)
        assert scanner.store.ranges(job.job_id)[0].total == 10
    scanner.list_all(job)
    assert scanner.jobs.find(job.job_id).total == 30
    sent = Counter(entry.key for work in scanner.queue.slices for entry in work.entries)
    assert sent == Counter(list(scanner.bucket.objects))
