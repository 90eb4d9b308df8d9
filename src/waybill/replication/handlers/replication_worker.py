"""ReplicationWorkerFunction: starts a run for every new object that an event names."""

from waybill.core.errors import WaybillError
from waybill.core.invocations import BatchAnswer, again
from waybill.core.observability import count, instrumented, logger
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.events import sqs_messages
from waybill.replication.domain.starter import EventOutcome, handle_event
from waybill.replication.views import worker_reply


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, object] | BatchAnswer:
    """Handle an S3 or EventBridge event, bare or inside SNS, or a batch of SQS messages that carry such events.

    An SQS batch is answered with the messages to deliver again; anything else raises, so that Lambda tries again.
    """
    messages = sqs_messages(event)
    if messages is None:
        return worker_reply(_handle(event))
    return again(message_id for message_id, body in messages if not _handled(message_id, body))


def _handled(message_id: str, body: str) -> bool:
    try:
        _handle(body)
    except WaybillError as error:
        logger(WORKFLOW).warning(
            "message not handled", extra={"message_id": message_id, "code": error.code, "cause": str(error)[:1000]}
        )
        return False
    return True


def _handle(payload: object) -> EventOutcome:
    outcome = handle_event(payload, runtime.routing(), runtime.starter())
    count(WORKFLOW, "RunsStarted", len(outcome.started))
    if outcome.ignored:
        count(WORKFLOW, "RecordsIgnored", len(outcome.ignored))
    for ignored in outcome.ignored:
        logger(WORKFLOW).info("record ignored", extra={"reason": ignored.reason})
    return outcome
