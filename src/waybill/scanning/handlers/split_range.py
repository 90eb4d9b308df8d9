"""SplitRange: cuts what is left of a range of a job's keys, and starts an execution for every piece."""

from collections.abc import Mapping

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.domain.requests import range_number
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: object) -> dict[str, object]:
    """Take the state `{job_id, range, …}`; return it with `pieces`, the numbers of the ranges that others list."""
    pieces = deployed().splitter.split(str(event["job_id"]), range_number(event))
    count(WORKFLOW, "RangesStarted", len(pieces))
    return {**event, "pieces": pieces}
