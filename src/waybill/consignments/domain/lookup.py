"""A consignment as it stands, also where its execution has recorded nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import override

from waybill.consignments.domain.ports import Register
from waybill.consignments.models import Consignment, ConsignmentStatus, RunFailure, StatusName
from waybill.core import clock
from waybill.core.errors import RetryableError
from waybill.core.executions import ExecutionRefusedError, ExecutionState, ExecutionStates, is_execution_of

# Step Functions asks to slow down, or may not be asked: one consignment must not cost a list.
_UNTOLD = (RetryableError, ExecutionRefusedError)
_BROKEN_OFF = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
# What stands for the step of an execution that was ended from outside of its states.
WHOLE_WORKFLOW = "Workflow"
# The workflow's own `TimeoutSeconds`: what has begun earlier runs no more, whether or not Step Functions remembers it.
LONGEST_RUN = timedelta(seconds=172_800)
_FORGOTTEN = ExecutionState(
    "TIMED_OUT", error="ExecutionUnknown", cause="Step Functions no longer knows the execution; start the checks again"
)
_OF_ANOTHER_STACK = ExecutionState(
    "ABORTED",
    error="ExecutionOfAnotherStack",
    cause="another stack has started these checks, before this table was restored from it; start them again",
)


@dataclass(frozen=True)
class OwnExecutions(ExecutionStates):
    """Knows how the executions of one workflow stand; those of another's write nothing into this stack's table."""

    executions: ExecutionStates
    workflow_arn: str

    @override
    def state(self, execution_arn: str) -> ExecutionState | None:
        if not is_execution_of(self.workflow_arn, execution_arn):
            return _OF_ANOTHER_STACK
        return self.executions.state(execution_arn)


def as_it_stands(
    consignment: Consignment,
    register: Register,
    executions: ExecutionStates,
    now: Callable[[], datetime] = clock.now,
) -> Consignment:
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
    if state is None:
        began = clock.moment_of(consignment.run_started_at)
        state = _FORGOTTEN if began and now() - began > LONGEST_RUN else ExecutionState("RUNNING")
    if state.status == "RUNNING":
        return consignment
    # Its last write may have come between the two looks.
    found = register.find(consignment.consignment_id) or consignment
    if (found.status, found.execution_arn) != (ConsignmentStatus.IN_PROGRESS, consignment.execution_arn):
        return found
    return _broken(found, state) if state.status in _BROKEN_OFF else found


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
