"""SQS as the lister's way to the workers, and to what is done when a job has ended."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.sqs import Message, MessagesUnsentError, QueueSender
from waybill.core.retry import Retry
from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.models import Slice

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS hides a message for twelve hours at most, counted from its receipt and not from the call (Amazon SQS developer
# guide, "Amazon SQS visibility timeout"). What Lambda's poller and the function may have spent of them is left out.
_LONGEST_WAIT_SECONDS = 12 * 3600 - 120
# A step of the lister has 60 seconds.
_RETRY = Retry(tries=5, first_pause=0.2, longest_pause=3.0, seconds=20.0)


class DeliveringQueue:
    """A queue whose messages a function is given by Lambda."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def wait(self, receipt_handle: str, seconds: int) -> None:
        """Let a message that is being handled come again in `seconds`, or a little earlier where SQS cannot hold it.

        Raises
        ------
        QueueUnavailableError
            It comes again at the queue's own time.
        """
        with _translated():
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=min(seconds, _LONGEST_WAIT_SECONDS),
            )


class SqsQueue(DeliveringQueue):
    """`SliceQueue` on Amazon SQS; fair between buckets, by message group."""

    def __init__(self, client: "SQSClient", url: str, *, retry: Retry = _RETRY) -> None:
        super().__init__(client, url)
        self._sender = QueueSender(client, url, retry=retry)

    def send(self, slices: Iterable[Slice]) -> int:
        """Send all slices.

        Raises
        ------
        QueueUnavailableError
            Some could not be sent; all of them may be sent again.
        """
        messages = map(_message, slices)
        try:
            with _translated():
                return self._sender.send(messages)
        except MessagesUnsentError as error:
            raise QueueUnavailableError(str(error)) from error


def _message(work: Slice) -> Message:
    body = json.dumps(work.body(), separators=(",", ":"))
    return Message(f"page {work.page} of job {work.job_id}", body, group=work.bucket)


class ExportQueue:
    """The queue of exports to make."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, job_id: str, progress: Mapping[str, object]) -> None:
        """Ask for an export, from `progress` on; raises QueueUnavailableError."""
        body = json.dumps({"job_id": job_id, "progress": progress})
        with _translated():
            self._client.send_message(QueueUrl=self._url, MessageBody=body)


class WebhookQueue(DeliveringQueue):
    """The queue of notifications for webhooks."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BotoCoreError as error:
        raise QueueUnavailableError(type(error).__name__) from error
    except ClientError as error:
        raise QueueUnavailableError(error.response["Error"]["Code"]) from error
