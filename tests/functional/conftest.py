"""AWS on moto, for the tests of adapters and handlers."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader
from moto import mock_aws

import waybill
from tests.fakes.wire import Wire

# Service descriptions are parsed once for all tests.
_DESCRIPTIONS = Loader(include_default_search_paths=True)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Start AWS on moto, empty, and watch what is sent to it; waiting before a retry takes no time."""
    wire = Wire()
    with mock_aws():
        session = botocore.session.Session()
        session.register_component("data_loader", _DESCRIPTIONS)
        boto3.setup_default_session(botocore_session=session)
        wire.watch(boto3._get_default_session())
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
