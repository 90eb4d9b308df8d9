"""How webhooks are signed, and how a receiver verifies them.

As Standard Webhooks 1.0.0 has it, so that its libraries verify what is sent; and by a header of Waybill's own,
`t=<seconds since 1970>,v1=<HMAC-SHA256 in hex>` over `<t>.<body>`. A body cannot be changed, nor sent again later than
the receiver allows.
"""

import base64
import hmac
import re

SIGNATURE_HEADER = "Waybill-Signature"
EVENT_HEADER = "Waybill-Event-Id"
TOLERANCE_SECONDS = 300

_STANDARD_PREFIX = b"whsec_"
_FORM = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign(secret: bytes, body: bytes, at: int) -> str:
    """Return the header for `body` sent at `at`, in seconds since 1970."""
    return f"t={at},v1={_digest(secret, body, at)}"


def standard_headers(secret: bytes, event_id: str, body: bytes, at: int) -> dict[str, str]:
    """Return the headers of Standard Webhooks for `body`, which is sent at `at`, in seconds since 1970."""
    signature = hmac.digest(_standard_key(secret), f"{event_id}.{at}.".encode() + body, "sha256")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode('ascii')}",
    }


def _standard_key(secret: bytes) -> bytes:
    """Return the key of a secret: the bytes that `whsec_` and base64 stand for, or the secret as it is."""
    if secret.startswith(_STANDARD_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
        except ValueError:
            pass
    return secret


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
