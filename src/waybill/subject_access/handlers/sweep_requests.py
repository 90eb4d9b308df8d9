"""SweepRequestsFunction: the sweep; started by a schedule or by hand."""

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
    swept = runtime.sweep().run(str(event.get("tick") or context.aws_request_id))
    count(WORKFLOW, "Pending", swept.pending)
    count(WORKFLOW, "OverdueRequests", swept.long_waiting)
    count(WORKFLOW, "OldestPendingAge", swept.oldest_pending_age, MetricUnit.Seconds)
    count(WORKFLOW, "PastDueByLaw", swept.past_due)
    count(WORKFLOW, "DueSoonByLaw", swept.due_soon)
    count(WORKFLOW, "RequestsExpired", swept.expired)
    count(WORKFLOW, "RequestsArchived", swept.archived)
    count(WORKFLOW, "RequestsDeleted", swept.deleted)
    return asdict(swept)
