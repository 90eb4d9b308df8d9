"""What stands for a value where it is stored: equal for equal values under one key, and of no use without the key."""

import hmac

from waybill.scanning.domain.detection.models import Match


class Fingerprints:
    """The fingerprints under one key: HMAC-SHA-256 (RFC 2104) of the detector and the normal form of the value."""

    def __init__(self, key: bytes) -> None:
        # Its state, once the key is read: to begin with the key each time takes twice as long.
        self._keyed = hmac.new(key, digestmod="sha256")

    def of(self, match: Match) -> str:
        """Return the fingerprint of a value, in hexadecimal digits."""
        code = self._keyed.copy()
        code.update(match.detector.encode() + b"\0" + match.normal)
        return code.hexdigest()
