"""The rows of an Excel workbook: a line per row, its number that of the row, tabs between the columns.

ECMA-376, part 1: 18.2 (workbook), 18.3 (worksheets), 18.4 (shared strings), 18.18.11 (types of cells).
"""

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO
from xml.parsers import expat

from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.budget import CHUNK, RATIO_FREE_BYTES, UnreadableError
from waybill.scanning.domain.detection.tables import line_of

_STRINGS = "xl/sharedStrings.xml"
_PART_BYTES = 64 << 20
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
# ECMA-376, part 1, 18.3.1.46: where a section of a header begins, what is filled in, and how it looks.
_HEADERS = frozenset(f"{page}{part}" for page in ("odd", "even", "first") for part in ("Header", "Footer"))
_HEADER_CODE = re.compile(
    r"&(?:(?P<text>&)|(?P<apart>[LCRPNDTZFAGlcrpndtzfag])|[BIUESXYOHbiuesxyoh]|\"[^\"]{0,120}\"|[0-9]{1,3}"
    r"|[Kk](?:[0-9A-Fa-f]{6}|[0-9]{2}[+-][0-9]{3}))"
)
_RATIO = 100
# No value that is looked for is shorter.
_SHORT = 6
_OUTSIDE = 100_000
_COLUMNS = 16_384
_ROWS = 1_048_576


class Workbook:
    """The sheets of a workbook by the names of their parts, and the strings that they share.

    `sheets` has the parts of sheets and their names, `strings` the part of the shared strings, empty without one.
    """

    def __init__(self, sheets: dict[str, str], shared: list[str], strings: str) -> None:
        self.sheets = sheets
        self.strings = strings
        self._shared = shared
        self._used = bytearray(len(shared))
        self._rows: dict[str, _Rows] = {}

    @classmethod
    def of(cls, file: BinaryIO) -> "Workbook | None":
        """Return the workbook in a package; None when it is none, or one whose strings cannot be read."""
        try:
            file.seek(0)
            with zipfile.ZipFile(file) as package:
                names = set(package.namelist())
                if "xl/workbook.xml" not in names:
                    return None
                shared = list(_strings(_whole(package, _STRINGS))) if _STRINGS in names else []
                found = cls(_sheets(package), shared, _STRINGS if _STRINGS in names else "")
                return found if found.sheets else None
        except (expat.ExpatError, UnreadableError, zipfile.BadZipFile, OSError, ValueError, LookupError, RuntimeError):
            return None

    def rows(self, part: str, read: Read) -> Iterator[str]:
        """Yield the lines of a sheet.

        Raises
        ------
        UnreadableError
            Its XML is broken, or its rows are far longer than it: cells may stand at any place, and share any string.
        """
        given = size = 0

        def counted(count: int) -> bytes:
            nonlocal given
            part = read(count)
            given += len(part)
            return part

        rows = self._rows[part] = _Rows(self._shared, self._used)
        for line in rows.lines(counted):
            size += len(line)
            if size > RATIO_FREE_BYTES + _RATIO * given:
                raise UnreadableError("ARCHIVE_RATIO")
            yield line

    def place(self, part: str) -> Callable[[int, int], str]:
        """Return what tells the name of a cell by its line and its column; what is in no cell is in the sheet."""
        sheet = self.sheets[part]

        def place(line: int, cell: int) -> str:
            rows = self._rows.get(part)
            return sheet if rows and rows.ended and line > rows.line else f"{sheet}!{letters_of(cell)}{line}"

        return place

    def unused(self) -> Iterator[str]:
        """Yield the strings that no sheet has shown."""
        return (f"{line_of(text)}\n" for text, used in zip(self._shared, self._used, strict=True) if not used)


def letters_of(column: int) -> str:
    """Return what a column is called, which is counted from 0."""
    text = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        text = chr(65 + letter) + text
    return text


def _whole(package: zipfile.ZipFile, name: str) -> bytes:
    if package.getinfo(name).file_size > _PART_BYTES:
        raise UnreadableError("ARCHIVE_TOO_LARGE")
    with package.open(name) as part:
        content = part.read(_PART_BYTES + 1)
    if len(content) > _PART_BYTES:
        raise UnreadableError("ARCHIVE_TOO_LARGE")
    return content


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise UnreadableError("ARCHIVE_BROKEN")

    # Documents of Office have no such declaration, with which entities would come.
    parser.StartDoctypeDeclHandler = refuse
    return parser


