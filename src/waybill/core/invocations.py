"""What Lambda gives a function, and what it takes from one."""

from collections.abc import Iterable
from typing import Protocol, TypedDict


class InvocationContext(Protocol):
    """What Lambda tells a function of its invocation."""

    @property
    def aws_request_id(self) -> str:
        """The id of the invocation; a repetition by Lambda itself has the same."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that the invocation has left, in milliseconds."""
        ...


class SqsAttributes(TypedDict, total=False):
    """What SQS says of a message; numbers are texts here."""

    ApproximateReceiveCount: str
    MessageGroupId: str


class SqsRecord(TypedDict):
    """One message of a batch, so far as functions read it (Lambda developer guide, "Using Lambda with Amazon SQS")."""

    messageId: str
    receiptHandle: str
    body: str
    attributes: SqsAttributes


class SqsEvent(TypedDict):
    """A batch of messages."""

    Records: list[SqsRecord]


class FailedItem(TypedDict):
    """A message that is to be delivered again."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """Which messages of a batch are to be delivered again; the others are deleted."""

    batchItemFailures: list[FailedItem]


def again(message_ids: Iterable[str]) -> BatchAnswer:
    """Return the answer to a batch of which these messages are to be delivered again, and no others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}
