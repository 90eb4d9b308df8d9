"""VerifyCustodyFunction: compares the log with the table, on a schedule."""

from waybill.core.observability import count, instrumented, logger
from waybill.custody import WORKFLOW, runtime
from waybill.custody.errors import CustodyBrokenError

_SHOWN = 20


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, int]:
    """Take anything; return how many `entries` were compared, and how many events are `waiting` to be sealed.

    What does not hold is logged, each finding by itself, and raises: its alarm tells of every error.
    """
    report = runtime.verifier().verify()
    count(WORKFLOW, "VerificationFindings", len(report.findings))
    for finding in report.findings[:_SHOWN]:
        logger(WORKFLOW).error("custody does not hold", extra={"code": finding.code, "about": finding.about})
    if report.findings:
        raise CustodyBrokenError(f"{len(report.findings)} findings in a log of {report.size} entries")
    return {"entries": report.compared, "waiting": report.waiting}
