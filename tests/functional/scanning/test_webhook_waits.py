"""How long the function that delivers webhooks hides a message, from an SQS that counts as AWS's does."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.template import load_template, properties_of
from tests.fakes.api import LambdaContext
from waybill.scanning.adapters.queues import DeliveringQueue
from waybill.scanning.domain.webhooks import WAITS_SECONDS, DeliveryAttempt
from waybill.scanning.handlers import deliver_webhook

# "The maximum visibility timeout is 12 hours from the time that Amazon SQS receives the ReceiveMessage request" (Amazon
# SQS developer guide, "Amazon SQS visibility timeout").
TWELVE_HOURS = 43_200
# An attempt may take nearly all of the function's time before it asks.
SHARED = load_template()["Globals"]["Function"]
PASSED = (SHARED | properties_of("DeliverWebhookFunction"))["Timeout"] - 5


class CountingSqs:
    """Refuses what it cannot hold, `passed` seconds after the message was received."""

    def __init__(self, passed: int) -> None:
        self._passed = passed
        self.hidden: list[int] = []

    def change_message_visibility(self, *, VisibilityTimeout: int, **_: str) -> None:  # noqa: N803 - boto3's name
        if VisibilityTimeout + self._passed > TWELVE_HOURS:
            told = {"Code": "InvalidParameterValue", "Message": "beyond the limit of 43200 seconds"}
            raise ClientError({"Error": told}, "ChangeMessageVisibility")
        self.hidden.append(VisibilityTimeout)


def deliver(monkeypatch: pytest.MonkeyPatch, sqs: CountingSqs, attempt: int) -> Any:
    """Handle the message of an attempt that its receiver does not take."""
    wait = WAITS_SECONDS[attempt - 1] if attempt <= len(WAITS_SECONDS) else None
    failing = SimpleNamespace(deliver=lambda *_: DeliveryAttempt(delivered=False, again=True, wait=wait))
    runtime = SimpleNamespace(webhooks=failing, webhook_queue=DeliveringQueue(sqs, "https://queue"))
    monkeypatch.setattr(deliver_webhook, "deployed", lambda: runtime)
    record = {
        "messageId": f"message-{attempt}",
        "receiptHandle": "handle",
        "body": '{"detail": {"job_id": "job"}}',
        "attributes": {"ApproximateReceiveCount": str(attempt)},
    }
    return deliver_webhook.lambda_handler({"Records": [record]}, LambdaContext())


def test_every_wait_is_one_that_sqs_holds_and_they_add_up_to_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = CountingSqs(PASSED)
    for attempt in range(1, 6):
        answer = deliver(monkeypatch, sqs, attempt)
        assert answer == {"batchItemFailures": [{"itemIdentifier": f"message-{attempt}"}]}
    assert len(sqs.hidden) == len(WAITS_SECONDS)
    # The receiver's README: five attempts over 23 hours.
    assert sum(sqs.hidden) / 3600 == pytest.approx(23, abs=0.5)


def test_a_wait_that_sqs_refuses_ends_no_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = CountingSqs(TWELVE_HOURS)
    assert deliver(monkeypatch, sqs, 1) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert sqs.hidden == []
