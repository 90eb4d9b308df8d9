"""Makes a tagged file of one that is written: a structure tree, which screen readers read (ISO 14289-1, PDF/UA-1).

The tree of a long table has more objects than a library can hold in memory, so it is written behind the pages, as an
addition to the file (ISO 32000-1, 7.5.6) in packed streams of objects. The one object that the addition replaces is
the empty root of the tree, which `prepare` puts there.
"""

import re
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, batched
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

import pikepdf
from pikepdf import Dictionary, Name

from waybill.subject_access.domain.report.structure import TEXTS, Attributes, Element, Mark, lines_of

_OBJECTS_PER_STREAM: Final = 400
_PAGES_PER_LEAF: Final = 200
# Half the time of the usual level, for a file that is larger by a fiftieth.
_PACKING: Final = 4
# A cell that has one mark, and says no more.
_CELL = re.compile(r"=(T[DH]) ([0-9]+)\.([0-9]+)")
# Where an attribute belongs (ISO 32000-1, 14.8.5).
_OWNERS: Final = {"Scope": "Table", "ListNumbering": "List"}
# Kind, offset or stream, place in the stream.
_ENTRY: Final = Struct(">BQH")
_IN_FILE, _IN_STREAM = 1, 2


@dataclass(frozen=True)
class Described:
    """What `structure.Structure` wrote of pages of a file; `begin` pages are before them."""

    begin: int
    structure: bytes


def prepare(pdf: pikepdf.Pdf) -> None:
    """Make a file ready to be tagged: pages and links have numbers, and the catalogue says that it is tagged."""
    for number, page in enumerate(pdf.pages):
        page.obj.StructParents = number
        page.obj.Tabs = Name.S
    for number, link in enumerate(_links(pdf), start=len(pdf.pages)):
        link.StructParent = number
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))


def tag(file: Path, described: Iterable[Described]) -> None:
    """Add the structure to a file that `prepare` made ready; the same input gives the same bytes."""
    with pikepdf.open(file) as pdf:
        trailer = pdf.trailer
        identity = "".join(f"<{bytes(one).hex()}>" for one in trailer.ID)
        pages = [page.obj.objgen[0] for page in pdf.pages]
        links = [link.objgen[0] for link in _links(pdf)]
        root, size = pdf.Root.StructTreeRoot.objgen[0], int(trailer.Size)
        told = f"/Root {pdf.Root.objgen[0]} 0 R/Info {trailer.Info.objgen[0]} 0 R/ID[{identity}]"
    with file.open("r+b") as out:
        addition = _Addition(out, size)
        tree = _Tree(addition, pages, links, root)
        for one in described:
            tree.add(one)
        tree.end()
        addition.end(told)


