"""Judging bearer tokens: who calls, with which roles, and what API Gateway is told about it.

A token is a JWT (RFC 7519) as RFC 8725 recommends to check it: the algorithm comes from the key and is one of
two asymmetric ones, the key from the issuer's own set and never from the token, and issuer, audience and
times are required. Nothing here logs, and no error holds any part of the token.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict, cast

import jwt

from waybill.core.roles import Role, known_roles
from waybill.gateway.domain.key_sets import ALLOWED_ALGORITHMS, KeySource
from waybill.gateway.errors import TokenMissingError, TokenRefusedError

# API Gateway's limit for all headers of a request together.
_TOKEN_LIMIT = 10_240
_SUBJECT_LIMIT = 256
# How far the issuer's clock may be ahead of ours. It never lengthens a token's life: `exp` is taken exactly.
_LEEWAY_SECONDS = 10
_REQUIRED_CLAIMS = ["exp", "iat", "iss", "sub"]
_BEARER = re.compile(r"bearer +([A-Za-z0-9_.=-]+)", re.IGNORECASE)

_REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidIssuerError: "another issuer made it",
    jwt.InvalidAudienceError: "it is meant for another audience",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.InvalidAlgorithmError: "its algorithm is not the key's",
}


@dataclass(frozen=True)
class Principal:
    """Whom a token proves the caller to be: `sub`, those of `roles` that are ours, `exp` (Unix seconds).

    `rehearsal` is the claim of that name, which the issuer sets and the caller cannot: true, and nothing like it.
    """

    subject: str
    roles: frozenset[Role]
    expires_at: int
    rehearsal: bool = False


class AuthoriserEvent(TypedDict):
    """API Gateway's question (developer guide, "Input to an API Gateway Lambda authorizer")."""

    authorizationToken: NotRequired[str]
    methodArn: str


class PolicyDocument(TypedDict):
    """An IAM policy."""

    Version: str
    Statement: list[dict[str, str]]


class AuthoriserAnswer(TypedDict):
    """What API Gateway takes (developer guide, "Output from an API Gateway Lambda authorizer")."""

    principalId: str
    policyDocument: PolicyDocument
    context: dict[str, str]


def bearer_token(header: object) -> str:
    """Return the token of an `Authorization` header; the scheme is case-insensitive (RFC 9110, section 11.1).

    Raises
    ------
    TokenMissingError
        The header has no bearer token.
    """
    if not isinstance(header, str) or len(header) > _TOKEN_LIMIT:
        raise TokenMissingError("there is no bearer token, or it is too long")
    match = _BEARER.fullmatch(header.strip())
    if match is None:
        raise TokenMissingError("the header is not `Bearer` and a token")
    return match[1]


@dataclass(frozen=True)
class Claims:
    """Which claims of an issuer's tokens hold what; see `settings.AuthSettings`."""

    roles: str = "roles"
    role_prefix: str = ""
    audience: str = "aud"

    def roles_of(self, claims: Mapping[str, object]) -> frozenset[Role]:
        """Return the known roles of a token: whole names, of a list of strings or one string with spaces between.

        A claim's own name may hold dots; after that the dots lead into objects. What leads nowhere gives no role.
        """
        found: object = claims.get(self.roles)
        if self.roles not in claims:
            found = claims
            for name in self.roles.split("."):
                found = found.get(name) if isinstance(found, Mapping) else None
        names = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
        return known_roles([name.removeprefix(self.role_prefix) for name in names if isinstance(name, str)])

    def is_for(self, claims: Mapping[str, object], audience: str) -> bool:
        """Return whether the claim that stands for `aud` is this audience, to the letter."""
        return isinstance(found := claims.get(self.audience), str) and found == audience


class _VerifiedClaims(TypedDict):
    """What PyJWT has looked at: RFC 7519, 4.1; `rehearsal` is ours."""

    sub: str
    iat: float
    exp: float
    rehearsal: NotRequired[object]


