"""The functions of the consignment checks in this process, against moto."""

import os
from pathlib import Path

import pytest

from tests.fakes.functions import REGION
from tests.fakes.wire import Wire
from tests.functional.consignments.bench import CLEAN, RESULTS, TABLE, UPLOADS, Workbench
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack


@pytest.fixture
def bench(wire: Wire) -> Workbench:
    """The stack's resources, and a machine that runs the states in order."""
    return Workbench.made(wire)


@pytest.fixture
def cli_stack(bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands find moto's resources, and remember nothing from elsewhere."""
    outputs = {
        "ConsignmentsTableName": TABLE,
        "ConsignmentUploadBucketName": UPLOADS,
        "ConsignmentResultsBucketName": RESULTS,
        "ConsignmentCleanBucketName": CLEAN,
        "ConsignmentChecksWorkflowArn": os.environ["CONSIGNMENT_CHECKS_WORKFLOW_ARN"],
    }
    monkeypatch.setattr(Cli, "stack", Stack("waybill", REGION, "", outputs))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
