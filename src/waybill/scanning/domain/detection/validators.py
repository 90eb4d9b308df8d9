"""The checks that tell a value from text of the same shape.

Each takes the text that a rule's pattern matched and its surroundings, and returns a `Verdict`, or None when it is no
such value. None of them knows where the text came from.
"""

import base64
import ipaddress
import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict

type Validator = Callable[[bytes, Surroundings], Verdict | None]

_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_VALUE = bytes.maketrans(b"0123456789", bytes(range(10)))
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def digits_of(value: bytes) -> bytes:
    """Return the digits of `value` alone."""
    return value.translate(None, _NOT_DIGITS)


def luhn(digits: bytes) -> bool:
    """Return whether the Luhn check digit holds (ISO/IEC 7812-1, annex B)."""
    return (sum(digits[-1::-2].translate(_VALUE)) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def entropy(value: bytes) -> float:
    """Return the Shannon entropy of the bytes, in bits per byte."""
    total = len(value)
    counts = [value.count(byte) for byte in set(value)]
    return math.log2(total) - sum(count * math.log2(count) for count in counts if count > 1) / total if total else 0.0


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


def credit_card(value: bytes, _: Surroundings) -> Verdict | None:
    """Issuer range with its lengths, Luhn, and more than one digit."""
    digits = digits_of(value)
    if not luhn(digits) or len(set(digits)) == 1:
        return None
    length = len(digits)
    for first, last, prefix, lengths in _ISSUERS:
        if first <= int(digits[:prefix]) <= last and length in lengths:
            return Verdict(digits)
    return None


def us_ssn(value: bytes, _: Surroundings) -> Verdict | None:
    """Areas, groups and serial numbers that were never issued; numbers that everybody knows are samples."""
    digits = digits_of(value)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in {b"000", b"666"} or area >= b"900" or group == b"00" or serial == b"0000":
        return None
    return Verdict(digits, sample=digits in {b"078051120", b"219099999", b"123456789"})


_IMAGE = re.compile(rb"\d(?:\.\d)?x\.")
_KEPT = (b"example", b"invalid", b"test", b"localhost")
_EXAMPLE = re.compile(rb"(?:@|\.)(?:example(?:\.[a-z]{2,3}){1,2}|[a-z0-9-]+\.(?:example|invalid|test|localhost))$")


def email(value: bytes, _: Surroundings) -> Verdict | None:
    """Domains kept for documentation are out (RFC 2606), and so are image names such as `icon@2x.png`."""
    lowered = value.lower()
    local, _at, domain = lowered.partition(b"@")
    if len(domain) > 255 or b".." in local or local[-1:] == b"." or _IMAGE.match(domain):
        return None
    # Few addresses have one of these words in them, and to look for a word is cheaper than the pattern.
    if any(word in domain for word in _KEPT) and _EXAMPLE.search(lowered):
        return None
    return Verdict(lowered)


_EXTENSION = re.compile(rb" ?(?:x|ext\.?) ?\d{1,6}$")
_DATE = re.compile(rb"(?:\d{4}([-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{4})$")


def phone(value: bytes, around: Surroundings) -> Verdict | None:
    """With `+` or a region: a number that the phonenumbers library knows; else North America's plan, or a keyword."""
    number = _EXTENSION.sub(b"", value) if b"x" in value else value
    digits = digits_of(number)
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3 or _DATE.match(number):
        return None
    if around.regions:
        return _national(number, digits, around)
    if number.startswith(b"+"):
        return _international(digits, around)
    national = digits[1:] if len(digits) == 11 and digits[:1] == b"1" else digits
    american = len(national) == 10 and national[0] > 0x31 and national[3] > 0x31 and national[1:3] != b"11"
    if american and national[3:6] == b"555" and national[6:8] == b"01":
        return Verdict(digits, Confidence.LOW)
    return Verdict(digits) if american or around.keyword else None


def regions_known() -> frozenset[str]:
    """Return the regions whose telephone numbers can be told (ISO 3166-1, two letters)."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def _dialled_with_zero(region: str) -> bool:
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return metadata is not None and metadata.national_prefix == "0"


REGIONS: Mapping[str, Callable[[str], bool]] = {
    "zero": _dialled_with_zero,
    "no_zero": lambda region: not _dialled_with_zero(region),
}
"""Which regions a rule may need, by the name that a detector gives them."""


def _national(number: bytes, digits: bytes, around: Surroundings) -> Verdict | None:
    """Return the number in its international form if it is written as one of the regions writes it."""
    import phonenumbers

    if number == digits and not around.keyword:
        return None
    for region in around.regions:
        shape = national_shape(region)
        if shape and not shape.search(digits):
            continue
        try:
            parsed = phonenumbers.parse(number.decode(), region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(parsed, region):
            normal = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
            return Verdict(normal.encode(), Confidence.HIGH if around.keyword else Confidence.MEDIUM)
    return None


@cache
def national_shape(region: str) -> re.Pattern[bytes] | None:
    """Return what the digits of each valid number of a region end in; None where the library rewrites numbers.

    What is dialled in front of a national number is taken away by the library, whose parser is dear.
    """
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.national_prefix_transform_rule or not metadata.general_desc:
        return None
    return re.compile(f"(?:{metadata.general_desc.national_number_pattern})$".encode("ascii"))


def _international(digits: bytes, around: Surroundings) -> Verdict | None:
    import phonenumbers

    number = digits.decode()
    if _valid_as_written(number):
        return Verdict(b"+" + digits, Confidence.HIGH)
    try:
        parsed = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_valid_number(parsed):
        return Verdict(b"+" + digits, Confidence.HIGH)
    return Verdict(b"+" + digits) if around.keyword or phonenumbers.is_possible_number(parsed) else None


def _valid_as_written(number: str) -> bool:
    """Return whether an E.164 text is a number of the main region of its country code.

    It then is valid for the library as well; its parser, which expects prefixes dialled at home, is four times dearer.
    """
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, is_valid_number_for_region

    for length in (1, 2, 3):
        code, national = int(number[:length]), number[length:]
        if regions := COUNTRY_CODE_TO_REGION_CODE.get(code):
            # A zero in front belongs to the number in some countries, which the library keeps apart.
            plain = PhoneNumber(country_code=code, national_number=int(national or "0"))
            return not national.startswith("0") and is_valid_number_for_region(plain, regions[0])
    return False


def uk_nino(value: bytes, _: Surroundings) -> Verdict | None:
    """Prefixes that are not used for allocation."""
    normal = value.replace(b" ", b"")
    return None if normal[:2] in {b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"} else Verdict(normal)


def uk_nhs(value: bytes, _: Surroundings) -> Verdict | None:
    """Modulus 11."""
    digits = digits_of(value)
    total = sum((10 - index) * (digit - 0x30) for index, digit in enumerate(digits[:9]))
    check = (11 - total % 11) % 11
    return Verdict(digits) if check == digits[9] - 0x30 and len(set(digits)) > 1 else None


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


def iban(value: bytes, _: Surroundings) -> Verdict | None:
    """Length by country and mod 97 = 1; a group of ordinary text behind the last one is cut off."""
    length = _IBAN_LENGTHS.get(value[:2].decode().upper())
    compact = value.replace(b" ", b"").upper()
    if length is None or len(compact) < length:
        return None
    end = len(value)
    if len(compact) > length:
        groups = (length + 3) // 4
        end = length + groups - 1
        if b" " not in value or value[end : end + 1] != b" ":
            return None
        compact = compact[:length]
    turned = (compact[4:] + compact[:4]).decode()
    if int("".join(str(int(char, 36)) for char in turned)) % 97 != 1:
        return None
    return Verdict(compact, end=end)


_VERSION_WORDS = (b"version", b"ver", b"ver.", b"release", b"revision")
_BETWEEN = b' :=/"-'
# First octets of the ranges that RFC 6890 and its registry treat specially, and of those from 224 on.
_SPECIAL_FIRST = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)})


def ip(value: bytes, around: Surroundings) -> Verdict | None:
    """Octets without leading zeros; private and special ranges are LOW; version numbers are out."""
    if _names_a_version(around.before):
        return None
    if b":" not in value and (octets := _octets(value)) and octets[0] not in _SPECIAL_FIRST:
        return Verdict(value)
    try:
        address = ipaddress.ip_address(value.decode())
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast:
        return None
    special = not address.is_global and not address.is_reserved
    return Verdict(address.compressed.encode(), Confidence.LOW if special else None)


def _names_a_version(before: bytes) -> bool:
    words = before.lower().rstrip(_BETWEEN)
    return words.endswith(_VERSION_WORDS) or (
        words[-1:] == b"v" and not words[-2:-1].isalnum() and words[-2:-1] != b"_"
    )


def _octets(value: bytes) -> list[int] | None:
    parts = value.split(b".")
    if len(parts) != 4 or any(len(part) > 3 or (part[0] == 0x30 and len(part) > 1) for part in parts):
        return None
    octets = [int(part) for part in parts]
    return octets if max(octets) < 256 else None


def aws_access_key_id(value: bytes, _: Surroundings) -> Verdict | None:
    """Entropy of at least three bits; AWS's documentation ends its ids in EXAMPLE."""
    sample = value.endswith(b"EXAMPLE")
    return Verdict(value, sample=sample) if sample or entropy(value[4:]) >= 3 else None


_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]+")


