"""Reports are tagged: what a screen reader has of them, and what PDF/UA-1 (ISO 14289-1) asks of a file."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.functional.subject_access.drawing import a_pdf
from tests.unit.subject_access.report.conftest import DrawPart, DrawReport
from tests.unit.subject_access.report.reading import Reading, read
from waybill.subject_access.domain.report.models import Attachment, Missing, Outcome
from waybill.subject_access.domain.report.structure import Cell, Element, Mark, Structure, elements, packed
from waybill.subject_access.domain.report.structure import without_pages as shown

CONTENT = {
    "name": "Łukasz 中文",
    "languages": ["Polish", {"spoken": "English"}],
    "visits": [{"day": f"day {number}", "result": "came" if number % 2 else ""} for number in range(120)],
    "notes": [{"text": "word " * 900, "id": 1}, {"text": "short", "id": 2}],
}
TEMPLATE = "<h4>Deep heading</h4><p>Text</p><ol><li>one</li><li>two</li></ol><ul><li>three</li></ul>"


@pytest.fixture
def report(draw: DrawPart, join: DrawReport, attach: Callable[..., Attachment]) -> Callable[..., Reading]:
    """Draws a report of whatever is drawn, with everything else that a report may have, and reads it."""

    def made(**facts: Any) -> Reading:
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), "red").save(picture, "PNG")
        files = [
            attach("photo.png", picture.getvalue(), "image/png"),
            attach("letter.pdf", a_pdf("in the letter"), "application/pdf"),
            attach("clip.mp4", b"video", "video/mp4"),
            attach("list.csv", b"a,b\n1,\n,2\n", "text/csv"),
        ]
        parts = [
            ("G1", "First", "PRISON", draw(CONTENT, attachments=files)),
            ("G2", "Second", "PRISON", draw({"a": 1}, template=TEMPLATE)),
            ("G3", "Third", "PRISON", draw(outcome=Outcome.NO_DATA)),
        ]
        return read(join(parts, missing=[Missing("Fourth", "down", "somebody")], **facts).path)

    return made


@pytest.mark.parametrize("internal", [True, False])
def test_nothing_that_pdf_ua_forbids(report: Callable[..., Reading], internal: bool) -> None:
    assert report(internal=internal).faults == []


def test_what_a_screen_reader_reads_first(report: Callable[..., Reading]) -> None:
    lines = report(internal=False).lines
    assert lines[:4] == [
        ("H1", "Subject Access Request Report"),
        ("P", "Name: SMITH, John"),
        ("P", "NOMIS ID: A1234AA"),
        ("P", "SAR case reference: SAR-2025-0042"),
    ]
    texts = [text for _, text in lines]
    # Headers, footers, page numbers and heads of tables that are repeated are not read.
    assert texts.count("Name: SMITH, John") == 1
    assert texts.count("Official Sensitive") == 0
    assert not [text for text in texts if text.startswith("Page ")]
    assert texts.count("Day") == 1


def test_tables_are_read_row_by_row(report: Callable[..., Reading]) -> None:
    tables = report().root.all("Table")
    visits = next(table for table in tables if table.kids[0].kids[0].text == "Day")
    assert [cell.tag for cell in visits.kids[0].kids] == ["TH", "TH"]
    assert [[cell.text for cell in row.kids] for row in visits.kids[1:3]] == [
        ["day 0", "No data held"],
        ["day 1", "came"],
    ]
    assert len(visits.kids) == 121
    # A cell that goes on on the next page is one cell.
    notes = next(table for table in tables if table.kids[0].kids[0].text == "Text")
    assert notes.kids[1].kids[0].text.split() == ["word"] * 900
    summary = next(table for table in tables if table.kids[0].kids[0].text == "Name")
    assert [(cell.tag, cell.text) for cell in summary.kids[0].kids] == [("TH", "Name"), ("TD", "Łukasz 中文")]


def test_lists_links_pictures_and_attached_pages(report: Callable[..., Reading]) -> None:
    root = report().root
    items = [tuple(kid.text for kid in item.kids) for item in root.all("LI")]
    assert items == [("1.", "one"), ("2.", "two"), ("•", "three")]
    assert [link.text for link in root.all("Link")] == ["First", "Second", "Third"]
    assert [figure.alt for figure in root.all("Figure")] == ["Picture 1 of attachment 1, without a description"]
    # Of an attached page a screen reader has what is in it, which is not looked into here.
    headings = [(one.tag, one.text) for level in ("H1", "H2") for one in root.all(level)]
    assert ("H2", "Deep heading") in headings
    assert ("H2", "Attachment: 2") in headings


def test_a_hidden_page_is_in_no_element(draw: DrawPart, join: DrawReport) -> None:
    part = draw(CONTENT, hidden_pages={2: "[Redacted: third party]"})
    found = read(join([("G1", "First", "PRISON", part)]).path)
    assert found.faults == []
    lines = found.lines
    assert ("P", "[Redacted: third party]") in lines
    visits = [text for tag, text in lines if tag == "TD" and text.startswith("day ")]
    assert 0 < len(visits) < 120


@pytest.mark.parametrize("kind", ["paragraph", "cell"])
def test_text_of_a_hidden_page_is_told_nowhere(draw: DrawPart, join: DrawReport, kind: str) -> None:
    """Redacted text is gone from the bytes; also where a paragraph goes on over the page's end."""
    numbers = range(10_000, 12_400)
    text = " ".join(f"שלום{number}" for number in numbers)
    content = {"note": text} if kind == "paragraph" else [{"a": text, "b": "x"}]
    part = draw(content, hidden_pages={2: "[Redacted]"})
    report = join([("G1", "First", "PRISON", part)]).path
    drawn = _numbers("\n".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(report)))
    with pikepdf.open(report) as pdf:
        told = _numbers(" ".join(str(one.ActualText) for one in pdf.objects if _tells(one)))
    hidden = set(numbers) - drawn
    assert len(hidden) > 100
    assert len(told) > 100
    assert told & hidden == set()


