"""`docs/identity-providers.md`: what it says of each provider, tried with a signed token of the shape that it shows."""

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import PROJECT
from tests.fakes.api import LambdaContext
from tests.fakes.issuer import ISSUER, key_set, public_jwk, rsa_key, token
from waybill.core.roles import Role
from waybill.core.settings import load
from waybill.gateway import runtime
from waybill.gateway.handlers.authorise import lambda_handler
from waybill.gateway.settings import AuthSettings

_PAGE = (PROJECT / "docs" / "identity-providers.md").read_text("utf-8")
_GUIDE = re.compile(r"```console\n\$ sam deploy(.*?)```\s+```json\n(.*?)```\s+Roles: (.*?)\.\n", re.DOTALL)


@dataclass(frozen=True)
class Guide:
    """What the page says of one kind of token."""

    parameters: dict[str, str]
    claims: dict[str, Any]
    roles: set[str]

    def token(self, **changes: Any) -> str:
        """Return this token, signed and good now but for `changes`."""
        now = int(time.time())
        times = {"iat": now, "exp": now + 600, "nbf": now if "nbf" in self.claims else ...}
        return token(headers={"kid": "signing"}, **{"aud": ..., "roles": ..., **self.claims, **times, **changes})


def guides() -> dict[str, Guide]:
    """Return the page's guides by the host of their issuer, those of programs apart."""
    found: dict[str, Guide] = {}
    for command, document, roles in _GUIDE.findall(_PAGE):
        words = shlex.split(command.replace("\\\n", " "))
        parameters = dict(word.split("=", 1) for word in words if word.startswith("Auth"))
        name = str(urlsplit(parameters["AuthIssuer"]).hostname) + ("/scope" if "AuthRolePrefix" in parameters else "")
        found[name] = Guide(parameters, json.loads(document), set(re.findall(r"`([^`]+)`", roles)))
    return found


GUIDES = guides()


def published() -> str:
    """Return the keys as providers publish them: Keycloak's for encryption beside, Entra's without `alg`."""
    encryption = public_jwk(rsa_key("encryption"), "encryption") | {"use": "enc", "alg": "RSA-OAEP"}
    return key_set(encryption, public_jwk(rsa_key("issuer"), "signing", x5t="made-up"))


@pytest.fixture(params=GUIDES.values(), ids=list(GUIDES))
def guide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guide]:
    """A guide, whose parameters the authoriser has; the issuer's keys are where they say."""
    found: Guide = request.param

    def fetcher(url: str) -> Callable[[], str]:
        assert url == found.parameters["AuthJwksUrl"]
        return published

    for field in AuthSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for name, value in found.parameters.items():
        monkeypatch.setenv(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(), value)
    monkeypatch.setattr(runtime, "https_fetcher", fetcher)
    runtime.token_verifier.cache_clear()
    load.cache_clear()
    yield found
    runtime.token_verifier.cache_clear()
    load.cache_clear()


@pytest.fixture
def ask(sample_event: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    event = dict(sample_event("gateway/authorise"))

    def asked(signed: str) -> dict[str, Any]:
        return lambda_handler({**event, "authorizationToken": f"Bearer {signed}"}, LambdaContext())

    return asked


def allowed(answer: dict[str, Any]) -> bool:
    return bool(answer["policyDocument"]["Statement"][0]["Effect"] == "Allow")


def test_the_page_has_the_four_providers() -> None:
    assert list(GUIDES) == [
        "cognito-idp.eu-west-2.amazonaws.com",
        "cognito-idp.eu-west-2.amazonaws.com/scope",
        "login.microsoftonline.com",
        "id.example.org",
        "town-hall.eu.auth0.com",
    ]


def test_the_page_names_every_role_and_parameter() -> None:
    assert {role.value for role in Role} <= set(re.findall(r"`([a-z-]+)`", _PAGE))
    template = (PROJECT / "template.yaml").read_text("utf-8")
    for parameter in set(re.findall(r"\bAuth[A-Z][A-Za-z]+", _PAGE)) - {"AuthoriseFunction"}:
        assert f"\n  {parameter}:\n" in template


def test_the_token_that_is_shown_gives_the_roles_that_are_said(guide: Guide, ask) -> None:
    answer = ask(guide.token())
    assert allowed(answer)
    assert set(answer["context"]["roles"].split()) == guide.roles
    assert answer["context"]["subject"] == guide.claims["sub"]


def test_what_is_shown_belongs_together(guide: Guide) -> None:
    assert guide.claims["iss"] == guide.parameters["AuthIssuer"]
    assert urlsplit(guide.parameters["AuthJwksUrl"]).netloc == urlsplit(guide.parameters["AuthIssuer"]).netloc


@pytest.mark.parametrize("change", ["issuer", "audience", "slash", "expired"])
def test_what_is_not_for_this_api_is_refused(guide: Guide, ask, change: str) -> None:
    audience, issuer = guide.parameters.get("AuthAudienceClaim", "aud"), guide.parameters["AuthIssuer"]
    changes: dict[str, Any] = {
        "issuer": {"iss": ISSUER},
        "audience": {audience: "another-application"},
        "slash": {"iss": issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"},
        "expired": {"exp": int(time.time()) - 1, "iat": int(time.time()) - 600},
    }[change]
    assert not allowed(ask(guide.token(**changes)))


def test_an_id_token_is_refused(guide: Guide, ask) -> None:
    # OpenID Connect Core 1.0, section 2: its `aud` is the client id of the application that has asked for it.
    client = guide.claims.get("azp") or guide.claims["client_id"]
    assert not allowed(ask(guide.token(aud=client, azp=..., client_id=..., scope=..., token_use="id")))


def test_a_role_in_another_claim_gives_nothing(guide: Guide, ask) -> None:
    configured = guide.parameters.get("AuthRolesClaim", "roles")
    others = {name: ["admin"] for name in ("roles", "groups", "cognito:groups", "permissions") if name != configured}
    assert set(ask(guide.token(**others))["context"]["roles"].split()) == guide.roles


def test_a_token_without_the_claim_is_good_and_gives_nothing(guide: Guide, ask) -> None:
    claim = guide.parameters.get("AuthRolesClaim", "roles").partition(".")[0]
    answer = ask(guide.token(**{claim: ...}))
    assert (allowed(answer), answer["context"]["roles"]) == (True, "")
