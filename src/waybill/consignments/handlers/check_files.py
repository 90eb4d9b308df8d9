"""CheckFiles: checks the files of one group, each with one read, and keeps their results in S3."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.checks.checker import Counts
from waybill.consignments.domain.ports import Document
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.file_records import CheckedRecord
    from waybill.consignments.domain.states import CheckedGroup, CheckFilesEvent
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: "CheckFilesEvent", context: "InvocationContext") -> "CheckedGroup":
    """Check the files of a group; their results are lines of JSON under its `resultKey`."""
    counts = Counts()
    results: Document[CheckedRecord] = Document(event["resultKey"])
    with runtime.group_results().writing(results) as document:
        for line in runtime.checker(context, event.get("attempt", 0)).lines(event["files"]):
            document.add(line)
            counts.add(line)
    return {"resultKey": event["resultKey"], "files": counts.files, "counts": counts.by_check()}
