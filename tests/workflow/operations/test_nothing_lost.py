"""Events that cannot be handled at once: retried by themselves, and at last kept for a person."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.events import s3_event
from tests.workflow.support.gate import Gate, Refusal
from tests.workflow.support.polling import until
from tests.workflow.support.source import Source


@pytest.fixture
def retry_queue(application: Application) -> str:
    """URL of the queue of events on their way back to the worker."""
    return application.outputs["ReplicationRetryQueueUrl"]


@contextmanager
def impatient(application: Application, queue: str, *, receptions: int) -> Iterator[None]:
    """Let a queue hand its messages out again after two seconds, and give them up after so many times."""
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = application.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": receptions}
    changed = {"VisibilityTimeout": "2", "RedrivePolicy": json.dumps(policy)}
    application.sqs.set_queue_attributes(QueueUrl=queue, Attributes=changed)
    try:
        yield
    finally:
        application.sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


def waiting(application: Application, queue: str) -> int:
    """Return how many messages are in a queue, handed out or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = application.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_uploads_while_the_worker_is_throttled_are_replicated_afterwards(
    application: Application, source: Source, retry_queue: str, label: str
) -> None:
    keys = [f"{label}-{number}" for number in range(3)]
    with application.throttled("ReplicationWorkerFunction"):
        before = waiting(application, retry_queue)
        for key in keys:
            source.put(key)
        until(
            lambda: waiting(application, retry_queue) == before + len(keys), "the failure destination has every event"
        )
        assert application.executions(label) == []

    for key in keys:
        source.record(key)
    assert len(application.executions(label)) == len(keys)
    until(lambda: waiting(application, retry_queue) <= before, "the queue has no event of these")


def test_upload_that_cannot_be_started_comes_back_by_itself(
    application: Application, gate: Gate, source: Source, retry_queue: str, key: str, label: str
) -> None:
    with impatient(application, retry_queue, receptions=20):
        before = waiting(application, retry_queue)
        with gate.refusing("StartExecution", label, Refusal(400, "ExecutionLimitExceeded")) as refused:
            source.put(key)
            # Three times by Lambda itself before it gives up, and then from the queue.
            until(lambda: refused.seen > 3, "the failure destination has the event")

        source.record(key)
        assert len(application.executions(label)) == 1
        until(lambda: waiting(application, retry_queue) <= before, "the queue has no event of this")


def test_message_that_nobody_understands_ends_in_the_dead_letter_queue_and_keeps_nobody_waiting(
    application: Application, quiet: Source, retry_queue: str, key: str, label: str
) -> None:
    dead_letters = application.outputs["ReplicationDeadLetterQueueUrl"]
    quiet.put(key)
    with impatient(application, retry_queue, receptions=2):
        before = waiting(application, retry_queue)
        for body in ({"unknown": label}, {"requestPayload": s3_event(quiet.name, key)}):
            application.sqs.send_message(QueueUrl=retry_queue, MessageBody=json.dumps(body))

        quiet.record(key)
        until(lambda: {"unknown": label} in receive(application, dead_letters), "the message in the dead-letter queue")
        until(lambda: waiting(application, retry_queue) <= before, "the queue has neither of them")
    assert len(application.executions(label)) == 1


def receive(application: Application, queue: str) -> list[Any]:
    """Take what is in a queue out of it, and return it."""
    found = application.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        application.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]
