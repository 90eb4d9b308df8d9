"""Markup and ends of lines that readers do not see: a value that they cut is found whole, and at its place."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.scanning.conftest import Scan
from waybill.scanning.domain.detection import decoding
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.folding import folded_parts

CARD, SSN, MAIL = "4539214712746634", "219-45-6789", "alice@corp-mail.org"
PLAIN = {"CREDIT_CARD": f"card {CARD}", "US_SSN": SSN, "EMAIL": MAIL}
RTF = r"{{\rtf1\ansi{{\fonttbl{{\f0 Times;}}}}\pard {}\par the end}}"


def found_whole(scan: Scan, text: str, detector: str, written: str) -> None:
    """Check that there is one value, written so, which is the plain one."""
    [known] = [each for each in scan(PLAIN[detector].encode()).findings if each.detector == detector]
    raw = text.encode()
    [found] = [each for each in scan(raw).findings if each.detector == detector]
    assert raw[found.byte_offset : found.byte_offset + found.byte_length].decode() == written
    assert found.fingerprint == known.fingerprint


# WHATWG HTML, "Rendering", 15.3: these are shown inline; 13.1.6: comments are not shown; 13.5: entities.
@pytest.mark.parametrize(
    ("written", "detector"),
    [
        ("219-<b>45</b>-6789", "US_SSN"),
        ("219</span>-<span>45</span>-<span>6789", "US_SSN"),
        ('219-<span class="a > b" id=x>45</span>-6789', "US_SSN"),
        ("219-45<wbr>-6789", "US_SSN"),
        ("219-45<wbr/>-6789", "US_SSN"),
        ("219-<!-- a <b> -- c -->45-6789", "US_SSN"),
        ("219-&shy;45&ndash;6789", "US_SSN"),
        ("219-<EM\n  class='x'\n>45</EM\n>-6789", "US_SSN"),
        ("219-</span\n><span>45-</span\n><span>6789", "US_SSN"),
        ("alice<mark>@corp-mail</mark>.org", "EMAIL"),
        ("al<b>ice</b>@corp-mail.org", "EMAIL"),
        ("alice@<!-- no\nspam -->corp-mail.org", "EMAIL"),
        ("4539<i>2147</i>12746634", "CREDIT_CARD"),
    ],
)
@pytest.mark.parametrize(
    "page", ["<!doctype html><p>card {}</p>", "{}", '<td><span>{}</span></td><td>1</td>\n<p class="x">2</p>']
)
def test_what_stands_within_a_line_cuts_no_value(scan: Scan, page: str, written: str, detector: str) -> None:
    found_whole(scan, page.format(written), detector, written)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # RFC 8259, section 7: JSON may escape a slash, and less-than signs.
        (r'{"html": "219-<b>45<\/b>-6789"}', r"219-<b>45<\/b>-6789"),
        (r'{"html": "219-\u003cb\u003e45\u003c/b\u003e-6789"}', r"219-\u003cb\u003e45\u003c/b\u003e-6789"),
        # SVG 2, section 11.2.
        ('<svg><text x="1">219-<tspan dy="2">45</tspan>-6789</text></svg>', '219-<tspan dy="2">45</tspan>-6789'),
        # DocBook, TEI.
        ("<para>219-<emphasis>45</emphasis>-6789</para>", "219-<emphasis>45</emphasis>-6789"),
        ("<p>219-<hi rend='b'>45</hi>-6789</p>", "219-<hi rend='b'>45</hi>-6789"),
    ],
)
def test_other_markup_has_elements_within_a_line_too(scan: Scan, text: str, written: str) -> None:
    found_whole(scan, text, "US_SSN", written)


@pytest.mark.parametrize(
    "text",
    # Shown as blocks, cells, lines or controls; names that records give their fields.
    [
        *("<td>219-45</td><td>-6789</td>", "<p>219-</p><p>45-6789</p>", "219-<br>45-6789", "<li>219-<li>45-6789"),
        *("219-<input>45-6789", "<time>219-</time><data>45-6789</data>", "219-<x-y>45</x-y>-6789", "219-<!--45-6789"),
    ],
)
def test_what_separates_is_not_read_as_nothing(scan: Scan, text: str) -> None:
    assert "US_SSN" not in scan(text.encode()).counts


def test_what_an_element_has_as_its_text_is_a_value_of_its_own(scan: Scan) -> None:
    """Elements that stand side by side in a page are seldom one word: style sheets part them."""
    text = f"<b>Mail</b><a href='x'>{MAIL}</a><b>Phone</b><span>{CARD}</span><span>12</span>"
    found = {each.detector: text[each.byte_offset :][: each.byte_length] for each in scan(text.encode()).findings}
    assert found == {"EMAIL": MAIL, "CREDIT_CARD": CARD}


# RFC 5545, section 3.1; RFC 6350, section 3.2; RFC 2849, note 2.
@pytest.mark.parametrize(
    ("text", "written", "detector"),
    [
        ("BEGIN:VEVENT\r\nX-A;Y=z:219-4\r\n 5-6\r\n\t789 x\r\nEND:VEVENT\r\n", "219-4\r\n 5-6\r\n\t789", "US_SSN"),
        ("a\n\nBEGIN:VCARD\nitem1.EMAIL:al\n ice@corp-mail.org\nEND:VCARD\n", "al\n ice@corp-mail.org", "EMAIL"),
        ("dn: uid=a,dc=b\nmail: alice@\n corp-mail.org\n", "alice@\n corp-mail.org", "EMAIL"),
        ("version: 1\n\ndn: uid=a\nssn: 219-4\n 5-6789", "219-4\n 5-6789", "US_SSN"),
        ("dn: uid=a\nnote:: c3NuIGlzIDIxO\n S00NS02Nzg5IG9mIGhlcg==\n", "IDIxO\n S00NS02Nzg5", "US_SSN"),
        # POSIX, 2.2.1; C17, 5.1.1.2; Java SE, `Properties.load`; YAML 1.2, 7.3.1.
        ("ENV SSN=219-4\\\n5-6789\n", "219-4\\\n5-6789", "US_SSN"),
        ('s = "219-4\\\r\n5-6789"\r\n', "219-4\\\r\n5-6789", "US_SSN"),
        ("mail=alice@\\\n    corp-mail.org\nx=y\n", "alice@\\\n    corp-mail.org", "EMAIL"),
        ('a:\n  card: "45392147\\\n    12746634"\n', "45392147\\\n    12746634", "CREDIT_CARD"),
        ("curl -u x \\\n  --data card=45392147\\\n12746634 \\\n  y\n", "45392147\\\n12746634", "CREDIT_CARD"),
    ],
)
def test_ends_of_lines_that_end_nothing_cut_no_value(scan: Scan, text: str, written: str, detector: str) -> None:
    found_whole(scan, text, detector, written)


@pytest.mark.parametrize(
    "text",
    ["a = '219-4\n 5-6789'", "BEGIN:VCARD\n\nx\n219-4\n 5-6789", r"x & 219-4 \\" + "\n5-6789", "219-4\\ \n5-6789"],
)
def test_in_other_texts_a_line_ends(scan: Scan, text: str) -> None:
    assert "US_SSN" not in scan(text.encode()).counts


# RTF 1.9.1, "RTF Syntax", "Special Characters", "Unicode RTF".
@pytest.mark.parametrize(
    ("written", "detector"),
    [
        (r"219-{\b 45}-6789", "US_SSN"),
        (r"219-}{\rtlch\fcs1 \af0 \insrsid123456 45}{\insrsid77 -6789", "US_SSN"),
        ("219-\r\n45-6789", "US_SSN"),
        (r"219\_45\_6789", "US_SSN"),
        (r"219\u8209?45\endash 6789", "US_SSN"),
        (r"219\u8209\'2d45\'2d6789", "US_SSN"),
        (r"alice\b @corp-mail\b0 .org", "EMAIL"),
    ],
)
def test_signs_of_rich_text_cut_no_value(scan: Scan, written: str, detector: str) -> None:
    found_whole(scan, RTF.format(f"{{{written}}}"), detector, written)


@pytest.mark.parametrize("end", ["par", "line", "cell", "tab"])
def test_paragraphs_lines_and_cells_of_rich_text_separate(scan: Scan, end: str) -> None:
    assert "US_SSN" not in scan(RTF.format(rf"219-45\{end} -6789").encode()).counts


@pytest.mark.parametrize("block_bytes", [1000, 20_000, 1 << 20])
@pytest.mark.parametrize(
    ("head", "value", "foot"),
    [
        ("BEGIN:VCALENDAR\r\n", "X{}:al\r\n ice@corp-mail.org\r\n", "END:VCALENDAR\r\n"),
        ("{{\\rtf1 ", "{{\\b al\r\n}}ice@corp-mail.org {}\\par\r\n", "}}"),
        ("", "<p>al<b>ice</b>@corp-mail.org {}\n", ""),
        ("", "mail{}=al\\\n  ice@corp-mail.org\n", ""),
    ],
)
def test_blocks_end_where_they_will(scan: Scan, head: str, value: str, foot: str, block_bytes: int) -> None:
    text = (head.format() + "".join(value.format(number) for number in range(1500)) + foot.format()).encode()
    report = scan(text, block_bytes=block_bytes, cap=10_000)
    written = {text[each.byte_offset : each.byte_offset + 2] for each in report.findings}
    assert (report.counts, written) == ({"EMAIL": 1500}, {b"al"})


@settings(max_examples=50, deadline=None)
@given(parts=st.lists(st.sampled_from(["219-", "<b>", "</b>", "45-", "\\\n", " ", "6789", "x", "<!--", "-->", "=\n"])))
def test_every_gate_lets_signs_through(engine: Engine, plain_engine: Engine, parts: list[str]) -> None:
    text = "".join(parts).encode()
    assert engine.matches(text) == plain_engine.matches(text)


def test_lines_of_objects_and_records_end_with_them() -> None:
    text = b"x\nBEGIN:VCARD\nA:b\n c\nEND:VCARD\n\n y\n"
    assert folded_parts(text, 0, within=False) == [(2, text.index(b"\n\n") + 1)]
    assert folded_parts(b" c\nA:b\n\nz", 0, within=True) == [(0, 7)]


@pytest.mark.parametrize("line", ["1\\\n", ")a\\\n", "<b\n1", "aaaaaaaaaaa=\n", "1<!--\n"])
def test_each_line_is_asked_a_few_times_whether_it_goes_on(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """Else a hostile text of lines that go on takes a time that grows with its square."""
    asked, known = list[int](), decoding.goes_on

    def counted(text: bytes, start: int, end: int, sign: re.Pattern[bytes]) -> bool:
        asked.append(end)
        return known(text, start, end, sign)

    monkeypatch.setattr(decoding, "goes_on", counted)
    scan(line.encode() * 2000)
    assert len(asked) <= 4 * 2000
