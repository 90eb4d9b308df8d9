"""What a cold start imports: nothing that the function's layers do not bring, and nothing that it has no use for."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from scripts.template import events_of
from tests.fakes.functions import functions
from tests.fakes.samples import PROJECT, handlers

# These take their time, and are not for everybody. The SDK was half of a cold import: whoever needs it imports it where
# a runtime builds what uses it.
FOR_THE_API_ALONE = ("aws_lambda_powertools.event_handler",)
MOST, MOST_OF_THE_API = 360, 550
FOR_NOBODY = ("aws_xray_sdk.ext", "boto3", "botocore.client", "dotenv", "pydantic_settings", "sqlite3")

# Imports the module named first where the top-level packages named second do not exist.
_PROGRAM = """
import importlib, importlib.abc, json, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"no layer of this function brings {name}", name=name)

absent = set(json.loads(sys.argv[2]))
sys.meta_path.insert(0, Absent())
assert callable(importlib.import_module(sys.argv[1]).lambda_handler)
from pydantic import BaseModel

def models(base):
    return {base}.union(*map(models, base.__subclasses__()))

built = [f"{each.__module__}.{each.__name__}" for each in models(BaseModel) if each.__pydantic_complete__]
print(json.dumps([sorted(sys.modules), sorted(built)]))
"""

ALL = pytest.mark.parametrize("module", sorted(handlers().values()))


def imported_by(module: str) -> frozenset[str]:
    """Return what is imported with `module`."""
    return _started(module)[0]


@cache
def _started(module: str) -> tuple[frozenset[str], list[str]]:
    """Return what is imported with `module` in a fresh interpreter, with its layers and no setting, and built then."""
    brought = frozenset().union(*(layers()[layer] for layer in functions()[module].layers))
    absent = [
        package
        for package, names in installed().items()
        if package != "waybill" and not brought & {normalised(name) for name in names}
    ]
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module, json.dumps(absent)],
        env={"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    names, built = json.loads(ran.stdout)
    return frozenset(names), built


@cache
def installed() -> Mapping[str, list[str]]:
    """Return the distributions by top-level package; looking through them takes as long as a function's imports."""
    return packages_distributions()


@cache
def layers() -> dict[str, frozenset[str]]:
    """Return the distributions in each layer."""
    return {
        path.parent.name: frozenset(
            normalised(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text("utf-8"), re.MULTILINE)
        )
        for path in (PROJECT / "layers").glob("*/requirements.txt")
    }


def normalised(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def callers_of(function: str) -> set[str]:
    """Return the kinds of events that call a function."""
    return {event["Type"] for event in events_of(function)}


def serves_http(module: str) -> bool:
    return "Api" in callers_of(functions()[module].name)


@ALL
def test_a_function_starts_with_nothing_but_its_layers(module: str) -> None:
    loaded = imported_by(module)
    assert {"pydantic", "aws_lambda_powertools.logging"} <= loaded
    # Counted, since a time says something about the machine. Those of the interpreter are among them.
    checks_tokens = "auth" in functions()[module].layers
    assert len(loaded) <= (MOST_OF_THE_API if serves_http(module) or checks_tokens else MOST)


@ALL
def test_a_function_builds_no_model_before_it_is_used(module: str) -> None:
    """Pydantic builds a class's validator with the class, or by its first use (`defer_build`, its page on models)."""
    assert [name for name in _started(module)[1] if name.startswith("waybill.")] == []


@ALL
def test_a_function_imports_nothing_that_it_has_no_use_for(module: str) -> None:
    unwanted = FOR_NOBODY if serves_http(module) else FOR_NOBODY + FOR_THE_API_ALONE
    assert [name for name in imported_by(module) if f"{name}.".startswith(tuple(f"{one}." for one in unwanted))] == []


@ALL
def test_a_function_imports_its_own_workflow_and_no_other(module: str) -> None:
    own = module.split(".")[1]
    packages = {name.split(".")[1] for name in imported_by(module) if name.startswith("waybill.")}
    # The console reads tokens as the gateway does.
    assert packages <= {"core", own} | ({"gateway"} if own == "console" else set())


def test_the_first_state_of_a_replication_imports_little_of_waybill() -> None:
    """At most 25 modules: counted, since a time says something about the machine (docs/architecture.md)."""
    loaded = imported_by("waybill.replication.handlers.log_workflow_start")
    assert len([name for name in loaded if name.partition(".")[0] == "waybill"]) <= 25
