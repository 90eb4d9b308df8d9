"""Puts blocks on pages, from the top down: wraps lines, goes on to the next page, splits what is taller than one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from typing import Final

from waybill.subject_access.domain.report.blocks import Block, Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.direction import ParagraphLine
from waybill.subject_access.domain.report.lines import wrap
from waybill.subject_access.domain.report.sheets import BOTTOM, LEFT, RIGHT, TOP, Sheets
from waybill.subject_access.domain.report.structure import Cell, Mark

_LEADING: Final = 1.28
# WCAG 2.2, 1.4.8: text that runs on over several lines has one and a half; rows of tables stay close.
_RUNNING: Final = 1.5
_HEADING_SIZES: Final = (20.0, 16.0, 14.0, 12.5)
# GOV.UK, "Publishing accessible documents": text of twelve points at least; tables have ten.
_BODY: Final = 12.0
_SMALL: Final = 10.0
_PADDING: Final = 3.0
# The share of a summary list that the labels have.
_LABELS: Final = 0.34
# Rows that decide how wide the columns of a table are, and the widest and narrowest that one asks for.
_SAMPLE: Final = 200
_WIDEST: Final = 220.0
_NARROWEST: Final = 44.0
_MARK_INDENT: Final = 14.0
# What is below a heading of the third level and deeper is set in by so much for each, so that people see what belongs
# to what; very deep levels are not set in further, or nothing would be left of the page.
_INDENT: Final = 14.0
_DEEPEST_INDENT: Final = 6
# A word of so much of the page may ask that its column is as wide as it is.
_LONGEST_WORD: Final = 0.25
_OF_ROW: Final = {"Scope": "Row"}
_OF_COLUMN: Final = {"Scope": "Column"}


@dataclass(frozen=True)
class _Column:
    left: float
    width: float
    bold: bool = False


@dataclass(frozen=True)
class RowPlace:
    """Where a row is: its page, counted from 1, and its rectangle in points."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


