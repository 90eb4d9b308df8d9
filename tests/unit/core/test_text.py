"""Text for people.

Sources: Unicode Technical Report 36 ("Bidirectional Text Spoofing") and CVE-2021-42574 for the marks of direction;
Unicode's Default_Ignorable_Code_Point for what no font draws; Unicode Standard Annex 14 for what ends a line;
one line, no control characters, no direction marks, bounded.
"""

import json
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.text import escaped, json_text, one_line, shell_word, shortened

# UAX 9, table 4: the explicit formatting characters and the implicit marks.
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# UAX 14, classes BK, CR, LF, NL; Python's str.splitlines knows three more.
LINE_ENDS = "\n\r\v\f\x85\u2028\u2029\x1c\x1d\x1e"
# DerivedCoreProperties.txt, Default_Ignorable_Code_Point.
IGNORABLE = (
    "\xad\u034f\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u2060\ufeff\ufe0f"
    "\u3164\uffa0\U000e0001\U000e0041\U000e0100"
)
COMMANDS = "\x00\x07\x08\x1b\x7f\x9b"

ANY_TEXT = st.text(st.characters() | st.sampled_from(DIRECTION_MARKS + LINE_ENDS + IGNORABLE + COMMANDS + " \t\ud800"))


@pytest.mark.parametrize("char", [*DIRECTION_MARKS, *IGNORABLE, *COMMANDS, "\ud800"])
def test_what_cannot_be_seen_goes(char: str) -> None:
    assert one_line(f"a{char}b") == "ab"


@pytest.mark.parametrize("char", [*LINE_ENDS, "\t", "\u00a0", "\u3000", "\u2003"])
def test_what_parts_words_becomes_a_space(char: str) -> None:
    assert one_line(f"a{char}{char}b{char}") == "a b"


def test_a_forged_line_is_no_line() -> None:
    assert one_line("report.pdf\nStatus: ACCEPTED") == "report.pdf Status: ACCEPTED"


@pytest.mark.parametrize("text", ["Ærøskøbing", "שלום", "日本語", "a\u0301", "नमस्ते", "👍"])
def test_what_people_write_stays(text: str) -> None:
    assert one_line(text) == text
    assert escaped(text) == text


@given(text=ANY_TEXT, limit=st.integers(1, 60))
def test_any_text_is_one_bounded_line_that_can_be_seen_and_sent(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert not set(line) & set(DIRECTION_MARKS + LINE_ENDS + IGNORABLE + COMMANDS)
    assert {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()
    assert one_line(line, limit) == line
    line.encode()


def test_a_cut_is_seen() -> None:
    assert one_line("a" * 300) == "a" * 199 + "…"
    assert one_line("a" * 200) == "a" * 200


class TestEscaped:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\nb", r"a\nb"),
            ("a\u202eb", r"a\u202eb"),
            ("a\x1b[2Jb", r"a\x1b[2Jb"),
            ("a\U000e0041b", r"a\U000e0041b"),
            ("a\ud800b", r"a\ud800b"),
            ("a\u00a0b", r"a\xa0b"),
            ("a b", "a b"),
        ],
    )
    def test_what_cannot_be_seen_is_written_out(self, text: str, shown: str) -> None:
        assert escaped(text) == shown

    def test_lines_stay_where_they_are_meant(self) -> None:
        assert escaped("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"

    @given(ANY_TEXT)
    def test_any_text_is_one_line_that_can_be_seen_and_sent(self, text: str) -> None:
        shown = escaped(text)
        assert len(shown.splitlines()) <= 1
        assert not set(shown) & set(DIRECTION_MARKS + LINE_ENDS + IGNORABLE + COMMANDS)
        shown.encode()

    @given(ANY_TEXT, ANY_TEXT)
    def test_two_that_differ_look_different_unless_they_hold_escapes(self, one: str, other: str) -> None:
        if "\\" not in one + other and one != other:
            assert escaped(one) != escaped(other)


class TestShortened:
    def test_the_middle_goes(self) -> None:
        assert shortened("archive/2026/11/report.pdf", 15) == "archive…ort.pdf"

    @given(st.text(), st.integers(1, 30))
    def test_it_is_never_longer(self, text: str, limit: int) -> None:
        short = shortened(text, limit)
        assert len(short) <= limit
        assert short == text or len(short) == limit


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "s3://b/my file (é) 100%.zip",
        "it's",
        "a\nb",
        "\u202efdp.exe\x1b[2J",
        "a\\b\t'c'",
        "\x85\u2028\U000e0041",
        "7\x017",
    ],
)
def test_a_word_for_the_shell_is_one_visible_line_that_names_exactly_the_text(text: str) -> None:
    """Source: POSIX.1-2024, Shell Command Language, 2.2.4; here as bash reads it."""
    word = shell_word(text)
    assert escaped(word) == word
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, timeout=30)
    assert printed.stdout.decode() == text


@pytest.mark.parametrize("char", ["\x7f", "\x85", "\x9b", "\u00ad", "\u202e", "\u2028", "\ufeff", "\U000e0041"])
def test_json_for_terminals_holds_nothing_that_cannot_be_seen_and_says_the_same(char: str) -> None:
    """RFC 8259, 7, has only C0 controls escaped; a terminal obeys others too, and lines end at U+0085 and U+2028."""
    data = {"key": f"a{char}é 😀", "lines": ["one\ntwo\t"]}
    for indent in (None, 2):
        text = json_text(data, indent=indent)
        assert char not in text
        assert "é 😀" in text
        assert json.loads(text) == data
    assert len(json_text(data).splitlines()) == 1
