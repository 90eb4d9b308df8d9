"""SummariseMinting: puts the results of all chunks together."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.minting import WORKFLOW, runtime


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{run, chunkCount, jobId?}`; return the counts with the result, or with the `reportUri` of a large one."""
    return runtime.summarise(event["run"], event["chunkCount"], event.get("jobId"))
