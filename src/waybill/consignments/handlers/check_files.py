"""CheckFiles: checks the files of one group, each with one read, and keeps their results in S3."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.checks.group import check_group
from waybill.consignments.domain.ports import Document
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.file_records import CheckedRecord
    from waybill.consignments.domain.states import CheckedGroup, CheckFilesEvent
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: "CheckFilesEvent", context: "InvocationContext") -> "CheckedGroup":
    """Check the files of a group; their results are lines of JSON under its `resultKey`."""
    results: Document[CheckedRecord] = Document(event["resultKey"])
    attempt = event.get("attempt", 0)
    counts = check_group(
        event["files"],
        lambda: runtime.checker(context, attempt),
        lambda: runtime.group_results().writing(results),
        last_attempt=attempt >= runtime.LAST_ATTEMPT,
    )
    return {"resultKey": event["resultKey"], "files": counts.files, "counts": counts.by_check()}
