"""The queue of results, on Amazon SQS."""

import itertools
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.minting.errors import ResultsNotSentError
from waybill.minting.models import QueuedResult

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# SendMessageBatch takes ten messages (Amazon SQS API Reference).
_BATCH = 10


class ResultQueue:
    """Sends results in batches; `client` is a boto3 `sqs` client."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, results: Sequence[QueuedResult], group: str | None) -> None:
        """Send a message per result, all in the message group of the request: SQS is fair between groups.

        Raises
        ------
        ResultsNotSentError
            Some could not be sent; all may be sent again.
        """
        for batch in itertools.batched(results, _BATCH, strict=False):
            entries = [_entry(index, result, group) for index, result in enumerate(batch)]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise ResultsNotSentError(f"{type(error).__name__}: {error}") from error
            if failed := answer.get("Failed"):
                raise ResultsNotSentError(f"{len(failed)} of {len(entries)} results: {failed[0].get('Code')}")


def _entry(index: int, result: QueuedResult, group: str | None) -> "SendMessageBatchRequestEntryTypeDef":
    # As ASCII: SQS refuses characters that XML has not.
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(index), "MessageBody": json.dumps(result)}
    return {**entry, "MessageGroupId": group} if group else entry
