"""Numbers of telephones, by the plans of their regions."""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict
from waybill.scanning.domain.detection.validators.measures import digits_of

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