def aws_secret(value: bytes, _: Surroundings) -> Verdict | None:
    """Not a hexadecimal digest, and entropy of at least four bits."""
    if _HEXADECIMAL.fullmatch(value) or entropy(value) < 4:
        return None
    return Verdict(value, sample=b"EXAMPLE" in value)


def github_token(value: bytes, _: Surroundings) -> Verdict | None:
    """The classic forms end in the CRC-32 of the rest, in base 62."""
    if value.startswith(b"github_pat_"):
        return Verdict(value) if entropy(value) >= 3.5 else None
    body, check = value[4:-6], value[-6:]
    return Verdict(value) if _base62(zlib.crc32(body)).encode() == check else None


def _base62(number: int) -> str:
    text = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        text = _BASE62[digit] + text
    return text


_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/=]")


def private_key(value: bytes, around: Surroundings) -> Verdict | None:
    """An end line follows with base64 in between, or at least 64 characters of base64."""
    body, end, _ = around.after.partition(b"-----END ")
    characters = len(_BASE64_TEXT.findall(body))
    if characters < (16 if end else 64):
        return None
    return Verdict(value + bytes(body.split()[0] if body.split() else b""))


def jwt(value: bytes, _: Surroundings) -> Verdict | None:
    """The header decodes to JSON with `alg`."""
    header = value.partition(b".")[0]
    try:
        decoded: Any = json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
    except (ValueError, RecursionError):
        return None
    return Verdict(value) if isinstance(decoded, dict) and isinstance(decoded.get("alg"), str) else None


def random_token(value: bytes, _: Surroundings) -> Verdict | None:
    """Entropy of at least three bits, which placeholders do not have."""
    body = re.split(rb"[-_.]", value, maxsplit=1)[-1]
    return Verdict(value) if entropy(body) >= 3 else None


VALIDATORS: Mapping[str, Validator] = {
    check.__name__: check
    for check in (
        aws_access_key_id,
        aws_secret,
        credit_card,
        email,
        github_token,
        iban,
        ip,
        jwt,
        phone,
        private_key,
        random_token,
        uk_nhs,
        uk_nino,
        us_ssn,
    )
}
