"""MintChunk: mints one chunk of a large request and keeps its result in S3."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.minting import WORKFLOW, runtime
from waybill.minting.domain.plan import ENTRIES_LIMIT
from waybill.minting.errors import ChunkUnfinishedError

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext
    from waybill.minting.domain.states import ChunkEvent

_LAST_ATTEMPT = 4


@instrumented(WORKFLOW)
def lambda_handler(event: "ChunkEvent", context: "InvocationContext") -> dict[str, int]:
    """Take a chunk with the number of `attempt`s before; return `{index, successCount, failureCount}`.

    Failures that may pass raise, so that the state machine tries again: those alone, beside the result so far.
    """
    attempt, runs = event.get("attempt", 0), runtime.runs()
    earlier = runs.result(event["run"], event["index"]) if attempt else None
    request: object = event if earlier is None else {**event, "earlier": earlier}
    answered = runtime.respond(request, context, ENTRIES_LIMIT, resumes=True)
    runs.write_result(event["run"], event["index"], answered.document)
    if answered.retryable and attempt < _LAST_ATTEMPT:
        raise ChunkUnfinishedError(f"{answered.retryable} identifiers of chunk {event['index']} are still open")
    counts = (len(answered.document["successes"]), len(answered.document["failures"]))
    return {"index": event["index"], "successCount": counts[0], "failureCount": counts[1]}
