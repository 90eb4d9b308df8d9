"""Column names of delimited text: what stands in the first line says what the values below it are."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from waybill.scanning.domain.detection.rules import Detector

_DELIMITERS = (b",", b"\t", b";", b"|")
# Whatever people write above a column, also nothing; signs that tell fields of a record from their values are none.
_NAME = re.compile(rb'\s*"?[^:={}\[\]<>"]{0,120}"?\s*')
_ONLY_NAME = re.compile(rb'\s*"?[^\W\d][^\W\d_]{0,39}(?:[ _-][^\W\d][^\W\d_]{0,39}){0,3}"?\s*')
_LINE_LIMIT = 8192
_TITLE_LINES, _ROWS = 6, 6
# Statements of programs that list names, which people write with a blank behind the comma.
_STATEMENT = re.compile(
    rb"\s*(?:import|from[ \t]+[\w.]+[ \t]+import|export|global|nonlocal|return|yield|del|const|let|var|select)"
    rb"[ \t]+[^,\n]{1,80},[ \t]"
)
# What begins the rows of a table in a dump, with their names, and what ends them.
_COPY = re.compile(rb"(?m)^(?:COPY [\w.\"$-]{1,200} \(([^()\n]{1,4096})\) FROM stdin;|\\\.)\r?\n")
# What names the columns of rows in SQL, up to the first row, and a part of a row: a string, a sign, anything else.
_INSERT = re.compile(
    rb"(?:INSERT|insert)(?i:\s{1,8}(?:IGNORE\s{1,8})?INTO\s{1,8}[\w.`\"\[\]$-]{1,200}\s{0,8}\(([^()';]{1,4096})\)"
    rb"\s{0,8}VALUES(?=\s{0,8}\())"
)
# A dump has a list of names for each table, a hostile text one for each row.
_LISTS_OF_NAMES = 2048
# Programs insert as well; to look for the statement takes longer than for these.
_INSERT_WORDS = (b"INSERT", b"insert into ")
_SQL_PART = re.compile(rb"(')((?:[^'\\]|''|\\.)*+)('?)|([(),;])|[^'(),;]+", re.DOTALL)
# Up to here it takes less time to read a line for each value of it.
_NEAR = 256


class Columns:
    """The names in the first line of a text, and the detectors that they name."""

    def __init__(self, delimiter: bytes, named: Mapping[str, Collection[int]]) -> None:
        self._delimiter = delimiter
        self._columns_of = named

    @classmethod
    def of(cls, head: bytes, detectors: Iterable[Detector]) -> "Columns | None":
        """Return the columns that the first lines of a text name, None when they name no detector.

        Titles and comments may stand before the names; they have fewer columns. Below them stand rows: a statement of
        a program that lists some names is followed by others, and begins with a word that says what it does.
        """
        lines = [line[:_LINE_LIMIT] for line in head.split(b"\n") if line.strip()][: _TITLE_LINES + _ROWS]
        lines = [line.rstrip(b"\r") for line in lines]
        for number, line in enumerate(lines[:_TITLE_LINES]):
            for delimiter in _DELIMITERS:
                fields = _fields(line, delimiter)
                if len(fields) == 1 or not all(_NAME.fullmatch(field) for field in fields):
                    continue
                if _STATEMENT.match(line) or not _has_rows(lines[number + 1 :][:_ROWS], delimiter):
                    continue
                if any(len(_fields(title, delimiter)) >= len(fields) for title in lines[:number] if title[:1] != b"#"):
                    continue
                if found := cls._named(delimiter, fields, detectors):
                    return found
        # A single column has no delimiter, and its name is a word or a few.
        first = next((line for line in lines if line and line[:1] != b"#"), b"")
        return cls._named(_DELIMITERS[0], [first], detectors) if _ONLY_NAME.fullmatch(first) else None

    @classmethod
    def _named(cls, delimiter: bytes, fields: Sequence[bytes], detectors: Iterable[Detector]) -> "Columns | None":
        names = [field.strip().strip(b'"').decode("utf-8", "replace") for field in fields]
        named = {
            detector.id: frozenset(index for index, name in enumerate(names) if detector.named_by(name))
            for detector in detectors
        }
        named = {detector: columns for detector, columns in named.items() if columns}
        return cls(delimiter, named) if named else None

    def state(self) -> dict[str, Any]:
        """Return as JSON what `from_state` takes: which columns are named for a detector, and not their names."""
        named = {detector: sorted(columns) for detector, columns in self._columns_of.items()}
        return {"delimiter": self._delimiter.decode(), "named": named}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Columns":
        """Return what `state` was taken from."""
        named = {detector: frozenset(columns) for detector, columns in state["named"].items()}
        return cls(state["delimiter"].encode(), named)

    def concerns(self, detector: str) -> bool:
        """Return whether a column is named for `detector`."""
        return detector in self._columns_of

    def rows(self, text: bytes) -> "DelimitedRows":
        """Return the rows of a text that has these columns."""
        return DelimitedRows(text, self._delimiter)

    def name(self, detector: str, rows: "DelimitedRows", line_start: int, at: int) -> bool:
        """Return whether the value at `at`, in the line from `line_start` on, is in a column named for `detector`."""
        columns = self._columns_of.get(detector)
        return columns is not None and rows.column(line_start, at) in columns


class CopiedColumns(Columns):
    """The columns of the tables in a dump of PostgreSQL, each behind its `COPY` (pg_dump; SQL command COPY).

    `sections` are the places that columns begin to hold at; nothing has names where there are None.
    """

    def __init__(self, sections: Sequence[tuple[int, Columns | None]]) -> None:
        named = {detector: frozenset[int]() for _, each in sections if each for detector in each._columns_of}
        super().__init__(b"\t", named)
        self._starts = [start for start, _ in sections]
        self._sections = [columns for _, columns in sections]

    def name(self, detector: str, rows: "DelimitedRows", line_start: int, at: int) -> bool:
        """Return whether the value at `at` is in a column named for `detector`, in the table that its line is in."""
        columns = self._sections[bisect_right(self._starts, line_start) - 1]
        return columns is not None and columns.name(detector, rows, line_start, at)


class _KnownNames(dict[bytes, Columns | None]):
    """The columns of each list of names that statements have: most have the one before once more."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        super().__init__()
        self._detectors = tuple(detectors)

    def __missing__(self, names: bytes) -> Columns | None:
        if len(self) >= _LISTS_OF_NAMES:
            return None
        fields = [name.strip().strip(b"`[]") for name in names.split(b",")]
        self[names] = found = Columns._named(b",", fields, self._detectors)
        return found


