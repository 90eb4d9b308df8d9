"""The queue of results, on Amazon SQS."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.sqs import Message, MessagesUnsentError, QueueSender
from waybill.core.retry import Retry
from waybill.minting.errors import ResultsNotSentError
from waybill.minting.models import QueuedResult

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The request comes again when results could not be sent: it is better to wait for that than within an invocation.
_RETRY = Retry(tries=3, first_pause=0.1, longest_pause=1.0, seconds=5.0)


class ResultQueue:
    """Sends results; `client` is a boto3 `sqs` client."""

    def __init__(self, client: "SQSClient", queue_url: str, *, retry: Retry = _RETRY) -> None:
        self._sender = QueueSender(client, queue_url, retry=retry)

    def send(self, results: Sequence[QueuedResult], group: str | None) -> None:
        """Send a message per result, all in the message group of the request: SQS is fair between groups.

        Raises
        ------
        ResultsNotSentError
            Some could not be sent; all may be sent again.
        """
        # As ASCII: SQS refuses characters that XML has not.
        messages = (
            Message(f"result {number}", json.dumps(result), group=group or None)
            for number, result in enumerate(results, start=1)
        )
        try:
            self._sender.send(messages)
        except MessagesUnsentError as error:
            raise ResultsNotSentError(str(error)) from error
        except (ClientError, BotoCoreError) as error:
            raise ResultsNotSentError(f"{type(error).__name__}: {error}") from error