class Flow:
    """Draws blocks downwards.

    Parameters
    ----------
    sheets : Sheets
        Where to draw. A page begins with the first block.

    Attributes
    ----------
    headings : list[tuple[str, int, int]]
        Text, level and page of each heading so far.
    """

    def __init__(self, sheets: Sheets) -> None:
        self.sheets = sheets
        self._fonts = sheets.fonts
        self._y = 0.0
        self._indent = 0.0
        # Whether a line of a table was drawn last.
        self._ruled = False
        self.headings: list[tuple[str, int, int]] = []

    @property
    def y(self) -> float:
        """Where the next block begins, in points from the foot of the page."""
        return self._y

    def at(self, y: float) -> None:
        """Go on from `y` on the page that was begun."""
        self._y = y

    @property
    def room(self) -> float:
        """The height that is left on the page, in points."""
        return self._y - BOTTOM

    def page(self) -> None:
        """Begin a page."""
        self.sheets.begin()
        self._y = self.sheets.size[1] - TOP

    def draw(self, blocks: Iterable[Block]) -> None:
        """Draw `blocks` one after the other."""
        for block in blocks:
            match block:
                case Heading(text, level):
                    self.heading(text, level)
                case Paragraph(text, mark):
                    self.paragraph(text, mark)
                case Pair(label, value):
                    self.pair(label, value)
                case Table(head, rows):
                    self.table(head, rows)

    def outdent(self) -> None:
        """Go on at the margin, whatever heading was last."""
        self._indent = 0.0

    def heading(self, text: str, level: int) -> None:
        """Draw a heading, with room below it for the beginning of what follows."""
        size = _HEADING_SIZES[min(level, len(_HEADING_SIZES)) - 1]
        self._indent = _INDENT * min(max(level - 2, 0), _DEEPEST_INDENT)
        self._ruled = False
        column = _Column(self._left, self._width, bold=True)
        lines = self._wrapped(text, column, size)
        leading = size * _LEADING
        self._y -= size * 0.6
        if self.room < min(len(lines) * leading + 5 * _BODY * _LEADING, self._height / 2):
            self.page()
        self.headings.append((text, level, self.sheets.pages))
        (marks,) = self._rows([lines], [column], size, ["H"])
        self.sheets.structure.heading(level, marks)
        self._y -= size * 0.15

    def paragraph(self, text: str, mark: str = "", size: float = _BODY, bold: bool = False) -> None:
        """Draw running text; a `mark` stands left of its first line."""
        indent = _MARK_INDENT if mark else 0.0
        column = _Column(self._left + indent, self._width - indent, bold)
        lines = self._wrapped(text, column, size)
        self._y -= 2 * _PADDING * self._ruled
        self._ruled = False
        if self.room < size * _LEADING:
            self.page()
        if mark:
            self._item(mark, lines, column, size)
        else:
            (marks,) = self._rows([lines], [column], size, ["P"])
            if marks:
                self.sheets.structure.leaf("P", marks)
        self._y -= size * 0.4

    def _item(self, mark: str, lines: Sequence[str], column: _Column, size: float) -> None:
        with self.sheets.marked("Lbl") as label:
            self.sheets.text(self._left, self._y - size, self._fonts.printable(mark), size)
        (marks,) = self._rows([lines], [column], size, ["LBody"])
        numbering = "Decimal" if mark[:1].isdigit() else "Disc"
        self.sheets.structure.within("L", {"ListNumbering": numbering})
        self.sheets.structure.row([Cell("Lbl", [label]), Cell("LBody", marks)], "LI")

    def centred(self, text: str, size: float, bold: bool = False, level: int = 0) -> None:
        """Draw lines in the middle of the page: a paragraph, or a heading of a level."""
        with self.sheets.marked("H" if level else "P") as mark:
            for line in self._wrapped(text, _Column(LEFT, self._width, bold), size):
                self.sheets.centred(self._y - size, line, size, bold)
                self._y -= size * _LEADING
        if level:
            self.sheets.structure.heading(level, [mark])
        else:
            self.sheets.structure.leaf("P", [mark])

    def pair(self, label: str, value: str) -> None:
        """Draw a row of a summary list."""
        left = self._width * _LABELS
        columns = (
            _Column(self._left, left - 2 * _PADDING, bold=True),
            _Column(self._left + left, self._width - left),
        )
        cells = [self._wrapped(text, column, _BODY) for text, column in zip((label, value), columns, strict=True)]
        self._keep_together(cells, _BODY)
        self._y -= _PADDING
        named, told = self._rows(cells, columns, _BODY, ("TH", "TD"))
        self._y -= _PADDING
        self.sheets.rule(self._y, self._left, self._left + self._width, 0.8)
        self._ruled = True
        self.sheets.structure.within("Table")
        self.sheets.structure.row((Cell("TH", named, _OF_ROW), Cell("TD", told)))

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]], placed: Callable[[RowPlace], None] | None = None
    ) -> None:
        """Draw a table, its head, unless it is empty, again at the top of each page.

        `placed` is told of each row: its first cell is a link then, whose number is that of the row.
        """
        remaining = iter(rows)
        sample = list(islice(remaining, _SAMPLE))
        columns = self._columns([head, *sample] if head else sample)
        bold = [_Column(column.left, column.width, bold=True) for column in columns]
        heading = [self._wrapped(text, column, _SMALL) for text, column in zip(head, bold, strict=False)]
        self._begin_table(heading, bold)
        tags = ("TD",) * len(columns)
        # A head that takes up half a page is not worth repeating.
        repeated = bool(heading) and _tallest(heading) * _SMALL * _LEADING < self._height / 2
        for number, row in enumerate(chain(sample, remaining)):
            cells = [self._wrapped(text, column, _SMALL) for text, column in zip(row, columns, strict=True)]
            if self._keep_together(cells, _SMALL) and repeated:
                self._head(heading, bold, again=True)
            self._y -= _PADDING
            top = self._y
            marks = self._rows(cells, columns, _SMALL, tags)
            self._y -= _PADDING
            self.sheets.rule(self._y, self._left, self._left + self._width, 0.85)
            told = [Cell("TD", one) for one in marks]
            if placed is not None:
                placed(RowPlace(self.sheets.pages, self._left, self._y, self._left + self._width, max(top, self._y)))
                told[0] = Cell("TD", marks[0], {"Link": number})
            self.sheets.structure.row(told)
        self.sheets.structure.within("")
        self._y -= 2 * _PADDING

    def _begin_table(self, heading: Sequence[Sequence[str]], columns: Sequence[_Column]) -> None:
        self._y -= _PADDING
        if self.room < (_tallest(heading) + 2) * _SMALL * _LEADING + 4 * _PADDING:
            self.page()
        self.sheets.structure.begin("Table")
        if heading:
            marks = self._head(heading, columns)
            self.sheets.structure.row(Cell("TH", one, _OF_COLUMN) for one in marks)

    def _head(
        self, cells: Sequence[Sequence[str]], columns: Sequence[_Column], *, again: bool = False
    ) -> Sequence[Sequence[Mark]]:
        height = _tallest(cells) * _SMALL * _LEADING + 2 * _PADDING
        if height <= self.room:
            self.sheets.shade(self._left, self._y - height, self._width, height)
        self._y -= _PADDING
        if again:
            with self.sheets.artifact():
                self._rows(cells, columns, _SMALL, ())
            marks: Sequence[Sequence[Mark]] = ()
        else:
            marks = self._rows(cells, columns, _SMALL, ("TH",) * len(cells))
        self._y -= _PADDING
        return marks

    def _rows(
        self, cells: Sequence[Sequence[str]], columns: Sequence[_Column], size: float, tags: Sequence[str]
    ) -> Sequence[list[Mark]]:
        """Draw cells side by side, over as many pages as they need; return the marks of each.

        A cell is drawn as a whole before the next one, as far as the page goes: that is the order of reading.
        """
        leading, tallest, begin = _leading(cells, size), _tallest(cells), 0
        marks: Sequence[list[Mark]] = [[] for _ in cells]
        while begin < tallest:
            if self.room < leading:
                self.page()
            end = begin + max(1, int(self.room / leading))
            for index, (lines, column) in enumerate(zip(cells, columns, strict=True)):
                shown = lines[begin:end]
                if not any(shown):
                    continue
                if tags:
                    mark = self.sheets.begin_mark(tags[index])
                    self._lines(shown, column, size, leading)
                    self.sheets.end_mark(mark)
                    marks[index].append(mark)
                else:
                    self._lines(shown, column, size, leading)
            self._y -= leading * (min(end, tallest) - begin)
            begin = end
        self._y += leading - size * _LEADING
        return marks

    def _lines(self, lines: Sequence[str], column: _Column, size: float, leading: float) -> None:
        y, show = self._y - size, self.sheets.text
        for index, line in enumerate(lines):
            left = column.left
            # A paragraph that runs from right to left begins at the right.
            if isinstance(line, ParagraphLine) and line.base:
                left += column.width - self._fonts.width(line, size, column.bold)
            show(left, y - index * leading, line, size, column.bold)

    def _keep_together(self, cells: Sequence[Sequence[str]], size: float) -> bool:
        """Begin a page when the row fits on a page of its own but not on this one; return whether a page began."""
        height = _tallest(cells) * _leading(cells, size) + 2 * _PADDING
        if height <= self.room or (height > self._height * 0.8 and self.room > self._height / 4):
            return False
        self.page()
        return True

    def _columns(self, sample: Sequence[Sequence[str]]) -> list[_Column]:
        """Divide the page among the columns: no word is cut while there is room, the rest goes by what they ask."""
        columns = list(zip(*sample, strict=True))
        asked = [max(_NARROWEST, *map(self._widest, column)) for column in columns]
        least = [max(_NARROWEST / 2, *map(self._longest_word, column)) for column in columns]
        widths = self._divided(asked, least) if asked else []
        lefts = accumulate(widths, initial=self._left + _PADDING)
        return [_Column(left, max(width - 2 * _PADDING, _SMALL)) for left, width in zip(lefts, widths, strict=False)]

    def _divided(self, asked: Sequence[float], least: Sequence[float]) -> list[float]:
        wanted = [more - less for more, less in zip(asked, least, strict=True)]
        left = self._width - sum(least)
        if left < 0 or not sum(wanted) or sum(asked) <= self._width:
            return [self._width * width / sum(asked) for width in asked]
        return [less + left * more / sum(wanted) for less, more in zip(least, wanted, strict=True)]

    def _longest_word(self, text: str) -> float:
        words = self._fonts.printable(text[:_SAMPLE]).split()
        longest = max((self._fonts.width(word, _SMALL, bold=True) for word in words), default=0.0)
        return min(longest + 2 * _PADDING + 1, self._width * _LONGEST_WORD)

    def _widest(self, text: str) -> float:
        lines = self._fonts.printable(text[:_SAMPLE]).split("\n")
        return min(_WIDEST, max(self._fonts.width(line, _SMALL, bold=True) for line in lines) + 2 * _PADDING + 1)

    def _wrapped(self, text: str, column: _Column, size: float) -> Sequence[str]:
        return wrap(self._fonts, self._fonts.printable(text), column.width, size, column.bold)

    @property
    def _left(self) -> float:
        return LEFT + self._indent

    @property
    def _width(self) -> float:
        return self.sheets.size[0] - self._left - RIGHT

    @property
    def _height(self) -> float:
        return self.sheets.size[1] - TOP - BOTTOM


def _leading(cells: Sequence[Sequence[str]], size: float) -> float:
    return size * (_RUNNING if size == _BODY and _tallest(cells) > 1 else _LEADING)


def _tallest(cells: Sequence[Sequence[str]]) -> int:
    return max(map(len, cells), default=0)
