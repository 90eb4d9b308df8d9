"""Check digits: one that is wrong is refused, whichever it is."""

from waybill.scanning.domain.detection.models import Surroundings
from waybill.scanning.domain.detection.validators.measures import luhn
from waybill.scanning.domain.detection.validators.payments import credit_card, iban

_ALONE = Surroundings(b"", b"", keyword=True)


def test_of_ten_last_digits_one_is_right() -> None:
    """ISO/IEC 7812-1, annex B; the numbers are those that card schemes give for tests."""
    for number in ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"):
        right = [digit for digit in "0123456789" if luhn(f"{number[:-1]}{digit}".encode())]
        assert right == [number[-1]]
        found = [digit for digit in "0123456789" if credit_card(f"{number[:-1]}{digit}".encode(), _ALONE)]
        assert found == [number[-1]]


def test_of_a_hundred_check_digits_one_is_right() -> None:
    """ISO 13616: the numbers are those that SWIFT's IBAN registry gives as examples."""
    for number in ("GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606"):
        # 98 less the remainder is the check: from 02 to 98.
        pairs = [f"{check:02}" for check in range(2, 99)]
        assert [pair for pair in pairs if iban(f"{number[:2]}{pair}{number[4:]}".encode(), _ALONE)] == [number[2:4]]
