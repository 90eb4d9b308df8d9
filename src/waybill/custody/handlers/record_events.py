"""RecordEventsFunction: makes events of what the workflows have recorded, from the streams of their tables.

On a schedule it looks through the tables themselves, for what a stream has lost.
"""

from typing import TYPE_CHECKING

from waybill.core.invocations import BatchAnswer, InvocationContext, again
from waybill.core.observability import count, instrumented
from waybill.custody import WORKFLOW, runtime

if TYPE_CHECKING:
    from waybill.custody.adapters.streams import StreamEvent

# A batch of a table takes seconds; where the time ends, the next run goes on.
_ENOUGH_MS = 45_000


@instrumented(WORKFLOW)
def lambda_handler(event: "StreamEvent", context: InvocationContext) -> BatchAnswer:
    """Take a batch of a stream, or `{"reconcile": true}`; return that nothing of it is to come again.

    What nobody understands waits in the queue of refused records. An exception lets the whole batch come again, which
    changes nothing where it was recorded: so nothing of it is ever passed over.
    """
    if event.get("reconcile") is True:
        _reconcile(context)
        return again(())
    taken = runtime.record_stream(event["Records"], context.aws_request_id)
    count(WORKFLOW, "EventsRecorded", taken.recorded.new)
    if taken.refused:
        count(WORKFLOW, "EventsRefused", taken.refused)
    return again(())


def _reconcile(context: InvocationContext) -> None:
    repaired = 0
    try:
        for taken in runtime.reconcile_further(lambda: context.get_remaining_time_in_millis() > _ENOUGH_MS):
            repaired += taken.recorded.new
    finally:
        # What was repaired before an error was lost all the same.
        count(WORKFLOW, "RepairedEvents", repaired)
