"""ProcessMapResults: gathers the results of all groups into one document."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.results import gather
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import StateEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "StateEvent", context: object) -> dict[str, int]:
    """Gather the results of all groups; return how many files have which result."""
    return gather(runtime.documents_of(event))
