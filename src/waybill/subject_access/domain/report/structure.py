"""What pages show, as a screen reader is told of it: headings, paragraphs, tables and lists in reading order.

The names of elements are those of ISO 32000-1, 14.8.4. A long table has a hundred thousand of them, so they are written
down as they come, a line each, and packed: nothing of them stays in memory. `tagging` makes objects of them.

| line | says |
|---|---|
| ``+TAG attributes`` | an element begins |
| ``-`` | it ends |
| ``=TAG marks attributes`` | an element without others in it; marks are ``page.number``, parted by commas |

Attributes are JSON. There is text in them where a picture is described, and where letters run from right to left: both
go with the mark that they belong to, when its page is hidden.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

_BUFFERED: Final = 2_000
_READ: Final = 65_536
# ISO 32000-1, table 335 has no deeper ones.
_DEEPEST_HEADING: Final = 6
_CONTAINERS: Final = ("Table", "L")
# Attributes that repeat in words what is marked.
TEXTS: Final = ("Alt", "ActualText")
_NO_ATTRIBUTES: Final[Mapping[str, str | int]] = {}

type Attributes = Mapping[str, str | int]


class Mark(NamedTuple):
    """Something marked on a page: the page counts from 1 within its file, the number from 0 within the page."""

    page: int
    number: int


class Cell(NamedTuple):
    """What stands in a row: its tag, its marks, its attributes (``Scope``, ``Alt``, ``Link``)."""

    tag: str
    marks: Sequence[Mark]
    attributes: Attributes = _NO_ATTRIBUTES


class Structure:
    """Writes down what is drawn.

    Parameters
    ----------
    file : Path
        Where to.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._packer = zlib.compressobj(1)
        self._lines: list[str] = []
        self._headings: list[int] = []
        self._container = ""
        self._texts: dict[Mark, str] = {}
        file.write_bytes(b"")

    def tell(self, mark: Mark, text: str) -> None:
        """Say what is marked, where readers would not find the letters in their order by themselves."""
        self._texts[mark] = text

    def heading(self, level: int, marks: Sequence[Mark]) -> None:
        """Add a heading; no level is left out on the way down (ISO 14289-1, 7.4.2)."""
        while self._headings and self._headings[-1] >= level:
            self._headings.pop()
        self._headings.append(level)
        self.leaf(f"H{min(len(self._headings), _DEEPEST_HEADING)}", marks)

    def leaf(self, tag: str, marks: Sequence[Mark], attributes: Attributes = _NO_ATTRIBUTES) -> None:
        """Add an element of the page, which has nothing but what is marked."""
        self.within("")
        self._element(Cell(tag, marks, attributes))

    def within(self, container: str, attributes: Attributes = _NO_ATTRIBUTES) -> None:
        """Go on in a list or a summary list, beginning it where something else came last; with none, on the page."""
        if container == self._container:
            return
        self._end_container()
        self._container = container
        if container:
            self._write(_line("+", container, (), attributes))

    def begin(self, container: str) -> None:
        """Begin a table, also behind another one."""
        self._end_container()
        self.within(container)

    def row(self, cells: Iterable[Cell], tag: str = "TR") -> None:
        """Add a row of a table, or an item of a list, with what is in it."""
        self._write(f"+{tag}")
        for cell in cells:
            self._element(cell)
        self._write("-")

    def _element(self, cell: Cell) -> None:
        if not self._texts or self._texts.keys().isdisjoint(cell.marks) or "Link" in cell.attributes:
            self._write(_line("=", *cell))
            return
        self._write(_line("+", cell.tag, (), cell.attributes))
        for mark in cell.marks:
            text = self._texts.pop(mark, None)
            self._write(_line("=", "Span", [mark], {"ActualText": text} if text else _NO_ATTRIBUTES))
        self._write("-")

    def close(self) -> Path:
        """End what is open, and return the file."""
        self._end_container()
        self._flush()
        with self._file.open("ab") as out:
            out.write(self._packer.flush())
        return self._file

    def _end_container(self) -> None:
        if self._container:
            self._write("-")
        self._container = ""

    def _write(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) >= _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines = []
        with self._file.open("ab") as out:
            out.write(self._packer.compress(text.encode()))


