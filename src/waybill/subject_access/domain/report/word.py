"""Word documents as blocks: headings, paragraphs, lists and tables, wherever in a document they stand."""

import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from docx import Document
from docx.oxml.ns import qn
from docx.section import Section
from docx.text.paragraph import Paragraph as WordParagraph

from waybill.subject_access.domain.report.blocks import Block, Heading, Paragraph
from waybill.subject_access.domain.report.texts import LEVEL, Sweep, UnreadableDocument, table_blocks

_MOST_UNPACKED: Final = 100_000_000
_MOST_MEMBERS: Final = 5_000
# What of a Word document is not among its paragraphs and tables (ECMA-376, part 1, section 11.3).
_ELSEWHERE: Final = (
    ("word/media/", "pictures"),
    ("word/embeddings/", "embedded files"),
    ("word/comments", "comments"),
    ("word/footnotes", "footnotes"),
    ("word/endnotes", "endnotes"),
    ("word/charts/", "charts"),
    ("word/diagrams/", "diagrams"),
)
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_BOX: Final = qn("w:txbxContent")
# What a paragraph's text is made of (ECMA-376, part 1, 17.3.3); what was deleted has an element of its own.
_CHARACTERS: Final = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_LETTERS: Final = qn("w:t")
_RUN: Final = qn("w:r")


def word_blocks(path: Path, sweep: Sweep, lost: list[str]) -> Iterator[Block]:
    """Return a document as blocks; once they are all taken, `lost` has more of what is not among them.

    Raises
    ------
    UnreadableDocument
        It is too large. A damaged one comes up as whatever the library meets in it.
    """
    names = _members(path)
    lost += [what for begin, what in _ELSEWHERE if any(name.startswith(begin) for name in names)]
    found = Document(str(path))
    around = dict.fromkeys(chain.from_iterable(map(_headers_and_footers, found.sections)))
    yield from (Paragraph(sweep(text)) for text in around)
    yield from _blocks(found.element.body, found, sweep)
    if found.element.xpath("//w:del | //w:txbxContent"):
        lost.append("changes that are marked, and text in boxes")


def _headers_and_footers(section: Section) -> Iterator[str]:
    pages = (section.header, section.first_page_header, section.even_page_header)
    feet = (section.footer, section.first_page_footer, section.even_page_footer)
    for part in (*pages, *feet):
        if not part.is_linked_to_previous:
            yield from (text for text in map(_text, _outermost(part._element, _PARAGRAPH)) if text.strip())


def _blocks(around: Any, document: Any, sweep: Sweep) -> Iterator[Block]:
    for found in _outermost(around, _PARAGRAPH, _TABLE):
        if found.tag == _PARAGRAPH:
            yield from _paragraph(found, document, sweep)
        else:
            rows = [
                [sweep("\n".join(map(_text, _outermost(cell, _PARAGRAPH)))) for cell in _outermost(row, _CELL)]
                for row in _outermost(found, _ROW)
            ]
            yield from table_blocks(rows[0], rows[1:]) if len(rows) > 1 else (Paragraph(" ".join(row)) for row in rows)


def _outermost(around: Any, *tags: str) -> Iterator[Any]:
    """Yield elements of these kinds, also within content controls, marked insertions and the like."""
    waiting = list(reversed(around))
    while waiting:
        element = waiting.pop()
        if element.tag in tags:
            yield element
        elif element.tag != _BOX:
            waiting.extend(reversed(element))


def _text(paragraph: Any) -> str:
    pieces = _outermost(paragraph, _LETTERS, *_CHARACTERS)
    # Positions of tabs have the name of tabs.
    return "".join(
        _CHARACTERS.get(one.tag, one.text or "") for one in pieces if one.tag == _LETTERS or one.getparent().tag == _RUN
    )


def _paragraph(found: Any, document: Any, sweep: Sweep) -> Iterator[Block]:
    text = _text(found)
    if not text.strip():
        return
    style = WordParagraph(found, document).style
    name = (style.name if style is not None else "") or ""
    if name.startswith(("Heading", "Title")):
        yield Heading(sweep(text), LEVEL)
    else:
        yield Paragraph(sweep(text), "•" if name.startswith("List") else "")


def _members(path: Path) -> list[str]:
    """Return the names in a package, after a look at what it would unfold to."""
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableDocument("the file is damaged") from error
    if len(members) > _MOST_MEMBERS or sum(one.file_size for one in members) > _MOST_UNPACKED:
        raise UnreadableDocument("it unfolds to more than 100 MB")
    return [one.filename for one in members]
