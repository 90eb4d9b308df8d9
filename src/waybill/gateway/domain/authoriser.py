"""Judging bearer tokens: who is it, what may they do, and what API Gateway is told about it.

A token is a JWT (RFC 7519) as RFC 8725 recommends to check it: the algorithm comes from the key and is one of
two asymmetric ones, the key from the issuer's own set and never from the token, and issuer, audience and
times are required. Nothing here logs, and no error holds any part of the token.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

import jwt

from waybill.core.roles import Role, known_roles
from waybill.gateway.domain.keys import ALLOWED_ALGORITHMS, KeySource
from waybill.gateway.errors import TokenRefusedError

# API Gateway's limit for all headers of a request together.
_TOKEN_LIMIT = 10_240
_SUBJECT_LIMIT = 256
# How far the issuer's clock may be ahead of ours. It never lengthens a token's life: `exp` is taken exactly.
_LEEWAY_SECONDS = 10
_REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
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


def bearer_token(header: object) -> str:
    """Return the token of an `Authorization` header; the scheme is case-insensitive (RFC 9110, section 11.1).

    Raises
    ------
    TokenRefusedError
        The header has no bearer token.
    """
    if not isinstance(header, str) or len(header) > _TOKEN_LIMIT:
        raise TokenRefusedError("there is no bearer token, or it is too long")
    match = _BEARER.fullmatch(header.strip())
    if match is None:
        raise TokenRefusedError("the header is not `Bearer` and a token")
    return match[1]


class TokenVerifier:
    """Verifies tokens of one `issuer` for one `audience`."""

    def __init__(self, keys: KeySource, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str) -> Principal:
        """Return whom `token` proves the caller to be.

        Raises
        ------
        TokenRefusedError
            It proves nothing; the message says why.
        KeysUnavailableError
            The issuer's keys are not to be had, so that nothing can be said about it.
        """
        key = self._key(token)
        try:
            claims = jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": _REQUIRED_CLAIMS},
            )
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefusedError(f"it has no claim `{error.claim}`") from None
        except jwt.PyJWTError as error:
            raise TokenRefusedError(_REASONS.get(type(error), type(error).__name__)) from None
        return _principal(claims)

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


def _principal(claims: dict[str, Any]) -> Principal:
    subject, issued_at, expires_at = claims["sub"], int(claims["iat"]), int(claims["exp"])
    if expires_at <= time.time():
        raise TokenRefusedError(_REASONS[jwt.ExpiredSignatureError])
    if issued_at >= expires_at:
        raise TokenRefusedError("it expires before it was issued")
    if not 0 < len(subject) <= _SUBJECT_LIMIT or not subject.isprintable():
        raise TokenRefusedError("its subject is empty, too long or not printable")
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise TokenRefusedError("its roles are not a list of strings")
    return Principal(subject, known_roles(roles), expires_at, rehearsal=claims.get("rehearsal") is True)


def policy(principal: Principal, method_arn: str) -> dict[str, Any]:
    """Return the authoriser's answer to API Gateway, for the stage in `method_arn`.

    A principal with a role may call the API, and each route checks which role; one without any is denied. The
    statement covers the whole stage because API Gateway keeps the answer and uses it for the caller's next
    requests, whatever their route. The context, strings only, reaches each function as
    `requestContext.authorizer`; `expiresAt` is there so that the kept answer does not outlive the token.
    """
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if principal.roles else "Deny",
        "Resource": f"{_stage_arn(method_arn)}/*",
    }
    return {
        "principalId": principal.subject,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "subject": principal.subject,
            "roles": " ".join(sorted(principal.roles)),
            "expiresAt": str(principal.expires_at),
            **({"rehearsal": "true"} if principal.rehearsal else {}),
        },
    }


def _stage_arn(method_arn: str) -> str:
    # arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>
    api, _, rest = method_arn.partition("/")
    stage, slash, _ = rest.partition("/")
    if not (api.startswith("arn:") and stage and slash):
        raise ValueError("methodArn is not the ARN of an API's method")
    return f"{api}/{stage}"
