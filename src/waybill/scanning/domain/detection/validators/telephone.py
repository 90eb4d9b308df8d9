"""Numbers of telephones, by the plans of their regions."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict
from waybill.scanning.domain.detection.validators.measures import digits_of
from waybill.scanning.domain.detection.validators.numbering_plans import is_international, number_of_region

_EXTENSION = re.compile(rb" ?(?:x|ext\.?) ?\d{1,6}$")
_DATE = re.compile(rb"(?:\d{4}([-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{4})$")
# No group of a telephone number has one digit alone at its end.
_DECIMAL = re.compile(rb"\+?\d+\.\d")


def phone(value: bytes, around: Surroundings) -> Verdict | None:
    """With `+` or a region: a number that the phonenumbers library knows; else North America's plan, or a keyword."""
    number, digits = _dialled(value)
    if not digits:
        return None
    if around.regions:
        return _national(number, digits, around)
    if number.startswith(b"+"):
        return _international(digits, around)
    national = digits[1:] if len(digits) == 11 and digits[:1] == b"1" else digits
    american = len(national) == 10 and national[0] > 0x31 and national[3] > 0x31 and national[1:3] != b"11"
    if american and _is_fictitious(national):
        return Verdict(digits, Confidence.LOW)
    return Verdict(digits) if american or around.keyword else None


@lru_cache(maxsize=64)
def _dialled(value: bytes) -> tuple[bytes, bytes]:
    """Return a number without its extension, and its digits; no digits where it is none. Each shape asks for it."""
    number = _EXTENSION.sub(b"", value) if b"x" in value else value
    digits = digits_of(number)
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3 or _DATE.match(number) or _DECIMAL.fullmatch(number):
        return number, b""
    return number, digits


def regions_known() -> frozenset[str]:
    """Return the regions whose telephone numbers can be told (ISO 3166-1, two letters)."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


_LONG = 9


def _shape_of(region: str) -> str:
    """Return which rule for national numbers a region needs: what is dialled first, and how many digits at least."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is not None and metadata.national_prefix == "0":
        return "zero"
    lengths = metadata.general_desc.possible_length if metadata and metadata.general_desc else ()
    return "no_zero_long" if min(lengths, default=0) >= _LONG else "no_zero"


REGIONS: Mapping[str, Callable[[str], bool]] = {
    shape: lambda region, shape=shape: _shape_of(region) == shape  # type: ignore[misc]
    for shape in ("zero", "no_zero", "no_zero_long")
}
"""Which regions a rule may need, by the name that a detector gives them."""


def _national(number: bytes, digits: bytes, around: Surroundings) -> Verdict | None:
    """Return the number in its international form if it is written as one of the regions writes it."""
    if number == digits and not around.keyword:
        return None
    text = digits.decode()
    for region in around.regions:
        if normal := number_of_region(region, text):
            return Verdict(normal.encode(), Confidence.HIGH if around.keyword else Confidence.MEDIUM)
    return None


def _is_fictitious(national: bytes) -> bool:
    """Return whether a number of North America is kept for stories (NANPA, "555 Line Numbers": 0100 to 0199)."""
    return national[3:8] == b"55501"


def _international(digits: bytes, around: Surroundings) -> Verdict | None:
    if len(digits) == 11 and digits[:1] == b"1" and _is_fictitious(digits[1:]):
        return Verdict(b"+" + digits, Confidence.LOW)
    known = is_international(digits.decode())
    if known:
        return Verdict(b"+" + digits, Confidence.HIGH)
    return Verdict(b"+" + digits) if around.keyword or known is None else None