class TokenVerifier:
    """Verifies tokens of one `issuer` for one `audience`."""

    def __init__(self, keys: KeySource, issuer: str, audience: str, claims: Claims | None = None) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._claims = claims or Claims()

    def verify(self, token: str) -> Principal:
        """Return whom `token` proves the caller to be.

        Raises
        ------
        TokenRefusedError
            It proves nothing; the message says why.
        KeysUnavailableError
            The issuer's keys are not to be had, so that nothing can be said about it.
        """
        key, standard = self._key(token), self._claims.audience == "aud"
        try:
            claims = jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience if standard else None,
                leeway=_LEEWAY_SECONDS,
                options={
                    "require": [*_REQUIRED_CLAIMS, *(["aud"] if standard else [])],
                    "verify_aud": standard,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefusedError(f"it has no claim `{error.claim}`") from None
        except jwt.PyJWTError as error:
            raise TokenRefusedError(_REASONS.get(type(error), type(error).__name__)) from None
        if not standard and not self._claims.is_for(claims, self._audience):
            raise TokenRefusedError(_REASONS[jwt.InvalidAudienceError])
        return _principal(cast("_VerifiedClaims", claims), self._claims.roles_of(claims))

    def _key(self, token: str) -> jwt.PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise TokenRefusedError("it is not a JWT") from None
        # Before the key id, so that a token that cannot be good never makes us fetch keys.
        if header.get("alg") not in ALLOWED_ALGORITHMS:
            raise TokenRefusedError("its algorithm is not allowed")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not key_id:
            raise TokenRefusedError("it names no key")
        key = self._keys.find(key_id)
        if key is None:
            raise TokenRefusedError("the issuer has no such key")
        return key


def _principal(claims: _VerifiedClaims, roles: frozenset[Role]) -> Principal:
    subject, issued_at, expires_at = claims["sub"], int(claims["iat"]), int(claims["exp"])
    if expires_at <= time.time():
        raise TokenRefusedError(_REASONS[jwt.ExpiredSignatureError])
    if issued_at >= expires_at:
        raise TokenRefusedError("it expires before it was issued")
    if not 0 < len(subject) <= _SUBJECT_LIMIT or not subject.isprintable():
        raise TokenRefusedError("its subject is empty, too long or not printable")
    return Principal(subject, roles, expires_at, rehearsal=claims.get("rehearsal") is True)


def policy(principal: Principal, method_arn: str) -> AuthoriserAnswer:
    """Return the authoriser's answer to API Gateway, for the stage in `method_arn`.

    A principal may call the API, and each route checks its roles, so that one without any is told so (403). The
    statement covers the whole stage because API Gateway keeps the answer and uses it for the caller's next
    requests, whatever their route. The context, strings only, reaches each function as
    `requestContext.authorizer`; `expiresAt` is there so that the kept answer does not outlive the token.
    """
    return {
        "principalId": principal.subject,
        "policyDocument": _document("Allow", method_arn),
        "context": {
            "subject": principal.subject,
            "roles": " ".join(sorted(principal.roles)),
            "expiresAt": str(principal.expires_at),
            **({"rehearsal": "true"} if principal.rehearsal else {}),
        },
    }


def refusal(method_arn: str) -> AuthoriserAnswer:
    """Return the answer about a token that proves nobody: denied everything.

    API Gateway answers a denial with 401 and `error="invalid_token"` (its response `ACCESS_DENIED` in the template),
    and what carries no token, which it refuses by itself, with a bare challenge (RFC 6750, 3.1).
    """
    return {"principalId": "nobody", "policyDocument": _document("Deny", method_arn), "context": {}}


def _document(effect: str, method_arn: str) -> PolicyDocument:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{_stage_arn(method_arn)}/*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _stage_arn(method_arn: str) -> str:
    # arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>
    api, _, rest = method_arn.partition("/")
    stage, slash, _ = rest.partition("/")
    if not (api.startswith("arn:") and stage and slash):
        raise ValueError("methodArn is not the ARN of an API's method")
    return f"{api}/{stage}"
