"""SummariseMinting: puts the results of all chunks together."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.minting import WORKFLOW, runtime
from waybill.minting.models import RunSummary

if TYPE_CHECKING:
    from waybill.minting.domain.states import EndedRun


@instrumented(WORKFLOW)
def lambda_handler(event: "EndedRun", context: object) -> RunSummary:
    """Take `{run, chunkCount, jobId?}`; return the counts with the result, or with the `reportUri` of a large one."""
    return runtime.summarise(event["run"], event["chunkCount"], event.get("jobId"))
