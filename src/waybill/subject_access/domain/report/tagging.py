"""Makes a tagged file of one that is written: a structure tree, which screen readers read (ISO 14289-1, PDF/UA-1).

The tree of a long table has more objects than a library can hold in memory, so it is written behind the pages, as an
addition to the file (ISO 32000-1, 7.5.6) in packed streams of objects. The one object that the addition replaces is
the empty root of the tree, which `prepare` puts there.
"""

import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, chain
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

import pikepdf
from pikepdf import Dictionary, Name

from waybill.subject_access.domain.report.structure import TEXTS, Attributes, Element, Mark, lines_of

_OBJECTS_PER_STREAM: Final = 400
_PAGES_PER_LEAF: Final = 200
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
        self._first = self._next = size
        self._replaced: dict[int, tuple[int, int, int]] = {}
        self._kinds, self._wheres, self._places = array("B"), array("Q"), array("H")
        self._waiting: list[tuple[int, str]] = []

    def number(self) -> int:
        """Return the number of a new object."""
        self._next += 1
        return self._next - 1

    def put(self, number: int, text: str) -> None:
        """Add an object."""
        self._waiting.append((number, text))
        if len(self._waiting) >= _OBJECTS_PER_STREAM:
            self._flush()

    def end(self, trailer: str) -> None:
        """Write where everything is."""
        self._flush()
        number = self.number()
        self._grow()
        self._at(number, _IN_FILE, self._out.tell(), 0)
        count = len(self._kinds)
        packer = zlib.compressobj(6)
        replaced = sorted(self._replaced.items())
        entries = chain((entry for _, entry in replaced), zip(self._kinds, self._wheres, self._places, strict=True))
        rows = b"".join(
            packer.compress(b"".join(_ENTRY.pack(*entry) for entry in some))
            for some in batched(entries, _OBJECTS_PER_STREAM, strict=False)
        )
        index = " ".join(f"{one} 1" for one, _ in replaced)
        begin = self._out.tell()
        self._stream(
            number,
            f"/Type/XRef/Size {self._first + count}/W[1 8 2]/Index[{index} {self._first} {count}]"
            f"/Prev {self._before}{trailer}",
            rows + packer.flush(),
        )
        self._out.write(f"startxref\n{begin}\n%%EOF\n".encode())

    def _at(self, number: int, kind: int, where: int, place: int) -> None:
        if number < self._first:
            self._replaced[number] = (kind, where, place)
            return
        index = number - self._first
        self._kinds[index], self._wheres[index], self._places[index] = kind, where, place

    def _grow(self) -> None:
        """Make room for what was numbered; what is never put there stays free."""
        missing = self._next - self._first - len(self._kinds)
        for numbers in (self._kinds, self._wheres, self._places):
            numbers.frombytes(bytes(missing * numbers.itemsize))

    def _flush(self) -> None:
        if not self._waiting:
            return
        stream, heads, offset = self.number(), [], 0
        self._grow()
        first, kinds, wheres, places = self._first, self._kinds, self._wheres, self._places
        for place, (number, text) in enumerate(self._waiting):
            heads.append(f"{number} {offset}")
            offset += len(text) + 1
            if number < first:
                self._at(number, _IN_STREAM, stream, place)
            else:
                index = number - first
                kinds[index], wheres[index], places[index] = _IN_STREAM, stream, place
        head = " ".join(heads) + "\n"
        body = zlib.compress((head + "\n".join(text for _, text in self._waiting)).encode("ascii"), 6)
        self._at(stream, _IN_FILE, self._out.tell(), 0)
        told = f"/Type/ObjStm/N {len(self._waiting)}/First {len(head)}"
        self._waiting = []
        self._stream(stream, told, body)

    def _stream(self, number: int, told: str, body: bytes) -> None:
        head = f"{number} 0 obj\n<<{told}/Filter/FlateDecode/Length {len(body)}>>stream\n"
        self._out.write(head.encode("ascii") + body + b"\nendstream\nendobj\n")


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
            for line in lines:
                self._line(line, described.begin)
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

    def _line(self, line: str, before: int) -> None:
        """Add what a line says; of a long table nearly all are rows and cells of one mark, which say no more."""
        tag, space, rest = line[1:].partition(" ")
        page, dot, mark = rest.partition(".")
        if dot and mark.isdecimal() and page.isdecimal() and line[0] == "=":
            self._cell(tag, before + int(page) - 1, int(mark))
        elif line == "-":
            self._close()
        elif not space and line[0] == "+":
            self._begin(f"/S/{tag}", self._path[-1].number)
        else:
            self._element(Element.of(line), before)

    def _cell(self, tag: str, page: int, mark: int) -> None:
        number, around = self._addition.number(), self._path[-1]
        around.kids.append(number)
        owners = self._owners[page]
        if len(owners) == mark:
            owners.append(number)
        else:
            self._own(page, mark, number)
        self._addition.put(number, f"<</S/{tag}/P {around.number} 0 R/Pg {self._pages[page]} 0 R/K[{mark}]>>")

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
