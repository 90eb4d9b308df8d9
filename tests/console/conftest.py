"""The console with an API that answers with its own examples."""

from collections.abc import Iterator

import pytest

from tests.fakes.console import Console, ExampleApi, MemoryTable, install
from waybill.console import runtime
from waybill.core.settings import load


@pytest.fixture
def api() -> ExampleApi:
    return ExampleApi()


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, api: ExampleApi) -> Iterator[Console]:
    table = MemoryTable()
    key = install(monkeypatch, api, table)
    yield Console(api, table, key)
    for kept in (load, runtime.zone):
        kept.cache_clear()
