"""Tokens by the client credentials grant, on real HTTP."""

import base64
import json
from typing import Any

import pytest

from tests.functional.disclosure.upstream.conftest import Disclosure
from waybill.cli.disclosure.stub_service import Manner, StubReply

_JSON = {"Content-Type": "application/json"}


def _token(body: Any, status: int = 200) -> StubReply:
    return StubReply(status, json.dumps(body).encode(), _JSON)


def _guard(disclosure: Disclosure, *replies: StubReply, url: str | None = None) -> None:
    """A service whose secret names the token address that gives `replies`."""
    served = disclosure.service("guarded", StubReply(204))
    served.files["token"] = list(replies)
    secret = {
        "tokenUrl": url or f"{disclosure.stub.url('guarded')}/files/token",
        "clientId": "waybill client",
        "clientSecret": "s3cret/+",
    }
    disclosure.secrets.create_secret(Name="waybill/sar/guarded", SecretString=json.dumps(secret))
    disclosure.request("guarded")


def test_a_token_is_granted_once_and_sent(disclosure: Disclosure) -> None:
    _guard(disclosure, _token({"access_token": "granted.token", "expires_in": 3600}))
    assert disclosure.fetch("guarded") == "NO_DATA"
    (asked,) = disclosure.stub.calls_of("guarded", "/files/token")
    scheme, _, coded = asked.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(coded)) == ("Basic", b"waybill%20client:s3cret%2F%2B")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    (call,) = disclosure.stub.calls_of("guarded")
    assert call.headers["authorization"] == "Bearer granted.token"


@pytest.mark.parametrize(
    "reply",
    [
        _token({"error": "invalid_client"}, 401),
        _token({"access_token": 7}),
        _token({"access_token": "two words"}),
        _token([]),
        StubReply(body=b"not json", headers=_JSON),
        StubReply(body=b" " * 100_000, headers=_JSON),
        StubReply(302, headers={"Location": "http://127.0.0.1:1/"}),
        StubReply(manner=Manner.NEVER),
        StubReply(body=b"{}", manner=Manner.CUT),
    ],
)
def test_without_a_token_nothing_is_asked(disclosure: Disclosure, reply: StubReply) -> None:
    _guard(disclosure, reply)
    assert disclosure.fetch("guarded") == "ERRORED"
    part = disclosure.part("guarded")
    assert part.error_code == "upstream_4013"
    assert "s3cret" not in str(part)
    assert disclosure.stub.calls_of("guarded") == []


def test_the_token_address_has_to_be_on_the_list_too(disclosure: Disclosure) -> None:
    _guard(disclosure, url="http://169.254.169.254/token")
    assert disclosure.fetch("guarded") == "ERRORED"
    assert disclosure.part("guarded").error_code == "upstream_4013"
    assert disclosure.stub.calls == []


def test_a_short_lived_token_is_not_kept(disclosure: Disclosure) -> None:
    _guard(disclosure, _token({"access_token": "first", "expires_in": 60}), _token({"access_token": "second"}))
    disclosure.stub.services["guarded"].replies = [StubReply(401)]
    for expected in ("first", "second", "second"):
        assert disclosure.fetch("guarded") == "ERRORED"
        assert disclosure.stub.calls_of("guarded")[-1].headers["authorization"] == f"Bearer {expected}"
