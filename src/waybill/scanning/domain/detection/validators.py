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
from functools import cache, lru_cache
from typing import Any

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict
from waybill.scanning.domain.detection.national import CHECKS

type Validator = Callable[[bytes, Surroundings], Verdict | None]

_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_VALUE = bytes.maketrans(b"0123456789", bytes(range(10)))
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
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


# Names that say what a number is, and that it is no card: known faults of the scanner, K8.
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
    return any(
        first <= int(digits[:prefix]) <= last and len(digits) in lengths for first, last, prefix, lengths in _ISSUERS
    )


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


# Last labels of names that are no domains: files, units of systemd, packages.
_NO_DOMAIN = frozenset(
    b"service socket timer target mount slice scope device pkg css scss less js mjs cjs jsx ts tsx html htm xml json"
    b" yaml yml toml ini cfg conf log txt rst csv tsv png jpg jpeg gif svg ico webp bmp tiff pdf doc docx xls xlsx ppt"
    b" pptx gz tgz bz xz tar jar war whl egg lock map local localdomain internal lan corp class java kt rb php swift"
    b" cpp hpp exe dll dylib bin dat db sql bak tmp".split()
)
# RFC 3986, section 3.2.1: what stands before the host of an address says who logs in, and with what password.
_USER_OF_URL = re.compile(rb"(?i)(?://[^\s/@:]{0,60}:|(?<![a-z])(?:git|ssh|sftp|svn\+ssh|git\+ssh|rsync)://)$")
_SCP_PATH = re.compile(rb":[\w.~-]{1,100}/")


def email(value: bytes, around: Surroundings) -> Verdict | None:
    """Domains kept for documentation are out (RFC 2606), and so are names of files, units and repositories."""
    if around.before[-1:] in {b":", b"/"} and _USER_OF_URL.search(around.before):
        return None
    # A quote around an address is no part of it, whatever letter stands before the quote.
    start = value.rfind(b"'", 0, value.find(b"@")) + 1 if around.after[:1] == b"'" else 0
    lowered = _folded(value[start:])
    cut = len(lowered)
    # A file that is called after an address: the address ends before the extension.
    while lowered.rpartition(b".")[2] in _NO_DOMAIN:
        lowered = lowered.rpartition(b".")[0]
    local, _at, domain = lowered.partition(b"@")
    if b"." not in domain or _SCP_PATH.match(around.after):
        return None
    if len(domain) > 255 or b".." in local or local[-1:] == b"." or _IMAGE.match(domain):
        return None
    # Few addresses have one of these words in them, and to look for a word is cheaper than the pattern.
    if any(word in domain for word in _KEPT) and _EXAMPLE.search(lowered):
        return None
    end = len(value) - (cut - len(lowered))
    return Verdict(lowered if lowered.isascii() else _in_ascii(lowered), start=start, end=end)


def _folded(address: bytes) -> bytes:
    return address.lower() if address.isascii() else address.decode("utf-8", "replace").lower().encode()


def _in_ascii(address: bytes) -> bytes:
    """Return an address with its domain as it is sent (RFC 5891), so that both forms of it are one value."""
    local, _at, domain = address.rpartition(b"@")
    try:
        return local + b"@" + domain.decode("utf-8").encode("idna")
    except UnicodeError:
        return address


_EXTENSION = re.compile(rb" ?(?:x|ext\.?) ?\d{1,6}$")
_DATE = re.compile(rb"(?:\d{4}([-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{4})$")


# No group of a telephone number has one digit alone at its end.
_DECIMAL = re.compile(rb"\+?\d+\.\d")


def phone(value: bytes, around: Surroundings) -> Verdict | None:
    """With `+` or a region: a number that the phonenumbers library knows; else North America's plan, or a keyword."""
    number = _EXTENSION.sub(b"", value) if b"x" in value else value
    digits = digits_of(number)
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3 or _DATE.match(number) or _DECIMAL.fullmatch(number):
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
    import phonenumbers

    if number == digits and not around.keyword:
        return None
    for region in around.regions:
        shape = national_shape(region)
        if shape and not shape.match(digits):
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
    """Return what the digits of each valid number of a region look like; None where the library rewrites numbers.

    What is dialled in front of a national number is taken away by the library, whose parser is dear.
    """
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.national_prefix_transform_rule or not metadata.general_desc:
        return None
    dialled = (metadata.international_prefix, str(metadata.country_code), metadata.national_prefix_for_parsing)
    before = "".join(f"(?:{prefix})?" for prefix in dialled if prefix)
    return re.compile(f"{before}(?:{metadata.general_desc.national_number_pattern})$".encode("ascii"))


