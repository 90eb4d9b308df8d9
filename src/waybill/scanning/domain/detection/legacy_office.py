"""Workbooks of Excel 95 to 2003, by xlrd, and the texts of presentations of PowerPoint 97 to 2003.

[MS-PPT] 2.3.1 (headers of records), 2.9.42 and 2.9.43 (texts of slides), 2.2.3 (other texts).
"""

import struct
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from waybill.scanning.domain.detection.budget import Budget, UnreadableError
from waybill.scanning.domain.detection.member import Member, named, refused, text_of
from waybill.scanning.domain.detection.tables import Rows, line_of
from waybill.scanning.domain.detection.workbook import letters_of

BOOKS = frozenset({"Workbook", "Book"})
SLIDES = "PowerPoint Document"
_WIDE_TEXTS, _TEXT = frozenset({0x0FA0, 0x0FBA}), 0x0FA8
_CONTAINER = 0xF


def workbook_members(outer: Member, content: bytes, budget: Budget) -> Iterator[Member]:
    """Yield the sheets of a workbook; what stands in it besides cells is told of and not read."""
    import xlrd

    rest = named(outer, "workbook besides its cells", budget)
    with StringIO() as told:
        try:
            book: Any = xlrd.open_workbook(file_contents=content, on_demand=True, ragged_rows=True, logfile=told)
            names: Sequence[str] = book.sheet_names()
        except MemoryError:  # says something about the limit, and not about the file
            raise
        except Exception as error:
            # Whatever it makes of hostile bytes; its word for a password is an error like the others.
            yield refused(rest, "ENCRYPTED" if "encrypted" in str(error).lower() else "ARCHIVE_BROKEN")
            return
        for number, name in enumerate(names):
            budget.enter()
            path = named(outer, line_of(name), budget)
            text = text_of(_lines(book, number), budget, budget.limits.total_bytes)
            yield Member(path, text, plain=True, place=_place(line_of(name)))
    # Texts in boxes, comments, headers, formulas.
    yield refused(rest, "UNSUPPORTED_TYPE")


def _place(sheet: str) -> Any:
    return lambda line, cell: f"{sheet}!{letters_of(cell)}{line}"


def _lines(book: Any, number: int) -> Iterator[str]:
    try:
        sheet = book.sheet_by_index(number)
        rows = Rows([], ([_shown(value) for value in sheet.row_values(row)] for row in range(sheet.nrows)))
    except MemoryError:  # as above
        raise
    except Exception as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error
    lines = rows.lines()
    next(lines)
    yield from lines
    book.unload_sheet(number)


def _shown(value: object) -> object:
    # Every number is one with a fraction here.
    return format(value, ".0f") if isinstance(value, float) and value.is_integer() else value


def slide_texts(content: bytes) -> Iterator[str]:
    """Yield the texts of a presentation, a line each."""
    place = 0
    while place + 8 <= len(content):
        version, kind, length = struct.unpack_from("<HHL", content, place)
        place += 8
        if version & 0xF == _CONTAINER:
            continue
        if kind in _WIDE_TEXTS:
            yield _line(content[place : place + length].decode("utf-16-le", "replace"))
        elif kind == _TEXT:
            yield _line(content[place : place + length].decode("latin-1"))
        place += length


def _line(text: str) -> str:
    # Paragraphs end with a carriage return, lines within them with a vertical tab.
    return text.replace("\r", "\n").replace("\v", "\n") + "\n"
