"""Every JSONata expression of every state machine: that it is one, and that what it refers to is there by then."""

from collections.abc import Iterator
from typing import Any

from tests.template.support.jsonata import CLOSE, OPEN, expressions, is_expression, known_functions, mentions
from tests.template.support.machines import Machine, Scope, State, machines
from tests.template.support.rules import every

# Where a state may read what (Step Functions developer guide, "Transforming data with JSONata").
INPUT = {"input", "context"}
RESULT = {"Output", "Assign"}
GIVE_RESULTS = {"Task", "Map", "Parallel"}

MACHINES = machines()
STATES = [(machine, state) for machine in MACHINES for state in machine.states if state.language == "JSONata"]

every_machine = every("machine", MACHINES)
every_state = every(("machine", "state"), STATES)


def own_fields(state: State) -> dict[str, Any]:
    """The state without the states inside of it."""
    return {key: value for key, value in state.body.items() if key not in {"ItemProcessor", "Branches", "Comment"}}


def parts_of(state: State) -> Iterator[tuple[set[str], Any]]:
    """Every part of a state with what of `$states` it may read."""
    for key, value in own_fields(state).items():
        if key == "Catch":
            for catcher in value:
                yield INPUT | {"errorOutput"}, catcher
        else:
            result = {"result"} if key in RESULT and state.kind in GIVE_RESULTS else set()
            yield INPUT | result, {key: value}


@every_state
def test_expressions_are_jsonata(machine: Machine, state: State) -> None:
    known = known_functions()
    for place, expression in expressions(own_fields(state)):
        assert mentions(expression).functions <= known, place


@every_state
def test_an_expression_is_the_whole_of_a_text(machine: Machine, state: State) -> None:
    for text in texts(own_fields(state)):
        assert is_expression(text) or (OPEN not in text and CLOSE not in text), text


@every_state
def test_an_expression_reads_what_its_place_has(machine: Machine, state: State) -> None:
    for allowed, part in parts_of(state):
        for place, expression in expressions(part):
            assert mentions(expression).parts <= allowed, place


@every_state
def test_fields_of_jsonpath_are_not_used(machine: Machine, state: State) -> None:
    jsonpath = {
        "InputPath",
        "OutputPath",
        "Parameters",
        "ResultPath",
        "ResultSelector",
        "ItemsPath",
        "TimeoutSecondsPath",
    }
    assert not jsonpath & set(state.body)


@every_machine
def test_variables_are_assigned_on_every_path_to_where_they_are_read(machine: Machine) -> None:
    known = assigned_before(machine)
    for scope in machine.scopes:
        for name, state in scope.states.items():
            if state.language != "JSONata":
                continue
            for place, expression in expressions(own_fields(state)):
                missing = mentions(expression).variables - {"states"} - known[(*scope.holder, name)]
                assert not missing, f"{name}{place}"


@every_machine
def test_a_variable_has_one_scope(machine: Machine) -> None:
    """Step Functions refuses an inner variable with the name of an outer one."""
    for scope in machine.scopes:
        outer = {
            name
            for other in machine.scopes
            if len(other.holder) < len(scope.holder) and scope.holder[: len(other.holder)] == other.holder
            for name in assigned_in(other)
        }
        assert not outer & assigned_in(scope)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def assigned_in(scope: Scope) -> set[str]:
    return {name for state in scope.states.values() for edge in state.edges for name in edge.assigned}


def assigned_before(machine: Machine) -> dict[tuple[str, ...], frozenset[str]]:
    """The variables that every path to a state has assigned, by the states that hold it and its name."""
    found: dict[tuple[str, ...], frozenset[str]] = {}
    for scope in machine.scopes:
        # An iteration sees what its Map has seen; its own variables end with it.
        outer = found.get(scope.holder, frozenset())
        before = {scope.start: outer}
        waiting = [scope.start]
        while waiting:
            name = waiting.pop()
            for edge in scope.states[name].edges:
                if edge.to is None:
                    continue
                arriving = before[name] | edge.assigned
                known = before.get(edge.to)
                if known is None or known - arriving:
                    before[edge.to] = arriving if known is None else known & arriving
                    waiting.append(edge.to)
        found |= {(*scope.holder, name): variables for name, variables in before.items()}
    return found
