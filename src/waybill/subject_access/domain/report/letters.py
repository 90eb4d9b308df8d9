"""Letters to people who asked, drawn as the report is."""

from collections.abc import Iterable
from pathlib import Path

from waybill.core.clock import date_in_words
from waybill.subject_access.domain.letters import Words
from waybill.subject_access.domain.report.binding import Cover, Pages, bind
from waybill.subject_access.domain.report.blocks import Pair
from waybill.subject_access.domain.report.flow import Flow
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.merging import concatenate
from waybill.subject_access.domain.report.sheets import HeaderAndFooter, Sheets

_SIZE = 12.0


def draw_letter(letter: Words, destination: Path, work: Path) -> None:
    """Write a letter to `destination`; the same letter gives the same bytes."""
    sheets = Sheets(Fonts(), HeaderAndFooter(), work)
    flow = Flow(sheets)
    flow.page()
    _paragraphs(flow, (letter.addressee, date_in_words(letter.on)))
    flow.heading(letter.title, 2)
    _paragraphs(flow, letter.lines)
    for title, rows in letter.tables:
        flow.heading(title, 3)
        flow.draw(Pair(name, value) for name, value in rows)
    flow.outdent()
    _paragraphs(flow, ("Yours faithfully", letter.signed))
    drawn = work / "letter.pdf"
    concatenate(sheets.close(), drawn, sheets.structure.close())
    bind([Pages(drawn, sheets.pages)], Cover(letter.title, letter.on), destination, numbered=sheets.pages > 1)


def _paragraphs(flow: Flow, texts: Iterable[str]) -> None:
    for text in texts:
        if text:
            flow.paragraph(text, size=_SIZE)
