"""What every test gets."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.scheduling import WORKFLOW_TESTS, SharedWork, leaves_out
from tests.workflow.support.parameters import LOCAL_STACK
from waybill.cli.local.stack_file import StackFile
from waybill.core import settings
from waybill.core.aws import clients

PROJECT = Path(__file__).resolve().parents[1]

# How fast an example is says something about the machine, not about the code.
hypothesis_settings.register_profile("waybill", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("waybill")

# A niceness (nice(2)): a quarter of a core's time, where both want all of it.
_LATER = 5

_SESSION = pytest.StashKey[pytest.Session]()

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("waybill")
    group.addoption("--stack", help="run tests/workflow against this stack, which is deployed (docs/acceptance.md)")
    group.addoption("--local", action="store_true", help="the same on what scripts/acceptance --local deploys")
    group.addoption("--profile", help="AWS profile of --stack; without it, what the environment gives")
    key = PROJECT / ".local" / "acceptance" / "signing-key.pem"
    group.addoption("--signing-key", type=Path, default=key, help="key pair whose public half is --stack's AuthJwks")
    group.addoption("--long", action="store_true", help="run also what takes long and seldom fails (marker `long`)")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # while tests are collected: what that makes stays
    if config.getoption("--local"):
        running = StackFile.read(PROJECT / ".local" / "stack.json")
        if running is None:
            raise pytest.UsageError("no local stack is up: make up starts it")
        os.environ.update(running.environment())
        config.option.stack = LOCAL_STACK


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Compile once what each worker would compile: in a fresh clone, twice as much work as to collect the tests."""
    compiled = (PROJECT / "tests" / "unit" / "core" / "__pycache__").glob("test_*.pyc")
    if sys.dont_write_bytecode or not _runs_all(config) or any(compiled):
        return
    collect = [sys.executable, "-m", "pytest", "--collect-only", "--quiet"]
    parts = (["tests/unit", "tests/template"], ["tests/functional", "tests/console"])
    for collecting in [subprocess.Popen([*collect, *part], cwd=PROJECT, stdout=subprocess.DEVNULL) for part in parts]:
        collecting.wait()  # what is wrong with a test, the workers say


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_SESSION] = session


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedWork:
    return SharedWork(config.stash[_SESSION], log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    if _runs_all(node.config):
        node.workerinput["leaves_out"] = leaves_out(node.gateway.id, node.workerinput["workercount"])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    left_out = getattr(config, "workerinput", {}).get("leaves_out")
    if left_out is None or collection_path.parent != PROJECT / "tests" or not collection_path.is_dir():
        return None
    return ("workflow" if collection_path.name == "workflow" else "other") == left_out or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("long") and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip("takes long: --long runs it"))
        if item.nodeid.startswith(WORKFLOW_TESTS):
            item.add_marker(pytest.mark.workflow)
            item.add_marker(pytest.mark.timeout(900))  # the first of them builds and deploys


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Let the workers that have an embedded AWS go first: they last longest, and the others fill what they leave."""
    if hasattr(item.config, "workerinput") and not item.nodeid.startswith(WORKFLOW_TESTS) and os.nice(0) < _LATER:
        os.nice(_LATER - os.nice(0))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    # What was imported stays, and is most of what each look for garbage went through: a tenth of all processor time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    # Bytes that were packed a moment ago hold the time, and every worker has to know the same tests by the same names.
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def isolated_environment(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test sees this machine's AWS configuration, another test's variables, or clients made for them."""
    if request.config.getoption("--stack"):  # which this configuration leads to
        yield
        return
    before = dict(os.environ)
    for name in before:
        if name.startswith(("AWS_", "POWERTOOLS_", "WAYBILL_")):
            del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    _forget()
    yield
    os.environ.clear()
    os.environ.update(before)
    _forget()


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return PROJECT


@pytest.fixture(scope="session")
def sample_event() -> Callable[[str], Any]:
    """Read `events/<name>.json`, for example `replication/copy_to_destination`."""
    return lambda name: json.loads((PROJECT / "events" / f"{name}.json").read_text("utf-8"))


def _runs_all(config: pytest.Config) -> bool:
    return bool(config.args == config.getini("testpaths"))


def _forget() -> None:
    settings.load.cache_clear()
    clients.client.cache_clear()
    clients.presigner.cache_clear()
