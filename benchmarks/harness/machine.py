"""Carries a state machine out in this process, so that what its states do can be counted one by one.

Knows what the workflows use on the way to success: Task (`lambda:invoke`), Choice, Map (inline), Pass, Succeed and
Fail, in JSONata. What fails is raised: there are no retries and no catches here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

type Invoke = Callable[[str, Any], Any]

_INVOKE = "arn:aws:states:::lambda:invoke"


class StateFailedError(Exception):
    """The machine came to a Fail state."""


class Machine:
    """One execution of `definition`; `invoke` gets a function's ARN and an event, and returns the function's answer.

    `entered` lists the states in the order in which they were entered, those inside Maps once per iteration.
    """

    def __init__(self, definition: Mapping[str, Any], invoke: Invoke) -> None:
        self.entered: list[str] = []
        self._definition = definition
        self._invoke = invoke

    def run(self, payload: Any, execution: Mapping[str, str]) -> Any:
        """Return the output for the input `payload`; `execution` holds `Id`, `Name` and `StartTime`.

        Raises
        ------
        StateFailedError
            It ends in a Fail state.
        """
        return self._walk(self._definition, payload, {}, {"Execution": dict(execution)})

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
                if state["Resource"] != _INVOKE:
                    raise NotImplementedError(f"{name}: {state['Resource']}")
                asked = scope.value(state["Arguments"])
                answer = self._invoke(asked["FunctionName"], asked["Payload"])
                scope = scope.with_result({"StatusCode": 200, "Payload": answer})
            case "Map":
                scope = scope.with_result([self._iteration(state, scope, item) for item in scope.items(state)])
        return scope.output(state, scope.default), scope.assigned(state), following

    def _iteration(self, state: Mapping[str, Any], scope: "_Scope", item: tuple[int, Any]) -> Any:
        context = scope.context | {"Map": {"Item": {"Index": item[0], "Value": item[1]}}}
        inner = _Scope(scope.variables, scope.input, context)
        payload = inner.value(state["ItemSelector"]) if "ItemSelector" in state else item[1]
        return self._walk(state["ItemProcessor"], payload, scope.variables, context)


class _Scope:
    """What the expressions of one state can see."""

    def __init__(self, variables: Mapping[str, Any], payload: Any, context: dict[str, Any]) -> None:
        self.variables = variables
        self.input = payload
        self.context = context
        self.default = payload
        self._result: Any = None

    def with_result(self, result: Any) -> "_Scope":
        scope = _Scope(self.variables, self.input, self.context)
        scope.default = scope._result = result
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
        return Jsonata.jsonata(expression).evaluate(None, bound)
