"""Numbers that states give people: those that need more than a check digit, and what makes validators of the others."""

import re
from collections.abc import Callable

from waybill.scanning.domain.detection.models import Surroundings, Validator, Verdict
from waybill.scanning.domain.detection.validators.measures import digits_of


def us_ssn(value: bytes, _: Surroundings) -> Verdict | None:
    """Areas, groups and serial numbers that were never issued; numbers that everybody knows are samples."""
    digits = digits_of(value)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in {b"000", b"666"} or area >= b"900" or group == b"00" or serial == b"0000":
        return None
    return Verdict(digits, sample=digits in {b"078051120", b"219099999", b"123456789"})


def uk_nino(value: bytes, _: Surroundings) -> Verdict | None:
    """Prefixes that are not used for allocation."""
    normal = value.translate(None, b" /-").upper()
    return None if normal[:2] in {b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"} else Verdict(normal)


_WITHIN_URL = re.compile(rb"https?://\S{0,60}$|[\w.-]/(?:[^\s/]{1,60}/){0,8}$")


def uk_nhs(value: bytes, around: Surroundings) -> Verdict | None:
    """Modulus 11; the digits of an address's path are of the page, whatever words stand in the path."""
    if _WITHIN_URL.search(around.before):
        return None
    digits = digits_of(value)
    total = sum((10 - index) * (digit - 0x30) for index, digit in enumerate(digits[:9]))
    check = (11 - total % 11) % 11
    return Verdict(digits) if check == digits[9] - 0x30 and len(set(digits)) > 1 else None


def national_number(check: Callable[[str], bool]) -> Validator:
    """Return a validator for a number that `check` holds of; one digit over and over is none."""

    def validator(value: bytes, _: Surroundings) -> Verdict | None:
        normal = value.translate(None, b" .-/()").upper()
        digits = digits_of(normal)
        return Verdict(normal) if len(set(digits)) > 1 and check(normal.decode("ascii")) else None

    return validator
