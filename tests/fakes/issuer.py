"""An issuer of tokens: real keys, and tokens good and bad."""

import base64
import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://issuer.example"
AUDIENCE = "waybill"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key `name`; made once, since that takes time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """The elliptic-curve key `name`."""
    return ec.generate_private_key(curve())


def public_jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, key_id: str, **more: Any) -> dict[str, Any]:
    """The public half of `key` as a JWK."""
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig", **more}


def key_set(*entries: dict[str, Any]) -> str:
    """A JWK Set of `entries`; without any, of the issuer's two keys."""
    own = (public_jwk(rsa_key("issuer"), "rsa-1"), public_jwk(ec_key("issuer"), "ec-1"))
    return json.dumps({"keys": list(entries or own)})


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of `key` as PEM text."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; a change to `...` takes the claim out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "iat": now,
        "exp": now + 600,
        "roles": ["replication"],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def token(*, key: Any = None, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token of the issuer's RSA key, or of `key`."""
    signing_key = rsa_key("issuer") if key is None else key
    header = {name: value for name, value in {"kid": "rsa-1", **(headers or {})}.items() if value is not ...}
    # One level below `jwt.encode`, which would refuse to write claims of the wrong type.
    document = json.dumps(claims(**changes)).encode()
    return jwt.api_jws.encode(document, signing_key, algorithm=algorithm, headers=header)


def segment(content: Any) -> str:
    """One part of a compact JWT."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
