"""VerifyCustodyFunction: compares the log with the table, on a schedule."""

from collections.abc import Mapping

from waybill.core.observability import count, instrumented, logger
from waybill.custody import WORKFLOW, runtime
from waybill.custody.errors import CustodyBrokenError

_SHOWN = 20


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, int]:
    """Take `{"full": true}` to read everything again, or anything; return how many `entries` were compared.

    `readAgain` of them as a whole; `waiting` events are not sealed yet. What does not hold is logged, each finding by
    itself, and raises: its alarm tells of every error.
    """
    report = runtime.verifier().verify(full=isinstance(event, Mapping) and event.get("full") is True)
    count(WORKFLOW, "VerificationFindings", len(report.findings))
    for finding in report.findings[:_SHOWN]:
        logger(WORKFLOW).error("custody does not hold", extra={"code": finding.code, "about": finding.about})
    if report.findings:
        raise CustodyBrokenError(f"{len(report.findings)} findings in a log of {report.size} entries")
    return {"entries": report.compared, "readAgain": report.read_again, "waiting": report.waiting}
