"""Carries a state machine out in this process, so that what its states do can be counted one by one.

Knows what the workflows use on the way to success: Task (`lambda:invoke`, and what `resources` says), Choice, Map
(inline), Pass, Succeed and Fail, in JSONata. What fails is raised; a `TaskFailedError` is retried and caught before.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

type Invoke = Callable[[str, Any], Any]

_INVOKE = "states:::lambda:invoke"
# Events of a history (Step Functions developer guide, "History event types"): of an execution and of a state, that it
# begins and ends; of an attempt at a task, that it is scheduled, begins and ends.
_EVENTS_OF_BOTH_ENDS = 2
_EVENTS_OF_AN_ATTEMPT = 3


class TaskFailedError(Exception):
    """A task has failed with `error`, as Step Functions calls it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class StateFailedError(Exception):
    """The machine came to a Fail state."""


class Machine:
    """One execution of `definition`; `invoke` gets a function's ARN and an event, and returns the function's answer.

    `resources` are tasks that are no functions, by their ARN: they get their arguments. `entered` lists the states in
    the order in which they were entered, those inside Maps once per iteration.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        invoke: Invoke,
        resources: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self.entered: list[str] = []
        self._attempts = 0
        self._definition = definition
        self._resources = {_INVOKE: self._call} | {_action(arn): task for arn, task in (resources or {}).items()}
        self._invoke = invoke

    @property
    def events(self) -> int:
        """The length of its history, where there is no Map."""
        return _EVENTS_OF_BOTH_ENDS * (1 + len(self.entered)) + _EVENTS_OF_AN_ATTEMPT * self._attempts

    def run(self, payload: Any, execution: Mapping[str, str]) -> Any:
        """Return the output for the input `payload`; `execution` holds `Id`, `Name` and `StartTime`.

        Raises
        ------
        StateFailedError
            It ends in a Fail state.
        """
        context = {"Execution": {"Input": payload, **execution}, "StateMachine": {"Id": "the state machine"}}
        return self._walk(self._definition, payload, {}, context)

    def _walk(
        self, machine: Mapping[str, Any], payload: Any, variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        known = dict(variables)
        name = machine["StartAt"]
        while name:
            state = machine["States"][name]
            self.entered.append(name)
            scope = _Scope(known, payload, dict(context) | {"State": {"Name": name, "RetryCount": 0}})
            payload, assigned, name = self._step(name, state, scope)
            known |= assigned
        return payload

    def _step(self, name: str, state: Mapping[str, Any], scope: "_Scope") -> tuple[Any, Mapping[str, Any], str | None]:
        """Return the state's output, the variables that it assigns, and what comes next."""
        following = state.get("Next")
        match state["Type"]:
            case "Fail":
                raise StateFailedError(f"{name}: {scope.value(state.get('Cause', ''))}")
            case "Choice":
                rules = state["Choices"]
                taken = next((rule for rule in rules if scope.value(rule["Condition"])), state)
                return scope.output(taken, scope.input), scope.assigned(taken), taken.get("Next") or taken["Default"]
            case "Task":
                if _action(state["Resource"]) not in self._resources:
                    raise NotImplementedError(f"{name}: {state['Resource']}")
                try:
                    scope = scope.with_result(self._attempted(state, scope.value(state["Arguments"])))
                except TaskFailedError as failed:
                    catcher = _catcher(state, failed)
                    scope = scope.with_error({"Error": failed.error, "Cause": ""})
                    return scope.output(catcher, scope.default), scope.assigned(catcher), catcher["Next"]
            case "Map":
                scope = scope.with_result([self._iteration(state, scope, item) for item in scope.items(state)])
        return scope.output(state, scope.default), scope.assigned(state), following

    def _call(self, asked: Any) -> Any:
        return {"StatusCode": 200, "Payload": self._invoke(asked["FunctionName"], asked["Payload"])}

    def _attempted(self, state: Mapping[str, Any], asked: Any) -> Any:
        """Return the result of a task that is tried as often as its state says."""
        left = {retry: of["MaxAttempts"] for retry, of in enumerate(state.get("Retry", []))}
        while True:
            self._attempts += 1
            try:
                return self._resources[_action(state["Resource"])](asked)
            except TaskFailedError as failed:
                retry = next((each for each in left if failed.error in state["Retry"][each]["ErrorEquals"]), None)
                if retry is None or not left[retry]:
                    raise
                left[retry] -= 1

    def _iteration(self, state: Mapping[str, Any], scope: "_Scope", item: tuple[int, Any]) -> Any:
        context = scope.context | {"Map": {"Item": {"Index": item[0], "Value": item[1]}}}
        inner = _Scope(scope.variables, scope.input, context)
        payload = inner.value(state["ItemSelector"]) if "ItemSelector" in state else item[1]
        return self._walk(state["ItemProcessor"], payload, scope.variables, context)


def _action(resource: str) -> str:
    """Return a task's resource without its partition, which definitions leave to the deployment."""
    return resource.split(":", 2)[2]


def _catcher(state: Mapping[str, Any], failed: TaskFailedError) -> Any:
    for catcher in state.get("Catch", []):
        if {failed.error, "States.ALL"} & set(catcher["ErrorEquals"]):
            return catcher
    raise failed


@cache
def _parsed(expression: str) -> Jsonata:
    return Jsonata.jsonata(expression)


class _Scope:
    """What the expressions of one state can see."""

    def __init__(self, variables: Mapping[str, Any], payload: Any, context: dict[str, Any]) -> None:
        self.variables = variables
        self.input = payload
        self.context = context
        self.default = payload
        self._result: Any = None
        self._error: Any = None

    def with_result(self, result: Any) -> "_Scope":
        scope = _Scope(self.variables, self.input, self.context)
        scope.default = scope._result = result
        return scope

    def with_error(self, error: Any) -> "_Scope":
        scope = _Scope(self.variables, self.input, self.context)
        scope.default = scope._error = error
        return scope

    def output(self, part: Mapping[str, Any], default: Any) -> Any:
        return self.value(part["Output"]) if "Output" in part else default

    def assigned(self, part: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.value(value) for name, value in part.get("Assign", {}).items()}

    def items(self, state: Mapping[str, Any]) -> list[tuple[int, Any]]:
        return list(enumerate(self.value(state["Items"]) if "Items" in state else self.input))

    def value(self, template: Any) -> Any:
        """Return `template` with every `{% expression %}` in it replaced by its value."""
        match template:
            case str() if template.startswith("{%") and template.endswith("%}"):
                return self._evaluate(template[2:-2])
            case dict():
                return {name: self.value(part) for name, part in template.items()}
            case list():
                return [self.value(part) for part in template]
        return template

    def _evaluate(self, expression: str) -> Any:
        # The library takes a variable that is None for one that does not exist.
        bound = {name: Utils.NULL_VALUE if value is None else value for name, value in self.variables.items()}
        bound["states"] = {"input": self.input, "result": self._result, "context": self.context}
        bound["states"]["errorOutput"] = self._error
        return _parsed(expression).evaluate(None, bound)
