import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.api import LambdaContext
from tests.fakes.issuer import AUDIENCE, ISSUER, key_set, token
from waybill.core.errors import ConfigurationError
from waybill.core.settings import load
from waybill.gateway import runtime
from waybill.gateway.errors import KeysUnavailableError
from waybill.gateway.handlers.authorise import UnauthorizedError, lambda_handler


@pytest.fixture
def event(sample_event: Callable[[str], Any]) -> dict[str, Any]:
    return dict(sample_event("gateway/authorise"))


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AUTH_ISSUER", ISSUER)
    monkeypatch.setenv("AUTH_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("AUTH_JWKS", key_set())
    monkeypatch.setenv("AUTH_JWKS_URL", "")
    runtime.token_verifier.cache_clear()
    yield
    runtime.token_verifier.cache_clear()


def authorise(event: dict[str, Any], header: object) -> dict[str, Any]:
    return lambda_handler({**event, "authorizationToken": header}, LambdaContext())


def effect(answer: dict[str, Any]) -> str:
    return str(answer["policyDocument"]["Statement"][0]["Effect"])


def test_the_sample_event_as_it_is_is_denied(event: dict[str, Any]) -> None:
    assert effect(lambda_handler(event, LambdaContext())) == "Deny"


def test_the_sample_event_with_a_token_gets_a_policy(event: dict[str, Any]) -> None:
    answer = authorise(event, f"Bearer {token(roles=['scanning', 'admin'])}")
    assert effect(answer) == "Allow"
    assert answer["policyDocument"]["Statement"][0]["Resource"].endswith(":abcd1234/local/*")
    assert (answer["context"]["subject"], answer["context"]["roles"]) == ("alice", "admin scanning")
    assert all(isinstance(value, str) for value in answer["context"].values())


@pytest.mark.parametrize("roles", [[], ["unknown"], ...])
def test_a_good_token_without_a_role_of_ours_is_left_to_the_routes(event: dict[str, Any], roles: Any) -> None:
    answer = authorise(event, f"Bearer {token(roles=roles)}")
    assert (effect(answer), answer["context"]["roles"]) == ("Allow", "")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        pytest.param(token, id="token without a scheme"),
    ],
)
def test_what_presents_no_token_gets_a_bare_401(event: dict[str, Any], header: Any) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorise(event, header() if callable(header) else header)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer a.b.c",
        pytest.param(lambda: f"Bearer {token(exp=1)}", id="expired token"),
        pytest.param(lambda: f"Bearer {token(headers={'kid': 'unknown'})}", id="unknown key"),
    ],
)
def test_a_bad_token_is_denied_everything(event: dict[str, Any], header: Any) -> None:
    # API Gateway answers a denial with 401 and invalid_token (RFC 6750, 3.1).
    assert effect(authorise(event, header() if callable(header) else header)) == "Deny"


@pytest.mark.parametrize("value", ["", "cognito:groups"])
def test_the_claim_of_roles_is_a_setting(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AUTH_ROLES_CLAIM", value)
    load.cache_clear()
    answer = authorise(event, f"Bearer {token(**{'roles': ['minting'], 'cognito:groups': ['scanning']})}")
    assert answer["context"]["roles"] == ("scanning" if value else "minting")
    load.cache_clear()


def test_an_event_without_the_header_gets_401(event: dict[str, Any]) -> None:
    del event["authorizationToken"]
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        lambda_handler(event, LambdaContext())


def test_a_closed_api_denies_every_token(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS"):
        monkeypatch.setenv(name, "")
    assert effect(authorise(event, f"Bearer {token()}")) == "Deny"


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("AUTH_ISSUER", "", "AUTH_ISSUER"),
        ("AUTH_JWKS_URL", "https://issuer.example/keys", "AUTH_JWKS_URL"),
        ("AUTH_JWKS", "{}", "AUTH_JWKS"),
        ("AUTH_JWKS", "", "AUTH_JWKS"),
    ],
)
def test_a_configuration_that_cannot_work_is_our_fault(
    event: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=named):
        authorise(event, f"Bearer {token()}")


def test_an_address_that_is_not_https_is_our_fault(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_JWKS", "")
    monkeypatch.setenv("AUTH_JWKS_URL", "http://issuer.example/keys")
    with pytest.raises(ConfigurationError, match="AUTH_JWKS_URL: must be an https"):
        authorise(event, f"Bearer {token()}")


def test_keys_that_cannot_be_fetched_are_our_fault_and_counted(
    event: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def down() -> str:
        raise KeysUnavailableError("issuer.example: TimeoutError")

    monkeypatch.setenv("AUTH_JWKS", "")
    monkeypatch.setenv("AUTH_JWKS_URL", "https://issuer.example/keys")
    monkeypatch.setattr(runtime, "https_fetcher", lambda url: down)
    with pytest.raises(KeysUnavailableError):
        authorise(event, f"Bearer {token()}")
    emitted = capsys.readouterr().out
    assert '"AuthoriserFaults":[1.0]' in emitted
    assert '"KeyFetchesFailed":[1.0]' in emitted


def test_the_keys_are_parsed_once_per_process(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    parse = runtime.parse_key_set
    monkeypatch.setattr(runtime, "parse_key_set", lambda text: parsed.append(1) or parse(text))
    for _ in range(3):
        authorise(event, f"Bearer {token()}")
    assert parsed == [1]


@pytest.mark.parametrize("changes", [{}, {"exp": 1}, {"sub": ""}, {"aud": "other"}])
def test_no_token_and_no_subject_reaches_the_logs(
    event: dict[str, Any],
    changes: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    header = f"Bearer {token(**changes)}"
    with contextlib.suppress(UnauthorizedError):
        authorise(event, header)
    printed = capsys.readouterr()
    everything = printed.out + printed.err + "".join(str(vars(record)) for record in caplog.records)
    assert ("token refused" in everything) is bool(changes)
    assert all(part not in everything for part in header.removeprefix("Bearer ").split("."))
    assert "alice" not in everything
