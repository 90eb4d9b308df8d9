"""UpdateDynamoDBFinal: writes the final tracking record and the history item of a run."""

from typing import Any

from waybill.core.observability import count, instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.outcome import outcome_of
from waybill.replication.models import ReplicationRun, RunTotals


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{run, totals}`; return `{outcome, recorded}`: `recorded` is false when a later run owns the record."""
    totals = RunTotals.parse(event["totals"])
    outcome = outcome_of(totals)
    recorded = runtime.tracking().finish(ReplicationRun.parse(event["run"]), totals, outcome)
    count(WORKFLOW, f"Runs{outcome.title().replace('_', '')}")
    return {"outcome": outcome.value, "recorded": recorded}
