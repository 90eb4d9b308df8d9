"""ReconcileReplications: closes runs that ended without saying so; started by a schedule or by `waybill`."""

from waybill.core.observability import MetricUnit, count, instrumented, logger
from waybill.core.settings import load
from waybill.replication import WORKFLOW, runtime
from waybill.replication.settings import ReconcileSettings


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, int]:
    """Take anything; return `{abandoned}`, the number of runs that were closed; and measure what is pending."""
    waiting = runtime.pending()
    count(WORKFLOW, "PendingObjects", waiting.objects)
    count(WORKFLOW, "PendingBytes", waiting.bytes, MetricUnit.Bytes)
    count(WORKFLOW, "OldestPendingMinutes", waiting.oldest_seconds / 60)
    closed = runtime.reconciler().reconcile(load(ReconcileSettings).reconcile_limit)
    count(WORKFLOW, "RunsAbandoned", len(closed))
    logger(WORKFLOW).info("reconciled", extra={"abandoned": len(closed)})
    return {"abandoned": len(closed)}
