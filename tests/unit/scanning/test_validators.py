"""Check digits: one that is wrong is refused, whichever it is."""

import pytest

from waybill.scanning.domain.detection.models import Surroundings
from waybill.scanning.domain.detection.validators.measures import luhn
from waybill.scanning.domain.detection.validators.payments import credit_card, iban
from waybill.scanning.domain.detection.validators.registry import VALIDATORS

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


@pytest.mark.parametrize(
    ("check", "number"),
    [
        # Australian Business Register, "Format of the ABN"; ASIC, "Australian Company Number digit check".
        ("au_abn", "51824753556"),
        ("au_acn", "004085616"),
        # Receita Federal and Serpro, "Calculo do digito verificador do CNPJ alfanumerico".
        ("br_cnpj", "12ABC34501DE35"),
        # python-stdnum, documentation of it.iva, in_.gstin, sg.uen and jp.in_.
        ("it_vat", "00743110157"),
        ("in_gstin", "27AAPFU0939F1ZV"),
        ("sg_uen", "00192200M"),
        ("sg_uen", "197401143C"),
        ("sg_uen", "T01FC6132D"),
        ("jp_my_number", "621498320257"),
        # OECD, "Tax identification numbers (TINs)", France.
        ("fr_tax_number", "3023217600053"),
        # Deutsche Rentenversicherung, the card that it shows; gematik, test cards.
        ("de_pension_insurance", "15070649C103"),
        ("de_health_insurance", "A123456780"),
        # 49 CFR 565.15, and the registration that Wikipedia's "DEA number" goes through.
        ("vin", "1M8GDM9AXKP042788"),
        ("us_dea", "BB1388568"),
        # Companies say these of themselves: Ericsson, Samsung Electronics.
        ("se_organisation", "5560160680"),
        ("kr_business", "1248100998"),
    ],
)
def test_no_other_check_digit_is_right(check: str, number: str) -> None:
    place = 8 if check == "vin" else len(number) - 1
    letters = "X" if check == "vin" else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    signs = "0123456789" + letters * number[place].isalpha()
    numbers = [f"{number[:place]}{sign}{number[place + 1 :]}" for sign in signs]
    assert [each for each in numbers if VALIDATORS[check](each.encode(), _ALONE)] == [number]
