"""WorkOnJob: goes on with a verification or a backfill, as far as one invocation's time goes."""

from typing import TYPE_CHECKING

from waybill.core.observability import count, instrumented, logger
from waybill.replication import WORKFLOW, runtime

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext
    from waybill.replication.domain.states import WorkOnJobEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "WorkOnJobEvent", context: "InvocationContext") -> dict[str, object]:
    """Take `{input, execution, stack}`; return `{verificationId, complete}`. Called again until it is complete.

    Of a backfill, `input` is `{backfillId, generation}`, and the answer has `waits` where runs are under way, and
    `parts` where it is to be called with each `part` of what was given by name, beside each other. `stopped` is Step
    Functions' `Error` and `Cause` of what has ended the execution: then that is noted, and nothing is worked on.
    """
    if "stopped" in event:
        logger(WORKFLOW).warning("a job was stopped", extra={"error": event["stopped"].get("Error")})
        return runtime.note_stopped(event["input"], event["execution"], event["stopped"])
    if "backfillId" in event["input"]:
        turn = runtime.backfill(event["input"], event.get("part"), event["stack"], context)
        logger(WORKFLOW).info("worked on a backfill", extra={"backfill": turn["backfillId"], "part": event.get("part")})
        return turn
    job = runtime.verify(event["input"], event["execution"], event["stack"], context)
    if job.ended:
        count(WORKFLOW, "VerificationFindings", job.counts.findings)
    logger(WORKFLOW).info("verified", extra={"verification": job.verification_id, "compared": job.counts.compared})
    return {"verificationId": job.verification_id, "complete": job.ended}
