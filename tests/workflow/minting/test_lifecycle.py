"""The life of an identifier on the running stack, over HTTP. Rules: README of the ID minter."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.workflow.minting.conftest import Minter


def ask(
    minter: Minter, method: str, path: str, body: Any = None, *, signed: bool = True
) -> tuple[int, Any, str | None]:
    """Send a request without following a redirection; return status, JSON and `Location`."""
    application = minter.application
    parts = urlsplit(application.api_url)
    headers = {"Content-Type": "application/json"}
    if signed:
        token = application.stack.signing_key.token(subject="somebody", roles=["minting"])
        headers["Authorization"] = f"Bearer {token}"
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(str(parts.hostname), parts.port, timeout=60)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, f"{parts.path.rstrip('/')}{path}", content, headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None, response.headers.get("Location")
    finally:
        connection.close()


@pytest.fixture
def pair(minter: Minter, label: str) -> tuple[str, str]:
    """Two canonical IDs."""
    ids = minter.mint(f"{label}-old", f"{label}-new")["identifiers"]
    return ids[f"{label}-old"], ids[f"{label}-new"]


def test_a_replaced_identifier_leads_to_its_successor_and_a_withdrawn_one_says_why(
    minter: Minter, label: str, pair: tuple[str, str]
) -> None:
    old, new = pair
    assert ask(minter, "GET", f"/id/{old}", signed=False) == (302, None, f"https://example.org/works/{old}")
    changed = ask(minter, "POST", f"/identifiers/{old}/replace", {"by": new, "reason": "one book"})
    assert (changed[0], changed[1]["replacedBy"]) == (200, new)
    status, _, location = ask(minter, "GET", f"/id/{old}", signed=False)
    assert (status, location) == (301, new)
    assert ask(minter, "POST", f"/identifiers/{new}/replace", {"by": old, "reason": "back"})[0] == 409
    assert ask(minter, "POST", f"/identifiers/{new}/withdraw", {"reason": "a mistake"})[0] == 200
    status, problem, _ = ask(minter, "GET", f"/id/{new}", signed=False)
    assert (status, problem["code"]) == (410, "GONE")
    assert "a mistake" in problem["detail"]
    assert minter.mint(f"{label}-old")["identifiers"] == {f"{label}-old": old}


def test_reserved_identifiers_and_the_audit(minter: Minter, label: str) -> None:
    status, reserved, _ = ask(minter, "POST", "/identifiers/reserve", {"count": 3, "purpose": label})
    assert status == 201
    assert len(set(reserved["canonicalIds"])) == 3
    kept = reserved["canonicalIds"][0]
    assert ask(minter, "GET", f"/id/{kept}", signed=False)[0] == 404
    status, shown, _ = ask(minter, "GET", f"/identifiers/{kept}")
    assert (status, shown["status"], shown["purpose"]) == (200, "reserved", label)
    status, audit, _ = ask(minter, "GET", "/identifiers/audit")
    assert (status, audit["violationCount"]) == (200, 0)
    assert audit["reserved"] >= 3


def test_an_unknown_field_is_named_before_anything_is_minted(minter: Minter, label: str) -> None:
    body = {"sourceIdentifiers": [label], "predecesors": {label: "other"}}
    status, problem, _ = ask(minter, "POST", "/identifiers", body)
    assert (status, [each["field"] for each in problem["errors"]]) == (400, ["predecesors"])
    assert list(minter.items(label)) == []
