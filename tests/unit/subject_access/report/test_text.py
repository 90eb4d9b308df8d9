"""Every value is text, whatever it looks like, and all of it is printed."""

import pikepdf
import pytest

from tests.unit.subject_access.report.conftest import DrawPart, squeezed
from waybill.subject_access.domain.report.models import IdKind, Subject

AWKWARD = "Łukasz 中文 <b>&amp;</b>"


@pytest.mark.parametrize(
    "value",
    [
        AWKWARD,
        "<script>alert(1)</script>",
        "{{mustache}} {{{three}}} %s {0} \\(parentheses) \\n",
        "Ελλάδα Ђорђе Հայաստան საქართველო",
        "日本語の文章 안녕하세요",
        "“quoted” – dash … € ½ ×",
        "a)b(c\\d",
        "tab\tbetween",
    ],
)
def test_a_value_is_printed_as_it_is(draw: DrawPart, value: str) -> None:
    part = draw({"remark": value})
    assert squeezed(value) in part.squeezed
    assert part.summary.unprintable == {}


def test_a_value_with_two_scripts_is_extracted_in_one_piece(draw: DrawPart) -> None:
    assert AWKWARD in draw({"name": AWKWARD}).text


def test_names_of_values_are_text_too(draw: DrawPart) -> None:
    part = draw({"<i>&lt;": "x", "dateOfBirth": "y", "PNCNumber": "z", " ": "no name"})
    for label in ("<i>&lt;", "Date of birth", "PNC number", "(no name)"):
        assert squeezed(label) in part.squeezed


def test_what_no_font_has_is_printed_by_its_number_and_listed(draw: DrawPart) -> None:
    part = draw({"note": "\u0f40 and \U0001fbc5, control \x07, half a pair \ud800, \u0f40 again"})
    printed = "Note [U+0F40] and [U+1FBC5 stick figure], control [U+0007], half a pair [U+D800], [U+0F40] again"
    assert squeezed(printed) in part.squeezed
    assert part.summary.unprintable == {"U+0007": 1, "U+0F40": 2, "U+1FBC5": 1, "U+D800": 1}


def test_what_is_drawn_as_nothing_is_no_loss(draw: DrawPart) -> None:
    part = draw({"note": "soft\u00adhyphen zero\u200bwidth \ufeffmark accent e\u0301"})
    assert "softhyphen zerowidth mark accent é" in part.text
    assert part.summary.unprintable == {}


def test_lines_of_a_value_stay_lines(draw: DrawPart) -> None:
    lines = draw({"note": "first\nsecond\r\nthird\u2028fourth"}).text.splitlines()
    assert [line.removeprefix("Note ") for line in lines[-4:]] == ["first", "second", "third", "fourth"]


def test_a_word_of_ten_thousand_characters_wraps(draw: DrawPart) -> None:
    word = "".join(chr(ord("a") + number % 26) for number in range(10_000))
    part = draw({"token": word})
    assert word in part.squeezed.replace(squeezed("Name: SMITH, John NOMIS ID: A1234AA Official Sensitive"), "")
    assert max(map(len, part.text.splitlines())) < 100


def test_a_cell_of_five_thousand_words_splits_over_pages(draw: DrawPart) -> None:
    words = [f"word{number}" for number in range(5000)]
    part = draw([{"id": 1, "text": " ".join(words)}, {"id": 2, "text": "after"}])
    assert part.summary.pages > 5
    printed = part.text.split()
    assert [word for word in printed if word.startswith("word")] == words
    assert "after" in part.pages[-1]


def test_every_font_is_embedded(draw: DrawPart) -> None:
    part = draw({"name": AWKWARD})
    with pikepdf.open(part.path) as pdf:
        fonts = pdf.pages[0].resources["/Font"]
        assert len(fonts) == 3  # regular, bold, and the one for Chinese
        assert all("/FontFile2" in font["/FontDescriptor"] and "/ToUnicode" in font for _, font in fonts.items())


@pytest.mark.parametrize(
    ("last", "first", "printed"),
    [("Smith", "John", "SMITH, John"), ("Suharto", None, "SUHARTO"), (None, "Madonna", "Madonna"), (" ", "", "")],
)
def test_who_has_one_name_keeps_it(draw: DrawPart, last: str | None, first: str | None, printed: str) -> None:
    part = draw({"a": 1}, subject=Subject.named(last, first, IdKind.NDELIUS, "X123456"))
    # Without a name there is no line for it.
    assert (f"Name: {printed}" in part.pages[0]) == ("Name:" in part.pages[0]) == bool(printed)
    assert "nDelius ID: X123456" in part.pages[0]


def test_a_name_that_is_wider_than_the_page_is_cut_in_the_header(draw: DrawPart) -> None:
    part = draw({"a": 1}, subject=Subject("N" * 5000, IdKind.NOMIS, "A1234AA"))
    assert part.summary.pages == 1
    assert "NNN…" in part.text