def _elements(content: bytes, wanted: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of the elements of a name, without their namespaces."""
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == wanted:
            found.append({key.rpartition(" ")[2]: value for key, value in attributes.items()})

    parser = _parser()
    parser.StartElementHandler = start
    parser.Parse(content, True)
    yield from found


def _sheets(package: zipfile.ZipFile) -> dict[str, str]:
    targets = {
        each["Id"]: posixpath.normpath(posixpath.join("/xl", each["Target"])).lstrip("/")
        for each in _elements(_whole(package, "xl/_rels/workbook.xml.rels"), "Relationship")
    }
    sheets = _elements(_whole(package, "xl/workbook.xml"), "sheet")
    return {targets[each["id"]]: line_of(each["name"]) for each in sheets if each.get("id") in targets}


def _strings(content: bytes) -> Iterator[str]:
    found: list[str] = []
    parts: list[str] = []
    within = [False]

    def start(name: str, _: dict[str, str]) -> None:
        within[0] = name.endswith(" t")
        if name.endswith(" rPh"):
            # How it is pronounced stands behind the text (ECMA-376, part 1, 18.4.6).
            parts.append(" ")

    def end(name: str) -> None:
        within[0] = False
        if name.endswith(" si"):
            found.append("".join(parts))
            parts.clear()

    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: parts.append(text) if within[0] else None
    parser.Parse(content, True)
    return iter(found)


class _Rows:
    """Makes lines of a sheet's XML, while it is read."""

    def __init__(self, shared: list[str], used: bytearray) -> None:
        self._shared, self._used = shared, used
        self._lines: list[str] = []
        self.line = 0
        self._cells: dict[int, str] = {}
        self._row = self._column = 0
        self._kind = ""
        self._text: list[str] = []
        self._formula: list[str] = []
        self._in = ""
        self.ended = False
        self._outside: dict[str, None] = {}

    def lines(self, read: Read) -> Iterator[str]:
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        try:
            while chunk := read(CHUNK):
                parser.Parse(chunk)
                yield from self._lines
                self._lines.clear()
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            yield from self._lines
            raise UnreadableError("ARCHIVE_BROKEN") from error
        yield from self._lines
        self.ended = True
        # Headers and footers, texts of hints and the like.
        yield from (f"{line_of(text)}\n" for text in self._outside)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(" ")[2]
        if element == "row":
            with suppress(ValueError):
                self._row = max(self._row + 1, int(attributes.get("r", self._row + 1)))
            self._cells, self._column = {}, -1
        elif element == "c":
            place = _CELL.fullmatch(attributes.get("r", ""))
            self._column = _number(place[1]) if place else self._column + 1
            self._kind = attributes.get("t", "n")
            self._text, self._formula = [], []
        elif element in {"v", "t", "f"}:
            self._in = element
        elif element == "rPh":
            self._text.append(" ")
        else:
            self._in = "header" if element in _HEADERS else ""
            # What is written in attributes: hints, titles of validations, addresses of links.
            for value in attributes.values():
                if len(value) > _SHORT and any(map(str.isalpha, value)):
                    self._tell(value)

    def _characters(self, text: str) -> None:
        if self._in in {"v", "t"}:
            self._text.append(text)
        elif self._in == "f":
            self._formula.append(text)
        elif self._in == "header":
            self._tell(_HEADER_CODE.sub(lambda code: code["text"] or (" " if code["apart"] else ""), text))
        elif text.strip():
            self._tell(text)

    def _tell(self, text: str) -> None:
        self._outside[text] = None
        if len(self._outside) > _OUTSIDE:
            raise UnreadableError("ARCHIVE_TOO_LARGE")

    def _end(self, name: str) -> None:
        self._in = ""
        element = name.rpartition(" ")[2]
        if element == "c":
            if text := self._value():
                self._cells[min(self._column, _COLUMNS - 1)] = text
        elif element == "row":
            self._close()

    def _value(self) -> str:
        text = "".join(self._text)
        if self._kind == "s":
            index = int(text) if text.strip().isdecimal() else -1
            if not 0 <= index < len(self._shared):
                return ""
            self._used[index] = 1
            return line_of(self._shared[index])
        if self._kind == "n" and "E" in text:
            with suppress(ValueError, OverflowError):
                text = format(float(text), ".0f")
        formula = "".join(self._formula)
        return line_of(f"{text} {formula}".strip() if '"' in formula else text)

    def _close(self) -> None:
        number = min(self._row, _ROWS)
        if self._cells:
            self._lines.append("\n" * max(0, number - 1 - self.line))
            self.line = max(self.line + 1, number)
            last = max(self._cells)
            self._lines.append("\t".join(self._cells.get(column, "") for column in range(last + 1)) + "\n")


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
