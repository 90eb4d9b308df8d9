"""ReportFailedExecutionFunction: the net below the workflows' own notifications."""

from typing import TYPE_CHECKING

from waybill.core.failed_executions import already_notified, is_notified_with_its_job, notification_of
from waybill.core.observability import instrumented, logger
from waybill.core.settings import NotificationSettings, load

if TYPE_CHECKING:
    from waybill.core.failed_executions import StatusChangeEvent


@instrumented("operations")
def lambda_handler(event: "StatusChangeEvent", context: object) -> dict[str, bool]:
    """Take a `Step Functions Execution Status Change`; return `{notified}`: false when the run or its job tells."""
    detail = event["detail"]
    untold = not (already_notified(detail) or is_notified_with_its_job(detail))
    if untold:
        # Here, since most runs have told by themselves.
        from waybill.core.aws.clients import client
        from waybill.core.aws.sns import SnsNotifier

        SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn).notify(notification_of(detail))
    # Why somebody was told, or was not, is asked later; the line has the execution as its correlation id.
    logger("operations").info("execution ended badly", extra={"status": detail.get("status"), "notified": untold})
    return {"notified": untold}
