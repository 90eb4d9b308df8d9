"""The queue of records that custody does not understand."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, override

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import is_transient, reason_of
from waybill.core.aws.sqs import Message, QueueSender
from waybill.custody.domain.interpreting import Refusals, RefusedRecord, Workflow
from waybill.custody.errors import CustodyUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# While somebody looks at messages nobody else gets them.
_HIDDEN_SECONDS = 60
_AT_ONCE = 10


class RefusedQueue(Refusals):
    """`Refusals` on SQS."""

    def __init__(self, queue: QueueSender) -> None:
        self._queue = queue

    @override
    def refuse(self, records: Iterable[RefusedRecord]) -> None:
        # As ASCII: SQS refuses characters that XML has not, and keys may hold them.
        self._queue.send(
            Message(
                record.workflow, json.dumps({"table": record.workflow, "key": record.key, "problem": record.problem})
            )
            for record in records
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if not is_transient(error):
            raise
        raise CustodyUnavailableError(f"the queue of refused records: {reason_of(error)}") from None


@dataclass(frozen=True)
class WaitingRecord:
    """A refused record that waits, and what takes it off the queue."""

    record: RefusedRecord
    handle: str


class RefusedMessages:
    """The refused records that wait, for somebody who looks at them; raises `CustodyUnavailableError`."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def waiting(self, limit: int) -> Iterator[WaitingRecord]:
        """Yield at most `limit` records; they are hidden from others for a minute, and stay."""
        seen = 0
        while seen < limit:
            with _translated():
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=min(_AT_ONCE, limit - seen),
                    VisibilityTimeout=_HIDDEN_SECONDS,
                )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                seen += 1
                said = json.loads(message["Body"])
                record = RefusedRecord(Workflow(said["table"]), said["key"], said["problem"])
                yield WaitingRecord(record, message["ReceiptHandle"])

    def done(self, waiting: WaitingRecord) -> None:
        """Take a record off the queue."""
        with _translated():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=waiting.handle)
