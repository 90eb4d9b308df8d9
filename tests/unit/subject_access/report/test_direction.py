"""Hebrew and Arabic are drawn so that they can be read, and are found again by those who search the file."""

import unicodedata

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report.direction import visual

SHALOM, OLAM = "\u05e9\u05dc\u05d5\u05dd", "\u05e2\u05d5\u05dc\u05dd"
MUHAMMAD = "\u0645\u062d\u0645\u062f"


def drawn(line: str) -> str:
    """The characters in the order in which they are drawn, joined forms as the letters that they stand for."""
    return unicodedata.normalize("NFKC", visual(line, lambda char: True)).translate(
        dict.fromkeys(range(0x2066, 0x206A))
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain 123 (x)", "plain 123 (x)"),
        ("中文 Ж", "中文 Ж"),
        (SHALOM, SHALOM[::-1]),
        (f"{SHALOM} {OLAM}", f"{OLAM[::-1]} {SHALOM[::-1]}"),
        (f"a {SHALOM} {OLAM} b", f"a {OLAM[::-1]} {SHALOM[::-1]} b"),
        (f"a {SHALOM}, b", f"a {SHALOM[::-1]}, b"),
        (f"{SHALOM} abc {OLAM}", f"{OLAM[::-1]} abc {SHALOM[::-1]}"),
        (f"{SHALOM} (x)", f"(x) {SHALOM[::-1]}"),
        (f"{SHALOM} ({OLAM})", f"({OLAM[::-1]}) {SHALOM[::-1]}"),
        (f"born {SHALOM} 12-05-1990.", f"born 12-05-1990 {SHALOM[::-1]}."),
        (f"{MUHAMMAD} 12-05-1990", f"12-05-1990 {MUHAMMAD[::-1]}"),
        (f"5 {SHALOM}", f"{SHALOM[::-1]} 5"),
        # UAX 9, rule W5: a terminator beside a number belongs to it.
        (f"{SHALOM} 20% {OLAM} $50", f"$50 {OLAM[::-1]} 20% {SHALOM[::-1]}"),
        # Rule W4: one separator between numbers belongs to them, also behind Arabic letters.
        (f"{MUHAMMAD} 12/05/2024", f"12/05/2024 {MUHAMMAD[::-1]}"),
        # Rule N0: brackets have the direction of what they hold, or else of what is around them.
        (f"{SHALOM} (abc) {OLAM}", f"{OLAM[::-1]} (abc) {SHALOM[::-1]}"),
        (f"a ({SHALOM}) b", f"a ({SHALOM[::-1]}) b"),
        # Isolates (X5a to X6a) keep what they hold to themselves.
        (f"a \u2067{SHALOM} 1\u2069, 2", f"a 1 {SHALOM[::-1]}, 2"),
        # Rule L3: marks stay behind the letter that they stand on.
        ("\u05e9\u05c1\u05b8\u05dc e\u0301 \u05d0", "\u05d0 e\u0301 \u05dc\u05e9\u05c1\u05b8"),
    ],
)
def test_the_order_of_a_line(line: str, expected: str) -> None:
    assert drawn(line) == unicodedata.normalize("NFKC", expected)


def test_arabic_letters_have_the_form_of_their_place() -> None:
    meem, hah, dal = "\u0645", "\u062d", "\u062f"
    assert visual(meem, lambda char: True) == "\ufee1"
    assert visual(meem + hah + dal, lambda char: True)[::-1] == "\ufee3\ufea4\ufeaa"
    assert visual(dal + meem, lambda char: True)[::-1] == "\ufea9\ufee1"  # dal joins nothing behind it
    assert visual("\u0644\u0627", lambda char: True) == "\ufefb"  # lam and alef are one
    assert visual(f"{meem}\u064e{hah}", lambda char: True) == "\ufea2\ufee3\u064e"  # marks do not part letters


def test_a_letter_whose_form_no_font_has_stays_as_it_is() -> None:
    assert visual(MUHAMMAD, lambda char: char < "\ufb50") == MUHAMMAD[::-1]


@given(st.text(st.sampled_from(f"ab ().,-/12%{SHALOM}{MUHAMMAD}\u0301\u05b0")))
def test_no_character_is_lost(line: str) -> None:
    plain = str.maketrans("()", "((")
    assert sorted(drawn(line).translate(plain)) == sorted(unicodedata.normalize("NFKC", line).translate(plain))


@given(st.text(st.characters(max_codepoint=0x4FF)))
def test_text_from_left_to_right_is_not_touched(line: str) -> None:
    assert visual(line, lambda char: True) == line


@pytest.mark.parametrize("value", [f"{SHALOM} {OLAM}", f"{MUHAMMAD} {MUHAMMAD}", f"Name {SHALOM} end"])
def test_what_is_drawn_is_found_by_a_search(draw: DrawPart, value: str) -> None:
    part = draw({"note": value})
    with pypdfium2.PdfDocument(part.path) as document:
        found = document[0].get_textpage().get_text_range()
    assert value in unicodedata.normalize("NFKC", found)
    # pypdf puts spaces between directions elsewhere.
    assert all(word in unicodedata.normalize("NFKC", part.text) for word in value.split())
