"""SealEventsFunction: puts what was recorded into the log, on a schedule."""

from typing import TYPE_CHECKING

from waybill.core.observability import count, instrumented
from waybill.custody import WORKFLOW, runtime

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext

# A step takes seconds; what is left waits for the next run.
_ENOUGH_MS = 45_000


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: "InvocationContext") -> dict[str, int]:
    """Take anything; return how many entries were `added`, and how many are `missing` that slips have named."""
    added = missing = 0
    for step in runtime.seal():
        added, missing = added + step.added, missing + step.missing
        if context.get_remaining_time_in_millis() < _ENOUGH_MS:
            break
    count(WORKFLOW, "EntriesSealed", added)
    if missing:
        count(WORKFLOW, "EntriesMissing", missing)
    return {"added": added, "missing": missing}
