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


class Columns:
    """The names in the first line of a text, and the detectors that they name."""

    def __init__(self, delimiter: bytes, named: Mapping[str, Collection[int]]) -> None:
        self._delimiter = delimiter
        self._columns_of = named

    @classmethod
    def of(cls, first_line: bytes, detectors: Iterable[Detector]) -> "Columns | None":
        """Return the columns that `first_line` names, None when it is no such line or none of them names a detector."""
        line = first_line[:_LINE_LIMIT].rstrip(b"\r\n")
        for delimiter in _DELIMITERS:
            fields = line.split(delimiter)
            if len(fields) > 1 and all(_NAME.fullmatch(field) for field in fields):
                return cls._named(delimiter, fields, detectors)
        # A single column has no delimiter, and its name is a word or a few.
        return cls._named(_DELIMITERS[0], [line], detectors) if _ONLY_NAME.fullmatch(line) else None

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

    def name(self, detector: str, before: bytes) -> bool:
        """Return whether the value behind `before`, the start of its line, is in a column named for `detector`."""
        columns = self._columns_of.get(detector)
        if not columns:
            return False
        # A delimiter between quotes is part of a value; quotes inside of values come in pairs.
        outside = b"".join(before.split(b'"')[::2]) if b'"' in before else before
        return outside.count(self._delimiter) in columns
