"""MintingQueueFunction: answers requests from `MintingRequestQueue`, a message per success on `MintingResultQueue`."""

from waybill.core.errors import RetryableError
from waybill.core.invocations import BatchAnswer, InvocationContext, SqsEvent, SqsRecord, again
from waybill.core.observability import instrumented, logger
from waybill.minting import WORKFLOW, runtime


@instrumented(WORKFLOW)
def lambda_handler(event: SqsEvent, context: InvocationContext) -> BatchAnswer:
    """Take an SQS batch; return the messages to deliver again: those with failures that may pass, and no others."""
    return again(record["messageId"] for record in event["Records"] if not _handled(record, context))


def _handled(record: SqsRecord, context: InvocationContext) -> bool:
    try:
        return runtime.queue(context).handle(record)
    except RetryableError as error:
        logger(WORKFLOW).warning(
            "message not handled", extra={"message_id": record["messageId"], "code": error.code, "cause": str(error)}
        )
        return False
