"""Tokens by the client credentials grant, on real HTTP."""

import base64
import json
from typing import Any

import pytest

from tests.functional.subject_access.upstream.conftest import SubjectAccess
from waybill.cli.subject_access.stub_service import Manner, StubReply

_JSON = {"Content-Type": "application/json"}


def _token(body: Any, status: int = 200) -> StubReply:
    return StubReply(status, json.dumps(body).encode(), _JSON)


def _guard(subject_access: SubjectAccess, *replies: StubReply, url: str | None = None) -> None:
    """A service whose secret names the token address that gives `replies`."""
    served = subject_access.service("guarded", StubReply(204))
    served.files["token"] = list(replies)
    secret = {
        "tokenUrl": url or f"{subject_access.stub.url('guarded')}/files/token",
        "clientId": "waybill client",
        "clientSecret": "s3cret/+",
    }
    subject_access.secrets.create_secret(Name="waybill/sar/guarded", SecretString=json.dumps(secret))
    subject_access.request("guarded")


def test_a_token_is_granted_once_and_sent(subject_access: SubjectAccess) -> None:
    _guard(subject_access, _token({"access_token": "granted.token", "expires_in": 3600}))
    assert subject_access.fetch("guarded") == "NO_DATA"
    (asked,) = subject_access.stub.calls_of("guarded", "/files/token")
    scheme, _, coded = asked.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(coded)) == ("Basic", b"waybill%20client:s3cret%2F%2B")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    (call,) = subject_access.stub.calls_of("guarded")
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
def test_without_a_token_nothing_is_asked(subject_access: SubjectAccess, reply: StubReply) -> None:
    _guard(subject_access, reply)
    assert subject_access.fetch("guarded") == "ERRORED"
    part = subject_access.part("guarded")
    assert part.error_code == "upstream_4013"
    assert "s3cret" not in str(part)
    assert subject_access.stub.calls_of("guarded") == []


def test_the_token_address_has_to_be_on_the_list_too(subject_access: SubjectAccess) -> None:
    _guard(subject_access, url="http://169.254.169.254/token")
    assert subject_access.fetch("guarded") == "ERRORED"
    assert subject_access.part("guarded").error_code == "upstream_4013"
    assert subject_access.stub.calls == []


def test_a_short_lived_token_is_not_kept(subject_access: SubjectAccess) -> None:
    _guard(subject_access, _token({"access_token": "first", "expires_in": 60}), _token({"access_token": "second"}))
    subject_access.stub.services["guarded"].replies = [StubReply(401)]
    for expected in ("first", "second", "second"):
        assert subject_access.fetch("guarded") == "ERRORED"
        assert subject_access.stub.calls_of("guarded")[-1].headers["authorization"] == f"Bearer {expected}"
