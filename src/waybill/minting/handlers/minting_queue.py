"""MintingQueueFunction: answers requests from `MintingRequestQueue`, a message per success on `MintingResultQueue`."""

from typing import Any

from waybill.core.errors import RetryableError
from waybill.core.observability import instrumented, logger
from waybill.minting import WORKFLOW, runtime


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an SQS batch; return the messages to deliver again: those with failures that may pass, and no others."""
    again = [record["messageId"] for record in event["Records"] if not _handled(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _handled(record: dict[str, Any], context: Any) -> bool:
    try:
        return runtime.queue(context).handle(record)
    except RetryableError as error:
        logger(WORKFLOW).warning(
            "message not handled", extra={"message_id": record["messageId"], "code": error.code, "cause": str(error)}
        )
        return False
