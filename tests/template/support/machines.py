"""The state machines of the template, as what they are made of. Every ASL file that it names is found by itself."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.template import Tree, load_template
from tests.template.support.stack import target

PROJECT = Path(__file__).resolve().parents[3]

_SUBSTITUTION = re.compile(r"\$\{(?P<name>[A-Za-z0-9]+)\}")
_TERMINAL = {"Succeed", "Fail"}


@dataclass(frozen=True)
class Edge:
    """A way out of a state: `to` is None where the scope ends, `assigned` the variables that are set on the way."""

    to: str | None
    assigned: frozenset[str]


@dataclass(frozen=True)
class State:
    """One state; `language` is what its fields are written in."""

    name: str
    body: Tree
    language: str

    @property
    def label(self) -> str:
        """How a rule names it."""
        return self.name

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.body["Type"])

    @property
    def retriers(self) -> list[Tree]:
        """What is tried again, in this order."""
        return list(self.body.get("Retry", []))

    @property
    def catchers(self) -> list[Tree]:
        """What is caught, in this order."""
        return list(self.body.get("Catch", []))

    @property
    def edges(self) -> Iterator[Edge]:
        """Every way out."""
        assigned = _assigned(self.body)
        if self.kind == "Choice":
            for choice in self.body["Choices"]:
                yield Edge(choice["Next"], _assigned(choice))
            if "Default" in self.body:
                yield Edge(self.body["Default"], assigned)
        elif self.kind in _TERMINAL or self.body.get("End"):
            yield Edge(None, assigned)
        elif "Next" in self.body:
            yield Edge(self.body["Next"], assigned)
        for catcher in self.catchers:
            yield Edge(catcher["Next"], _assigned(catcher))


@dataclass(frozen=True)
class Scope:
    """The states of a machine, of one iteration of a Map or of one branch: names and transitions stay inside."""

    holder: tuple[str, ...]
    start: str
    states: dict[str, State]


@dataclass(frozen=True)
class Machine:
    """One ASL file, with the resources of the template that are made from it."""

    file: Path
    resources: dict[str, Tree]

    @property
    def label(self) -> str:
        """How a rule names it: `consignments`."""
        return self.file.name.partition(".")[0]

    @cached_property
    def definition(self) -> Tree:
        """The definition as it is written, substitutions open."""
        found: Tree = json.loads(self.file.read_text("utf-8"))
        return found

    @property
    def substitutions(self) -> Tree:
        """What the template puts in; the same for every resource (a test holds that)."""
        found: Tree = next(iter(self.resources.values()))["DefinitionSubstitutions"]
        return found

    @property
    def asked_for(self) -> set[str]:
        """What the definition wants put in."""
        return {found["name"] for found in _SUBSTITUTION.finditer(self.file.read_text("utf-8"))}

    @cached_property
    def scopes(self) -> list[Scope]:
        """Every scope, the outermost first."""
        return list(_scopes(self.definition, (), "JSONPath"))

    @property
    def states(self) -> Iterator[State]:
        """Every state of every scope."""
        for scope in self.scopes:
            yield from scope.states.values()

    def function_of(self, state: State) -> str | None:
        """Return the function that a state invokes; None for other states."""
        arguments = state.body.get("Arguments", state.body.get("Parameters", {}))
        found = _SUBSTITUTION.fullmatch(arguments.get("FunctionName", "")) if isinstance(arguments, dict) else None
        # A missing substitution is for a test of its own to find.
        return target(self.substitutions[found["name"]]) if found and found["name"] in self.substitutions else None


def machines() -> list[Machine]:
    """Return every machine of the template."""
    found: dict[Path, Machine] = {}
    for name, resource in load_template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::StateMachine":
            file = PROJECT / resource["Properties"]["DefinitionUri"]
            found.setdefault(file, Machine(file, {})).resources[name] = resource["Properties"]
    return list(found.values())


def invoking() -> list[tuple[Machine, State]]:
    """Return every state that invokes a function, with its machine."""
    return [(machine, state) for machine in machines() for state in machine.states if machine.function_of(state)]


def inner(state: State) -> list[Tree]:
    """Return the definitions inside a Map or Parallel."""
    if state.kind == "Map":
        return [state.body["ItemProcessor"]]
    return list(state.body["Branches"]) if state.kind == "Parallel" else []


def _scopes(definition: Tree, holder: tuple[str, ...], language: str) -> Iterator[Scope]:
    own = definition.get("QueryLanguage", language)
    states = {name: State(name, body, body.get("QueryLanguage", own)) for name, body in definition["States"].items()}
    yield Scope(holder, definition["StartAt"], states)
    for name, state in states.items():
        for branch in inner(state):
            yield from _scopes(branch, (*holder, name), own)


def _assigned(holder: Any) -> frozenset[str]:
    return frozenset(name.removesuffix(".$") for name in holder.get("Assign", {}))
