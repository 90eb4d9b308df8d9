"""ValidateInput: turns the workflow's input into a run, or rejects it before anything is written."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.requests import open_run

if TYPE_CHECKING:
    from waybill.replication.domain.states import ValidateInputEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "ValidateInputEvent", context: object) -> dict[str, object]:
    """Take `{input, execution: {Id, Name, StartTime}}`; return the run."""
    return open_run(event.get("input"), event["execution"], runtime.trigger_buckets()).wire()
