"""RecordEventsFunction: makes events of what the workflows have recorded, from the streams of their tables.

What S3 tells of watched buckets comes from a queue. On a schedule it looks through the tables themselves, for what a
stream has lost.
"""

from typing import TYPE_CHECKING, TypeIs

from waybill.core.invocations import BatchAnswer, InvocationContext, SqsEvent, again
from waybill.core.observability import count, instrumented, logger
from waybill.custody import WORKFLOW, runtime

if TYPE_CHECKING:
    from waybill.custody.adapters.streams import StreamEvent

# A batch of a table takes seconds; where the time ends, the next run goes on.
_ENOUGH_MS = 45_000


@instrumented(WORKFLOW)
def lambda_handler(event: "StreamEvent | SqsEvent", context: InvocationContext) -> BatchAnswer:
    """Take a batch of a stream or of the queue, or `{"reconcile": true}`; return what of it is to come again.

    Of a stream that is nothing: what nobody understands waits in the queue of refused records. A message that nobody
    understands comes again, and in the end waits in the dead letter queue. An exception lets the whole batch come
    again, which changes nothing where it was recorded: so nothing of it is ever passed over.
    """
    if _is_of_queue(event):
        return _record_notices(event, context)
    if event.get("reconcile") is True:
        _reconcile(context)
        return again(())
    taken = runtime.record_stream(event["Records"], context.aws_request_id)
    count(WORKFLOW, "EventsRecorded", taken.recorded.new)
    if taken.refused:
        count(WORKFLOW, "EventsRefused", taken.refused)
    return again(())


def _is_of_queue(event: "StreamEvent | SqsEvent") -> TypeIs[SqsEvent]:
    return any("body" in record for record in event.get("Records", []))


def _record_notices(event: SqsEvent, context: InvocationContext) -> BatchAnswer:
    recorded, unknown = runtime.record_notices(event["Records"], context.aws_request_id)
    count(WORKFLOW, "EventsRecorded", recorded.new)
    for message_id, problem in unknown.items():
        logger(WORKFLOW).error("message not understood", extra={"message_id": message_id, "problem": problem})
    return again(unknown)


def _reconcile(context: InvocationContext) -> None:
    repaired = 0
    try:
        for taken in runtime.reconcile_further(lambda: context.get_remaining_time_in_millis() > _ENOUGH_MS):
            repaired += taken.recorded.new
    finally:
        # What was repaired before an error was lost all the same.
        count(WORKFLOW, "RepairedEvents", repaired)
