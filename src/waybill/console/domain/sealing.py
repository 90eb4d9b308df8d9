"""Secrets of a session: what is stored is encrypted under a key that only the browser's cookie leads to.

Sources: RFC 5869 (HKDF), NIST SP 800-38D (GCM), OWASP "Cross-Site Request Forgery Prevention" (HMAC of the session).
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_MASK_BYTES = 32

type Content = dict[str, Any]


def new_secret() -> str:
    """Return 256 random bits as text that a cookie or an address can hold."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def name_of(secret: str, purpose: str) -> str:
    """Return what the table calls the holder of `secret`; nothing leads back from it."""
    return f"{purpose}#{hashlib.sha256(f'{purpose}:{secret}'.encode()).hexdigest()}"


def seal(secret: str, content: Mapping[str, Any]) -> bytes:
    """Encrypt `content` for whoever has `secret`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key(secret, b"seal")).encrypt(nonce, json.dumps(content).encode(), None)


def unseal(secret: str, sealed: bytes) -> Content | None:
    """Return what was sealed for `secret`, None where it was for another."""
    try:
        text = AESGCM(_key(secret, b"seal")).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        return None
    found = json.loads(text)
    return found if isinstance(found, dict) else None


def form_token(secret: str) -> str:
    """Return a token for a form: another text each time, since answers are compressed (BREACH)."""
    mask = secrets.token_bytes(_MASK_BYTES)
    masked = bytes(one ^ other for one, other in zip(mask, _key(secret, b"form"), strict=True))
    return base64.urlsafe_b64encode(mask + masked).decode()


def is_form_token(secret: str, token: str) -> bool:
    """Return whether `token` was given to the holder of `secret`."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except ValueError:
        return False
    if len(raw) != 2 * _MASK_BYTES:
        return False
    found = bytes(one ^ other for one, other in zip(raw[:_MASK_BYTES], raw[_MASK_BYTES:], strict=True))
    return hmac.compare_digest(found, _key(secret, b"form"))


def owner_of(subject: str) -> str:
    """Return what a form says of whose it is, which tells nobody else who that is."""
    return hashlib.sha256(f"waybill console form:{subject}".encode()).hexdigest()[:32]


def _key(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"waybill console " + purpose).derive(secret.encode())
