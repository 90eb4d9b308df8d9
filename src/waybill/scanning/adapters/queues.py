"""SQS as the lister's way to the workers, and to what is done when a job has ended."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.models import Slice

# SQS hides a message for twelve hours at most, counted from its receipt and not from the call (Amazon SQS developer
# guide, "Amazon SQS visibility timeout"). What Lambda's poller and the function may have spent of them is left out.
_LONGEST_WAIT_SECONDS = 12 * 3600 - 120
_BATCH = 10
# SendMessageBatch takes 256 KiB in all on queues of before August 2025.
_BATCH_BYTES = 250 << 10


class DeliveringQueue:
    """A queue whose messages a function is given by Lambda."""

    def __init__(self, client: Any, url: str) -> None:
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

    def __init__(
        self, client: Any, url: str, *, attempts: int = 5, pause: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(client, url)
        self._attempts = attempts
        self._pause = pause

    def send(self, slices: Iterable[Slice]) -> int:
        """Send all slices; what SQS reports as failed is sent again, and again with growing pauses.

        Raises
        ------
        QueueUnavailableError
            Some could not be sent; all of them may be sent again.
        """
        sent = 0
        for batch in batched(slices, _BATCH, strict=False):
            waiting = [
                {"MessageBody": json.dumps(work.body(), separators=(",", ":")), "MessageGroupId": work.bucket}
                for work in batch
            ]
            for part in _fitting(waiting):
                self._send(part)
            sent += len(batch)
        return sent

    def _send(self, messages: list[dict[str, str]]) -> None:
        for attempt in range(self._attempts):
            entries = [{"Id": str(index), **message} for index, message in enumerate(messages)]
            with _translated():
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            messages = [messages[int(failed["Id"])] for failed in answer.get("Failed", [])]
            if not messages:
                return
            self._pause(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 (jitter)
        raise QueueUnavailableError(f"{len(messages)} messages were refused {self._attempts} times")


def _fitting(messages: list[dict[str, str]]) -> Iterable[list[dict[str, str]]]:
    part: list[dict[str, str]] = []
    size = 0
    for message in messages:
        length = len(message["MessageBody"])
        if part and size + length > _BATCH_BYTES:
            yield part
            part, size = [], 0
        part.append(message)
        size += length
    if part:
        yield part


class ExportQueue:
    """The queue of exports to make."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, job_id: str, progress: Mapping[str, Any]) -> None:
        """Ask for an export, from `progress` on; raises QueueUnavailableError."""
        body = json.dumps({"job_id": job_id, "progress": progress})
        with _translated():
            self._client.send_message(QueueUrl=self._url, MessageBody=body)


class WebhookQueue(DeliveringQueue):
    """The queue of news for webhooks."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BotoCoreError as error:
        raise QueueUnavailableError(type(error).__name__) from error
    except ClientError as error:
        raise QueueUnavailableError(error.response["Error"]["Code"]) from error