class InsertedColumns(Columns):
    """The columns that the statements of a dump in SQL name before their rows; elsewhere `others` hold.

    ISO/IEC 9075-2, "insert statement" and "character string literal"; MySQL, "INSERT Statement", "String Literals".
    """

    def __init__(self, others: Columns | None, named: Collection[str], known: "_KnownNames") -> None:
        super().__init__(others._delimiter if others else b",", {detector: frozenset[int]() for detector in named})
        self._others = others
        self._known = known

    @classmethod
    def within(cls, text: bytes, others: Columns | None, detectors: Iterable[Detector]) -> Columns | None:
        """Return the columns of a text in which `others` hold elsewhere: these where no statement names any."""
        known = _KnownNames(detectors)
        statements = [known[found[1]] for found in _INSERT.finditer(text)]
        named = {detector for columns in statements if columns for detector in columns._columns_of}
        return cls(others, named, known) if named else others

    def concerns(self, detector: str) -> bool:
        """Return whether a column of a statement, or of the others, is named for `detector`."""
        return super().concerns(detector) or bool(self._others and self._others.concerns(detector))

    def rows(self, text: bytes) -> "DelimitedRows":
        """Return the rows of a text that has these columns."""
        return InsertedRows(text, self._delimiter, self._known)

    def name(self, detector: str, rows: "DelimitedRows", line_start: int, at: int) -> bool:
        """Return whether the value at `at` is in a column named for `detector`, by its statement or else the others."""
        if isinstance(rows, InsertedRows) and (cell := rows.cell(at)):
            columns, number = cell
            return number in columns._columns_of.get(detector, ())
        return bool(self._others and self._others.name(detector, rows, line_start, at))


def columns_from(
    text: bytes, start: int, end: int, known: Columns | None, detectors: Iterable[Detector]
) -> tuple[Columns | None, Columns | None]:
    """Return the columns of `text[start:end]`, and those that hold at its end, where `known` hold at its beginning."""
    here, after = _copied_from(text, start, end, known, detectors)
    if any(word in text for word in _INSERT_WORDS):
        here = InsertedColumns.within(text, here, detectors)
    return here, after


def _copied_from(
    text: bytes, start: int, end: int, known: Columns | None, detectors: Iterable[Detector]
) -> tuple[Columns | None, Columns | None]:
    # The longest part of the statement takes the least time to look for.
    if b") FROM stdin;" not in text and (known is None or b"\\." not in text):
        return known, known
    sections = [(0, known)]
    for found in _COPY.finditer(text, start, end):
        fields = found[1].split(b",") if found[1] else []
        sections.append((found.end(), Columns._named(b"\t", fields, detectors) if fields else None))
    return (CopiedColumns(sections) if len(sections) > 1 else known), sections[-1][1]


