"""A dead-letter queue whose messages a person looks at, and sends on their way once more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from waybill.core.aws.faults import AWS_FAULTS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Amazon SQS API Reference, ReceiveMessage: at most 10 at a time; with a wait, every server of the queue is asked.
BATCH = 10
_WAIT_SECONDS = 1
# Long enough to send ten messages; what was not deleted by then is in the dead-letter queue again.
_HIDDEN_SECONDS = 120


type DeadLetter = "MessageTypeDef"
"""A message of the queue, as SQS gives it."""


@dataclass(frozen=True)
class DeadLetters:
    """The dead-letter queue `source`, and `target`, from which the worker takes what it is to try again."""

    client: "SQSClient"
    source: str
    target: str

    def waiting(self) -> int:
        """Return about how many messages wait."""
        answer = self.client.get_queue_attributes(QueueUrl=self.source, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def received(self, limit: int | None) -> Iterator[list[DeadLetter]]:
        """Yield batches of messages until the queue is empty or `limit` is reached; nobody else sees them meanwhile."""
        left = limit
        while left is None or left > 0:
            answer = self.client.receive_message(
                QueueUrl=self.source,
                MaxNumberOfMessages=BATCH if left is None else min(BATCH, left),
                WaitTimeSeconds=_WAIT_SECONDS,
                VisibilityTimeout=_HIDDEN_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            yield messages
            left = None if left is None else left - len(messages)

    def move(self, message: DeadLetter) -> str | None:
        """Send the message to the worker, then delete it here; return what went wrong, in which case it is still here.

        When it is sent and not deleted it is sent again some day, which starts nothing twice.
        """
        attributes = message.get("MessageAttributes", {})
        try:
            self.client.send_message(QueueUrl=self.target, MessageBody=message["Body"], MessageAttributes=attributes)
            self.client.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
        except AWS_FAULTS as error:
            return str(error)
        return None

    def release(self, messages: Sequence[DeadLetter]) -> None:
        """Let others see the messages again."""
        for batch in batched(messages, BATCH, strict=False):
            self.client.change_message_visibility_batch(
                QueueUrl=self.source,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                    for index, message in enumerate(batch)
                ],
            )
