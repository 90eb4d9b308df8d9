"""Column names of delimited text: what stands in the first line says what the values below it are."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from waybill.scanning.domain.detection.rules import Detector

_DELIMITERS = (b",", b"\t", b";", b"|")
# Whatever people write above a column, also nothing; signs that tell fields of a record from their values are none.
_NAME = re.compile(rb'\s*"?[^:={}\[\]<>"]{0,120}"?\s*')
_ONLY_NAME = re.compile(rb'\s*"?[^\W\d][^\W\d_]{0,39}(?:[ _-][^\W\d][^\W\d_]{0,39}){0,3}"?\s*')
_LINE_LIMIT = 8192
_TITLE_LINES = 6


class Columns:
    """The names in the first line of a text, and the detectors that they name."""

    def __init__(self, delimiter: bytes, named: Mapping[str, Collection[int]]) -> None:
        self._delimiter = delimiter
        self._columns_of = named

    @classmethod
    def of(cls, head: bytes, detectors: Iterable[Detector]) -> "Columns | None":
        """Return the columns that the first lines of a text name, None when they name no detector.

        Titles and comments may stand before the names; they have fewer columns.
        """
        lines = [line[:_LINE_LIMIT] for line in head.split(b"\n") if line.strip()][:_TITLE_LINES]
        lines = [line.rstrip(b"\r") for line in lines]
        for number, line in enumerate(lines):
            for delimiter in _DELIMITERS:
                fields = _fields(line, delimiter)
                if len(fields) == 1 or not all(_NAME.fullmatch(field) for field in fields):
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

    def name(self, detector: str, text: bytes, line_start: int, at: int) -> bool:
        """Return whether the value at `at`, in the line from `line_start` on, is in a column named for `detector`."""
        columns = self._columns_of.get(detector)
        if not columns:
            return False
        before = text[line_start:at]
        # A delimiter between quotes is part of a value; quotes inside of values come in pairs.
        if b'"' in before:
            before = b"".join(_row_start(text, line_start, at).split(b'"')[::2])
        return before.count(self._delimiter) in columns


def _fields(line: bytes, delimiter: bytes) -> list[bytes]:
    """Return the fields of a row; a delimiter between quotes is part of one (RFC 4180, section 2.6)."""
    if b'"' not in line:
        return line.split(delimiter)
    parts = line.split(b'"')
    plain = b'"'.join(part if number % 2 == 0 else part.replace(delimiter, b" ") for number, part in enumerate(parts))
    return plain.split(delimiter)


def _row_start(text: bytes, line_start: int, at: int) -> bytes:
    """Return a row up to `at`: a value in quotes may have begun on a line before (RFC 4180, section 2.6)."""
    start = line_start
    while text.count(b'"', start, at) % 2 and start > 0 and line_start - start < _LINE_LIMIT:
        start = text.rfind(b"\n", 0, start - 1) + 1
    return text[start:at] if text.count(b'"', start, at) % 2 == 0 else text[line_start:at]