class Element(NamedTuple):
    """A line of what was written down: `kind` is ``+``, ``-`` or ``=``."""

    kind: str
    tag: str = ""
    marks: Sequence[Mark] = ()
    attributes: Attributes = _NO_ATTRIBUTES

    @classmethod
    def of(cls, line: str) -> Self:
        """Read a line."""
        if line == "-":
            return cls("-")
        tag, _, rest = line[1:].partition(" ")
        marks, _, attributes = rest.partition(" ")
        return cls(line[:1], tag, [_mark(one) for one in marks.split(",")] if marks else (), _attributes(attributes))

    @property
    def line(self) -> str:
        """The line as it is written."""
        return "-" if self.kind == "-" else _line(self.kind, self.tag, self.marks, self.attributes)


def lines_of(packed: bytes) -> Iterator[list[str]]:
    """Read the lines of what `Structure` wrote, some at a time."""
    unpacker, rest = zlib.decompressobj(), b""
    for begin in range(0, len(packed), _READ):
        *lines, rest = (rest + unpacker.decompress(packed[begin : begin + _READ])).split(b"\n")
        # JSON has no other characters.
        yield b"\n".join(lines).decode("ascii").split("\n") if lines else []


def elements(packed: bytes) -> Iterator[Element]:
    """Read what `Structure` wrote, a little at a time."""
    return (Element.of(line) for lines in lines_of(packed) for line in lines)


def packed(found: Iterable[Element]) -> bytes:
    """Write elements as `Structure` does."""
    packer = zlib.compressobj(1)
    return b"".join([*(packer.compress(f"{one.line}\n".encode()) for one in found), packer.flush()])


def without_pages(found: Iterable[Element], hidden: Collection[int]) -> Iterator[Element]:
    """Leave out what is marked on the pages `hidden`, which have one paragraph each instead.

    Of a row of which something is left, every cell stays, so that the table has as many in each.
    """
    waiting, depth = sorted(hidden, reverse=True), 0
    for group in _groups(found):
        kept = [_without_marks(one, hidden) for one in group]
        first = next((one.marks[0].page for one in kept if one.marks), None)
        while waiting and depth == 0 and first is not None and first > waiting[-1]:
            yield _hidden(waiting.pop())
        depth += sum({"+": 1, "-": -1}.get(one.kind, 0) for one in group)
        if first is not None or not any(one.marks for one in group):
            yield from kept
    yield from map(_hidden, reversed(waiting))


def _groups(found: Iterable[Element]) -> Iterator[list[Element]]:
    """Yield elements with what is in them, but of tables and lists their beginning and end by themselves."""
    group: list[Element] = []
    depth = 0
    for one in found:
        group.append(one)
        if group[0].tag not in _CONTAINERS:
            depth += {"+": 1, "-": -1}.get(one.kind, 0)
        if depth <= 0:
            yield group
            group, depth = [], 0


def _without_marks(one: Element, hidden: Collection[int]) -> Element:
    """Return an element without what is marked on the pages `hidden`, and without the text that stood for it."""
    marks = [mark for mark in one.marks if mark.page not in hidden]
    if len(marks) == len(one.marks):
        return one
    told = {name: value for name, value in one.attributes.items() if name not in TEXTS}
    return one._replace(marks=marks, attributes=told)


def _hidden(page: int) -> Element:
    return Element("=", "P", [Mark(page, 0)])


def _mark(text: str) -> Mark:
    page, _, number = text.partition(".")
    return Mark(int(page), int(number))


def _line(kind: str, tag: str, marks: Sequence[Mark], attributes: Attributes) -> str:
    if len(marks) == 1 and not attributes:
        (page, number) = marks[0]
        return f"{kind}{tag} {page}.{number}"
    told = json.dumps(dict(attributes)) if attributes else ""
    return f"{kind}{tag} {','.join(f'{page}.{number}' for page, number in marks)} {told}".rstrip()


def _attributes(text: str) -> Attributes:
    told: Attributes = json.loads(text) if text else _NO_ATTRIBUTES
    return told
