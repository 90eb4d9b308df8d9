"""SendFailureNotification: tells people that a run failed, why, and where to look."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.outcome import failure_notification
from waybill.replication.models import ReplicationRun


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, bool]:
    """Take `{run, failure}`; return `{notified: true}`."""
    runtime.notifier().notify(failure_notification(ReplicationRun.parse(event["run"]), event["failure"]))
    return {"notified": True}