def _international(digits: bytes, around: Surroundings) -> Verdict | None:
    known = _is_known(digits.decode())
    if known:
        return Verdict(b"+" + digits, Confidence.HIGH)
    return Verdict(b"+" + digits) if around.keyword or known is None else None


@lru_cache(maxsize=512)
def _is_known(number: str) -> bool | None:
    """Return whether an E.164 number is a valid one; None where it only has the length of one."""
    import phonenumbers

    if _valid_as_written(number):
        return True
    try:
        parsed = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) or (None if phonenumbers.is_possible_number(parsed) else False)


def _valid_as_written(number: str) -> bool:
    """Return whether an E.164 text is a number of the main region of its country code.

    It then is valid for the library as well, whose parser, which expects prefixes dialled at home, is dearer.
    """
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    for length in (1, 2, 3):
        code, national = int(number[:length]), number[length:]
        if regions := COUNTRY_CODE_TO_REGION_CODE.get(code):
            # A zero in front belongs to the number in some countries, which the library keeps apart.
            return not national.startswith("0") and is_number_of(code, regions[0], national)
    return False


def is_number_of(code: int, region: str, national: str) -> bool:
    """Return whether a number is one of a region, as `is_valid_number_for_region` of the library does."""
    general, *kinds = _descriptions(code, region)
    return _fits(general, national) and any(_fits(kind, national) for kind in kinds)


type _Description = tuple[re.Pattern[str], frozenset[int]]


def _fits(description: _Description, national: str) -> bool:
    pattern, lengths = description
    return (not lengths or len(national) in lengths) and pattern.fullmatch(national) is not None


@cache
def _descriptions(code: int, region: str) -> list[_Description]:
    """Return the patterns and lengths of a region's numbers: of all of them, then of each kind."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    kinds = (
        *("general_desc", "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan"),
        *("voicemail", "fixed_line", "mobile"),
    )
    described = (getattr(metadata, kind) for kind in kinds)
    return [
        (re.compile(each.national_number_pattern), frozenset(each.possible_length))
        for each in described
        if each is not None and each.national_number_pattern
    ]


def uk_nino(value: bytes, _: Surroundings) -> Verdict | None:
    """Prefixes that are not used for allocation."""
    normal = value.translate(None, b" -").upper()
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


# Words that name a version, a product in front of one (RFC 9110, section 10.1.5), and object identifiers.
_NO_ADDRESS_BEFORE = re.compile(
    rb"(?i)(?:(?<![a-z])(?:version|ver\.?|v|release|rev|revision|build)[ :=/\"'-]{0,4}|[a-z]/"
    rb"|(?:oid|objectidentifier)\W{0,4})$"
)
# What stands in front of a slice of a sequence, such as key[0::2].
_SLICE = re.compile(rb"[\w)\]]\[$")
# First octets of the ranges that RFC 6890 and its registry treat specially, and of those from 224 on.
_SPECIAL_FIRST = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)})


def ip(value: bytes, around: Surroundings) -> Verdict | None:
    """Octets without leading zeros; private and special ranges are LOW; version numbers are out.

    A short IPv6 address has digits in two groups at least, or it is as likely a name with colons.
    """
    if _NO_ADDRESS_BEFORE.search(around.before):
        return None
    if b":" not in value and (octets := _octets(value)):
        if octets[0] not in _SPECIAL_FIRST:
            return Verdict(value)
        if octets[0] in {10, 127}:
            return Verdict(value, Confidence.LOW)
    groups = [group for group in value.split(b":") if group]
    if b"." not in value and not _are_of_an_address(groups, around.before):
        return None
    try:
        address = ipaddress.ip_address(value.decode())
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast:
        return None
    special = not address.is_global and not address.is_reserved
    return Verdict(address.compressed.encode(), Confidence.LOW if special else None)


def _are_of_an_address(groups: list[bytes], before: bytes) -> bool:
    """Return whether groups between colons may be of an IPv6 address, and not of a name, a slice or a fingerprint."""
    if len(groups) < 4 and sum(_DIGIT.search(group) is not None for group in groups) < 2:
        return False
    eight_bytes = len(groups) == 8 and all(len(group) == 2 for group in groups)
    return not eight_bytes and not (len(groups) < 3 and _SLICE.search(before))


def _octets(value: bytes) -> list[int] | None:
    parts = value.split(b".")
    if len(parts) != 4 or any(len(part) > 3 or (part[0] == 0x30 and len(part) > 1) for part in parts):
        return None
    octets = [int(part) for part in parts]
    return octets if max(octets) < 256 else None


def anything(value: bytes, _: Surroundings) -> Verdict | None:
    """Whatever has the shape."""
    return Verdict(value)


def aws_access_key_id(value: bytes, _: Surroundings) -> Verdict | None:
    """Entropy of at least three bits; AWS's documentation ends its ids in EXAMPLE."""
    sample = value.endswith(b"EXAMPLE")
    return Verdict(value, sample=sample) if sample or entropy(value[4:]) >= 3 else None


