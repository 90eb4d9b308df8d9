"""What digits mean where they are dialled: the same as the phonenumbers library says, which is asked beside."""

import random

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from waybill.scanning.domain.detection.validators.numbering_plans import is_international, number_of_region

_EACH = 60


def told_by_the_library(region: str, digits: str) -> str | None:
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    valid = phonenumbers.is_valid_number_for_region(number, region)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if valid else None


def known_to_the_library(digits: str) -> bool | None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) or (None if phonenumbers.is_possible_number(number) else False)


def numbers_like_those_of(region: str, chance: random.Random) -> list[str]:
    """Numbers of a region, some with digits changed, and digits alone."""
    numbers = [phonenumbers.example_number_for_type(region, kind) for kind in PhoneNumberType.values()]
    known = [phonenumbers.national_significant_number(number) for number in numbers if number]
    found = []
    for _ in range(_EACH):
        digits = list(chance.choice(known)) if known else []
        for _ in range(chance.choice((0, 0, 1, 3))):
            if digits:
                digits[chance.randrange(len(digits))] = chance.choice("0123456789")
        found.append("".join(digits if chance.random() < 0.9 else chance.choices("0123456789", k=9)))
    return found


def test_digits_are_the_number_that_the_library_takes_them_for() -> None:
    chance, valid = random.Random(5), 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        assert metadata is not None
        code, trunk = str(metadata.country_code), metadata.national_prefix or "0"
        for number in numbers_like_those_of(region, chance):
            before = chance.choice(("", "", trunk, code, f"00{code}", f"011{code}", code + trunk, "00", "1", "8", "15"))
            digits = before + number
            expected = told_by_the_library(region, digits)
            assert number_of_region(region, digits) == expected, (region, digits)
            valid += expected is not None
    assert valid > 3000


def test_what_stands_behind_a_plus_is_the_number_that_the_library_takes_it_for() -> None:
    chance, valid = random.Random(6), 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        code = str(phonenumbers.country_code_for_region(region))
        for national in numbers_like_those_of(region, chance):
            digits = (code + chance.choice(("", "", "0", "1")) + national)[:15]
            expected = known_to_the_library(digits)
            assert is_international(digits) == expected, digits
            valid += expected is True
    for code in (800, 808, 870, 878, 881, 882, 883, 888, 979):
        # Numbers that belong to no region (ITU-T E.164, annex A).
        digits = str(code) + phonenumbers.national_significant_number(
            phonenumbers.example_number_for_non_geo_entity(code)
        )
        assert is_international(digits) == known_to_the_library(digits) is True, digits
    assert valid > 3000


def test_digits_that_begin_with_no_country_code_are_no_number() -> None:
    assert is_international("0447911123456") is False
    assert number_of_region("ZZ", "02079460958") is None
