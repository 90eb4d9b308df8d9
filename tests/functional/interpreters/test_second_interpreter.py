"""Every definition, run by an interpreter of another origin than the embedded AWS's.

What has to come out is what the definitions promise (`docs/architecture.md`, the contracts of the workflows) by the
Amazon States Language (<https://states-language.net>). Where the two interpreters differ: `docs/embedded-aws.md`. One
test runs all executions of a machine, for moto takes seconds to read a definition.
"""

import json
from functools import cache
from importlib import import_module

import pytest

from tests.fakes.samples import PROJECT
from tests.fakes.second_interpreter import Machine, Run
from tests.functional.interpreters.cases import Case, Definition
from tests.template.support.rules import every

# By the name of their file in `statemachine`.
DEFINITIONS: dict[str, Definition] = {}
for file in sorted((PROJECT / "tests" / "functional").glob("*/executions.py")):
    DEFINITIONS |= import_module(f"tests.functional.{file.parent.name}.executions").DEFINITIONS


@cache
def machine(name: str) -> Machine:
    return Machine(name, **DEFINITIONS[name].substitutions)


def check(name: str, case: Case) -> Run:
    """Run a case, and hold it to what it says."""
    run = machine(name).run(case.given, **case.answers)
    assert (run.status, run.error) == (case.status, case.error), run
    if case.output is not None:
        assert {key: run.output.get(key) for key in case.output} == case.output
    assert [state for state in case.through if state not in run.states] == [], run.states
    assert {called: len(run.calls.get(called, [])) for called in case.times} == case.times
    return run


def test_every_definition_is_run() -> None:
    there = {path.name.split(".")[0] for path in (PROJECT / "statemachine").iterdir()}
    assert there - set(DEFINITIONS) == set(), "executions belong in tests/functional/<workflow>/executions.py"
    assert set(DEFINITIONS) - there == set()


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_executions_end_as_the_definition_promises(name: str) -> None:
    every("case", DEFINITIONS[name].cases)(lambda case: check(name, case))()


def test_a_successor_has_a_name_of_its_own_and_the_listing_so_far() -> None:
    """`HandOver` names it `scan-<job>-r<range>-<generation>`: started twice, it is one."""
    (successor,) = [case for case in DEFINITIONS["scanning"].cases if case.label == "a successor"]
    run = check("scanning", successor)
    (asked,) = run.calls["start_execution"]
    assert asked["Name"] == "scan-j-r2-2"
    assert json.loads(asked["Input"]) == {"job_id": "j", "done": False, "split": False, "generation": 2}


def test_a_state_has_at_most_256_kib() -> None:
    """Step Functions developer guide, "Quotas". That States.ALL takes the error is moto's: `docs/embedded-aws.md`."""
    run = machine("replication_jobs").run({}, WorkOnJob={"complete": True, "text": "x" * 262_144})
    assert (run.status, run.error) == ("FAILED", "JobFailed")
    assert (run.cause or "").startswith("States.DataLimitExceeded")
