"""RecordEventsFunction: makes events of what the workflows have recorded, from the streams of their tables."""

from typing import TYPE_CHECKING

from waybill.core.invocations import BatchAnswer, InvocationContext, again
from waybill.core.observability import count, instrumented
from waybill.custody import WORKFLOW, runtime

if TYPE_CHECKING:
    from waybill.custody.adapters.streams import StreamEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "StreamEvent", context: InvocationContext) -> BatchAnswer:
    """Take a batch of a stream; return that nothing of it is to come again.

    What nobody understands waits in the queue of refused records. An exception lets the whole batch come again, which
    changes nothing where it was recorded: so nothing of it is ever passed over.
    """
    taken = runtime.record_stream(event["Records"], context.aws_request_id)
    count(WORKFLOW, "EventsRecorded", taken.recorded.new)
    if taken.refused:
        count(WORKFLOW, "EventsRefused", taken.refused)
    return again(())
