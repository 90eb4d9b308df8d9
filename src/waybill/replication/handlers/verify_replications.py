"""VerifyReplications: compares copies with their sources, as far as one invocation's time goes."""

from typing import Any

from waybill.core.observability import count, instrumented, logger
from waybill.replication import WORKFLOW, runtime


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{input, execution, stack}`; return `{verificationId, complete}`. Called again until it is complete."""
    job = runtime.verify(event["input"], event["execution"], event["stack"], context)
    if job.ended:
        count(WORKFLOW, "VerificationFindings", job.counts.findings)
    logger(WORKFLOW).info("verified", extra={"verification": job.verification_id, "compared": job.counts.compared})
    return {"verificationId": job.verification_id, "complete": job.ended}
