"""The check digits of numbers that states give people, and of some that banks, tax offices and health services give.

Each check takes the number in capitals without its separators. What a number says of a day of birth has to be a day.
Sources are named by each.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from waybill.scanning.domain.detection.validators.measures import ALPHABET, luhn, weighted


def _iso_7064_mod_11_10(number: str) -> bool:
    check = 10
    for digit in number[:-1]:
        check = (check + int(digit)) % 10 or 10
        check = check * 2 % 11
    return (11 - check) % 10 == int(number[-1])


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _is_day_of(digits: str, *, order: str = "ymd") -> bool:
    """Return whether six digits are a day of some century."""
    parts = dict(zip(order, (int(digits[place : place + 2]) for place in (0, 2, 4)), strict=True))
    return any(_is_day(century + parts["y"], parts["m"], parts["d"]) for century in (1900, 2000))


# North America


def us_itin(number: str) -> bool:
    """Internal Revenue Service, "Individual taxpayer identification number": ranges of the group."""
    group = int(number[3:5])
    return number[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94)


def us_npi(number: str) -> bool:
    """45 CFR 162.406; Luhn with the prefix 80840 of health in the United States."""
    return number[0] in "12" and luhn(b"80840" + number.encode())


def us_routing_number(number: str) -> bool:
    """American Bankers Association, routing numbers: weights 3, 7, 1."""
    region = int(number[:2])
    known = region <= 12 or 21 <= region <= 32 or 61 <= region <= 72 or region == 80
    return known and weighted(number, (3, 7, 1) * 3) % 10 == 0


def ca_sin(number: str) -> bool:
    """Service Canada, Social Insurance Number; 0 and 8 do not begin one."""
    return number[0] not in "08" and luhn(number.encode())


def mx_curp(number: str) -> bool:
    """RENAPO, Instructivo normativo para la asignacion de la CURP."""
    letters = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"
    total = sum(letters.index(each) * (18 - place) for place, each in enumerate(number[:17]))
    return _is_day_of(number[4:10]) and str(-total % 10) == number[17]


def us_dea(number: str) -> bool:
    """Drug Enforcement Administration, registration number (21 CFR 1301): the check digit of seven."""
    digits = [int(each) for each in number[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def vin(number: str) -> bool:
    """49 CFR 565.15: the check digit stands in the ninth place, X for ten."""
    values = (int(each) if each.isdigit() else _VIN_VALUES[each] for each in number)
    total = sum(value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11] == number[8]


_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))


# South America


def br_cpf(number: str) -> bool:
    """Receita Federal, Cadastro de Pessoas Fisicas: modulus 11 twice."""
    first = weighted(number[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(number[:10], range(11, 1, -1)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def cl_rut(number: str) -> bool:
    """Servicio de Registro Civil, Rol Unico Nacional: modulus 11, K for ten."""
    check = -weighted(number[-2::-1], (2, 3, 4, 5, 6, 7, 2, 3)) % 11
    return "0123456789K"[check] == number[-1]


def ar_cuit(number: str) -> bool:
    """AFIP, CUIT and CUIL: modulus 11, 9 for ten, and who they are for."""
    check = -weighted(number[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return number[:2] in {"20", "23", "24", "27", "30", "33", "34"} and "01234567899"[check] == number[10]


# Europe


def uk_utr(number: str) -> bool:
    """HM Revenue & Customs, Unique Taxpayer Reference: the check digit stands first."""
    return "21987654321"[weighted(number[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == number[0]


def de_tax_id(number: str) -> bool:
    """Bundeszentralamt fuer Steuern, Identifikationsnummer (section 139b AO): ISO 7064, and one digit is repeated."""
    counts = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return (
        number[0] != "0"
        and counts[-1] in {2, 3}
        and (not counts[:-1] or counts[-2] == 1)
        and _iso_7064_mod_11_10(number)
    )


def _cross_sums(digits: str, weights: Sequence[int]) -> int:
    return sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(digits, weights, strict=True))


def de_pension_insurance(number: str) -> bool:
    """Verordnung ueber die Versicherungsnummer, sections 2 to 4: a day of birth, and sums of digits, modulus 10."""
    digits = f"{number[:8]}{ord(number[8]) - 64:02}{number[9:11]}"
    is_day = _is_day_of(number[2:8], order="dmy")
    return is_day and _cross_sums(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(number[11])


def de_health_insurance(number: str) -> bool:
    """Section 290 SGB V, Krankenversichertennummer: Luhn from the left, a letter as two digits."""
    return _cross_sums(f"{ord(number[0]) - 64:02}{number[1:9]}", (1, 2) * 5) % 10 == int(number[9])


def fr_tax_number(number: str) -> bool:
    """OECD, "Tax identification numbers", France: the last three digits are the rest of the others by 511."""
    return int(number[:10]) % 511 == int(number[10:])


def fr_nir(number: str) -> bool:
    """INSEE, numero d'inscription au repertoire: the complement to 97; 2A and 2B are Corsica."""
    digits = number[:13].replace("2A", "19").replace("2B", "18")
    return number[0] in "123478" and digits.isdigit() and 97 - int(digits) % 97 == int(number[13:])


