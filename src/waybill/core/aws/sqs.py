"""Messages to an SQS queue: the only sender. Batches as large as SQS takes them, and nothing lost in silence."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import is_transient, reason_of
from waybill.core.errors import RetryableError
from waybill.core.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

# Amazon SQS API Reference, SendMessageBatch: ten messages, and 1 MiB for all of them; 256 KiB on queues whose limit was
# set before August 2025, which a sender cannot see.
BATCH_LIMIT = 10
BATCH_LIMIT_BYTES = 256 << 10
_RETRY = Retry(tries=6, first_pause=0.2, longest_pause=3.0, seconds=20.0)


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes
    ----------
    name : str
        What to call it in an error: an identifier, and nothing that is secret.
    body : str
        Its text.
    group : str, optional
        The message group: order on FIFO queues, fairness on others.
    deduplication : str, optional
        On FIFO queues, what makes it the same as another one within five minutes.
    attributes : Mapping[str, str]
        Texts beside the body.
    """

    name: str
    body: str
    group: str | None = None
    deduplication: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that count: the body, and each attribute's name, type and value."""
        beside = sum(
            len(name.encode()) + len("String") + len(value.encode()) for name, value in self.attributes.items()
        )
        return len(self.body.encode()) + beside

    def entry(self, number: int) -> "SendMessageBatchRequestEntryTypeDef":
        """Return it as the entry `number` of a batch."""
        entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(number), "MessageBody": self.body}
        if self.group is not None:
            entry["MessageGroupId"] = self.group
        if self.deduplication is not None:
            entry["MessageDeduplicationId"] = self.deduplication
        if self.attributes:
            attributes: dict[str, MessageAttributeValueTypeDef] = {
                name: {"DataType": "String", "StringValue": value} for name, value in self.attributes.items()
            }
            entry["MessageAttributes"] = attributes
        return entry


@dataclass(frozen=True)
class Unsent:
    """A message that SQS has not taken, and its code for why."""

    message: Message
    code: str


class MessagesUnsentError(RetryableError):
    """SQS has not taken some messages; all others before them are sent.

    `unsent` names them; where SQS does not answer, those that have not been tried are not among them.
    """

    code = "MESSAGES_UNSENT"

    def __init__(self, unsent: Iterable[Unsent]) -> None:
        self.unsent = tuple(unsent)
        named = ", ".join(f"{one.message.name} ({one.code})" for one in self.unsent[:10])
        more = f" and {len(self.unsent) - 10} more" if len(self.unsent) > 10 else ""
        super().__init__(f"SQS has not taken {named}{more}")


class QueueSender:
    """Sends to the queue at `url`; `client` makes the calls, `retry` says how often what fails is sent again."""

    def __init__(
        self,
        client: "SQSClient",
        url: str,
        *,
        retry: Retry = _RETRY,
        batch_bytes: int = BATCH_LIMIT_BYTES,
    ) -> None:
        self._client = client
        self._url = url
        self._retry = retry
        self._batch_bytes = batch_bytes

    def send(self, messages: Iterable[Message]) -> int:
        """Send all messages, reading them as they are sent; return how many.

        What SQS says has failed at its own end is sent again, after pauses that grow; a message may be sent twice where
        an answer was lost. What it refuses for good, and what is left after all attempts, is reported in the end: the
        other messages are sent.

        Raises
        ------
        MessagesUnsentError
            Some are not sent; names them.
        ClientError
            The queue is missing, or refuses this role.
        """
        sent, unsent = 0, list[Unsent]()
        for batch in _batches(messages, self._batch_bytes):
            left = self._send(batch)
            unsent += left
            sent += len(batch) - len(left)
        if unsent:
            raise MessagesUnsentError(unsent)
        return sent

    def _send(self, batch: list[Message]) -> list[Unsent]:
        """Send a batch; return what is left of it."""
        refused: list[Unsent] = []
        waiting, course = batch, self._retry.begin()
        while True:
            transient: list[Unsent] = []
            try:
                answer = self._client.send_message_batch(
                    QueueUrl=self._url, Entries=[message.entry(number) for number, message in enumerate(waiting)]
                )
            except (ClientError, BotoCoreError) as error:
                if not is_transient(error):
                    raise
                transient = [Unsent(message, reason_of(error)) for message in waiting]
                answered = False
            else:
                answered = True
                for failed in answer.get("Failed", []):
                    one = Unsent(waiting[int(failed["Id"])], failed["Code"])
                    (refused if failed["SenderFault"] else transient).append(one)
            if not transient:
                return refused
            if len(transient) < len(waiting):
                course.progress()
            waiting = [one.message for one in transient]
            if not course.pause():
                if not answered:
                    raise MessagesUnsentError([*refused, *transient])
                return [*refused, *transient]


def _batches(messages: Iterable[Message], limit: int) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == BATCH_LIMIT or size + message.size > limit):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
