"""What the functions build: only CheckFiles has the layer with the parsers, and nothing else may need it.

Sources: template.yaml, `Layers` of each function; architecture, "Decisions" 2: a function lists the layers that it
imports, and no others.
"""

import json
import subprocess
import sys

import pytest

from tests.fakes.functions import functions
from tests.fakes.samples import PROJECT

# Builds the collaborators named first, and prints what is imported then.
_PROGRAM = """
import json, sys
from waybill.consignments import runtime

for name in json.loads(sys.argv[1]):
    getattr(runtime, name)()
runtime.documents("id", "run")
print(json.dumps(sorted(sys.modules)))
"""
_COLLABORATORS = (
    "table",
    "registrar",
    "executions",
    "starter",
    "fetcher",
    "group_results",
    "copy_targets",
    "copies_wanted",
    "concurrency",
    "notifier",
    "failure_recorder",
)
_VARIABLES = (
    "CONSIGNMENTS_TABLE",
    "CONSIGNMENT_UPLOAD_BUCKET",
    "CONSIGNMENT_RESULTS_BUCKET",
    "CONSIGNMENT_CLEAN_BUCKET",
    "CONSIGNMENT_QUARANTINE_BUCKET",
    "CONSIGNMENT_CHECKS_WORKFLOW_ARN",
    "FAILURE_TOPIC_ARN",
)
# What the layer `inspection` brings.
_PARSERS = {"pikepdf", "pygfried", "yara_x"}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """What is imported when everything but the checker is built, in a fresh interpreter."""
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(_COLLABORATORS)],
        env={"PYTHONPATH": str(PROJECT / "src"), "AWS_DEFAULT_REGION": "eu-west-1"} | dict.fromkeys(_VARIABLES, "x"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


def test_only_the_check_of_files_has_the_parsers() -> None:
    own = {name: each for name, each in functions().items() if name.startswith("waybill.consignments.")}
    having = [name for name, each in own.items() if "inspection" in each.layers]
    assert having == ["waybill.consignments.handlers.check_files"]


def test_what_the_other_functions_build_needs_no_parser(imported: set[str]) -> None:
    assert not imported & _PARSERS
    assert [name for name in imported if name.startswith("waybill.consignments.domain.checks")] == []
