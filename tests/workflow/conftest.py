"""One deployed application for all workflow tests, and a gate before it that every request of a function passes."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.mailbox import Mailbox
from waybill.cli.local import LocalStack, free_port

_MIB = 1024**2

# Small sizes stand for large ones, so that the ways to copy differ from 6 and from 20 MiB on.
_PARAMETERS = {
    "SingleCopyMaxBytes": str(6 * _MIB),
    "OneFunctionMaxBytes": str(20 * _MIB),
    "PartSizeBytes": str(5 * _MIB),
    "PartsPerBatch": "2",
    "PartConcurrency": "4",
    "ReconcileAfterMinutes": "0",
    "ReconcileSchedule": "rate(1 day)",
}
_ENVIRONMENT = {
    "SFN_WAIT_SCALE": "0",
    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.05",
    # More than the workflow's own limit of ten copies at a time, which a test measures.
    "LAMBDA_ACCOUNT_CONCURRENCY": "24",
}


@pytest.fixture(scope="session")
def application(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """The application on an embedded AWS of its own."""
    port = free_port()
    with Gate(port) as gate:
        stack = LocalStack(
            project,
            port=port,
            state_dir=tmp_path_factory.mktemp("stack"),
            parameters=_PARAMETERS,
            environment=_ENVIRONMENT | {"AWS_ENDPOINT_URL": gate.endpoint},
        )
        with stack:
            deployed = Application(stack, gate, stack.up().outputs)
            deployed.mailbox.all()
            yield deployed


@pytest.fixture(scope="session")
def gate(application: Application) -> Gate:
    """What the functions ask of AWS, and the means to disturb it."""
    return application.gate


@pytest.fixture(scope="session")
def mailbox(application: Application) -> Mailbox:
    """What people are told."""
    return application.mailbox


@pytest.fixture
def label(request: pytest.FixtureRequest) -> str:
    """Text that belongs to this test alone, to name its files and executions by."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_"))[:30].strip("-")
    return f"{name}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def key(label: str) -> str:
    """Key of this test's file."""
    return f"{label}.zip"
