"""The few ways in which states try again and catch, and which state uses which."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.template.support.machines import State, machines
from tests.template.support.retries import Retries
from tests.template.support.rules import every

USES: dict[str, dict[tuple[str, ...], Retries]] = {}
CAUGHT: dict[str, tuple[str, set[str]]] = {}
for file in sorted(Path(__file__).parent.glob("*/retries.py")):
    if file.parent.name != "support":
        workflow = import_module(f"tests.template.{file.parent.name}.retries")
        USES |= workflow.USES
        CAUGHT |= getattr(workflow, "CAUGHT", {})

STATES: dict[str, State] = {
    f"{machine.label} {state.name}": state for machine in machines() for state in machine.states
}


def test_every_state_that_tries_again_is_known() -> None:
    known = {name for name, state in STATES.items() if state.retriers}
    assert (known - set(USES), set(USES) - known) == (set(), set()), (
        "new and gone: tests/template/<workflow>/retries.py has to name them"
    )


@every(("name", "uses"), USES.items())
def test_a_state_tries_again_as_its_sets_say(name: str, uses: dict[tuple[str, ...], Retries]) -> None:
    found = {frozenset(retrier["ErrorEquals"]): retries_of(retrier) for retrier in STATES[name].retriers}
    assert found == {frozenset(errors): retries for errors, retries in uses.items()}
    # The first that has an error tries again, whatever the later ones say (Amazon States Language, "Errors").
    errors = [error for retrier in STATES[name].retriers for error in retrier["ErrorEquals"]]
    assert sorted(errors) == sorted(set(errors))


@every(("handler", "how"), CAUGHT.items())
def test_what_is_caught_is_handed_on_alike(handler: str, how: tuple[str, set[str]]) -> None:
    machine, target = handler.split()
    field, states = how
    catchers = {
        state.name: catcher
        for name, state in STATES.items()
        for catcher in state.catchers
        if name.startswith(f"{machine} ") and catcher["Next"] == target
    }
    assert set(catchers) == states
    assert len({json.dumps([one["ErrorEquals"], one[field]]) for one in catchers.values()}) == 1


def retries_of(retrier: dict[str, Any]) -> Retries:
    assert retrier["JitterStrategy"] == "FULL"
    return Retries(
        retrier["MaxAttempts"], retrier["IntervalSeconds"], retrier["BackoffRate"], retrier.get("MaxDelaySeconds")
    )
