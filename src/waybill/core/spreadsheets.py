"""Tables for spreadsheets: CSV (RFC 4180), in which no cell is taken for a formula."""

import csv
from collections.abc import Iterable
from typing import Protocol

# OWASP, "CSV Injection": a cell that begins like this, in full width too, is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class TextFile(Protocol):
    """What a table is written to; opened with `newline=""`, since the lines have their ends."""

    def write(self, text: str, /) -> object:
        """Write `text`."""
        ...


def write_rows(file: TextFile, rows: Iterable[Iterable[object]]) -> int:
    """Write the rows, None as an empty cell, and return how many they are."""
    writer, written = csv.writer(file), 0
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        written += 1
    return written


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
