"""SendFailureNotification: tells people that a run failed, why, and where to look."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import ReplicationRun

if TYPE_CHECKING:
    from waybill.replication.domain.states import ReplicationFailure


@instrumented(WORKFLOW)
def lambda_handler(event: "ReplicationFailure", context: object) -> dict[str, bool]:
    """Take `{run, failure}`; return `{notified: true}`: people know of the run, or of the backfill that it is of."""
    runtime.failure_notices().tell(ReplicationRun.parse(event["run"]), event["failure"])
    return {"notified": True}
