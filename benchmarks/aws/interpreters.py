"""How much of the state machines a second interpreter runs as well."""

import json
import logging
import re
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.harness import Benchmark, Figure, Lab

if TYPE_CHECKING:
    from pathlib import Path

_HOW = "of the states of all definitions, those that moto's interpreter enters in the executions of its tests"


def _measure(lab: Lab) -> Iterator[Figure]:
    # Here: it brings moto, which no other benchmark of this package needs.
    second: Any = import_module("tests.functional.interpreters.test_second_interpreter")
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # executions that are meant to fail do
    executions, entered = 0, set()
    for name, definition in second.DEFINITIONS.items():
        for case in definition.cases:
            executions += 1
            entered |= {(name, state) for state in second.check(name, case).states}
    every = {(name, state) for name in second.DEFINITIONS for state in _states(lab.project, name)}
    beside = {
        "executions": executions,
        "states": len(entered),
        "of_states": len(every),
        "workflow_tests": _workflow_tests(lab.project),
    }
    yield Figure("interpreters.percent_of_states", round(100 * len(entered) / len(every), 1), "%", _HOW, beside)


def _states(project: "Path", name: str) -> Iterator[str]:
    waiting = [json.loads((project / "statemachine" / f"{name}.asl.json").read_text("utf-8"))]
    for definition in waiting:
        for state, body in definition["States"].items():
            yield state
            waiting += [body["ItemProcessor"]] if "ItemProcessor" in body else []


def _workflow_tests(project: "Path") -> int:
    """Return the number of tests that run on the first one, each counted once for all its parameters."""
    files = (project / "tests" / "workflow").rglob("test_*.py")
    return sum(len(re.findall(r"^def test_", file.read_text("utf-8"), re.MULTILINE)) for file in files)


BENCHMARKS = (Benchmark(("interpreters.percent_of_states",), _measure),)