class DelimitedRows:
    """The rows of a delimited text. Places are asked for in ascending order, or nearly so: each byte is read once."""

    def __init__(self, text: bytes, delimiter: bytes) -> None:
        self._text = text
        self._delimiter = delimiter
        self._sign = re.compile(b'["%b]' % re.escape(delimiter))
        self._line = -1
        # Of the current line: where its quotes are, and its delimiters outside of quotes and inside of them.
        self._quotes: list[int] = []
        self._parted: tuple[list[int], list[int]] = [], []
        # Up to which line quotes are counted, and the last line start behind an even and an odd number of them.
        self._counted, self._odd = 0, 0
        self._last = [0, -1]
        self._row = (-1, 0, 0, 0)

    def column(self, line_start: int, at: int) -> int:
        """Return the column of the place `at` in the line from `line_start` on; they are counted from 0.

        A delimiter between quotes is part of a value; quotes inside of values come in pairs.
        """
        near = at - line_start <= _NEAR
        parts = self._text[line_start:at].split(b'"') if near else []
        if not near and self._line != line_start:
            self._read(line_start)
        inside = (len(parts) - 1) % 2 if near else bisect_left(self._quotes, at) % 2
        before = 0
        if inside and (start := self._row_start(line_start)) >= 0:
            # A value in quotes has begun on a line before (RFC 4180, section 2.6).
            before = self._delimiters(start, line_start)
        else:
            inside = 0
        if near:
            return before + sum(part.count(self._delimiter) for part in parts[inside::2])
        return before + bisect_left(self._parted[inside], at)

    def _read(self, line_start: int) -> None:
        self._line = line_start
        self._quotes, self._parted = [], ([], [])
        end = self._text.find(b"\n", line_start)
        for sign in self._sign.finditer(self._text, line_start, end if end >= 0 else len(self._text)):
            if sign[0] == b'"':
                self._quotes.append(sign.start())
            else:
                self._parted[len(self._quotes) % 2].append(sign.start())

    def _row_start(self, line_start: int) -> int:
        """Return where the nearest line begins with an odd number of quotes from it to `line_start`; -1 without one."""
        text = self._text
        if line_start < self._counted or line_start - self._counted > _LINE_LIMIT:
            self._counted = text.rfind(b"\n", 0, max(0, line_start - _LINE_LIMIT)) + 1
            self._odd, self._last = 0, [self._counted, -1]
        while self._counted < line_start:
            self._last[self._odd] = self._counted
            end = text.find(b"\n", self._counted) + 1
            self._odd ^= text.count(b'"', self._counted, end) % 2
            self._counted = end
        found = self._last[1 - self._odd]
        return found if 0 <= line_start - found <= _LINE_LIMIT else -1

    def _delimiters(self, start: int, end: int) -> int:
        """Return how many delimiters stand outside of quotes from `start` to `end`, both where lines begin."""
        known, upto, odd, count = self._row
        if known != start or upto > end:
            upto, odd, count = start, 0, 0
        parts = self._text[upto:end].split(b'"')
        count += sum(part.count(self._delimiter) for part in parts[odd::2])
        self._row = (start, end, (odd + len(parts) - 1) % 2, count)
        return count


class InsertedRows(DelimitedRows):
    """The rows of the statements in a text of SQL, and what else is delimited in it."""

    def __init__(self, text: bytes, delimiter: bytes, known: _KnownNames) -> None:
        super().__init__(text, delimiter)
        self._cells: list[tuple[int, int, int, Columns]] = []
        statements = [*_INSERT.finditer(text)]
        # Where the next begins, one without an end has ended.
        limits = [*(found.start() for found in statements[1:]), len(text)]
        for found, limit in zip(statements, limits, strict=False):
            if columns := known[found[1]]:
                self._cells += ((*cell, columns) for cell in _cells(text, found.end(), limit))
        self._starts = [start for start, *_ in self._cells]

    def cell(self, at: int) -> tuple[Columns, int] | None:
        """Return the columns of the statement that a value at `at` stands in, and which of them it is in."""
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return None
        _, end, number, columns = self._cells[index]
        return (columns, number) if at < end else None


def _cells(text: bytes, start: int, limit: int) -> Iterator[tuple[int, int, int]]:
    """Yield where each value of some rows begins and ends, and which of its row it is, up to the statement's end."""
    depth = number = 0
    for part in _SQL_PART.finditer(text, start, limit):
        sign = part[4]
        if sign == b"(":
            depth += 1
            number = 0 if depth == 1 else number
        elif sign == b")":
            depth -= 1
        elif sign == b"," and depth:
            number += depth == 1
        elif sign is None and depth:
            first, last = part.span(2) if part[1] else part.span()
            yield first, last, number
        if (part[1] and not part[3]) or (not depth and sign not in {b")", b","} and not part[0].isspace()):
            # A string without an end; another statement, or what follows the rows of this one.
            return


def _has_rows(lines: Sequence[bytes], delimiter: bytes) -> bool:
    """Return whether most lines below some names may be rows; they may be shorter, and quotes may hold line ends."""
    return any(b'"' in line for line in lines) or 2 * sum(delimiter in line for line in lines) >= len(lines)


def _fields(line: bytes, delimiter: bytes) -> list[bytes]:
    """Return the fields of a row; a delimiter between quotes is part of one (RFC 4180, section 2.6)."""
    if b'"' not in line:
        return line.split(delimiter)
    parts = line.split(b'"')
    plain = b'"'.join(part if number % 2 == 0 else part.replace(delimiter, b" ") for number, part in enumerate(parts))
    return plain.split(delimiter)
