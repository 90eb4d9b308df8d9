"""PlanMinting: cuts a large request into chunks, in the state where they fit, else in a manifest in S3."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.minting import WORKFLOW, runtime
from waybill.minting.domain.answers import rejection
from waybill.minting.domain.plan import MintingRun
from waybill.minting.errors import InvalidRequestError
from waybill.minting.models import RunPlan

if TYPE_CHECKING:
    from waybill.minting.domain.states import PlanMintingEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "PlanMintingEvent", context: object) -> RunPlan:
    """Take `{request, run, executionId}`; return a plan: `kind` and what belongs to it.

    `INLINE` holds the `chunks`, `MANIFEST` the `bucket` and `key` of them; both `run`, `chunkCount` and `concurrency`.
    `REJECTED` holds the `response` to a request that breaks its contract.
    """
    try:
        return runtime.plan(event.get("request"), MintingRun(event["run"], event["executionId"]))
    except InvalidRequestError as error:
        return {"kind": "REJECTED", "response": rejection(error)}
