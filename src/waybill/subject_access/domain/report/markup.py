"""The mark-up that templates may use, as blocks.

| tags | shown as |
|---|---|
| ``h1`` to ``h6`` | headings |
| ``p``, ``div``, ``section``, ``br``, ``hr`` | paragraphs and breaks |
| ``table``, ``thead``, ``tbody``, ``tr``, ``th``, ``td`` | a table, whose first row is the head |
| the same with class ``summary-list`` | rows of label and value |
| ``ul``, ``ol``, ``li`` | a list |
| ``dl``, ``dt``, ``dd`` | a summary list |
| ``img`` whose source is ``{{inlineAttachmentContent picture}}`` | the picture; behind a table where it is in one |
| ``span``, ``strong``, ``b``, ``em``, ``i``, ``small`` | their text |

Attributes other than that class and those of ``img`` mean nothing. No other tag is allowed.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from html.parser import HTMLParser
from typing import Final

from waybill.subject_access.domain.inline_pictures import FIRST_INLINE
from waybill.subject_access.domain.report.blocks import Block, Heading, Inline, Pair, Paragraph, Table
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.helpers import SOURCE
from waybill.subject_access.domain.report.wording import MARKED

_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_INLINE: Final = ("span", "strong", "b", "em", "i", "small")
_TABLE: Final = ("table", "thead", "tbody", "tr", "th", "td")
_BREAKING: Final = (*_HEADINGS, "p", "div", "section", "hr", "ul", "ol", "li", "dl", "dt", "dd")
_TAGS: Final = frozenset((*_INLINE, *_TABLE, *_BREAKING, "br"))
# What nobody sees of a document. What tells of it, such as its title, is shown: its head may end without a tag.
_UNSEEN: Final = ("script", "style", "template")
_OFTEN_UNSEEN: Final = ("hidden", "password", "submit", "button", "reset", "image", "file")
_FED: Final = 65_536
# Of a tag or comment that nothing closes, the parser would try each `<` to the end of the text. A longer one is text.
_UNCLOSED: Final = 4_096
_PICTURE = re.compile(rf"{SOURCE}([0-9]{{1,9}})")
_PICTURE_TAG = re.compile(r"\s*\{\{[{&~]?\s*inlineAttachmentContent\s[^{}]*\}{2,3}\s*")
_PIXELS = re.compile(r"\s*([0-9]{1,5})(?:\.[0-9]*)?(?:px)?\s*")
# CSS Values and Units 3, 5.2: a pixel is the 96th part of an inch, of which a point is the 72nd.
_POINTS: Final = 0.75
_SPACE = re.compile(r"[ \t\r\n\f]+")


def markup_blocks(pieces: Iterable[str], *, pictures: bool = True) -> Iterator[Block]:
    """Return the blocks of a filled template, given in pieces; tags that are not allowed are left out."""
    reader = _Reader(pictures=pictures)
    for piece in pieces:
        reader.feed(piece)
        while reader.blocks:
            yield reader.blocks.popleft()
    reader.end()
    yield from reader.blocks


def document_blocks(text: str) -> Iterator[Block]:
    """Return the blocks of a document that somebody else wrote, whatever tags it has."""
    yield from markup_blocks((text[begin : begin + _FED] for begin in range(0, len(text), _FED)), pictures=False)


def check_markup(text: str) -> None:
    """Check the tags of a template.

    Raises
    ------
    TemplateError
        Names the first tag that is not allowed, and its line.
    """
    _Checker().feed(text)


class _Checker(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            source = next((value or "" for name, value in attrs if name == "src"), "")
            if not _PICTURE_TAG.fullmatch(source):
                said = "templates may not use the tag img but with the source inlineAttachmentContent"
                raise TemplateError(f"{said} (line {self.getpos()[0]})")
        elif tag not in _TAGS:
            raise TemplateError(f"templates may not use the tag {tag} (line {self.getpos()[0]})")


@dataclass
class _Rows:
    """A table that is being read: `cell` says whether one is open."""

    summary: bool
    rows: list[list[str]] = field(default_factory=list)
    cell: bool = False
    pictures: dict[int, list[Inline]] = field(default_factory=dict)

    def add(self, picture: Inline) -> None:
        self.pictures.setdefault(len(self.rows) - 1, []).append(picture)

    def blocks(self) -> Iterator[Block]:
        if self.summary:
            for number, row in enumerate(self.rows):
                if row:
                    label, *values = row
                    yield Pair(label, " ".join(values)) if values else Paragraph(label)
                yield from self.pictures.get(number, ())
            return
        rows = [row for row in self.rows if row]
        if rows:
            # Templates fill rows up with empty cells, which would only take room.
            columns = max(index for row in rows for index, cell in enumerate(row, start=1) if cell or index == 1)
            padded = [row[:columns] + [""] * (columns - len(row)) for row in rows]
            yield Table(padded[0], padded[1:]) if len(rows) > 1 else Table((), padded)
        for some in self.pictures.values():
            yield from some


class _Reader(HTMLParser):
    """Reads tags one after the other; what is left open is closed by what follows, as browsers do."""

    def __init__(self, *, pictures: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._pictures = pictures
        self.blocks: deque[Block] = deque()
        self._text: list[str] = []
        # The tag that the text stands in, and the lists around it: the number of the last item, or None for bullets.
        self._within = ""
        self._lists: list[int | None] = []
        self._term = ""
        self._table: _Rows | None = None
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen = self._unseen or tag
        if tag == "img" and self._pictures:
            self._picture({name: value or "" for name, value in attrs})
        elif tag in ("img", "input", "title"):
            self._of_document(tag, {name: value or "" for name, value in attrs})
        elif tag == "br" or (self._table and self._table.cell and tag in _BREAKING):
            self._text.append("\n")
        elif tag in _TABLE:
            self._table_tag(tag, attrs)
        elif tag in _BREAKING:
            self._end_text()
            if tag in ("ul", "ol"):
                self._lists.append(0 if tag == "ol" else None)
            self._within = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""
        if self._table and self._table.cell and tag in _BREAKING:
            self._text.append("\n")
        elif tag in _TABLE or tag in _BREAKING or tag == "title":
            self._end_text()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif tag == "table":
                self._end_table()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._text.append(_SPACE.sub(" ", data))

    def _of_document(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Show what a document says in attributes, and its title."""
        if tag == "title":
            self._end_text()
            self._within = "p"
        elif tag == "img" and attributes.get("alt", "").strip():
            self._text.append(f"[Picture: {attributes['alt'].strip()}]")
        elif tag == "input" and attributes.get("type", "").lower() not in _OFTEN_UNSEEN:
            ticked = attributes.get("type", "").lower() in ("checkbox", "radio")
            self._text.append(
                f" {('[x]' if 'checked' in attributes else '[ ]') if ticked else attributes.get('value', '')} "
            )

    def _picture(self, attributes: Mapping[str, str]) -> None:
        source = attributes.get("src", "")
        found = _PICTURE.fullmatch(source)
        if found is None:
            # What stands there where a picture was taken out.
            self._text.append(source if source.startswith(MARKED) else "")
            return
        width, height = (_points(attributes.get(name, "")) for name in ("width", "height"))
        alt = _SPACE.sub(" ", attributes.get("alt", "").replace("<br>", " ")).strip()
        picture = Inline(int(found[1]), alt, "", width, height)
        if self._table and self._table.cell:
            caption = f"Picture {picture.number - FIRST_INLINE}"
            self._text.append(caption)
            self._table.add(replace(picture, caption=caption))
        else:
            self._end_text()
            self.blocks.append(picture)

    def end(self) -> None:
        """Take what the text ends with, and close whatever is open."""
        if len(self.rawdata) > _UNCLOSED and "<" in self.rawdata:
            self.handle_data(unescape(self.rawdata))
        else:
            self.close()
        self._end_text()
        self._end_table()

    def _table_tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_text()
        if tag == "table":
            self._end_table()
            classes = next((value or "" for name, value in attrs if name == "class"), "")
            self._table = _Rows("summary-list" in classes.split())
        elif self._table and tag == "tr":
            self._table.rows.append([])
        elif self._table and tag in ("th", "td"):
            self._table.rows = self._table.rows or [[]]
            self._table.cell = True

    def _end_table(self) -> None:
        if self._table:
            self.blocks.extend(self._table.blocks())
        self._table = None

    def _end_text(self) -> None:
        lines = "".join(self._text).split("\n")
        self._text = []
        text = "\n".join(_SPACE.sub(" ", line).strip() for line in lines).strip("\n")
        if self._table and self._table.cell:
            self._table.rows[-1].append(text)
            self._table.cell = False
        elif self._within == "dt":
            self._term = text or self._term
        elif text or self._within == "dd":
            self.blocks.append(self._block(text))
        if self._within != "dt" or text:
            self._within = ""

    def _block(self, text: str) -> Block:
        if self._within in _HEADINGS:
            return Heading(text, max(int(self._within[1]), 2))
        if self._within == "dd":
            return Pair(self._term, text)
        if self._within == "li":
            number = self._lists[-1] if self._lists else None
            if number is not None:
                self._lists[-1] = number + 1
            return Paragraph(text, "•" if number is None else f"{number + 1}.")
        return Paragraph(text)


def _points(text: str) -> float:
    found = _PIXELS.fullmatch(text)
    return int(found[1]) * _POINTS if found else 0.0
