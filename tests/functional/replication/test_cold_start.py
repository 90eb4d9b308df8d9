"""What a function of replication loads, and no more."""

import json
import os
import subprocess
import sys

from tests.fakes.functions import functions
from tests.fakes.samples import PROJECT

_PROGRAM = """
import json, sys
import waybill.replication.handlers.log_workflow_start
from waybill.replication import runtime

runtime.tracking()
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] == "waybill")))
"""


def test_the_claim_of_a_file_loads_at_most_25_modules() -> None:
    """Source: issue 10, side conditions; what the handler and its one collaborator import."""
    environment = functions()["waybill.replication.handlers.log_workflow_start"].environment
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**environment, "PYTHONPATH": str(PROJECT / "src"), "AWS_DEFAULT_REGION": "eu-west-1", "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    modules: list[str] = json.loads(ran.stdout)
    assert len(modules) <= 25, modules