_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]+")


def aws_secret(value: bytes, _: Surroundings) -> Verdict | None:
    """Not a hexadecimal digest, no name and no path: of random text, 40 characters have all kinds of letters."""
    if _HEXADECIMAL.fullmatch(value) or entropy(value) < 4 or re.search(rb"(?:[A-Za-z]{4,}/){2}", value):
        return None
    if not (_DIGIT.search(value) and re.search(rb"[a-z]", value) and re.search(rb"[A-Z]", value)):
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


# Claims of the tokens that jwt.io and RFC 7519, section 3.1, show.
_SHOWN_CLAIMS = (b'"sub":"1234567890"', b'"iss":"joe",\r\n "exp":1300819380')


def jwt(value: bytes, _: Surroundings) -> Verdict | None:
    """The header decodes to JSON with `alg`, and the claims to an object, if they are neither packed nor encrypted."""
    header, claims, signature = value.split(b".")
    try:
        decoded: Any = json.loads(_from_base64url(header))
        shown = _from_base64url(claims)
    except (ValueError, RecursionError):
        return None
    if not isinstance(decoded, dict) or not isinstance(decoded.get("alg"), str):
        return None
    if not {"enc", "zip", "b64"} & decoded.keys() and shown[:1] != b"{":
        return None
    if not signature and decoded["alg"].lower() != "none":
        return None
    return Verdict(value, sample=any(claim in shown for claim in _SHOWN_CLAIMS))


