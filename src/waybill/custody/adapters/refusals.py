"""The queue of records that custody does not understand."""

import json
from collections.abc import Iterable
from typing import override

from waybill.core.aws.sqs import Message, QueueSender
from waybill.custody.domain.interpreting import Refusals, RefusedRecord


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
