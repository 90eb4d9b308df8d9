"""LogWorkflowStart: makes the run the owner of its file's tracking record, or says why it must not run."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import ReplicationRun

if TYPE_CHECKING:
    from waybill.replication.domain.states import RecordedStart


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> "RecordedStart":
    """Take a run; return `{claim, generation}`: STARTED, DUPLICATE or STALE, and the run's place among all claims."""
    claimed = runtime.tracking().claim(ReplicationRun.parse(event))
    return {"claim": claimed.claim.value, "generation": claimed.generation}
