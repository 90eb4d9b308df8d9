"""Private keys, by what follows their first line."""

import re

from waybill.scanning.domain.detection.models import Surroundings, Verdict
from waybill.scanning.domain.detection.validators.placeholders import PLACEHOLDER

_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/=]")


def private_key(value: bytes, around: Surroundings) -> Verdict | None:
    """An end line follows with base64 in between, or at least 64 characters of base64."""
    body, end, _ = around.after.partition(b"-----END ")
    if body.lstrip()[:1] == b"<":
        # In place of a key it is said what belongs there.
        return None
    characters = len(_BASE64_TEXT.findall(body))
    if characters < (16 if end else 64):
        return None
    return Verdict(value + bytes(body.split()[0] if body.split() else b""))


_BECH32 = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


def age_secret_key(value: bytes, _: Surroundings) -> Verdict | None:
    """The checksum of BIP 173."""
    prefix, _one, data = value.lower().rpartition(b"1")
    values = [byte >> 5 for byte in prefix] + [0] + [byte & 31 for byte in prefix]
    values += [_BECH32.find(bytes([byte])) for byte in data.upper()]
    check = 1
    for each in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ each
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return Verdict(value) if check == 1 else None


def putty_key(value: bytes, around: Surroundings) -> Verdict | None:
    """Private lines follow, with base64 in them."""
    _before, lines, rest = around.after.partition(b"Private-Lines:")
    body = re.search(rb"[A-Za-z0-9+/]{32}", rest) if lines else None
    return Verdict(value + body[0]) if body else None


_KEY_OF_ACCOUNT = re.compile(
    rb'"private_key"[ \t]{0,4}:[ \t]{0,4}"(-----BEGIN [A-Z ]{0,16}PRIVATE KEY-----[^"-]{32,64})'
)


def service_account_key(value: bytes, around: Surroundings) -> Verdict | None:
    """A private key follows in the same object."""
    found = _KEY_OF_ACCOUNT.search(around.after)
    return Verdict(value + found[1]) if found and not PLACEHOLDER.search(found[1]) else None
