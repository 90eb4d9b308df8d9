"""ReportFailedExecutionFunction: the net below the workflows' own notifications."""

from typing import Any

from waybill.core.aws.clients import client
from waybill.core.aws.sns import SnsNotifier
from waybill.core.failed_executions import notification_of, told_already
from waybill.core.observability import instrumented
from waybill.core.settings import NotificationSettings, load


@instrumented("operations")
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, bool]:
    """Take a `Step Functions Execution Status Change`; return `{notified}`: false when the run itself has told."""
    detail = event["detail"]
    if told_already(detail):
        return {"notified": False}
    SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn).notify(notification_of(detail))
    return {"notified": True}
