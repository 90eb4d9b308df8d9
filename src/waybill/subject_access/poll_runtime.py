"""The collaborators of the poll."""

from datetime import timedelta

from waybill.core.aws.clients import client
from waybill.core.aws.states import StepFunctions
from waybill.core.clock import now
from waybill.core.settings import load
from waybill.subject_access import runtime
from waybill.subject_access.api_runtime import answers
from waybill.subject_access.domain.lifecycle import Ages, Lifecycle
from waybill.subject_access.domain.poll import Poll
from waybill.subject_access.settings import LifecycleSettings, WorkflowSettings


def poll() -> Poll:
    """Return the poll."""
    days, workflow = load(LifecycleSettings), load(WorkflowSettings)
    ages = Ages(timedelta(days=days.archive_after_days), timedelta(days=days.delete_after_days))
    return Poll(
        lists=runtime.lists(),
        lifecycle=Lifecycle(runtime.store(), runtime.lists(), runtime.reports(), ages, now),
        fulfilment=runtime.fulfilment(),
        alerts=runtime.alerts(),
        executions=StepFunctions(client("stepfunctions")),
        workflow_arn=workflow.subject_access_workflow_arn,
        most_workers=workflow.workers_per_poll,
        now=now,
        answers=answers,
    )
