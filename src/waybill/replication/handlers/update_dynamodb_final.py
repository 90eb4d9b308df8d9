"""UpdateDynamoDBFinal: writes the final tracking record and the history item of a run."""

from typing import TYPE_CHECKING

from waybill.core.clock import moment_of, now
from waybill.core.observability import MetricUnit, count, instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.outcome import outcome_of
from waybill.replication.models import ReplicationRun, RunOutcome, RunTotals

if TYPE_CHECKING:
    from waybill.replication.domain.states import FinishedRun, RecordedOutcome


@instrumented(WORKFLOW)
def lambda_handler(event: "FinishedRun", context: object) -> "RecordedOutcome":
    """Take `{run, totals}`; return `{outcome, recorded}`: `recorded` is false when a later run owns the record."""
    totals = RunTotals.parse(event["totals"])
    outcome = outcome_of(totals)
    run = ReplicationRun.parse(event["run"])
    recorded = runtime.tracking().finish(run, totals, outcome)
    if outcome is RunOutcome.SUCCESS and (written := moment_of(run.event_time)):
        count(WORKFLOW, "ReplicationLatency", max((now() - written).total_seconds(), 0), MetricUnit.Seconds)
    # All of a run in one line of the log, which is billed by its bytes.
    if copied := totals.bytes_copied:
        count(WORKFLOW, "BytesCopied", copied, MetricUnit.Bytes)
    count(WORKFLOW, f"Runs{outcome.title().replace('_', '')}")
    return {"outcome": outcome.value, "recorded": recorded}
