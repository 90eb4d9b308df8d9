"""CopyFiles: puts copies of a hundred files where their verdicts say."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.copies import copy_files
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.copies import CopyLine
    from waybill.consignments.domain.states import PlacedCopies


@instrumented(WORKFLOW)
def lambda_handler(event: "CopyLine", context: object) -> "PlacedCopies":
    """Put the copies of one line of the plan where they belong.

    A run that a later one has taken over places nothing: its verdicts are not the newest.
    """
    runtime.consignment_of(event)
    documents = runtime.documents_of(event) if "line" in event else None
    return copy_files(event, runtime.copy_targets(), documents)
