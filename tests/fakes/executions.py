"""Step Functions in memory: an execution runs until the test ends it."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from waybill.core.executions import ExecutionRefusedError, ExecutionState, StartedExecution


class FakeExecutions:
    """Executions by ARN, in the order of their start."""

    def __init__(self) -> None:
        self.inputs: dict[str, Mapping[str, Any]] = {}
        self.states: dict[str, ExecutionState] = {}
        self.refusals: list[Exception] = []
        self.refused: set[str] = set()

    def start(self, state_machine_arn: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        with suppress(IndexError):
            raise self.refusals.pop(0)
        arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        again = arn in self.inputs
        if not again:
            self.inputs[arn] = payload
            self.states[arn] = ExecutionState("RUNNING")
        return StartedExecution(arn, datetime(2026, 3, 1, tzinfo=UTC), again)

    def find(self, state_machine_arn: str, name: str) -> StartedExecution | None:
        arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        return StartedExecution(arn, datetime(2026, 3, 1, tzinfo=UTC), True) if arn in self.inputs else None

    def is_running(self, execution_arn: str) -> bool:
        self._look_at(execution_arn)
        return self.running(execution_arn)

    def state(self, execution_arn: str) -> ExecutionState | None:
        self._look_at(execution_arn)
        return self.states.get(execution_arn)

    def _look_at(self, execution_arn: str) -> None:
        """As Step Functions answers for what a role may not describe."""
        if execution_arn in self.refused:
            raise ExecutionRefusedError(f"not allowed to describe {execution_arn}")

    def running(self, execution_arn: str) -> bool:
        return execution_arn in self.states and self.states[execution_arn].status == "RUNNING"

    def end(self, execution_arn: str, status: str = "SUCCEEDED", **details: Any) -> None:
        self.states[execution_arn] = ExecutionState(status, datetime(2026, 3, 2, tzinfo=UTC), **details)