def es_dni(number: str) -> bool:
    """Ministerio del Interior, calculation of the letter of DNI and NIE."""
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return digits.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


_FISCAL_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def es_social_security(number: str) -> bool:
    """Tesoreria General de la Seguridad Social: the rest by 97; what is short has no zero behind its province."""
    province, serial = int(number[:2]), int(number[2:10])
    whole = province * 10_000_000 + serial if serial < 10_000_000 else int(number[:10])
    return (1 <= province <= 53 or province == 66) and whole % 97 == int(number[10:])


def it_fiscal_code(number: str) -> bool:
    """Decreto ministeriale of 23 December 1976, codice fiscale: the control character."""
    values = [int(each) if each.isdigit() else ord(each) - 65 for each in number[:15]]
    total = sum(_FISCAL_ODD[value] if place % 2 == 0 else value for place, value in enumerate(values))
    return ord(number[15]) - 65 == total % 26 and 1 <= int(number[9:11]) % 40 <= 31


def nl_bsn(number: str) -> bool:
    """Rijksdienst voor Identiteitsgegevens, burgerservicenummer: the test of eleven."""
    return weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def be_national_number(number: str) -> bool:
    """Rijksregister: the complement to 97, with a 2 in front for who was born from 2000 on."""
    first, check = number[:9], int(number[9:])
    return int(number[2:4]) % 20 <= 12 and check in {97 - int(first) % 97, 97 - int("2" + first) % 97}


def pt_nif(number: str) -> bool:
    """Autoridade Tributaria, numero de identificacao fiscal: modulus 11."""
    check = -weighted(number[:8], range(9, 1, -1)) % 11
    return number[0] in "123568" and (0 if check == 10 else check) == int(number[8])


def pl_pesel(number: str) -> bool:
    """Ministerstwo Cyfryzacji, numer PESEL: weights 1, 3, 7, 9; the month tells the century."""
    month = int(number[2:4]) % 20
    is_day = _is_day_of(f"{number[:2]}{month:02}{number[4:6]}")
    return is_day and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def cz_birth_number(number: str) -> bool:
    """Act 133/2000 of the Czech Republic, section 13 (Slovakia: act 301/1995): divisible by eleven."""
    month = int(number[2:4]) % 50
    month -= 20 if month > 20 else 0
    # Until 1985 a remainder of ten was written as nought.
    holds = int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0")
    return holds and _is_day_of(f"{number[:2]}{month:02}{number[4:6]}")


