"""A JSONata state machine without Step Functions: its definition is run as it stands, and its history is counted.

As far as the machines under test go: Pass, Task, Choice, Succeed and Fail, with Assign, Output, Retry and Catch.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonata.jsonata import Jsonata

_DEFINITIONS = Path(__file__).resolve().parents[2] / "statemachine"
# Events of a history by what happens (Step Functions developer guide, "History event types").
_STARTED_AND_ENDED = 2
_ENTERED_AND_EXITED = 2
_ATTEMPT = 3
_LIMIT = 25_000


class TaskFailedError(Exception):
    """A task has failed with `error`, as Step Functions names it."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause


@dataclass
class Execution:
    """An execution that has ended: `events` is the length of its history."""

    name: str
    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    states: list[str] = field(default_factory=list)
    events: int = _STARTED_AND_ENDED


@dataclass(frozen=True)
class StateMachine:
    """A definition; `call` does a task, by its resource's last part, with its arguments."""

    definition: Mapping[str, Any]
    call: Callable[[str, Any], Any]

    @classmethod
    def of(cls, name: str, call: Callable[[str, Any], Any], **substitutions: object) -> "StateMachine":
        """Return the machine of `statemachine/<name>.asl.json`; what is not substituted stands for itself."""
        text = (_DEFINITIONS / f"{name}.asl.json").read_text("utf-8")
        for placeholder, value in substitutions.items():
            text = text.replace(f"${{{placeholder}}}", str(value))
        return cls(json.loads(text), call)

    def run(self, name: str, state_input: Any) -> Execution:
        """Run an execution to its end."""
        execution = Execution(name)
        context = {"Execution": {"Id": f"arn:execution:{name}", "Input": state_input}, "StateMachine": {"Id": "arn"}}
        variables: dict[str, Any] = {}
        current, data = str(self.definition["StartAt"]), state_input
        while execution.status == "RUNNING":
            state = self.definition["States"][current]
            execution.states.append(current)
            execution.events += _ENTERED_AND_EXITED
            assert execution.events < _LIMIT, f"{name} has {execution.events} events"
            scope = {"states": {"input": data, "context": context}, **variables}
            match state["Type"]:
                case "Succeed":
                    execution.status, execution.output = "SUCCEEDED", data
                case "Fail":
                    execution.status, execution.error = "FAILED", _evaluated(state["Error"], scope)
                case "Choice":
                    chosen = (one["Next"] for one in state["Choices"] if _evaluated(one["Condition"], scope))
                    current = next(chosen, state["Default"])
                case _:
                    step, current = self._step(state, scope, execution)
                    variables |= _evaluated(step.get("Assign", {}), scope)
                    result = scope["states"].get("result", data)
                    data = _evaluated(step["Output"], scope) if "Output" in step else result
        return execution

    def _step(self, state: Mapping[str, Any], scope: dict[str, Any], execution: Execution) -> tuple[Any, str]:
        """Do a Pass or a Task; return what says how to go on, the state or one of its catchers, and where to."""
        if state["Type"] == "Pass":
            return state, state["Next"]
        try:
            scope["states"]["result"] = self._attempted(state, _evaluated(state["Arguments"], scope), execution)
        except TaskFailedError as failed:
            scope["states"]["errorOutput"] = {"Error": failed.error, "Cause": failed.cause}
            for catcher in state["Catch"]:
                if {failed.error, "States.ALL"} & set(catcher["ErrorEquals"]):
                    return catcher, catcher["Next"]
            raise
        return state, state["Next"]

    def _attempted(self, state: Mapping[str, Any], arguments: Any, execution: Execution) -> Any:
        left = [retry["MaxAttempts"] for retry in state["Retry"]]
        while True:
            execution.events += _ATTEMPT
            try:
                return self.call(state["Resource"].rpartition(":")[2], arguments)
            except TaskFailedError as failed:
                errors = [retry["ErrorEquals"] for retry in state["Retry"]]
                index = next((index for index, names in enumerate(errors) if failed.error in names), None)
                if index is None or not left[index]:
                    raise
                left[index] -= 1


@cache
def _parsed(expression: str) -> Jsonata:
    return Jsonata(expression)


def _evaluated(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _evaluated(one, scope) for name, one in value.items()}
    if not isinstance(value, str) or not value.startswith("{%"):
        return value
    expression = _parsed(value[2:-2].strip())
    frame = expression.create_frame()
    for name, bound in scope.items():
        frame.bind(name, bound)
    return expression.evaluate(None, frame)
