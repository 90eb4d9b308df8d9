"""A consignment as it stands, also where its execution has recorded nothing."""

from dataclasses import replace
from typing import Protocol

from waybill.consignments.domain.ports import Register
from waybill.consignments.models import Consignment, ConsignmentStatus, RunFailure, StatusName
from waybill.core.errors import RetryableError
from waybill.core.executions import ExecutionRefusedError, ExecutionState

# Step Functions asks to slow down, or knows the execution as another stack's: one consignment must not cost a list.
_UNTOLD = (RetryableError, ExecutionRefusedError)
_BROKEN_OFF = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
# What stands for the step of an execution that was ended from outside of its states.
WHOLE_WORKFLOW = "Workflow"


class ExecutionStates(Protocol):
    """Knows how executions stand."""

    def state(self, execution_arn: str) -> ExecutionState | None:
        """Return how the execution stands; None for one that is unknown."""
        ...


def as_it_stands(consignment: Consignment, register: Register, executions: ExecutionStates) -> Consignment:
    """Return the consignment, as broken where its execution has ended and nothing says so.

    An execution that is stopped, runs out of time or hits an error that no state can catch (Step Functions developer
    guide, "Handling errors": `States.Runtime`) records nothing, and its checks would be in progress for ever.
    """
    if consignment.started_arn not in {None, consignment.execution_arn}:
        return _unclaimed(consignment, str(consignment.started_arn), register, executions)
    if consignment.status != ConsignmentStatus.IN_PROGRESS or consignment.execution_arn is None:
        return consignment
    try:
        state = executions.state(consignment.execution_arn)
    except _UNTOLD:
        # What is stored is good enough while nobody says more.
        return consignment
    if state is None or state.status == "RUNNING":
        return consignment
    # Its last write may have come between the two looks.
    now = register.find(consignment.consignment_id) or consignment
    if (now.status, now.execution_arn) != (ConsignmentStatus.IN_PROGRESS, consignment.execution_arn):
        return now
    if state.status not in _BROKEN_OFF:
        return now
    return _broken(now, state)


def _unclaimed(consignment: Consignment, arn: str, register: Register, executions: ExecutionStates) -> Consignment:
    """Return the consignment as the run leaves it that was started and has not claimed it yet.

    What an earlier run has found says nothing about this one, neither a failure nor a success.
    """
    try:
        state = executions.state(arn)
    except _UNTOLD:
        state = ExecutionState("RUNNING")
    now = register.find(consignment.consignment_id) or consignment
    if now.started_arn != arn:
        # It has claimed between the two looks.
        return now
    pending = replace(
        now,
        status=ConsignmentStatus.IN_PROGRESS,
        statuses={},
        run=now.run + 1,
        execution_arn=arn,
        execution_name=arn.rpartition(":")[2],
        failure=None,
        differences=None,
    )
    if state is None or state.status not in _BROKEN_OFF:
        return pending
    return _broken(pending, state)


def _broken(consignment: Consignment, state: ExecutionState) -> Consignment:
    failure: RunFailure = {
        "step": WHOLE_WORKFLOW,
        "executionName": consignment.execution_name,
        "error": state.error or state.status,
        "cause": state.cause or f"the execution ended as {state.status}",
    }
    statuses = {**consignment.statuses, StatusName.CLIENT_CHECKS: ConsignmentStatus.FAILED}
    return replace(consignment, status=ConsignmentStatus.FAILED, statuses=statuses, failure=failure)
