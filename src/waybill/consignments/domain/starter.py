"""Starting the checks of a consignment: one run however often they are asked for, another when the last has ended."""

from dataclasses import dataclass

from waybill.consignments.domain.ports import Register
from waybill.consignments.errors import RegistrationIncompleteError
from waybill.consignments.models import Consignment
from waybill.core.executions import RunningExecutions, StartedExecution, execution_name, is_execution_of

# Runs that ended before they could claim their consignment; nobody has so many.
_UNCLAIMED = 20


def run_name(consignment: Consignment, attempt: int) -> str:
    """Return the name of the execution that is the consignment's `attempt`th run (1 is the first)."""
    return execution_name(f"{consignment.consignment_id}-{attempt}", consignment.consignment_id, str(attempt))


@dataclass(frozen=True)
class CheckStarter:
    """Starts the checks."""

    register: Register
    executions: RunningExecutions
    workflow_arn: str

    def start(self, consignment: Consignment) -> StartedExecution:
        """Return the run that is under way, or start the next.

        Two requests at the same time see the same number of runs, and so start one execution between them.

        Raises
        ------
        RegistrationIncompleteError
            No file is registered, or fewer than were announced.
        """
        arn = consignment.execution_arn
        if arn and is_execution_of(self.workflow_arn, arn) and self.executions.is_running(arn):
            return self._found(consignment, arn)
        self._check_complete(consignment)
        payload = {"consignmentId": consignment.consignment_id}
        for attempt in range(consignment.run + 1, consignment.run + 1 + _UNCLAIMED):
            name = run_name(consignment, attempt)
            # A second start with the same input is answered like the first (Step Functions API Reference).
            earlier = self.executions.find(self.workflow_arn, name)
            started = earlier or self.executions.start(self.workflow_arn, name, payload)
            if not started.already_running or self.executions.is_running(started.execution_arn):
                # Until it claims the consignment, nothing else says that what is stored is of an earlier run.
                self.register.note_start(consignment, started.execution_arn)
                return started
            now = self.register.find(consignment.consignment_id)
            if now is not None and now.run > consignment.run:
                # Another request's run began, and has ended, since this one looked.
                return started
        return started

    def _found(self, consignment: Consignment, execution_arn: str) -> StartedExecution:
        known = self.executions.find(self.workflow_arn, execution_arn.rpartition(":")[2])
        if known is None:
            raise RuntimeError("a running execution that cannot be described")
        return known

    def _check_complete(self, consignment: Consignment) -> None:
        registered = self.register.count_files(consignment.consignment_id)
        if registered == 0:
            raise RegistrationIncompleteError(f"consignment {consignment.consignment_id} has no files")
        if registered < consignment.announced:
            missing = f"{registered} of {consignment.announced} files"
            raise RegistrationIncompleteError(f"{missing} of consignment {consignment.consignment_id} are registered")
