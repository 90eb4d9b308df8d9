"""CopyFiles: puts copies of a hundred files where their verdicts say."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.copies import copy_files
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionId, copies}`; return `{placed, gone}`, the numbers of both.

    A run that a later one has taken over places nothing: its verdicts are not the newest.
    """
    runtime.consignment_of(event)
    return copy_files(event["copies"], runtime.copy_targets())
