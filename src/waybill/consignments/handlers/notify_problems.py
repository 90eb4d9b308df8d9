"""NotifyProblems: tells people of a consignment whose checks found problems, or could not be made."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.notifications import news_of
from waybill.core.observability import count, instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionId, statuses, problems, incomplete}`; return `{sent}`, the number of messages."""
    consignment = runtime.consignment_of(event)
    news = news_of(
        consignment, runtime.table(), event["statuses"], event["problems"], event["incomplete"], runtime.stage()
    )
    for notification in news:
        runtime.notifier().notify(notification)
    if news:
        count(WORKFLOW, "ConsignmentsWithProblems")
    return {"sent": len(news)}
