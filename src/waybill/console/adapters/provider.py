"""The identity provider: the authorization code flow with PKCE (RFC 6749, RFC 7636, OpenID Connect Core 1.0).

Authlib builds and reads the messages, the core's client sends them. The ID token comes straight from the provider over
TLS, which stands for its signature (OpenID Connect Core, 3.1.3.7, 6); the access token is verified as the API does.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import parse_qsl, quote

import jwt

from waybill.console.errors import SignInFailedError
from waybill.core.errors import WaybillError
from waybill.core.http_client import HttpClient

_SECONDS = 8.0
_METADATA_SECONDS = 3600
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}

type Exchange = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, bytes]]
"""Sends method, URL, headers and body; returns status and content."""


@dataclass(frozen=True)
class Client:
    """The console as the provider knows it; without a secret it is a public client."""

    client_id: str
    secret: str = ""
    scopes: str = "openid profile"
    parameters: str = ""


@dataclass(frozen=True)
class Attempt:
    """One try at signing in: what the provider has to give back, and where to go on then."""

    state: str
    nonce: str
    verifier: str
    to: str


class Tokens(TypedDict, total=False):
    """What a session keeps of a provider's answer: `expires` in seconds since 1970, nought where it does not say."""

    access: str
    expires: int
    refresh: str
    name: str


class Provider:
    """An issuer of tokens with its endpoints, found by its metadata (OpenID Connect Discovery 1.0)."""

    def __init__(self, *, issuer: str, client: Client, return_to: str, exchange: Exchange | None = None) -> None:
        self._issuer, self._client, self._return_to = issuer, client, return_to
        self._exchange = exchange or _exchange
        self._metadata: dict[str, object] = {}
        self._read_at = float("-inf")

    def address(self, attempt: Attempt) -> str:
        """Return where the browser signs in; raises SignInFailedError."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        return str(
            prepare_grant_uri(
                self._endpoint("authorization_endpoint"),
                client_id=self._client.client_id,
                response_type="code",
                redirect_uri=self._return_to,
                scope=self._client.scopes,
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
                **dict(parse_qsl(self._client.parameters)),
            )
        )

    def tokens(self, answer: Mapping[str, str], attempt: Attempt) -> Tokens:
        """Return the tokens for what the browser brings back; raises SignInFailedError."""
        if answer.get("error"):
            raise SignInFailedError("Your provider did not let you in.")
        # RFC 9207: an answer that names its issuer names ours.
        if answer.get("iss", self._issuer) != self._issuer or answer.get("state") != attempt.state:
            raise SignInFailedError("This answer belongs to another sign-in.")
        found = self._ask(
            grant_type="authorization_code",
            code=answer.get("code", ""),
            redirect_uri=self._return_to,
            code_verifier=attempt.verifier,
        )
        claims = self._claims(str(found.get("id_token", "")), attempt.nonce)
        name = claims.get("name") or claims.get("preferred_username") or claims.get("email")
        return {**_kept(found), "name": str(name or "")[:200]}

    def renew(self, refresh_token: str) -> Tokens:
        """Return new tokens; nothing where the provider gives none, so that the old one ends by itself."""
        try:
            return _kept(self._ask(grant_type="refresh_token", refresh_token=refresh_token))
        except SignInFailedError:
            return {}

    def sign_out_address(self) -> str:
        """Return where the person signs out of the provider too; empty where it has no such place."""
        try:
            return str(self._known().get("end_session_endpoint") or "")
        except SignInFailedError:
            return ""

    def _ask(self, **parameters: str) -> dict[str, object]:
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        headers = dict(_FORM)
        if self._client.secret:
            pair = f"{quote(self._client.client_id, safe='')}:{quote(self._client.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = prepare_token_request(client_id=self._client.client_id, **parameters)
        status, content = self._exchange("POST", self._endpoint("token_endpoint"), headers, body.encode())
        found = _object(content)
        if status != 200 or not found.get("access_token"):
            raise SignInFailedError("Your provider gave no token.")
        return found

    def _claims(self, id_token: str, nonce: str) -> dict[str, object]:
        try:
            claims: dict[str, object] = jwt.decode(
                id_token,
                issuer=self._issuer,
                audience=self._client.client_id,
                leeway=30,
                options={
                    "verify_signature": False,
                    "verify_exp": True,
                    "verify_aud": True,
                    "verify_iss": True,
                    "require": ["exp", "iss", "aud", "sub"],
                },
            )
        except jwt.PyJWTError:
            raise SignInFailedError("Your provider's answer about you is not good.") from None
        if claims.get("nonce") != nonce or claims.get("azp", self._client.client_id) != self._client.client_id:
            raise SignInFailedError("This answer belongs to another sign-in.")
        return claims

    def _endpoint(self, name: str) -> str:
        found = str(self._known().get(name) or "")
        if not found.startswith("https://"):
            raise SignInFailedError("Your provider does not say where people sign in.")
        return found

    def _known(self) -> dict[str, object]:
        if time.monotonic() - self._read_at > _METADATA_SECONDS:
            url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            status, content = self._exchange("GET", url, {"Accept": "application/json"}, None)
            found = _object(content)
            if status != 200 or found.get("issuer") != self._issuer:
                raise SignInFailedError("Your provider does not answer as it should.")
            self._metadata, self._read_at = found, time.monotonic()
        return self._metadata


def _kept(found: Mapping[str, object]) -> Tokens:
    seconds = found.get("expires_in")
    expires = int(time.time()) + int(float(str(seconds))) if seconds else 0
    kept: Tokens = {"access": str(found["access_token"]), "expires": expires}
    return {**kept, "refresh": str(found["refresh_token"])} if found.get("refresh_token") else kept


def _exchange(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
    # The address is the operator's own, and a provider may stand in a private network.
    client = HttpClient(permits=lambda _address: True)
    try:
        with client.exchange(method, url, deadline=time.monotonic() + _SECONDS, headers=headers, body=body) as answer:
            return answer.status, answer.read()
    except WaybillError:
        raise SignInFailedError("Your provider cannot be reached now. Try again in a minute.") from None


def _object(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
