"""AWS on moto, for the tests of adapters and handlers."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

import waybill
from tests.fakes.wire import Wire


@pytest.fixture(scope="session")
def sdk() -> boto3.Session:
    """The session of all tests: making one, and reading the descriptions of services, takes its time."""
    return boto3.Session()


@pytest.fixture
def wire(sdk: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Start AWS on moto, empty, and watch what is sent to it; waiting before a retry takes no time."""
    wire = Wire()
    with mock_aws(), wire.watch(sdk):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", sdk)
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=wire.waits.append))
        _forget_collaborators()
        yield wire
    _forget_collaborators()


def _forget_collaborators() -> None:
    """Functions keep their collaborators, and with them clients, for as long as their process lives."""
    for package in pkgutil.iter_modules(waybill.__path__):
        if importlib.util.find_spec(f"waybill.{package.name}.wiring"):
            for value in vars(importlib.import_module(f"waybill.{package.name}.wiring")).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
