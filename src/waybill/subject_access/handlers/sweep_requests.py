"""SweepRequestsFunction: the poll; started by a schedule or by hand."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from waybill.core.observability import MetricUnit, count, instrumented
from waybill.subject_access import WORKFLOW, runtime

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: "InvocationContext") -> dict[str, int]:
    """Take anything; return what was found and done. `tick` in the event names the poll, so that a repeat is none."""
    polled = runtime.poll().run(str(event.get("tick") or context.aws_request_id))
    count(WORKFLOW, "Pending", polled.pending)
    count(WORKFLOW, "OverdueRequests", polled.long_waiting)
    count(WORKFLOW, "OldestPendingAge", polled.oldest_pending_age, MetricUnit.Seconds)
    count(WORKFLOW, "PastDueByLaw", polled.past_due)
    count(WORKFLOW, "DueSoonByLaw", polled.due_soon)
    count(WORKFLOW, "RequestsExpired", polled.expired)
    count(WORKFLOW, "RequestsArchived", polled.archived)
    count(WORKFLOW, "RequestsDeleted", polled.deleted)
    return asdict(polled)