def _links(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    return (link for page in pdf.pages for link in page.obj.get("/Annots", ()))


class _Addition:
    """Objects that are added to a file, and where they are."""

    def __init__(self, out: BinaryIO, size: int) -> None:
        self._out = out
        out.seek(-64, 2)
        # The last cross-reference section of the file as it is.
        self._before = int(out.read().rpartition(b"startxref")[2].split()[0])
        out.seek(0, 2)
        out.write(b"\n")
        self._next = size
        # Objects whose numbers and places follow each other: the first number, how many, the entry of the first.
        self._runs: list[tuple[int, int, tuple[int, int, int]]] = []
        self._numbers: list[int] = []
        self._texts: list[str] = []

    def number(self, count: int = 1) -> int:
        """Return the number of a new object, or the first of several."""
        self._next += count
        return self._next - count

    def put(self, number: int, *texts: str) -> None:
        """Add an object, or several whose numbers follow each other."""
        self._numbers.extend(range(number, number + len(texts)))
        self._texts.extend(texts)
        if len(self._texts) >= _OBJECTS_PER_STREAM:
            self._flush()

    def end(self, trailer: str) -> None:
        """Write where everything is."""
        self._flush()
        number, begin = self.number(), self._out.tell()
        self._runs.append((number, 1, (_IN_FILE, begin, 0)))
        runs = sorted(self._runs)
        packer = zlib.compressobj(6)
        rows = b"".join(packer.compress(_entries(*run)) for run in runs)
        index = " ".join(f"{first} {count}" for first, count, _ in runs)
        self._stream(
            number,
            f"/Type/XRef/Size {self._next}/W[1 8 2]/Index[{index}]/Prev {self._before}{trailer}",
            rows + packer.flush(),
        )
        self._out.write(f"startxref\n{begin}\n%%EOF\n".encode())

    def _flush(self) -> None:
        numbers, texts = self._numbers, self._texts
        if not numbers:
            return
        self._numbers, self._texts = [], []
        stream = self.number()
        self._runs += [(first, count, (_IN_STREAM, stream, place)) for first, count, place in _runs(numbers)]
        offsets = accumulate((len(text) + 1 for text in texts), initial=0)
        head = " ".join([f"{number} {offset}" for number, offset in zip(numbers, offsets, strict=False)]) + "\n"
        body = zlib.compress((head + "\n".join(texts)).encode("ascii"), _PACKING)
        self._runs.append((stream, 1, (_IN_FILE, self._out.tell(), 0)))
        self._stream(stream, f"/Type/ObjStm/N {len(texts)}/First {len(head)}", body)

    def _stream(self, number: int, told: str, body: bytes) -> None:
        head = f"{number} 0 obj\n<<{told}/Filter/FlateDecode/Length {len(body)}>>stream\n"
        self._out.write(head.encode("ascii") + body + b"\nendstream\nendobj\n")


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield where numbers follow each other: the first, how many, and its place."""
    place = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            yield numbers[place], end - place, place
            place = end


def _entries(_: int, count: int, first: tuple[int, int, int]) -> bytes:
    """Return the entries of a run (ISO 32000-1, table 18)."""
    kind, where, place = first
    return b"".join([_ENTRY.pack(kind, where, place + index) for index in range(count)])


@dataclass
class _Open:
    """An element that has others, and is not finished."""

    number: int
    told: str
    kids: array[int]


class _Tree:
    def __init__(self, addition: _Addition, pages: Sequence[int], links: Sequence[int], root: int) -> None:
        self._addition = addition
        self._pages = pages
        self._links = links
        self._root = root
        self._linked: list[int] = []
        # For each page, the element of each of its marks.
        self._owners = [array("I") for _ in pages]
        self._path: list[_Open] = []
        self._begin("/S/Document", root)

    def add(self, described: Described) -> None:
        """Add a part of the document."""
        self._begin("/S/Sect", self._path[-1].number)
        for lines in lines_of(described.structure):
            self._lines(lines, described.begin)
        self._close()

    def end(self) -> None:
        """Write what leads from pages and links to the tree, and its root."""
        document = self._path[-1].number
        self._close()
        put, keys = self._addition.put, []
        for key, owners in enumerate(self._owners):
            number = self._addition.number()
            put(number, f"[{' '.join(f'{one} 0 R' if one else 'null' for one in owners)}]")
            keys.append((key, number))
        keys += enumerate(self._linked, start=len(self._pages))
        leaves = []
        for some in batched(keys, _PAGES_PER_LEAF, strict=False):
            leaves.append(self._addition.number())
            numbers = " ".join(f"{key} {number} 0 R" for key, number in some)
            put(leaves[-1], f"<</Limits[{some[0][0]} {some[-1][0]}]/Nums[{numbers}]>>")
        parents = self._addition.number()
        put(parents, f"<</Kids[{' '.join(f'{one} 0 R' for one in leaves)}]>>")
        put(
            self._root,
            f"<</Type/StructTreeRoot/K {document} 0 R/ParentTree {parents} 0 R/ParentTreeNextKey {len(keys)}>>",
        )

    def _lines(self, lines: Sequence[str], before: int) -> None:
        """Add what lines say; of a long table nearly all are rows of cells of one mark each, which say no more."""
        place, end = 0, len(lines)
        while place < end:
            behind = self._row(lines, place, before) if lines[place] == "+TR" else 0
            if not behind:
                self._element(Element.of(lines[place]), before)
            place = behind or place + 1

    def _row(self, lines: Sequence[str], begin: int, before: int) -> int:
        """Add a row as a whole, and return the line behind it; 0 where it is not all of such cells, on one page."""
        cells: list[tuple[str, str]] = []
        place, page = begin + 1, ""
        while place < len(lines) and (found := _CELL.fullmatch(lines[place])):
            tag, where, mark = found.groups()
            if where != page and cells:
                return 0
            page = where
            cells.append((tag, mark))
            place += 1
        if not cells or place == len(lines) or lines[place] != "-":
            return 0
        number, around, page_index = self._addition.number(len(cells) + 1), self._path[-1], before + int(page) - 1
        around.kids.append(number)
        owners = self._owners[page_index]
        if [int(mark) for _, mark in cells] == [*range(len(owners), len(owners) + len(cells))]:
            owners.extend(range(number + 1, number + 1 + len(cells)))
        else:
            for own, (_, mark) in enumerate(cells, number + 1):
                self._own(page_index, int(mark), own)
        kids = " ".join([f"{own} 0 R" for own in range(number + 1, number + 1 + len(cells))])
        told = f"/P {number} 0 R/Pg {self._pages[page_index]} 0 R/K["
        self._addition.put(
            number,
            f"<</S/TR/P {around.number} 0 R/K[{kids}]>>",
            *[f"<</S/{tag}{told}{mark}]>>" for tag, mark in cells],
        )
        return place + 1

    def _element(self, one: Element, before: int) -> None:
        if one.kind == "-":
            self._close()
        elif one.kind == "+":
            self._begin(f"/S/{one.tag}{_told(one.attributes)}", self._path[-1].number)
        elif "Link" in one.attributes:
            self._begin(f"/S/{one.tag}", self._path[-1].number)
            self._leaf("Link", one.marks, before, int(one.attributes["Link"]))
            self._close()
        else:
            self._leaf(f"{one.tag}{_told(one.attributes)}", one.marks, before)

    def _begin(self, told: str, parent: int) -> None:
        number = self._addition.number()
        if self._path:
            self._path[-1].kids.append(number)
        self._path.append(_Open(number, f"{told}/P {parent} 0 R", array("I")))

    def _close(self) -> None:
        ended = self._path.pop()
        kids = " ".join(f"{one} 0 R" for one in ended.kids)
        self._addition.put(ended.number, f"<<{ended.told}/K[{kids}]>>")

    def _leaf(self, told: str, marks: Sequence[Mark], before: int, link: int | None = None) -> None:
        number = self._addition.number()
        around = self._path[-1]
        around.kids.append(number)
        parent = around.number
        for mark in marks:
            self._own(before + mark.page - 1, mark.number, number)
        page = self._pages[before + marks[0].page - 1] if marks else 0
        content = (
            str(marks[0].number) if len(marks) == 1 else " ".join(self._content(mark, before, page) for mark in marks)
        )
        if link is not None:
            self._linked.append(number)
            content += f"<</Type/OBJR/Obj {self._links[link]} 0 R/Pg {page} 0 R>>"
        where = f"/Pg {page} 0 R/K[{content}]" if marks else ""
        self._addition.put(number, f"<</S/{told}/P {parent} 0 R{where}>>")

    def _content(self, mark: Mark, before: int, page: int) -> str:
        own = self._pages[before + mark.page - 1]
        return str(mark.number) if own == page else f"<</Type/MCR/Pg {own} 0 R/MCID {mark.number}>>"

    def _own(self, page: int, mark: int, element: int) -> None:
        owners = self._owners[page]
        while len(owners) <= mark:
            owners.append(0)
        owners[mark] = element


def _told(attributes: Attributes) -> str:
    if not attributes:
        return ""
    own = [f"/A<</O/{_OWNERS[name]}/{name}/{value}>>" for name, value in attributes.items() if name in _OWNERS]
    own += [
        f"/{name}<FEFF{str(attributes[name]).encode('utf-16-be').hex().upper()}>"
        for name in TEXTS
        if name in attributes
    ]
    return "".join(own)
