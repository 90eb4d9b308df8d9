"""The check digits of numbers that states give businesses, which many people have who work for themselves.

Each check takes the number in capitals without its separators. Sources are named by each.
"""

from collections.abc import Callable, Mapping

from waybill.scanning.domain.detection.validators.measures import ALPHABET, luhn, weighted


def au_abn(number: str) -> bool:
    """Australian Business Register, "Format of the ABN": modulus 89, with one less in the first place."""
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return number[:2] > "10" and (weighted(number, weights) - weights[0]) % 89 == 0


def au_acn(number: str) -> bool:
    """Australian Securities and Investments Commission, "Australian Company Number digit check": modulus 10."""
    return -weighted(number[:8], range(8, 0, -1)) % 10 == int(number[8])


def br_cnpj(number: str) -> bool:
    """Receita Federal, Instrucao Normativa 2.229/2024: modulus 11 twice; a letter is its code in ASCII less 48."""
    values = [ord(each) - 48 for each in number]

    def check(count: int) -> int:
        total = sum(value * (place % 8 + 2) for place, value in enumerate(reversed(values[:count])))
        return -total % 11 % 10

    return values[12] == check(12) and values[13] == check(13)


def in_gstin(number: str) -> bool:
    """Goods and Services Tax Network: a state, a PAN, and Luhn over letters and digits (modulus 36)."""
    total = 0
    for place, each in enumerate(number[:14]):
        product = ALPHABET.index(each) * (1 + place % 2)
        total += product // 36 + product % 36
    return (1 <= int(number[:2]) <= 38 or number[:2] in {"97", "99"}) and ALPHABET[-total % 36] == number[14]


def it_vat(number: str) -> bool:
    """DPR 633/1972, article 35: Luhn, behind the number of the office that gave it."""
    office = int(number[7:10])
    return number[:7] != "0000000" and (1 <= office <= 100 or office in {120, 121, 888, 999}) and luhn(number.encode())


def kr_business(number: str) -> bool:
    """National Tax Service of Korea, business registration number: modulus 10."""
    total = weighted(number[:9], (1, 3, 7, 1, 3, 7, 1, 3, 5)) + int(number[8]) * 5 // 10
    return -total % 10 == int(number[9]) and number[3:5] != "00"


def se_organisation(number: str) -> bool:
    """Skatteverket, SKV 709: Luhn; the third digit is two or more, or it would be the month of a birth."""
    return number[2] > "1" and luhn(number.encode())


def sg_uen(number: str) -> bool:
    """Accounting and Corporate Regulatory Authority of Singapore: modulus 11, in three forms."""
    if number[:2].isdigit():
        weights, letters = (
            ((10, 4, 9, 3, 8, 2, 7, 1), "XMKECAWLJDB")
            if len(number) == 9
            else ((10, 8, 6, 4, 9, 7, 5, 3, 1), "ZKCMDNERGWH")
        )
        return letters[weighted(number[:-1], weights) % 11] == number[-1]
    letters = "ABCDEFGHJKLMNPQRSTUVWX0123456789"
    if not set(number) <= set(letters):
        return False
    total = sum(
        letters.index(each) * weight for each, weight in zip(number, (4, 3, 5, 3, 10, 2, 2, 5, 7), strict=False)
    )
    return letters[(total - 5) % 11] == number[-1]


CHECKS: Mapping[str, Callable[[str], bool]] = {
    check.__name__: check for check in (au_abn, au_acn, br_cnpj, in_gstin, it_vat, kr_business, se_organisation, sg_uen)
}
"""The checks, by the names that detectors give their validators."""
