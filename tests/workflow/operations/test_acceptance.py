"""`make accept`: the workflow tests against a stack by its name, here that of the embedded AWS."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.support.application import Application
from waybill.cli.account import account_environment

TESTS = ["minting/test_lifecycle.py", "replication/test_upload.py"]


@pytest.mark.long
def test_the_tests_run_against_a_stack_by_its_name(application: Application, project: Path) -> None:
    stack = application.stack
    ministack = stack.local.ministack
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--stack", stack.name),
            *("--signing-key", stack.local.key_file),
            *(project / "tests" / "workflow" / test for test in TESTS),
        ],
        cwd=project,
        env={"PATH": os.environ["PATH"], **account_environment(ministack.endpoint, ministack.region)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"[1-9]\d* passed", done.stdout)
