"""The local stack's tokens: what is in them, and that nobody else can make them."""

import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest

from waybill.cli.local.keys import AUDIENCE, ISSUER, SigningKey


def verified(token: str, jwks: str) -> dict[str, Any]:
    """Verify a token as an authoriser does, from the key set alone."""
    keys = jwt.PyJWKSet.from_dict(json.loads(jwks))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(
        token,
        key,
        algorithms=["ES256"],
        audience=AUDIENCE,
        issuer=ISSUER,
        options={"require": ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]},
    )


def test_token_is_verified_by_the_published_key_and_holds_what_was_asked_for() -> None:
    key = SigningKey.generate()
    token = key.token(subject="archivist", roles=["replication", "admin"], claims={"region": "eu", "level": 3})

    claims = verified(token, key.jwks())

    assert claims["sub"] == "archivist"
    assert claims["roles"] == ["replication", "admin"]
    assert (claims["region"], claims["level"]) == ("eu", 3)
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["nbf"] == claims["iat"]


def test_every_token_has_its_own_id() -> None:
    key = SigningKey.generate()
    ids = {verified(key.token(subject="s", roles=[]), key.jwks())["jti"] for _ in range(3)}
    assert len(ids) == 3


def test_expired_token_is_refused() -> None:
    key = SigningKey.generate()
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(key.token(subject="s", roles=[], expires_in=-60), key.jwks())


def test_token_of_another_key_is_refused_even_under_the_same_key_id() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    published = json.loads(key.jwks())
    published["keys"][0]["kid"] = other.kid
    with pytest.raises(jwt.InvalidSignatureError):
        verified(other.token(subject="s", roles=[]), json.dumps(published))


def test_a_claim_may_replace_a_registered_one() -> None:
    key = SigningKey.generate()
    with pytest.raises(jwt.InvalidAudienceError):
        verified(key.token(subject="s", roles=[], claims={"aud": "somebody-else"}), key.jwks())


def test_published_key_set_holds_no_private_part() -> None:
    (published,) = json.loads(SigningKey.generate().jwks())["keys"]
    assert set(published) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_key_pair_is_kept_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "signing-key.pem"
    made = SigningKey.load_or_generate(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SigningKey.load_or_generate(file).kid == made.kid
    assert verified(made.token(subject="s", roles=[]), SigningKey.load(file).jwks())["sub"] == "s"