def _from_base64url(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


_PLACEHOLDER = re.compile(
    rb"(?i)example|placeholder|changeme|your[-_]?|dummy|x{8}|0{8}|deadbeef|\.\.\.|\*{4}|([^A])\1{7}"
    # What is counted up or down on a keyboard, in decimal or hexadecimal digits, or in letters.
    rb"|01234567|12345678|23456789|abcdef0|abcdef1|98765432|fedcba98|abcdefgh|defghijk|ijklmnop|opqrstuv|qwertyui"
)


def random_token(value: bytes, _: Surroundings) -> Verdict | None:
    """Entropy of at least three bits, and none of the words that placeholders are made of."""
    return Verdict(value) if entropy(value) >= 3 and not _PLACEHOLDER.search(value) else None


def crc_token(value: bytes, _: Surroundings) -> Verdict | None:
    """The last six characters are the CRC-32 of those between the prefix and them, in base 62."""
    body = value.partition(b"_")[2]
    return Verdict(value) if _base62(zlib.crc32(body[:-6])).encode() == body[-6:] else None


def discord_token(value: bytes, _: Surroundings) -> Verdict | None:
    """The first part is the bot's id, which is a number, in base64."""
    first = value.partition(b".")[0]
    try:
        decoded = base64.urlsafe_b64decode(first + b"=" * (-len(first) % 4))
    except ValueError:
        return None
    return Verdict(value) if decoded.isdigit() and 17 <= len(decoded) <= 20 else None


def keyed_token(value: bytes, around: Surroundings) -> Verdict | None:
    """Digits and letters, as random text has both: a shape without a prefix is not much."""
    return random_token(value, around) if _DIGIT.search(value) and _LETTER.search(value) else None


_NO_PASSWORD = re.compile(
    rb"(?i)[<>{}()]|^[$@!%&*]|\$\{|^(?:process|os|env|var|local|self|this|config|settings|ssm|arn|data|module)[.:]"
    rb"|^(?:https?|s3|file|arn):|^\.{0,2}/|^(?:sha(?:1|256|384|512)[-:~]|h1:)|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$"
    rb"|^(?:true|false|none|null|undefined|nil)|^\[?(?:redacted|removed|masked|hidden|filtered)"
    rb"|^(?:pass(?:word|wd)?|secret|token|user(?:name)?|admin|root|guest|test|demo|sample|foo|bar|string)[-_0-9]*$"
    rb"|change[-_]?me|example|placeholder|your[-_]|dummy|^(.)\1+$|x{6}|\*{4}|\.{3}|_here$|12345678"
)


def is_placeholder(password: bytes) -> bool:
    """Return whether what stands where a password might be is a reference, a placeholder or a word of a schema."""
    return _NO_PASSWORD.search(password) is not None


_ASSIGNED = re.compile(rb"(?:(?::=|=>|[:=])[ \t]{0,4}|>)(?:\\?([\"']))?")
# A setting of two fields, one of a Dockerfile, an option of a command, a statement of SQL: what stands in front of the
# literal, and its quote.
_OTHER_FORM = re.compile(
    rb"(?i)(?:(?:key|name|field)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"'][^\"'\n]{0,80}[\"'][ \t]{0,3},?[ \t]{0,3}[\"']?value"
    rb"[\"']?[ \t]{0,3}[:=][ \t]{0,3}|env[ \t]{1,4}\w{1,80}[ \t]{1,4}|--[a-z-]{1,80}[ \t]{1,3}"
    rb"|(?:password|identified by)[ \t]{1,4}(?='))([\"'])?"
)


# Tokens that say where a list goes on, that a request or a form is the same one, or that nobody has changed a thing
# meanwhile: they open nothing. In capitals and small letters these are words of their own; `client` and `sync` tokens
# are such in names like clientToken, while CLIENT_TOKEN is a credential.
_PUBLIC_WORDS = (
    *("next", "page", "paging", "pagination", "continue", "continuation", "cursor", "resume", "resumption", "marker"),
    *("starting", "skip", "delta", "change", "lock", "sequence", "idempotency", "csrf", "xsrf", "authenticity"),
    *("csrfmiddleware", "antiforgery", "request[ _-]?verification", "client[ _-]?request"),
)
_PUBLIC = "|".join(_PUBLIC_WORDS)
_PUBLIC_TITLES = "|".join(word[0].upper() + word[1:] for word in _PUBLIC_WORDS)
_PUBLIC_TOKEN = re.compile(
    rf"(?:(?<![A-Za-z])(?i:(?:{_PUBLIC})(?:[ _-]?(?:{_PUBLIC}|sync|upload)){{0,4}})"
    rf"|(?:{_PUBLIC_TITLES})(?:[A-Z][a-z]{{2,12}})?)[ _-]?$".encode("ascii")
)
_PUBLIC_IN_ONE_WORD = re.compile(rb"(?:(?<![A-Za-z])(?:client|sync)|Client|Sync)$")


def _opens_nothing(value: bytes, before: bytes) -> bool:
    """Return whether what is assigned to a token is no secret, by the name in front of the word."""
    if value[:5].lower() != b"token":
        return False
    return _PUBLIC_TOKEN.search(before) is not None or (
        value[:5] == b"Token" and _PUBLIC_IN_ONE_WORD.search(before) is not None
    )


_NAME_ALONE = re.compile(
    rb"(?i)(?:key|name|field|variable)\b[^\n]{1,160}(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)"
    rb"[\"']?,?[ \t]{0,8}\{?[ \t]{0,8}"
)
# The value of a setting whose name stands in the line above, and the default of a variable of Terraform.
_VALUE_BELOW = re.compile(
    rb"[ \t]{0,8}\r?\n(?:[ \t]{0,80}[\"']?value[\"']?[ \t]{0,3}[:=]"
    rb"|(?:[^\n{}]{0,200}\n){0,6}[ \t]{0,16}default[ \t]{0,8}=)[ \t]{0,3}"
    rb"(?:\"([^\"\n\\]{8,128})\"|'([^'\n]{8,128})'|([^\s\"'<>,;&(){}\[\]|\\$`]{8,128})(?![(]))"
)


def password_assignment(value: bytes, around: Surroundings) -> Verdict | None:
    """A literal with digits or signs among its letters, and no reference, call, placeholder, type or prose."""
    if below := _VALUE_BELOW.match(around.after) if _NAME_ALONE.fullmatch(value) else None:
        group = below.lastindex or 0
        start, literal = len(value) + below.start(group), below[group]
    else:
        sign = _OTHER_FORM.match(value) or _ASSIGNED.search(value)
        if sign is None or _opens_nothing(value, around.before):
            return None
        start = sign.end()
        literal = value[start:]
        if sign[1]:
            literal = literal.partition(sign[1])[0].removesuffix(b"\\")
        literal = literal.removesuffix(b"</").rstrip(b".")
    if not 8 <= len(literal) <= 128 or b" " in literal or not (_DIGIT.search(literal) and _LETTER.search(literal)):
        return None
    if entropy(literal) < 2.8 or is_placeholder(literal):
        return None
    # Names of other settings and of things, not values: words of small letters that signs join.
    if re.fullmatch(rb"[a-z]+(?:[-_/:.][a-z0-9]+)+|[A-Z]+(?:_[A-Z0-9]+)+", literal):
        return None
    return Verdict(literal, start=start, end=start + len(literal))


_IN_URL = re.compile(rb"://([^:@/]{0,60}):([^@/]{1,128})@(.{1,253})$", re.DOTALL)
_IN_SETTINGS = re.compile(
    rb"(?i)(?:[?;&](?:password|pwd)=([^&;]{1,128})$|^(?:password|pwd)=([^;]{1,128});|:thin:[^/]{1,60}/([^@]{1,128})@)"
)


def credentials_url(value: bytes, _: Surroundings) -> Verdict | None:
    """The password is no placeholder, and the host none that is kept for documentation."""
    if found := _IN_URL.search(value):
        user, password, host = found.groups()
        shown = host.lower().split(b":")[0]
        if is_placeholder(password) or password == user or _EXAMPLE.search(b"@" + shown):
            return None
        return Verdict(value)
    found = _IN_SETTINGS.search(value)
    return Verdict(value) if found and not is_placeholder(found[found.lastindex or 0]) else None


def basic_credentials(value: bytes, _: Surroundings) -> Verdict | None:
    """The base64 of a user and a password, or these as they are behind curl's option."""
    found = re.search(rb"[A-Za-z0-9+/]{8,400}={0,2}$|[^\s:\"'=]{1,60}:[^\s:\"']{4,128}$", value)
    if found is None:
        return None
    plain = found[0]
    if b":" not in plain:
        try:
            plain = base64.b64decode(plain, validate=True)
        except ValueError:
            return None
    user, colon, password = plain.partition(b":")
    if not colon or not user or len(password) < 3 or not plain.decode("latin-1").isprintable():
        return None
    return None if is_placeholder(password) else Verdict(found[0], start=found.start(), end=found.end())


_LOGIN_BELOW = re.compile(rb"\s{1,24}login[ \t]{1,8}\S{1,128}\s{1,24}password[ \t]{1,8}(\S{4,128})")


def password_file(value: bytes, around: Surroundings) -> Verdict | None:
    """The last field, or the whole of a hash; of a machine whose password stands on a line below, the machine."""
    if value.startswith(b"$"):
        return Verdict(value)
    if b"password" not in value and value.startswith(b"machine"):
        below = _LOGIN_BELOW.match(around.after)
        return Verdict(value + below[1]) if below and not is_placeholder(below[1]) else None
    start = max(value.rfind(b":"), value.rfind(b" "), value.rfind(b"\t")) + 1
    password = value[start:]
    if value.startswith(b"machine") and _EXAMPLE.search(b"@" + value.split()[1].lower()):
        return None
    return None if is_placeholder(password) or entropy(password) < 2 else Verdict(password, start=start)


_ELASTIC = re.compile(rb"[\w-]{20}:[\w-]{22}")


def elastic_key(value: bytes, _: Surroundings) -> Verdict | None:
    """An id of twenty characters and a key of twenty-two, as Elasticsearch makes them."""
    try:
        plain = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return Verdict(value) if _ELASTIC.fullmatch(plain) else None


def azure_storage_key(value: bytes, around: Surroundings) -> Verdict | None:
    """Keys of Cosmos DB have the same form, and stand behind an endpoint."""
    cosmos = b"documents.azure.com" in around.before or b"accountendpoint" in around.before.lower()
    return None if cosmos else random_token(value, around)


def azure_sas(value: bytes, _: Surroundings) -> Verdict | None:
    """A signature with the time that it ends at."""
    return Verdict(value) if re.search(rb"(?:^|[&?])se=", value) and re.search(rb"(?:^|[&?])sv=", value) else None


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


_SECRET_DATA = re.compile(
    rb"(?m)^[ ]{0,8}(?:data|stringData):[ ]{0,4}\r?\n[ ]{1,12}[\w.-]{1,128}:[ ]{1,4}[\"']?([^\s\"']{4,})"
    rb"|\"(?:data|stringData)\"\s{0,8}:\s{0,40}\{\s{0,40}\"[\w.-]{1,128}\"\s{0,8}:\s{0,8}\"([^\s\"]{4,})\""
)
_KIND = re.compile(rb"(?:^|[\s\"{,])kind\"?[ ]{0,4}:[ ]{0,4}[\"']?(\w{1,60})")
_NEXT_OBJECT = re.compile(rb"\n---|\bapiVersion\b")


def kubernetes_secret(value: bytes, around: Surroundings) -> Verdict | None:
    """Data with a value, and the kind: whichever stands first in the object, as tools sort its fields by name."""
    document = _NEXT_OBJECT.split(value + around.after, maxsplit=1)[0]
    kind, found = _KIND.search(document), _SECRET_DATA.search(document)
    if kind is None or kind[1] != b"Secret" or found is None:
        return None
    secret = found[found.lastindex or 0]
    return None if is_placeholder(secret) else Verdict(value + secret)


_KEY_OF_ACCOUNT = re.compile(
    rb'"private_key"[ \t]{0,4}:[ \t]{0,4}"(-----BEGIN [A-Z ]{0,16}PRIVATE KEY-----[^"-]{32,64})'
)


def service_account_key(value: bytes, around: Surroundings) -> Verdict | None:
    """A private key follows in the same object."""
    found = _KEY_OF_ACCOUNT.search(around.after)
    return Verdict(value + found[1]) if found and not _PLACEHOLDER.search(found[1]) else None


def _national_number(check: Callable[[str], bool]) -> Validator:
    """Return a validator for a number of `national`; one digit over and over is none."""

    def validator(value: bytes, _: Surroundings) -> Verdict | None:
        normal = value.translate(None, b" .-/()").upper()
        digits = digits_of(normal)
        return Verdict(normal) if len(set(digits)) > 1 and check(normal.decode("ascii")) else None

    return validator


VALIDATORS: Mapping[str, Validator] = {name: _national_number(check) for name, check in CHECKS.items()} | {
    check.__name__: check
    for check in (
        age_secret_key,
        anything,
        aws_access_key_id,
        aws_secret,
        azure_sas,
        azure_storage_key,
        basic_credentials,
        crc_token,
        credentials_url,
        credit_card,
        discord_token,
        elastic_key,
        email,
        github_token,
        iban,
        ip,
        jwt,
        keyed_token,
        kubernetes_secret,
        password_assignment,
        password_file,
        phone,
        private_key,
        putty_key,
        random_token,
        service_account_key,
        uk_nhs,
        uk_nino,
        us_ssn,
    )
}
