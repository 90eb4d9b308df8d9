"""Columns of the tables in a dump: rows behind `COPY` of PostgreSQL, and behind `INSERT` of any SQL.

PostgreSQL documentation, COPY, "Text Format", and "Dollar-Quoted String Constants"; ISO/IEC 9075-2, "insert statement",
"comment" and "character string literal"; MySQL, "INSERT Statement", "REPLACE Statement", "Comments" and "String
Literals"; Oracle Database, "INSERT" (into many tables); Transact-SQL, "INSERT". Rows go on over the end of a block, and
over that of a call of a scan.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from waybill.scanning.domain.detection.column_names import ColumnNames
from waybill.scanning.domain.detection.columns import Columns, ColumnsOfText, NamedRows
from waybill.scanning.domain.detection.listed_columns import listed_columns
from waybill.scanning.domain.detection.marks import TextMark
from waybill.scanning.domain.detection.syntax import Syntax

# What begins the rows of a table, with their names, and what ends them.
_COPY = re.compile(
    rb"(?m)^(?:COPY (?:[\w.$-]|\"[^\"\n]{1,128}\"){1,200} \(([^()\n]{1,4096})\) FROM (?i:stdin)(?i: WITH)?;|\\\.)\r?\n"
)
# Names are written plainly or in quotes, which Transact-SQL and MySQL have of their own, and comments stand between.
_NAME = rb"(?:[\w$#@-]{1,128}|`[^`\n]{1,128}`|\"[^\"\n]{1,128}\"|\[[^\]\n]{1,128}\])"
_GAP = rb"(?:\s|--[^\n]{0,400}\n|#[^\n]{0,400}\n|/\*[^*]{0,400}\*/){0,40}+"
_COLUMN = re.compile(rb"[\s,]*(?:`([^`]*)`|\"([^\"]*)\"|\[([^\]]*)\]|([^\s,`\"\[\]][^,`\"\[\]]*))")
# What names the columns of rows in SQL, up to the first row: its table, its columns, and what is asked of it.
_HEADER = (
    rb"%(name)s(?:\s{0,4}\.\s{0,4}%(name)s){0,3}(?:\s{1,8}(?:AS\s{1,8})?[A-Za-z_]\w{0,60})?%(gap)s"
    rb"\(((?:[^()';`\"\[\]]{1,4096}+|`[^`]{1,128}`|\"[^\"]{1,128}\"|\[[^\]]{1,128}\]){1,4000}+)\)%(gap)s"
    rb"(?:OVERRIDING\s{1,8}\w{4,6}\s{1,8}VALUE\s%(gap)s|OUTPUT\s[^()';]{1,400}?(?=VALUES))?"
    rb"VALUES?(?=\s{0,8}(?:\(|--|/\*|#))"
) % {b"name": _NAME, b"gap": _GAP}
# Oracle's `INSERT ALL` has a part for each table, which begins with `INTO`; Transact-SQL and Hive may leave that out.
_INSERTS = (
    (re.compile(rb"(?i)INTO\s{1,8}(?:TABLE\s{1,8})?" + _HEADER), (b"INTO", b"into", b"Into")),
    (
        re.compile(rb"(?i)INSERT\s{1,8}(?:OVERWRITE\s{1,8})?(?:TABLE\s{1,8})?(?!INTO\b)" + _HEADER),
        (b"INSERT", b"insert", b"Insert"),
    ),
)
# What is in a string. A backslash escapes in MySQL, and is a sign like others elsewhere: there it may be the last one.
_TEXT = rb"(?:[^'\\]|''|\\(?='\s{0,4}(?:,\s{0,4}(?:[A-Za-z]?'|[0-9(])|\)\s{0,4}[,;]))|\\.)*+"
# A part of a row: a string, a sign, a comment (or the ends of one that MySQL reads), a string between dollars,
# anything else; and what is in a string, which may have begun before.
_PART = re.compile(
    rb"(')(" + _TEXT + rb")('?)|([(),;])"
    rb"|(--[^\n]*+|#[^\n]*+|/\*![0-9]{0,6}|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?|\*/)"
    rb"|\$\w{0,40}\$([^$]{0,65536}+)\$\w{0,40}\$"
    rb"|(?:[^'(),;/*#$-]++|-(?!-)|/(?!\*)|\*(?!/)|\$)+?(?=['(),;/*#$-]|\Z)",
    re.DOTALL,
)
_STRING = re.compile(rb"(" + _TEXT + rb")('?)", re.DOTALL)

# Where a cell begins and ends, and its column.
type _Cell = tuple[int, int, int]


class CopiedRows:
    """The rows of `COPY` in a text: tabs part their cells, and quotes are as good as letters."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._line = self._at = -1
        self._column = 0

    def column(self, line_start: int, at: int) -> int:
        """Return the column of the place `at` in the line from `line_start` on; they are counted from 0."""
        if self._line != line_start:
            self._line = self._at = line_start
            self._column = 0
        if at >= self._at:
            self._column += self._text.count(b"\t", self._at, at)
        else:
            self._column -= self._text.count(b"\t", at, self._at)
        self._at = at
        return self._column


