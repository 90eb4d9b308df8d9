"""The local stack's own key pair, and the tokens that it signs."""

import base64
import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://waybill.local"
AUDIENCE = "waybill"
ALGORITHM = "ES256"

_DEFAULT_SECONDS = 3600


class SigningKey:
    """An ES256 key pair; `kid` is its thumbprint (RFC 7638)."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        public = ECAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
        self._public = {name: str(public[name]) for name in ("crv", "kty", "x", "y")}
        canonical = json.dumps(self._public, sort_keys=True, separators=(",", ":")).encode()
        self.kid = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()

    @classmethod
    def generate(cls) -> Self:
        """Make a new key pair."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the key pair from a PEM file; raises `FileNotFoundError` when there is none."""
        private_key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(private_key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{file} holds no EC private key")
        return cls(private_key)

    @classmethod
    def load_or_generate(cls, file: Path) -> Self:
        """Read the key pair from a PEM file, or make one and write it there, readable by its owner alone."""
        try:
            return cls.load(file)
        except FileNotFoundError:
            key = cls.generate()
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(key._pem())
            return key

    def jwks(self) -> str:
        """The public key as a JSON Web Key Set (RFC 7517), for the parameter `AuthJwks`."""
        key = {**self._public, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}
        return json.dumps({"keys": [key]}, separators=(",", ":"))

    def token(
        self,
        *,
        subject: str,
        roles: Sequence[str],
        claims: Mapping[str, Any] | None = None,
        expires_in: int = _DEFAULT_SECONDS,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
    ) -> str:
        """Sign a JWT (RFC 7519).

        Parameters
        ----------
        subject : str
            Who the token speaks for (`sub`).
        roles : Sequence[str]
            Claim `roles`.
        claims : Mapping[str, Any], optional
            More claims; one with the name of a registered claim replaces it.
        expires_in : int
            Seconds from now until `exp`; negative for a token that has expired.
        issuer, audience : str
            Claims `iss` and `aud`.

        Returns
        -------
        str
            The token in compact form, with `kid` in its header.
        """
        now = int(time.time())
        payload = {
            "iss": issuer,
            "aud": audience,
            "sub": subject,
            "iat": now,
            "nbf": now,
            "exp": now + expires_in,
            "jti": str(uuid.uuid4()),
            "roles": list(roles),
            **(claims or {}),
        }
        return jwt.encode(payload, self._private_key, algorithm=ALGORITHM, headers={"kid": self.kid})

    def _pem(self) -> bytes:
        return self._private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
