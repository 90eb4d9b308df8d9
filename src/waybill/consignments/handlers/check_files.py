"""CheckFiles: checks the files of one group, each with one read, and keeps their results in S3."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.checks.checker import Counts
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{consignmentId, executionName, group, resultKey, files, attempt?}`; return `{resultKey, files, counts}`.

    The results of the files are lines of JSON below `resultKey`; `counts` says by check how many files have one.
    """
    counts = Counts()
    with runtime.group_results().writing(event["resultKey"]) as document:
        for line in runtime.checker(context, event.get("attempt", 0)).lines(event["files"]):
            document.add(line)
            counts.add(line)
    return {"resultKey": event["resultKey"], "files": counts.files, "counts": counts.by_check()}
