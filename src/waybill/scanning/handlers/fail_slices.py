"""FailSlicesFunction: records the objects of slices that were given up on as failed, so that their jobs end."""

from waybill.core.invocations import BatchAnswer, SqsEvent, again
from waybill.core.observability import count, instrumented, logger
from waybill.scanning import WORKFLOW
from waybill.scanning.models import Slice
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: SqsEvent, context: object) -> BatchAnswer:
    """Take a batch of the dead-letter queue; return the messages that could not be handled."""
    failed = []
    for record in event["Records"]:
        work = Slice.parse(record["body"])
        if work is None:
            # Not ours: it moves on to the queue of lost messages, see the alarm.
            failed.append(record["messageId"])
            logger(WORKFLOW).error("message is no slice", extra={"message_id": record["messageId"]})
        else:
            deployed().failed_slices.fail(work, "WORKER_FAILED")
            count(WORKFLOW, "SlicesFailed")
    return again(failed)
