"""AWS on moto, for the tests of adapters, handlers and commands."""

import importlib
import json
import logging
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import useragent
from botocore.hooks import EventAliaser
from moto import mock_aws
from moto.core.base_backend import BaseBackend
from moto.core.config import default_user_config
from moto.core.utils import camelcase_to_underscores, method_names_from_class

import waybill
from tests.fakes.hyperscan_databases import compiled_once
from tests.fakes.moto_dynamodb import cheaper_dynamodb
from tests.fakes.moto_expressions import cheaper_expressions
from tests.fakes.moto_requests import cheaper_requests
from tests.fakes.moto_start import cheaper_start
from tests.fakes.moto_tables import cheaper_tables
from tests.fakes.shared_clients import SharedClients
from tests.fakes.wire import Line, Wire
from waybill.cli.app import main


@pytest.fixture(scope="session")
def sdk() -> boto3.Session:
    """The session of all tests: making one, and reading the descriptions of services, takes its time."""
    return boto3.Session()


@pytest.fixture(scope="session")
def line(sdk: boto3.Session) -> Line:
    """Where the wire of a test listens to the clients of all tests."""
    return Line.of(sdk)


@pytest.fixture(scope="session", autouse=True)
def _cheaper_aws(sdk: boto3.Session, line: Line) -> Iterator[SharedClients]:
    """Spend the time of tests on what they test."""
    clients = SharedClients(sdk)
    with pytest.MonkeyPatch.context() as patched:
        clients.install(patched)
        compiled_once(patched)
        cheaper_start(patched)
        cheaper_requests(patched)
        cheaper_dynamodb(patched)
        cheaper_tables(patched)
        cheaper_expressions(patched)
        patched.setattr(BaseBackend, "urls", property(_addresses_made_once(BaseBackend.urls.fget)))
        patched.setattr(EventAliaser, "_alias_event_name", _named_once(EventAliaser._alias_event_name))
        # Each request asks for the methods of moto's class, and for the same words about this machine, anew.
        patched.setattr("moto.core.responses.method_names_from_class", cache(method_names_from_class))
        patched.setattr("moto.core.responses.camelcase_to_underscores", cache(camelcase_to_underscores))
        patched.setattr(
            useragent, "sanitize_user_agent_string_component", cache(useragent.sanitize_user_agent_string_component)
        )
        # The descriptions of services are read from disk once, not once per session.
        patched.setattr("botocore.session.create_loader", cache(botocore.session.create_loader))
        patched.setattr(logging.Handler, "handleError", _silent_about_closed_streams(logging.Handler.handleError))
        # moto would let each test begin with another session.
        patched.setitem(default_user_config["core"], "reset_boto3_session", False)
        patched.setattr(boto3, "DEFAULT_SESSION", sdk)
        yield clients


@pytest.fixture(autouse=True)
def _shared_clients(isolated_environment: None, _cheaper_aws: SharedClients) -> Iterator[None]:
    """Use the clients of the tests before this one."""
    with _cheaper_aws.for_one_test():
        yield


def _silent_about_closed_streams(handle: Callable[..., None]) -> Callable[..., None]:
    """Return `handle`, silent about the standard output of a test that has ended, to which loggers hold on."""

    def handled(handler: logging.Handler, record: logging.LogRecord) -> None:
        if not getattr(getattr(handler, "stream", None), "closed", False):
            handle(handler, record)

    return handled


def _addresses_made_once(make: Any) -> Callable[[BaseBackend], Any]:
    """Return `make`, whose answer is kept by service: for each request, moto makes it anew, S3's from its module."""
    made: dict[type[BaseBackend], Any] = {}

    def addresses(backend: BaseBackend) -> Any:
        kind = type(backend)
        if kind not in made:
            made[kind] = make(backend)
        return made[kind]

    return addresses


def _named_once(name: Callable[[EventAliaser, str], str]) -> Callable[[EventAliaser, str], str]:
    """Return `name`, whose answers are kept: they are the same in each session, and each asks for hundreds."""
    names: dict[str, str] = {}

    def named(aliaser: EventAliaser, event: str) -> str:
        if event not in names:
            names[event] = name(aliaser, event)
        return names[event]

    return named


@pytest.fixture
def wire(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Start AWS on moto, empty, and watch what is sent to it; waiting before a retry takes no time."""
    wire = Wire()
    with mock_aws(), line.watched_by(wire):
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=wire.waits.append))
        forget_collaborators()
        yield wire
    forget_collaborators()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Run `waybill` with `--json`; return its exit status and what it tells, None when that is no JSON."""

    def ran(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = main([*arguments, "--json"])
        # Functions that run in this process log to standard output too.
        text = capsys.readouterr().out
        start = text.find("{\n")
        return status, json.loads(text[start:]) if start >= 0 else None

    return ran


def forget_collaborators() -> None:
    """Functions keep their collaborators, and with them clients, for as long as their process lives."""
    for runtime in _runtimes():
        for value in vars(runtime).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@cache
def _runtimes() -> list[ModuleType]:
    names = [f"waybill.{package.name}.runtime" for package in pkgutil.iter_modules(waybill.__path__)]
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]
