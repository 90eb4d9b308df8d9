"""Numbers of cards and of bank accounts."""

import re
from collections.abc import Mapping
from functools import cache

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict
from waybill.scanning.domain.detection.validators.measures import digits_of, luhn

# Issuer ranges as (first, last, digits of the prefix, lengths).
_ISSUERS: tuple[tuple[int, int, int, frozenset[int]], ...] = (
    (4, 4, 1, frozenset({13, 16, 19})),  # Visa
    (51, 55, 2, frozenset({16})),  # Mastercard
    (2221, 2720, 4, frozenset({16})),
    (34, 34, 2, frozenset({15})),  # American Express
    (37, 37, 2, frozenset({15})),
    (6011, 6011, 4, frozenset({16, 19})),  # Discover
    (644, 649, 3, frozenset({16, 19})),
    (65, 65, 2, frozenset({16, 19})),
    (3528, 3589, 4, frozenset({16})),  # JCB
    (2131, 2131, 4, frozenset({15})),
    (1800, 1800, 4, frozenset({15})),
    (300, 305, 3, frozenset({14})),  # Diners Club
    (36, 36, 2, frozenset({14})),
    (38, 39, 2, frozenset({14})),
    (62, 62, 2, frozenset(range(16, 20))),  # UnionPay
    (50, 50, 2, frozenset(range(12, 20))),  # Maestro
    (56, 69, 2, frozenset(range(12, 20))),
)
# Names that say what a number is, and that it is no card, though by chance one in ten of them passes Luhn.
_OTHER_NUMBER = re.compile(
    rb"(?i)(?:ids?|account|order|invoice|trace|timestamp|time|serial|ticket)[\"']?[ \t]{0,3}[:=#]?[ \t]{0,3}[\"']?$"
)
# Of the ranges that begin with 5 or 6, those that cards are issued in by the million.
_USUAL = frozenset({b"51", b"52", b"53", b"54", b"55", b"60", b"62", b"65"})


def credit_card(value: bytes, around: Surroundings) -> Verdict | None:
    """Luhn, issuer range with its lengths, and more than one digit; Luhn alone is a filter and no proof.

    One number in ten passes it. Without a word for cards, only sixteen digits of a usual range or a number that is
    written in groups says something; with one, a number is worth a look whoever has issued it.
    """
    digits = digits_of(value)
    if not luhn(digits) or len(set(digits)) == 1:
        return None
    if not _is_issued(digits):
        return Verdict(digits, Confidence.MEDIUM) if around.keyword and digits[0] != 0x30 else None
    if around.keyword:
        return Verdict(digits)
    if digits != value:
        return Verdict(digits, Confidence.HIGH)
    unusual = len(digits) != 16 or (digits[:1] in {b"5", b"6"} and digits[:2] not in _USUAL)
    return Verdict(digits, Confidence.LOW if unusual or _OTHER_NUMBER.search(around.before) else None)


def _is_issued(digits: bytes) -> bool:
    return len(digits) in _lengths_behind(digits[:4])


@cache
def _lengths_behind(four: bytes) -> frozenset[int]:
    """Return how long the numbers are that are issued with the first four digits."""
    found = (lengths for first, last, prefix, lengths in _ISSUERS if first <= int(four[:prefix]) <= last)
    return frozenset[int]().union(*found)


_IBAN_LENGTHS: Mapping[str, int] = {
    **{"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29},
    **{"BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29},
    **{"ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28},
    **{"HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20},
    **{"LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19},
    **{"MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29},
    **{"PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24},
    **{"SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20},
    **{"YE": 30},
}
_AS_NUMBERS = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def iban(value: bytes, _: Surroundings) -> Verdict | None:
    """Length by country and mod 97 = 1; a group of ordinary text behind the last one is cut off."""
    length = _IBAN_LENGTHS.get(value[:2].decode().upper())
    compact = value.translate(None, b" .-").upper()
    if length is None or len(compact) < length:
        return None
    end = len(value)
    if len(compact) > length:
        groups = (length + 3) // 4
        end = length + groups - 1
        if value[4:5] not in {b" ", b".", b"-"} or value[end : end + 1] != value[4:5]:
            return None
        compact = compact[:length]
    turned = (compact[4:] + compact[:4]).decode()
    if int(turned.translate(_AS_NUMBERS)) % 97 != 1:
        return None
    return Verdict(compact, end=end)
