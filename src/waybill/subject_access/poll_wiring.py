"""The collaborators of the poll."""

from datetime import timedelta

from waybill.core.aws import client
from waybill.core.clock import now
from waybill.core.executions import StepFunctions
from waybill.core.settings import load
from waybill.subject_access import wiring
from waybill.subject_access.lifecycle import Ages, Lifecycle
from waybill.subject_access.polling import Poll
from waybill.subject_access.settings import LifecycleSettings, WorkflowSettings


def poll() -> Poll:
    """Return the poll."""
    days, workflow = load(LifecycleSettings), load(WorkflowSettings)
    ages = Ages(timedelta(days=days.archive_after_days), timedelta(days=days.delete_after_days))
    return Poll(
        lists=wiring.lists(),
        lifecycle=Lifecycle(wiring.store(), wiring.lists(), wiring.reports(), ages, now),
        fulfilment=wiring.fulfilment(),
        alerts=wiring.alerts(),
        executions=StepFunctions(client("stepfunctions")),
        workflow_arn=workflow.subject_access_workflow_arn,
        most_workers=workflow.workers_per_poll,
        now=now,
    )