def _numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\d{5}", text)}


def _tells(found: Any) -> bool:
    return isinstance(found, pikepdf.Dictionary) and "/ActualText" in found


def test_what_is_behind_the_pages_replaces_no_content(draw: DrawPart, join: DrawReport) -> None:
    """The tree is an addition to the file: the only object that has two versions is the empty root of the tree."""
    report = join([("G1", "First", "PRISON", draw(CONTENT))])
    raw = report.path.read_bytes()
    before = raw[: raw.index(b"%%EOF") + 6]
    with pikepdf.open(io.BytesIO(before)) as first, pikepdf.open(report.path) as last:
        changed = [
            one.objgen
            for one in first.objects
            if isinstance(one, pikepdf.Dictionary) and last.get_object(one.objgen).keys() != one.keys()
        ]
        assert changed == [first.Root.StructTreeRoot.objgen]
        assert list(first.Root.StructTreeRoot.keys()) == ["/Type"]


MARKS = st.lists(st.builds(Mark, st.integers(1, 9), st.integers(0, 99)), min_size=1, max_size=3)
ALT = st.dictionaries(st.just("Alt"), st.text(st.characters(exclude_categories=["Cs"])), max_size=1)


@settings(max_examples=50)
@given(st.lists(st.builds(Element, st.just("="), st.sampled_from(["P", "TD"]), MARKS, ALT)))
def test_what_is_written_down_is_read_again(found: list[Element]) -> None:
    assert [Element(*one) for one in elements(packed(found))] == found


def test_containers_end_where_something_else_begins(tmp_path: Path) -> None:
    structure = Structure(tmp_path / "structure")
    structure.heading(1, [Mark(1, 0)])
    structure.heading(4, [Mark(1, 1)])
    structure.within("L")
    structure.row([Cell("Lbl", [Mark(1, 2)])], "LI")
    structure.begin("Table")
    structure.begin("Table")
    structure.leaf("P", [Mark(2, 0)])
    structure.heading(2, [Mark(2, 1)])
    told = [one.line for one in elements(structure.close().read_bytes())]
    assert told == [
        "=H1 1.0", "=H2 1.1", "+L", "+LI", "=Lbl 1.2", "-", "-", "+Table", "-", "+Table", "-", "=P 2.0", "=H2 2.1",
    ]  # fmt: skip


def test_hidden_pages_have_a_paragraph_where_they_were() -> None:
    lines = ["=H1 1.0", "+Table", "+TR", "=TD 2.0", "=TD", "-", "+TR", "=TD 3.0,4.0", "=TD 3.1", "-", "-"]
    lines += ["=P 4.1"]
    found = [one.line for one in shown(map(Element.of, lines), {2, 3})]
    assert found == ["=H1 1.0", "+Table", "+TR", "=TD 4.0", "=TD", "-", "-", "=P 2.0", "=P 3.0", "=P 4.1"]
