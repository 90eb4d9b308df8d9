"""RedactedFiles: finds the original of every redacted file."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.judgement import pair_redactions
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import RedactionCounts, StateEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "StateEvent", context: object) -> "RedactionCounts":
    """Find the original of every redacted file of the run."""
    return pair_redactions(runtime.documents_of(event))
