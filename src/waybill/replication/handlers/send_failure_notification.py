"""SendFailureNotification: tells people that a run failed, why, and where to look."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, wiring
from waybill.replication.models import Run
from waybill.replication.outcome import failure_notification


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, bool]:
    """Take `{run, failure}`; return `{notified: true}`."""
    wiring.notifier().notify(failure_notification(Run.parse(event["run"]), event["failure"]))
    return {"notified": True}