class Statement(NamedTuple):
    """NamedRows of an `INSERT` that go on behind the end of a block: `ahead` bytes behind it, where they are at then.

    That is in so many brackets, in which column, and whether within a string.
    """

    columns: Columns
    ahead: int
    depth: int
    column: int
    quoted: bool


@dataclass(frozen=True)
class Names:
    """The names of columns that hold where a block begins: of a file, a `COPY`, an `INSERT` and a list that go on.

    Lists name columns at the beginning of a text alone, which is in the block that `begins` it; `lines` says whether
    they do so for JSON Lines. `syntax` is that of the part which the block begins in.
    """

    file: Columns | None = None
    copied: Columns | None = None
    inserted: Statement | None = None
    listed: Columns | None = None
    lines: bool = False
    begins: bool = False
    syntax: Syntax = Syntax.NONE

    def state(self) -> dict[str, Any]:
        """Return as JSON what `from_state` takes, and no names."""
        state = self.file.state() if self.file else {}
        if self.copied:
            state["copied"] = self.copied.state()
        if self.inserted:
            state["inserted"] = [self.inserted.columns.state(), *self.inserted[1:]]
        if self.listed:
            state["listed"] = self.listed.state()
        if self.lines:
            state["lines"] = True
        if self.syntax:
            state["syntax"] = self.syntax.value
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Names":
        """Return what `state` was taken from."""
        inserted = state.get("inserted")
        return cls(
            Columns.from_state(state) if "named" in state else None,
            Columns.from_state(state["copied"]) if "copied" in state else None,
            Statement(Columns.from_state(inserted[0]), *inserted[1:]) if inserted else None,
            Columns.from_state(state["listed"]) if "listed" in state else None,
            lines=bool(state.get("lines")),
            syntax=Syntax(state.get("syntax", 0)),
        )

    def over(
        self, text: bytes, start: int, end: int, known: ColumnNames, marks: TextMark
    ) -> tuple[ColumnsOfText | None, "Names"]:
        """Return the columns of `text[start:end]`, which these names hold at the beginning of, and those at its end.

        `marks` are those of the text.
        """
        here, after = self._copied(text, (start, end), known, marks)
        lists, listed = listed_columns(text, self.listed, known, begins=self.begins, lines=self.lines)
        if lists:
            here, after = (
                ColumnsBeside(lists, here) if here else lists,
                replace(after, listed=listed, lines=lists.lines),
            )
        if self.inserted or TextMark.INSERT in marks:
            read, goes_on = self._inserted(text, (start, end), known)
            if read:
                return InsertedColumns(here, read), replace(after, inserted=goes_on)
        return here, after

    def _copied(
        self, text: bytes, block: tuple[int, int], known: ColumnNames, marks: TextMark
    ) -> tuple[ColumnsOfText | None, "Names"]:
        copied = self.copied
        if TextMark.COPY not in marks and (copied is None or TextMark.COPY_END not in marks):
            here = CopiedColumns([_Section(0, copied, copied=True)]) if copied else self.file
            return here, Names(self.file, copied)
        sections = [_Section(0, copied or self.file, copied=copied is not None)]
        for found in _COPY.finditer(text, *block):
            if found[1]:
                copied = Columns.named(b"\t", found[1].split(b","), known) or Columns(b"\t", {})
                sections.append(_Section(found.end(), copied, copied=True))
            elif copied:
                # Elsewhere such a line is one as others are.
                copied = None
                sections.append(_Section(found.end(), self.file, copied=False))
        plain = len(sections) == 1 and not copied
        return (self.file if plain else CopiedColumns(sections)), Names(self.file, copied)

    def _inserted(
        self, text: bytes, block: tuple[int, int], known: ColumnNames
    ) -> tuple[list[tuple[Columns, list[_Cell]]], Statement | None]:
        """Return the cells of each statement in a block, and the one whose rows go on behind it."""
        start, end = block
        # What begins before goes on, or has ended.
        found = _statements(text, start, end)
        # Where the next begins, one without an end has ended.
        limits = [each.start() for each in found] + [len(text)]
        read, goes_on = list[tuple[Columns, list[_Cell]]](), None
        if self.inserted:
            cells, goes_on = _cells(text, self.inserted, start + self.inserted.ahead, limits[0], end)
            read.append((self.inserted.columns, cells))
        for each, limit in zip(found, limits[1:], strict=True):
            names = (b"".join(name).strip() for name in _COLUMN.findall(each[1]))
            if columns := Columns.named(b",", names, known):
                began = Statement(columns, 0, 0, 0, quoted=False)
                cells, goes_on = _cells(text, began, each.end(), limit, end)
                read.append((columns, cells))
        return read, goes_on