def ro_cnp(number: str) -> bool:
    """Law 105/1996 of Romania, cod numeric personal: modulus 11, 1 for ten."""
    check = weighted(number[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return number[0] != "0" and _is_day_of(number[1:7]) and (1 if check == 10 else check) == int(number[12])


def bg_egn(number: str) -> bool:
    """GRAO of Bulgaria, uniform civil number: modulus 11, and the month tells the century."""
    month = int(number[2:4])
    month -= 40 if month > 40 else 20 if month > 20 else 0
    is_day = _is_day_of(f"{number[:2]}{month:02}{number[4:6]}")
    return is_day and weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(number[9])


def hr_oib(number: str) -> bool:
    """Porezna uprava, osobni identifikacijski broj: ISO 7064, modulus 11,10."""
    return _iso_7064_mod_11_10(number)


def se_person_number(number: str) -> bool:
    """Skatteverket, personnummer: Luhn; days from 61 on are coordination numbers."""
    digits = number.replace("+", "")[-10:]
    day = int(digits[4:6]) % 60
    return luhn(digits.encode()) and _is_day_of(f"{digits[:4]}{day:02}")


def no_birth_number(number: str) -> bool:
    """Skatteetaten, fodselsnummer: two digits of modulus 11; D numbers add 40 to the day."""
    day, month = int(number[:2]) % 40, int(number[2:4]) % 40
    is_day = _is_day_of(f"{day:02}{month:02}{number[4:6]}", order="dmy")
    first = -weighted(number[:9], (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(number[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return is_day and number[9:] == f"{first}{second}"


def dk_cpr(number: str) -> bool:
    """CPR-kontoret, "Personnummeret i CPR": a day; since 2007 there are numbers without a check digit."""
    return _is_day_of(number[:6], order="dmy")


def fi_identity_code(number: str) -> bool:
    """Digi- ja vaestotietovirasto, personal identity code: modulus 31."""
    digits = number[:6] + number[-4:-1]
    return _is_day_of(number[:6], order="dmy") and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == number[-1]


def ee_personal_code(number: str) -> bool:
    """Standard EVS 585:2007 of Estonia, as in Lithuania: modulus 11 with two rows of weights."""
    check = weighted(number[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(number[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return number[0] in "12345678" and _is_day_of(number[1:7]) and check == int(number[10])


def ie_pps(number: str) -> bool:
    """Department of Social Protection, PPS number: modulus 23, with a second letter for those since 2013."""
    second = ord(number[8]) - 64 if len(number) == 9 and number[8] != "W" else 0
    total = weighted(number[:7], range(8, 1, -1)) + 9 * second
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == number[7]


def at_social_insurance(number: str) -> bool:
    """Dachverband der Sozialversicherungstraeger: modulus 11 over the number and the day of birth."""
    total = weighted(number, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    return number[0] != "0" and total == int(number[3])


def ch_ahv(number: str) -> bool:
    """Zentrale Ausgleichsstelle, AHV number: the check digit of GTIN-13, and 756 for Switzerland."""
    return number[:3] == "756" and weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def gr_amka(number: str) -> bool:
    """IDIKA, number of social security: a day of birth and Luhn."""
    return _is_day_of(number[:6], order="dmy") and luhn(number.encode())


def tr_identity(number: str) -> bool:
    """General Directorate of Population, T.C. kimlik numarasi."""
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] != 0 and digits[9] == tenth and digits[10] == sum(digits[:10]) % 10


# Asia, Africa, Oceania

_DIHEDRAL = (
    *((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6)),
    *((3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1)),
    *((6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4)),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_TURNED = (
    *((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2)),
    *((8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1)),
    *((2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8)),
)


def in_aadhaar(number: str) -> bool:
    """UIDAI, Aadhaar: the check digit of Verhoeff; none begins with 0 or 1, and none is a palindrome."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = _DIHEDRAL[check][_TURNED[place % 8][int(digit)]]
    return number[0] not in "01" and number != number[::-1] and check == 0


def in_pan(number: str) -> bool:
    """Income Tax Department, permanent account number: the fourth letter says whose it is."""
    return number[3] in "ABCFGHJLPT" and number[5:9] != "0000"


def sg_nric(number: str) -> bool:
    """Immigration & Checkpoints Authority, NRIC and FIN: weights 2, 7, 6, 5, 4, 3, 2."""
    total = weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2))
    match number[0]:
        case "S" | "T":
            return "JZIHGFEDCBA"[(total + 4 * (number[0] == "T")) % 11] == number[8]
        case "M":
            return "KLJNPQRTUWX"[10 - (total + 3) % 11] == number[8]
    return "XWUTRQPNMLK"[(total + 4 * (number[0] == "G")) % 11] == number[8]


def au_tfn(number: str) -> bool:
    """Australian Taxation Office, tax file number: modulus 11."""
    return weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def au_medicare(number: str) -> bool:
    """Services Australia, Medicare number: weights 1, 3, 7, 9."""
    return number[0] in "23456" and weighted(number[:8], (1, 3, 7, 9) * 2) % 10 == int(number[8])


def nz_ird(number: str) -> bool:
    """Inland Revenue, "Resident withholding tax and non-resident withholding tax specification", IRD numbers."""
    number = number.zfill(9)
    check = -weighted(number[:8], (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if check == 10:
        check = -weighted(number[:8], (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return 10_000_000 < int(number) < 200_000_000 and check == int(number[8])


def za_identity(number: str) -> bool:
    """Department of Home Affairs, identity number: a day of birth, who may stay, and Luhn."""
    return _is_day_of(number[:6]) and number[10] in "012" and luhn(number.encode())


def jp_my_number(number: str) -> bool:
    """Ordinance 85/2014 of Japan's Ministry of Internal Affairs, article 5: modulus 11, 0 for ten and eleven."""
    rest = weighted(number[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest < 2 else 11 - rest) == int(number[11])


def kr_resident(number: str) -> bool:
    """Resident Registration Act of Korea: a day of birth and a century; since 2020 there is no check digit."""
    return _is_day_of(number[:6]) and number[6] != "0"


def cn_resident(number: str) -> bool:
    """GB 11643-1999: ISO 7064, modulus 11,2, and a day of birth."""
    is_day = number[6:10] >= "1900" and _is_day(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    return is_day and "10X98765432"[weighted(number[:17], weights) % 11] == number[17]


def hk_identity(number: str) -> bool:
    """Immigration Department of Hong Kong, identity card: modulus 11, 36 for a letter that is missing."""
    body = [36 if each == " " else ALPHABET.index(each) for each in number[:-1].rjust(8)]
    check = -sum(value * weight for value, weight in zip(body, range(9, 1, -1), strict=True)) % 11
    return "0123456789A"[check] == number[-1]


def tw_identity(number: str) -> bool:
    """Ministry of the Interior of Taiwan, identification number: modulus 10."""
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    return (code // 10 + code % 10 * 9 + weighted(number[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def th_identity(number: str) -> bool:
    """Department of Provincial Administration of Thailand: modulus 11."""
    return number[0] not in "09" and (11 - weighted(number[:12], range(13, 1, -1)) % 11) % 10 == int(number[12])


def il_identity(number: str) -> bool:
    """Population Authority of Israel, identity number: Luhn over nine digits."""
    return luhn(number.zfill(9).encode())


# Papers


def _is_date(digits: str) -> bool:
    """Return whether eight digits are a day, as papers print those that they hold from and to."""
    year_first = _is_day(int(digits[:4]), int(digits[4:6]), int(digits[6:])) and digits[:2] in {"19", "20"}
    year_last = _is_day(int(digits[4:]), int(digits[2:4]), int(digits[:2])) and digits[4:6] in {"19", "20"}
    return year_first or year_last


def passport(number: str) -> bool:
    """Microsoft Purview, entity definitions "Passport number" of each country; ICAO Doc 9303, part 3, 4.9: check digit.

    A German number may have its check digit behind it, and the letter of its country behind that.
    """
    if len(number) > 9:
        values = [ALPHABET.index(each) for each in number[:9]]
        return sum(value * weight for value, weight in zip(values, (7, 3, 1) * 3, strict=True)) % 10 == int(number[9])
    return sum(map(str.isdigit, number)) > 2


def bank_account(number: str) -> bool:
    """Banks of North America and Britain give numbers without a check digit: whatever is no day may be one."""
    return not (len(number) == 8 and _is_date(number))


_DVLA = re.compile(r"[A-Z]{1,5}9{0,4}(\d)([0156]\d)(\d\d)(\d)(?:[A-Z]{2}|[A-Z]9|99)")


def driving_licence(number: str) -> bool:
    """Microsoft Purview, entity definitions "Driver's license number" of each country, and those of states of the US.

    A British number holds a day of birth (DVLA: five is added to the month of women), a Spanish one is that of the DNI.
    """
    british = _DVLA.match(number)
    if british and british.end(4) == 11 and len(number) >= 16:
        return _is_day_of(f"{british[1]}{british[4]}{int(british[2]) % 50:02}{british[3]}")
    if len(number) == 9 and number[:8].isdigit() and number[8].isalpha():
        return es_dni(number)
    return not (len(number) == 8 and number.isdigit() and _is_date(number))


CHECKS: Mapping[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        *(
            us_itin,
            us_npi,
            us_routing_number,
            ca_sin,
            mx_curp,
            br_cpf,
            cl_rut,
            ar_cuit,
            uk_utr,
            de_tax_id,
            fr_nir,
            es_dni,
        ),
        *(it_fiscal_code, nl_bsn, be_national_number, pt_nif, pl_pesel, cz_birth_number, ro_cnp, bg_egn, hr_oib),
        *(se_person_number, no_birth_number, dk_cpr, fi_identity_code, ee_personal_code, ie_pps, at_social_insurance),
        *(ch_ahv, gr_amka, tr_identity, in_aadhaar, in_pan, sg_nric, au_tfn, au_medicare, nz_ird, za_identity),
        *(us_dea, vin, de_pension_insurance, de_health_insurance, fr_tax_number, es_social_security, jp_my_number),
        *(
            kr_resident,
            cn_resident,
            hk_identity,
            tw_identity,
            th_identity,
            il_identity,
            passport,
            driving_licence,
            bank_account,
        ),
    )
}
"""The checks, by the names that detectors give their validators."""
