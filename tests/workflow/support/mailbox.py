"""A topic as a subscriber sees it."""

import json
from dataclasses import dataclass
from typing import Any, Self

from tests.workflow.support.polling import until


@dataclass(frozen=True)
class Letter:
    """One notification: what SNS delivers, attributes included."""

    subject: str
    body: str
    attributes: dict[str, str]

    @classmethod
    def of(cls, envelope: dict[str, Any]) -> Self:
        """Read SNS's envelope, as it arrives in a queue without raw delivery."""
        attributes = envelope.get("MessageAttributes", {})
        return cls(
            envelope.get("Subject", ""),
            envelope["Message"],
            {name: attribute["Value"] for name, attribute in attributes.items()},
        )

    def about(self, text: str) -> bool:
        """Return whether the notification is about `text`, part of a key or of an execution's name."""
        return text in self.body


class Mailbox:
    """A queue that is subscribed to `topic_arn`, and what has come in so far."""

    def __init__(self, sqs: Any, sns: Any, topic_arn: str, name: str) -> None:
        self._sqs = sqs
        self._letters: list[Letter] = []
        self._url = sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": attributes["QueueArn"],
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            },
        }
        sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        subscribed = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._sns, self._subscription = sns, subscribed["SubscriptionArn"]

    def remove(self) -> None:
        """Remove the queue and its subscription."""
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._url)

    def all(self) -> list[Letter]:
        """Return everything that has come in, oldest first."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            self._letters += [Letter.of(json.loads(message["Body"])) for message in messages]
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages)
                ],
            )
        return self._letters

    def about(self, text: str) -> list[Letter]:
        """Return what has come in about `text`."""
        return [letter for letter in self.all() if letter.about(text)]

    def one_about(self, text: str) -> Letter:
        """Wait for news about `text`, and return it; fails when there is more than one."""
        [letter] = until(lambda: self.about(text), f"a notification about {text}")
        return letter
