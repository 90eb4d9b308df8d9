"""Tokens by the client credentials grant, on real HTTP."""

import base64
import json
from typing import Any

import pytest

from tests.functional.subject_access.upstream.conftest import SubjectAccess
from waybill.cli.subject_access.stub_service import Manner, StubReply
from waybill.subject_access import runtime
from waybill.subject_access.domain.origins import origin_of

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


ELSEWHERE = "https://elsewhere.example:443"


# RFC 6454 and RFC 6750, section 5.3: a token belongs to an origin, not to a name.
@pytest.mark.parametrize("named", [True, False])
def test_a_token_does_not_follow_a_service_to_another_origin(subject_access: SubjectAccess, named: bool) -> None:
    subject_access.service("keys", StubReply(204), credential_origin=None if named else ELSEWHERE)
    secret = {"token": "the.token"} | ({"origin": ELSEWHERE} if named else {})
    subject_access.secrets.create_secret(Name="waybill/sar/keys", SecretString=json.dumps(secret))
    subject_access.request("keys")
    assert subject_access.fetch("keys") == "ERRORED"
    part = subject_access.part("keys")
    assert (part.error_code, "the.token" in str(part)) == ("upstream_4018", False)
    assert subject_access.stub.calls == []


def test_a_token_is_bound_to_where_it_went_first(subject_access: SubjectAccess) -> None:
    subject_access.service("keys", StubReply(204))
    subject_access.secrets.create_secret(Name="waybill/sar/keys", SecretString="the.token")
    subject_access.request("keys")
    assert subject_access.fetch("keys") == "NO_DATA"
    bound = runtime.catalogue().service("keys")
    assert bound is not None
    assert bound.credential_origin == origin_of(bound.url)
    (call,) = subject_access.stub.calls_of("keys")
    assert call.headers["authorization"] == "Bearer the.token"


def test_a_token_for_this_origin_is_sent(subject_access: SubjectAccess) -> None:
    subject_access.service("keys", StubReply(204))
    secret = {"token": "the.token", "origin": subject_access.stub.url("keys").upper()}
    subject_access.secrets.create_secret(Name="waybill/sar/keys", SecretString=json.dumps(secret))
    subject_access.request("keys")
    assert subject_access.fetch("keys") == "NO_DATA"
    bound = runtime.catalogue().service("keys")
    assert bound is not None
    assert bound.credential_origin is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Keys.service.example/base/", "https://keys.service.example:443"),
        ("https://keys.service.example.:443", "https://keys.service.example:443"),
        ("http://keys.service.example", "http://keys.service.example:80"),
        ("https://keys.service.example:8443", "https://keys.service.example:8443"),
        ("keys.service.example", ""),
        ("https://x:99999", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