class _Section(NamedTuple):
    """Which columns hold from a place of a text on, and whether `COPY` names them."""

    start: int
    columns: Columns | None
    copied: bool


class ColumnsBeside:
    """Columns that are named in two ways in one text: whatever either says of a place holds."""

    def __init__(self, *named: ColumnsOfText) -> None:
        self._named = named
        self.detectors = frozenset(each for columns in named for each in columns.detectors)

    def rows(self, text: bytes) -> "_RowsBeside":
        """Return the rows of the text."""
        return _RowsBeside([columns.rows(text) for columns in self._named])


class _RowsBeside:
    def __init__(self, rows: Sequence[NamedRows]) -> None:
        self._rows = rows

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at a place is in a column named for `detector`, see `NamedRows`."""
        return any(rows.are_named(detector, line_start, at) for rows in self._rows)


class CopiedColumns:
    """The columns of the tables in a text, each behind its `COPY`, and those of the file around them."""

    def __init__(self, sections: Sequence[_Section]) -> None:
        self._sections = sections
        self.detectors = frozenset(
            each for section in sections if section.columns for each in section.columns.detectors
        )

    def rows(self, text: bytes) -> "_SectionRows":
        """Return the rows of the text."""
        return _SectionRows(text, self._sections)


class _SectionRows:
    def __init__(self, text: bytes, sections: Sequence[_Section]) -> None:
        self._starts = [section.start for section in sections]
        self._sections = sections
        self._copied = CopiedRows(text)
        file = next((section.columns for section in sections if section.columns and not section.copied), None)
        self._file = file.rows(text) if file else None

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at a place is in a column named for `detector`, in the table that its line is in."""
        section = self._sections[bisect_right(self._starts, line_start) - 1]
        if not section.copied:
            return self._file is not None and self._file.are_named(detector, line_start, at)
        columns = section.columns.numbers(detector) if section.columns else ()
        return bool(columns) and self._copied.column(line_start, at) in columns


