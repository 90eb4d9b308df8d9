"""Column names of delimited text: what stands in the first line says what the values below it are."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from waybill.scanning.domain.detection.column_names import ColumnNames, names_of
from waybill.scanning.domain.detection.rules import Detector

_DELIMITERS = (b",", b"\t", b";", b"|")
# Whatever people write above a column, also nothing; signs that tell fields of a record from their values are none.
_NAME = re.compile(rb'\s*"?[^:={}\[\]<>"]{0,120}"?\s*')
_LETTER = rb"[A-Za-z\x80-\xff]"
_ONLY_NAME = re.compile(rb'\s*"?(?:_|%b)%b{0,79}(?:[ _-](?:_|%b)%b{0,79}){0,3}"?\s*' % (4 * (_LETTER,)))
JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*[\[{\"])")
"""RFC 8259, section 2: what an object begins with, or a list of lists, objects or strings; its lines are no rows."""
_LINE_LIMIT = 8192
_TITLE_LINES, _ROWS = 6, 6
# Statements of programs that list names, which people write with a blank behind the comma; and those of SQL, which name
# what stands in them.
_STATEMENT = re.compile(
    rb"(?i:\s*(?:insert\s+(?:ignore\s+)?into|replace\s+into|create\s+table|copy\s+[\w.\"]{1,128}\s{0,4}\()\s{0,4}\S)"
    rb"|\s*(?:import|from[ \t]+[\w.]+[ \t]+import|export|global|nonlocal|return|yield|del|const|let|var|select)"
    rb"[ \t]+[^,\n]{1,80},[ \t]"
)
# Up to here it takes less time to read a line for each value of it.
_NEAR = 256


class NamedRows(Protocol):
    """The rows of one text, and what names their columns."""

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at `at`, in the line from `line_start` on, is in a column named for `detector`."""
        ...


class ColumnsOfText(Protocol):
    """What names the columns of a text, or of some of its parts."""

    @property
    def detectors(self) -> Collection[str]:
        """The ids of the detectors that a column is named for."""
        ...

    def rows(self, text: bytes) -> NamedRows:
        """Return the rows of the text."""
        ...


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
        if JSON.match(head):
            return None
        names = names_of(tuple(detectors))
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
                if found := cls.named(delimiter, fields, names):
                    return found
        # A single column has no delimiter, and its name is a word or a few.
        first = next((line for line in lines if line and line[:1] != b"#"), b"")
        return cls.named(_DELIMITERS[0], [first], names) if _ONLY_NAME.fullmatch(first) else None

    @classmethod
    def named(cls, delimiter: bytes, fields: Iterable[bytes], names: ColumnNames) -> "Columns | None":
        """Return the columns that have some names, None when these name no detector."""
        named = names.detectors(field.strip().strip(b'"') for field in fields)
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

    @property
    def detectors(self) -> Collection[str]:
        """The ids of the detectors that a column is named for."""
        return self._columns_of.keys()

    def concerns(self, detector: str) -> bool:
        """Return whether a column is named for `detector`."""
        return detector in self._columns_of

    def numbers(self, detector: str) -> Collection[int]:
        """Return the numbers of the columns that are named for `detector`, from 0."""
        return self._columns_of.get(detector, ())

    def rows(self, text: bytes) -> "NamedRows":
        """Return the rows of a text that has these columns."""
        return _Rows(self, DelimitedRows(text, self._delimiter))


class _Rows:
    """The rows of a text that has the same columns everywhere."""

    def __init__(self, columns: Columns, rows: "DelimitedRows") -> None:
        self._columns = columns
        self._rows = rows

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at a place is in a column named for `detector`, see `NamedRows`."""
        columns = self._columns.numbers(detector)
        return bool(columns) and self._rows.column(line_start, at) in columns


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
