"""ReconcileReplications: closes runs that ended without saying so; started by a schedule or by `waybill`."""

from collections.abc import Mapping

from waybill.core.observability import MetricUnit, count, instrumented, logger
from waybill.core.settings import load
from waybill.replication import WORKFLOW, runtime
from waybill.replication.settings import ReconcileSettings


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, int]:
    """Take anything; return `{abandoned}`, the number of runs that were closed; measure and tell what is pending.

    With `byHand`, runs that have ended are closed at once.
    """
    waiting = runtime.pending()
    count(WORKFLOW, "PendingObjects", waiting.objects)
    count(WORKFLOW, "PendingBytes", waiting.bytes, MetricUnit.Bytes)
    count(WORKFLOW, "OldestPendingMinutes", waiting.oldest_seconds / 60)
    by_hand = isinstance(event, Mapping) and event.get("byHand") is True
    try:
        closed = runtime.reconciler().reconcile(load(ReconcileSettings).reconcile_limit, by_hand=by_hand)
    finally:
        count(WORKFLOW, "FilesOverdue", runtime.overdue_watch().tell())
    count(WORKFLOW, "RunsAbandoned", len(closed))
    logger(WORKFLOW).info("reconciled", extra={"abandoned": len(closed)})
    return {"abandoned": len(closed)}
