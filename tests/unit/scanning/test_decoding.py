"""Values that are written in signs are found whole, and as the values that they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.scanning.conftest import Scan
from waybill.scanning.domain.detection.decoding import Reading
from waybill.scanning.domain.detection.engine import Engine

CARD, SSN, MAIL = "4539214712746634", "219-45-6789", "alice@corp-mail.org"


def digits(first: int) -> str:
    """Return the card's number in the digits that begin at a code point (Unicode, category Nd)."""
    return "".join(chr(first + int(digit)) for digit in CARD)


@pytest.mark.parametrize(
    ("text", "detector", "written"),
    [
        ("user=alice%40corp-mail.org&x", "EMAIL", "alice%40corp-mail.org"),
        ("s=219%2D45%2D6789", "US_SSN", "219%2D45%2D6789"),
        ("s=219%E2%80%9345%E2%80%936789", "US_SSN", "219%E2%80%9345%E2%80%936789"),
        ("<p>alice&#64;corp-mail.org</p>", "EMAIL", "alice&#64;corp-mail.org"),
        ("<p>alice&#x40;corp-mail.org</p>", "EMAIL", "alice&#x40;corp-mail.org"),
        ("<p>alice&commat;corp-mail.org</p>", "EMAIL", "alice&commat;corp-mail.org"),
        (r'{"e": "alice\u0040corp-mail.org"}', "EMAIL", r"alice\u0040corp-mail.org"),
        (r'"219\x2d45\x2d6789"', "US_SSN", r"219\x2d45\x2d6789"),
        (r'"\u{61}lice\u{40}corp-mail.org"', "EMAIL", r"\u{61}lice\u{40}corp-mail.org"),
        (r'"alice\U00000040corp-mail.org"', "EMAIL", r"alice\U00000040corp-mail.org"),
        (r'"ssn \062\061\071-45\0556789"', "US_SSN", r"\062\061\071-45\0556789"),
        (r'"ssn 219\xa045\xa06789"', "US_SSN", r"219\xa045\xa06789"),
        (r'"\xe9", "ssn 219\u00a045\u00a06789"', "US_SSN", r"219\u00a045\u00a06789"),
        (r"{\rtf1\ansi ssn 219\'2d45\'2d6789}", "US_SSN", r"219\'2d45\'2d6789"),
        ("to alice=40corp-mail.org", "EMAIL", "alice=40corp-mail.org"),
        ("card 4539=\n2147=\n12746634", "CREDIT_CARD", "4539=\n2147=\n12746634"),
        (f"card {digits(0xFF10)}", "CREDIT_CARD", digits(0xFF10)),
        (f"card {digits(0x0660)}", "CREDIT_CARD", digits(0x0660)),
        (f"card {digits(0x0966)}", "CREDIT_CARD", digits(0x0966)),
        ("card 4539\u200b2147\u200b1274\u200b6634", "CREDIT_CARD", "4539\u200b2147\u200b1274\u200b6634"),
        ("219\u201345\u20136789", "US_SSN", "219\u201345\u20136789"),
        ("x " + b"ssn 219-45-6789 of bob".hex(), "US_SSN", SSN.encode().hex()),
        ("alice%2540corp-mail.org", "EMAIL", "alice%2540corp-mail.org"),
    ],
)
def test_a_value_is_found_where_it_is_written_and_as_the_same_value(
    scan: Scan, text: str, detector: str, written: str
) -> None:
    plain = {"EMAIL": MAIL, "US_SSN": SSN, "CREDIT_CARD": f"card {CARD}"}[detector]
    [known] = [finding for finding in scan(plain.encode()).findings if finding.detector == detector]
    raw = text.encode()
    [found] = [finding for finding in scan(raw).findings if finding.detector == detector]
    assert raw[found.byte_offset : found.byte_offset + found.byte_length].decode() == written
    assert found.fingerprint == known.fingerprint


@given(
    st.lists(st.integers(2, 5000), min_size=1, max_size=4),
    st.sampled_from(["", "k=", "dump: ", "0x"]),
    st.sampled_from([4096, 8192, 1 << 20]),
)
def test_digits_are_read_however_many_there_are(scan: Scan, gaps: list[int], before: str, block_bytes: int) -> None:
    """RFC 4648, section 8: two digits a byte; wherever a block or a part of the line ends."""
    plain = "".join(f"{'lorem ' * (gap // 6)} jo{number}@corp-mail.org," for number, gap in enumerate(gaps)) + " end"
    text = f"{before}{plain.encode().hex()}\n"
    found = [each for each in scan(text.encode(), block_bytes=block_bytes).findings if each.detector == "EMAIL"]
    written = [text[each.byte_offset : each.byte_offset + each.byte_length] for each in found]
    assert [bytes.fromhex(each).decode() for each in written] == [f"jo{n}@corp-mail.org" for n in range(len(gaps))]


def test_a_domain_has_one_fingerprint_in_both_forms_of_it(scan: Scan) -> None:
    forms = ["jo@m\u00fcller-bau.de", "jo@xn--mller-bau-q9a.de"]
    assert len({scan(form.encode()).findings[0].fingerprint for form in forms}) == 1


# RFC 3986, section 2.5: what is not ASCII is several bytes; RTF 1.9.1, "Special Characters": only RTF writes \\'hh.
@pytest.mark.parametrize("name", ["adam", "dan", "facebook", "edward", "alice", "becky"])
@pytest.mark.parametrize(
    "text",
    [
        "LIKE '%{}@corp-mail.org%'",
        "x = \\'{}@corp-mail.org\\'",
        "50%{}@corp-mail.org",
        "%C3%A9%20{}@corp-mail.org",
        "%2520{}@corp-mail.org",
    ],
)
def test_what_is_no_escape_is_the_beginning_of_a_value(scan: Scan, text: str, name: str) -> None:
    raw = text.format(name).encode()
    [found] = [each for each in scan(raw).findings if each.detector == "EMAIL"]
    assert raw[found.byte_offset : found.byte_offset + found.byte_length].decode() == f"{name}@corp-mail.org"
    assert found.fingerprint == scan(f"{name}@corp-mail.org".encode()).findings[0].fingerprint


@given(
    st.lists(
        st.sampled_from(
            ["%41", "%C3%A9", "%ad", "&#66;", r"\u0043", "\uff14", "\u200b", "=40", "x", "4 ", "\n", "\u00e9"]
        )
    )
)
def test_every_part_of_a_reading_has_its_place(parts: list[str]) -> None:
    text = "".join(parts).encode()
    reading = Reading(text, 0, 0, len(text))
    place = 0
    for at in range(len(reading.text)):
        start, end, _ = reading.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert start >= place or text[start:end].startswith(text[place : place + 1])
        place = start
        if not any(sign in text[start:end] for sign in b"%&\\=\xef\xe2"):
            assert text[start:end] == reading.text[at : at + 1]


def test_a_line_that_no_encoder_ends_is_not_read(engine: Engine) -> None:
    # RFC 2045, section 6.7, rule 5: soft line ends keep lines within 76 characters; empty settings look like them.
    settings = b"a=\n" * 1000
    assert not engine.pieces(settings, 0, len(settings), None, engine.gate.events(settings))
    [found] = engine.matches(b"the card is 4539=\n214712746634 of today\n")
    assert found.normal == b"4539214712746634"
