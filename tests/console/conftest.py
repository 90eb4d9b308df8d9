"""The console with an API that answers with its own examples."""

from collections.abc import Iterator

import pytest

from tests.fakes.console import Console, ExampleApi, MemoryTable, example, install
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


@pytest.fixture
def signed_in(console: Console, api: ExampleApi) -> Console:
    # In the examples no part is drawn, and a page of a request shows parts by their service.
    parts = example("listParts")
    parts["parts"] = [{**each, "renderStatus": "COMPLETE"} for each in parts["parts"]]
    api.answers["listParts"] = parts
    # A copy that failed, whose result was cut off: its cause is not known.
    row = {**example("listReplications")["replications"][0], "failedBuckets": ["waybill-copy-us"]}
    api.answers["listReplications"] = {"replications": [row], "cursor": "next"}
    console.sign_in("admin")
    return console
