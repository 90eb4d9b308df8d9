"""RedactedFiles: finds the original of every redacted file."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.judgement import pair_redactions
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionName}`; return `{redactedFiles, errors}`, the numbers of both."""
    return pair_redactions(runtime.documents_of(event))
