"""One deployed application for all workflow tests, and a gate before it that every request of a function passes."""

import re
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.parameters import QUIET_BUCKET, differing, parameters_with
from tests.workflow.support.requests import Requests
from tests.workflow.support.source import Source
from tests.workflow.support.stacks import EmbeddedStack, NamedStack
from waybill.cli.local.keys import AUDIENCE, ISSUER
from waybill.cli.local.ministack import free_port
from waybill.cli.local.stack import LocalStack

_LOG_LINES = 150

_ENVIRONMENT = {
    "SFN_WAIT_SCALE": "0",
    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.05",
    # Above the ten copies that one run makes at a time, so that it is the workflow that keeps to them.
    "LAMBDA_ACCOUNT_CONCURRENCY": "13",
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the embedded AWS's log with what failed."""
    report = yield
    stack = getattr(getattr(item, "funcargs", {}).get("application"), "stack", None)
    if report.failed and isinstance(stack, EmbeddedStack):
        log = stack.local.ministack.log_file.read_text("utf-8", "replace").splitlines()
        report.sections.append(("the end of the embedded AWS's log", "\n".join(log[-_LOG_LINES:])))
    return report


@pytest.fixture(scope="package")
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    """What the functions ask of AWS, and the means to disturb it."""
    if request.config.getoption("--stack"):
        pytest.skip("needs the gate before the embedded AWS, which disturbs what functions ask")
    with Gate(free_port()) as gate:
        yield gate


@pytest.fixture(scope="package")
def requests(request: pytest.FixtureRequest) -> Requests:
    """How many requests were made; nobody counts those of a stack that is deployed already."""
    return Requests(None if request.config.getoption("--stack") else request.getfixturevalue("gate"))


@pytest.fixture(scope="package")
def local_stack(project: Path, gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """An embedded AWS of its own with the application, behind the gate."""
    stack = LocalStack(
        project,
        port=gate.port,
        state_dir=tmp_path_factory.mktemp("stack"),
        parameters=parameters_with(QUIET_BUCKET),
        environment=_ENVIRONMENT | {"AWS_ENDPOINT_URL": gate.endpoint},
    )
    with stack:
        stack.client("s3").create_bucket(
            Bucket=QUIET_BUCKET, CreateBucketConfiguration={"LocationConstraint": stack.ministack.region}
        )
        yield stack


@pytest.fixture(scope="package")
def application(request: pytest.FixtureRequest) -> Iterator[Application]:
    """The application with its defaults, but for the sizes."""
    option = request.config.getoption
    if name := option("--stack"):
        named = NamedStack(name, option("--signing-key"), option("--profile"))
        if wrong := differing(named.parameters):
            pytest.exit(f"{name} has not the parameters of scripts/acceptance: {', '.join(wrong)}", returncode=2)
        application = Application(named)
    else:
        local: LocalStack = request.getfixturevalue("local_stack")
        application = Application(EmbeddedStack(local, local.stack_name, QUIET_BUCKET))
    assert application.mailbox  # subscribed before anything happens
    assert application.early
    yield application
    if name:
        application.remove()


@pytest.fixture(scope="package")
def variant(local_stack: LocalStack, application: Application) -> Application:
    """The application once more: Express, with versioned buckets, and failed runs that end as successful executions."""
    name = f"{local_stack.stack_name}-variant"
    parameters = parameters_with(QUIET_BUCKET) | {
        "AuthIssuer": ISSUER,
        "AuthAudience": AUDIENCE,
        "AuthJwks": local_stack.signing_key.jwks(),
        "Platform": "embedded",
        "Stage": "dev",
        "ReplicationWorkflowType": "EXPRESS",
        "BucketVersioning": "Enabled",
        "EndFailedRunsInFail": "false",
        "CustodyWatchBuckets": "",  # what both watch, both hear
    }
    local_stack.sam.deploy(
        stack_name=name,
        endpoint=local_stack.ministack.endpoint,
        region=local_stack.ministack.region,
        parameters=parameters,
    )
    variant = Application(EmbeddedStack(local_stack, name, QUIET_BUCKET))
    assert variant.mailbox
    return variant


@pytest.fixture(scope="package")
def mailbox(application: Application) -> Mailbox:
    """What people are told."""
    return application.mailbox


@pytest.fixture(scope="package")
def source(application: Application) -> Source:
    """The bucket whose uploads start replications."""
    return application.source


@pytest.fixture(scope="package")
def quiet(application: Application) -> Source:
    """A source bucket whose uploads start nothing by themselves."""
    return application.quiet


@pytest.fixture
def label(request: pytest.FixtureRequest) -> str:
    """Text that belongs to this test alone, to name its files and executions by."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_"))[:30].strip("-")
    return f"{name}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def key(label: str) -> str:
    """Key of this test's file."""
    return f"{label}.zip"