class InsertedColumns:
    """The columns that the statements of one text name before their rows; elsewhere `others` hold."""

    def __init__(self, others: ColumnsOfText | None, read: Iterable[tuple[Columns, Sequence[_Cell]]]) -> None:
        self._others = others
        self._cells = [(*cell, columns) for columns, cells in read for cell in cells]
        self._starts = [start for start, *_ in self._cells]
        named = {columns for *_, columns in self._cells}
        self.detectors = frozenset(each for columns in named for each in columns.detectors) | {
            *(others.detectors if others else ())
        }

    def rows(self, text: bytes) -> "_InsertedRows":
        """Return the rows of the text, and what else is delimited in it."""
        return _InsertedRows(self._starts, self._cells, self._others.rows(text) if self._others else None)


class _InsertedRows:
    def __init__(
        self, starts: Sequence[int], cells: Sequence[tuple[int, int, int, Columns]], others: NamedRows | None
    ) -> None:
        self._starts = starts
        self._cells = cells
        self._others = others

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at a place is in a column named for `detector`, see `NamedRows`."""
        index = bisect_right(self._starts, at) - 1
        if index >= 0 and at < self._cells[index][1]:
            _, _, number, columns = self._cells[index]
            return number in columns.numbers(detector)
        return self._others is not None and self._others.are_named(detector, line_start, at)


def _statements(text: bytes, start: int, end: int) -> list[re.Match[bytes]]:
    """Return the headers of statements that begin from `start` to `end`."""
    found: list[re.Match[bytes]] = []
    for pattern, words in _INSERTS:
        for word in words:
            # A word is found in a tenth of the time that a pattern takes.
            at = text.find(word, start, end)
            while at >= 0:
                if header := pattern.match(text, at):
                    found.append(header)
                at = text.find(word, at + len(word), end)
    return sorted(found, key=lambda header: header.start())


def _cells(text: bytes, began: Statement, start: int, limit: int, end: int) -> tuple[list[_Cell], Statement | None]:
    """Return the cells of some rows from `start` up to their end, and what goes on behind `end`, which they stop at.

    They have ended at `limit` at the latest.
    """
    cells, goes_on = list[_Cell](), None
    depth, column = began.depth, began.column
    if began.quoted and (rest := _STRING.match(text, start, limit)):
        if not rest[2]:
            # No string of a table is as long as a block.
            return [], None
        cells.append((start, rest.end(1), column))
        if rest.end() > end:
            return cells, began._replace(ahead=_within_string(text, start, end) - end)
        start = rest.end()
    for part in _PART.finditer(text, start, limit):
        if part.end() > end:
            goes_on = _going_on(text, part, end, began._replace(depth=depth, column=column))
        sign = part[4]
        if sign == b"(":
            depth += 1
            column = 0 if depth == 1 else column
        elif sign == b")":
            depth -= 1
        elif sign == b"," and depth:
            column += depth == 1
        elif sign is None and depth and not part[5]:
            cells.append((*part.span(2 if part[1] else 6 if part[6] else 0), column))
        if goes_on or depth < 0 or (part[1] and not part[3]) or (not depth and _ends(part)):
            break
    return cells, goes_on


def _ends(part: re.Match[bytes]) -> bool:
    """Return whether a part outside of brackets is another statement, or what follows the rows of this one."""
    return part[4] not in {b")", b","} and not part[5] and not part[0].isspace()


def _going_on(text: bytes, part: re.Match[bytes], end: int, now: Statement) -> Statement:
    """Return the statement as it is read on behind `end`, where `part` is the first that reaches beyond it."""
    if part[1] and part.start() < end:
        return now._replace(ahead=_within_string(text, part.start(2), end) - end, quoted=True)
    if part[5]:
        return now._replace(ahead=part.end() - end, quoted=False)
    return now._replace(ahead=max(part.start(), end) - end, quoted=False)


def _within_string(text: bytes, start: int, end: int) -> int:
    """Return the last place up to `end` at which a string that began before `start` can be read on."""
    read = _STRING.match(text, start, end)
    return read.end(1) if read else end
