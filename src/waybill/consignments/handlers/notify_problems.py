"""NotifyProblems: tells people of a consignment whose checks found problems, or could not be made."""

from typing import Any

from waybill.consignments import WORKFLOW, wiring
from waybill.consignments.telling import news_of
from waybill.core.observability import count, instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take `{consignmentId, executionId, statuses, problems, incomplete}`; return `{sent}`, the number of messages."""
    consignment = wiring.consignment_of(event)
    news = news_of(
        consignment, wiring.table(), event["statuses"], event["problems"], event["incomplete"], wiring.stage()
    )
    for notification in news:
        wiring.notifier().notify(notification)
    if news:
        count(WORKFLOW, "ConsignmentsWithProblems")
    return {"sent": len(news)}
