"""DeliverWebhookFunction: delivers the end of a job to the address that its request names."""

import json

from waybill.core.invocations import BatchAnswer, SqsEvent, SqsRecord, again
from waybill.core.observability import count, instrumented, logger
from waybill.scanning import WORKFLOW
from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: SqsEvent, context: object) -> BatchAnswer:
    """Take SQS messages that hold `ScanCompleted` events; return those to deliver again, each hidden until its time."""
    early = []
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        scan_event = {name: value for name, value in detail.items() if name != "wants"}
        delivery = deployed().webhooks.deliver(scan_event, int(record["attributes"]["ApproximateReceiveCount"]))
        count(WORKFLOW, "WebhooksDelivered" if delivery.delivered else "WebhookAttemptsFailed")
        if delivery.wait is not None:
            _hide(record, delivery.wait)
        if delivery.again:
            early.append(record["messageId"])
    return again(early)


def _hide(record: SqsRecord, seconds: int) -> None:
    """Let the message come again in `seconds`; at the queue's own time where SQS refuses, since the attempt is made."""
    try:
        deployed().webhook_queue.wait(record["receiptHandle"], seconds)
    except QueueUnavailableError as error:
        logger(WORKFLOW).warning("attempt comes early", extra={"message_id": record["messageId"], "error": str(error)})
