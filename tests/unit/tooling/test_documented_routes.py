"""The tables of routes name every route that there is, and no other."""

import json
import re

from tests.conftest import PROJECT

_METHODS = {"get", "post", "put", "patch", "delete"}


def _paths() -> dict[str, set[str]]:
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
    return {path: {method.upper() for method in item if method in _METHODS} for path, item in document["paths"].items()}


def test_the_page_of_the_gateway_names_every_route() -> None:
    page = (PROJECT / "src" / "waybill" / "gateway" / "README.md").read_text("utf-8")
    table = page.partition("## Routes")[2].partition("\n## ")[0]
    named: dict[str, set[str]] = {}
    for method, path in re.findall(r"`([A-Z]+) (/[^`\s]*)`", table):
        named.setdefault(path, set()).add(method)
    assert named == _paths()
