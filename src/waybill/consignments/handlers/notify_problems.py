"""NotifyProblems: tells people of a consignment whose checks found problems, or could not be made."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.notifications import notifications_of
from waybill.core.observability import count, instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import NotifyProblemsEvent, SentNotifications


@instrumented(WORKFLOW)
def lambda_handler(event: "NotifyProblemsEvent", context: object) -> "SentNotifications":
    """Tell people of problems, and of files that could not be checked; nothing when all is well."""
    consignment = runtime.consignment_of(event)
    notifications = notifications_of(
        consignment, runtime.table(), event["statuses"], event["problems"], event["incomplete"], runtime.stage()
    )
    for notification in notifications:
        runtime.notifier().notify(notification)
    if notifications:
        count(WORKFLOW, "ConsignmentsWithProblems")
    return {"sent": len(notifications)}
