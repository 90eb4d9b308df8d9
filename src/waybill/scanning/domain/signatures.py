"""How webhooks are signed, and how a receiver verifies them.

The header is `t=<seconds since 1970>,v1=<HMAC-SHA256 in hex>` over `<t>.<body>`: a body cannot be changed, nor sent
again later than the receiver allows.
"""

import hmac
import re

SIGNATURE_HEADER = "Waybill-Signature"
EVENT_HEADER = "Waybill-Event-Id"
TOLERANCE_SECONDS = 300

_FORM = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign(secret: bytes, body: bytes, at: int) -> str:
    """Return the header for `body` sent at `at`, in seconds since 1970."""
    return f"t={at},v1={_digest(secret, body, at)}"


def verify(secret: bytes, header: str, body: bytes, now: float) -> bool:
    """Return whether `header` belongs to `body` and is at most 5 minutes old, or that much in advance of `now`.

    What a receiver does; then it takes each `Waybill-Event-Id` once.
    """
    found = _FORM.fullmatch(header.strip())
    if found is None:
        return False
    at = int(found[1])
    return abs(now - at) <= TOLERANCE_SECONDS and hmac.compare_digest(found[2], _digest(secret, body, at))


def _digest(secret: bytes, body: bytes, at: int) -> str:
    return hmac.digest(secret, f"{at}.".encode() + body, "sha256").hex()
