"""Columns that a list in JSON names, for rows that are lists themselves, wherever lines end.

So pandas writes tables (`orient="split"`), and so do Trino, Snowflake and the API of Google Sheets (`values`). In JSON
Lines ("JSON Lines", "Examples": better than CSV) the first line has the names, and each line behind it a row.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from waybill.scanning.domain.detection.column_names import ColumnNames
from waybill.scanning.domain.detection.columns import JSON, Columns

_DELIMITER = b","
_LIST_OF_NAMES = re.compile(
    rb'"(?:columns|cols|fields|headers?|column_names|columnNames)"\s{0,8}:\s{0,8}\[([^\[\]]{1,8192})\]'
)
# A list of lists, of which the first has the names.
_FIRST_ROW = re.compile(rb'\[\s{0,40}\[(\s{0,40}"[^"\d\[\]][^\[\]]{1,4096})\]\s{0,40},\s{0,40}\[')
# A line with names alone, and the beginning of the next line.
_FIRST_LINE = re.compile(rb'\s{0,40}\[([ \t]{0,40}"[^"\d\[\]\n][^\[\]\n]{1,4096})\][ \t]{0,40}\r?\n\s{0,40}[\[{]')
_RECORD_LINE = re.compile(rb"[ \t]{0,40}\}[ \t]{0,40}\r?\n\s{0,40}[\[{]")
# What stands before the row of a line: nothing, or what a record calls it.
_ROW_OF_LINE = re.compile(
    rb'(?:\A|\n)[ \t]{0,40}(?:\{[^\[\]\n]{0,100}"(?:row|data|values?|record|cells?|fields)"[ \t]{0,8}:)?[ \t]{0,8}\Z'
)
# Names stand before what they name.
_HEAD_BYTES = 65_536
_STRING = re.compile(rb'"((?:[^"\\]|\\.){0,120})"')
_NAME = re.compile(rb'"(?:name|label|title|field|columnName)"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.){0,120})"')
_ROW_BYTES = 4096
_BEFORE_ROW_BYTES = 128
_BRACKETS = 4


class ListedColumns:
    """The columns that lists name in one text; `sections` are the places that they begin to hold at.

    `lines` says whether rows are those of JSON Lines.
    """

    def __init__(self, sections: Sequence[tuple[int, Columns]], *, lines: bool) -> None:
        self._sections, self.lines = sections, lines
        self.detectors = frozenset(each for _, columns in sections for each in columns.detectors)

    def rows(self, text: bytes) -> "_ListedRows":
        """Return the rows of the text."""
        return _ListedRows(text, self._sections, lines=self.lines)


class _ListedRows:
    def __init__(self, text: bytes, sections: Sequence[tuple[int, Columns]], *, lines: bool) -> None:
        self._text, self._lines = text, lines
        self._starts = [start for start, _ in sections]
        self._sections = sections
        # The last bracket, up to where its list is read, whether that is within a string, and which element is there.
        self._bracket, self._upto, self._quoted, self._number = -1, 0, False, -1

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at a place is in a column named for `detector`; its line says nothing of that."""
        del line_start
        section = bisect_right(self._starts, at) - 1
        numbers = self._sections[section][1].numbers(detector) if section >= 0 else ()
        return bool(numbers) and self._number_of(at) in numbers

    def _number_of(self, at: int) -> int:
        """Return which element of its list the value at `at` is, from 0; -1 where that is no list among others."""
        bracket = self._text.rfind(b"[", max(0, at - _ROW_BYTES), at)
        if bracket != self._bracket or at < self._upto:
            start = _list_from(self._text, bracket, at - _ROW_BYTES, lines=self._lines)
            self._bracket, self._upto, self._quoted, self._number = bracket, start + 1, False, min(0, start)
        if self._number >= 0:
            parts = self._text[self._upto : at].replace(b'\\"', b"").split(b'"')
            outside = b"".join(parts[self._quoted :: 2])
            self._quoted ^= len(parts) % 2 == 0
            # What is in an object has a name of its own.
            is_plain = outside.translate(None, b"{}]:") == outside
            self._number = self._number + outside.count(b",") if is_plain else -1
        self._upto = at
        return self._number


def listed_columns(
    text: bytes, known: Columns | None, names: ColumnNames, *, begins: bool, lines: bool
) -> tuple[ListedColumns | None, Columns | None]:
    """Return the columns of a block where `known` hold first or which `begins` a text, and those that hold after it.

    `lines` says whether those that are known hold for JSON Lines.
    """
    sections = [(0, known)] if known else []
    if begins and JSON.match(text):
        head = text[:_HEAD_BYTES]
        for place, fields in sorted(_lists_of_names(head)):
            if columns := Columns.named(_DELIMITER, fields, names):
                sections.append((place, columns))
                lines |= len(sections) == 1 and bool(_FIRST_LINE.match(head) or _RECORD_LINE.match(head, place))
    return (ListedColumns(sections, lines=lines), sections[-1][1]) if sections else (None, None)


def _lists_of_names(head: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield where each list of names ends, and the names, of strings or of objects that have them."""
    for found in _LIST_OF_NAMES.finditer(head):
        parts = found[1].split(b"}") if b"{" in found[1] else []
        named = [name[1] if (name := _NAME.search(part)) else b"" for part in parts]
        yield found.end(), named or _STRING.findall(found[1])
    if first := _FIRST_LINE.match(head) or _FIRST_ROW.search(head):
        yield first.end(1), _STRING.findall(first[1])


def _list_from(text: bytes, bracket: int, lowest: int, *, lines: bool) -> int:
    """Return where a list begins that is the first in a list, or stands behind another; -1 where none does.

    Of `lines` each has one. A bracket may stand in a string of it as well.
    """
    for _ in range(_BRACKETS):
        if bracket < 0:
            break
        outer = text[max(0, bracket - _BEFORE_ROW_BYTES) : bracket].rstrip()
        if outer.endswith(b"[") or (outer.endswith(b",") and outer[:-1].rstrip().endswith(b"]")):
            return bracket
        if lines and _ROW_OF_LINE.search(text[max(0, bracket - _BEFORE_ROW_BYTES) : bracket]):
            return bracket
        bracket = text.rfind(b"[", max(0, lowest), bracket)
    return -1
