"""ScanObjectsFunction: scans the objects of SQS messages, a slice each."""

import random
from contextlib import suppress

from waybill.core.errors import WaybillError
from waybill.core.invocations import BatchAnswer, InvocationContext, SqsEvent, SqsRecord, again
from waybill.core.observability import count, instrumented, logger
from waybill.scanning import WORKFLOW
from waybill.scanning.adapters.heartbeat import Heartbeat
from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.models import Slice
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: SqsEvent, context: InvocationContext) -> BatchAnswer:
    """Take an SQS batch; return the messages to deliver again."""
    return again(record["messageId"] for record in event["Records"] if not _work(record, context))


def _work(record: SqsRecord, context: InvocationContext) -> bool:
    work = Slice.parse(record["body"])
    if work is None:
        # It goes to the dead-letter queue, and from there to a person.
        logger(WORKFLOW).warning("message is no slice", extra={"message_id": record["messageId"]})
        return False
    worker = deployed().worker(context)
    try:
        with Heartbeat(deployed().queue, record["receiptHandle"]):
            read = worker.work(work, int(record["attributes"]["ApproximateReceiveCount"]))
    except WaybillError as error:
        with suppress(WaybillError):
            worker.add_fault(work)
        facts = {"message_id": record["messageId"], "job_id": work.job_id, "code": error.code}
        logger(WORKFLOW).warning("slice not finished", extra=facts)
        _delay(record)
        return False
    count(WORKFLOW, "ObjectsRead", read)
    return True


def _delay(record: SqsRecord) -> None:
    """Let the slice come again sooner than that of a dead worker, and later each time: up to a quarter of an hour."""
    longest = min(900, 10 * 4 ** (int(record["attributes"]["ApproximateReceiveCount"]) - 1))
    with suppress(QueueUnavailableError):
        deployed().queue.wait(record["receiptHandle"], random.randint(longest // 4, longest))  # noqa: S311 (jitter)
