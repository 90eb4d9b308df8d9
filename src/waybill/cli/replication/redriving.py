"""`waybill replications redrive`: events that nothing could handle, sent on their way once more."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.cli.errors import CommandError
from waybill.cli.output import details, table
from waybill.cli.replication.addresses import uri_of
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.showing import reading
from waybill.core.clock import iso
from waybill.core.text import escaped
from waybill.replication.domain.events import ObjectCreated, TagsChanged, records
from waybill.replication.models import FileId

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Amazon SQS API Reference, ReceiveMessage: at most 10 at a time; with a wait, every server of the queue is asked.
_BATCH = 10
_WAIT_SECONDS = 1
# Long enough to send ten messages; what was not deleted by then is in the dead-letter queue again.
_HIDDEN_SECONDS = 120


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

    def received(self, limit: int | None) -> "Iterator[list[MessageTypeDef]]":
        """Yield batches of messages until the queue is empty or `limit` is reached; nobody else sees them meanwhile."""
        left = limit
        while left is None or left > 0:
            answer = self.client.receive_message(
                QueueUrl=self.source,
                MaxNumberOfMessages=_BATCH if left is None else min(_BATCH, left),
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

    def move(self, message: "MessageTypeDef") -> str | None:
        """Send the message to the worker, then delete it here; return what went wrong, in which case it is still here.

        When it is sent and not deleted it is sent again some day, which starts nothing twice.
        """
        attributes = message.get("MessageAttributes", {})
        try:
            self.client.send_message(QueueUrl=self.target, MessageBody=message["Body"], MessageAttributes=attributes)
            self.client.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
        except (ClientError, BotoCoreError) as error:
            return str(error)
        return None

    def release(self, messages: "Sequence[MessageTypeDef]") -> None:
        """Let others see the messages again."""
        for batch in batched(messages, _BATCH, strict=False):
            self.client.change_message_visibility_batch(
                QueueUrl=self.source,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                    for index, message in enumerate(batch)
                ],
            )


def dead_letters(replication: Replication) -> DeadLetters:
    """Return the stack's dead-letter queue."""
    stack = replication.cli.stack
    source, target = stack.output("ReplicationDeadLetterQueueUrl"), stack.output("ReplicationRetryQueueUrl")
    return DeadLetters(replication.cli.client("sqs"), source, target)


def redrive(replication: Replication, limit: int | None) -> None:
    """Move the messages of the dead-letter queue to the retry queue."""
    letters, output = dead_letters(replication), replication.cli.output
    moved, refused, reason = 0, [], ""
    with (
        output.progress("moving messages", letters.waiting()) as bar,
        ThreadPoolExecutor(_BATCH) as pool,
    ):
        for messages in letters.received(limit):
            for message, problem in zip(messages, pool.map(letters.move, messages), strict=True):
                moved += problem is None
                refused += [message] if problem else []
                reason = problem or reason
            bar.advance(len(messages))
    letters.release(refused)
    data = {"moved": moved, "failed": len(refused), "left": letters.waiting()}
    output.show(data, details({"Moved": moved, "Not moved": len(refused), "Left": data["left"]}))
    if refused:
        raise CommandError(f"not all messages could be moved: {reason}")


def show_dead_letters(replication: Replication, limit: int | None) -> None:
    """Print the messages of the dead-letter queue, and leave them there."""
    letters, output = dead_letters(replication), replication.cli.output
    held: list[MessageTypeDef] = []
    try:
        with output.progress("reading messages", letters.waiting()) as bar:
            for messages in letters.received(limit):
                held += messages
                bar.advance(len(messages))
    finally:
        letters.release(held)
    found = [_described(message) for message in held]
    rows = ((reading(item["sentAt"]), "\n".join(map(escaped, item["objects"])) or "?", item["error"]) for item in found)
    output.show(
        {"messages": found, "count": len(found)},
        table(("Sent (UTC)", "Objects", "Error"), rows) if found else "no message waits in the dead-letter queue",
    )


def _described(message: "MessageTypeDef") -> dict[str, Any]:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return {
        "messageId": message["MessageId"],
        "sentAt": iso(sent),
        "objects": [
            uri_of(FileId(record.bucket, record.key))
            for record in records(message["Body"])
            if isinstance(record, ObjectCreated | TagsChanged)
        ],
        "error": _error(message["Body"]),
    }


def _error(body: str) -> str | None:
    """Return the name of the error with which Lambda gave the event up, where the message says so."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    match told:
        case {"responsePayload": {"errorType": str(name)}} | {"requestContext": {"condition": str(name)}}:
            return name
    return None
