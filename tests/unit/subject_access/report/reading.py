"""What a screen reader has of a file: its elements in reading order with their text; and what PDF/UA-1 asks of it.

Written from ISO 32000-1 (14.6 to 14.9) and ISO 14289-1, clause 7, whose numbers stand beside what is checked; it shares
nothing with what draws. It is not veraPDF, which no package registry has: fonts' programs are not looked into.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf

PAINTING = {"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "EI"}
TABLE_ROWS = {"/Table": {"/TR", "/THead", "/TBody"}, "/TR": {"/TH", "/TD"}, "/L": {"/LI"}, "/LI": {"/Lbl", "/LBody"}}


@dataclass
class Read:
    """An element: its tag, its text, its kids; `alt` where it has an alternative text."""

    tag: str
    text: str = ""
    alt: str = ""
    kids: list["Read"] = field(default_factory=list)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Tag and text of this and of all that is in it."""
        yield self.tag, self.alt or self.text
        for kid in self.kids:
            yield from kid.lines()

    def all(self, tag: str) -> list["Read"]:
        return [*([self] if self.tag == tag else []), *(one for kid in self.kids for one in kid.all(tag))]


@dataclass
class Reading:
    """A file that was read: `faults` are what PDF/UA-1 forbids."""

    root: Read
    faults: list[str]

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [one for one in self.root.lines() if one[1]]


def read(path: Path) -> Reading:
    """Read a file by its structure alone."""
    with pikepdf.open(path) as pdf:
        reader = _Reader(pdf)
        root = reader.element(pdf.Root.StructTreeRoot.K, "/Root")
        reader.check(root)
        return Reading(root, reader.faults)


class _Reader:
    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.pdf = pdf
        self.faults: list[str] = []
        self._texts = {page.obj.objgen: self._marked(number, page) for number, page in enumerate(pdf.pages)}
        self._used: set[tuple[Any, int]] = set()
        self._parents = dict(self._tree(pdf.Root.StructTreeRoot.ParentTree))

    def _tree(self, node: Any) -> Iterator[tuple[int, Any]]:
        for kid in node.get("/Kids", ()):
            yield from self._tree(kid)
        numbers = list(node.get("/Nums", ()))
        yield from zip(map(int, numbers[::2]), numbers[1::2], strict=True)

    def element(self, found: Any, parent: str) -> Read:
        tag = str(found.S)
        alt = str(found.get("/Alt", ""))
        made = Read(tag.removeprefix("/"), alt=alt)
        if parent in TABLE_ROWS and tag not in TABLE_ROWS[parent]:
            self.faults.append(f"7.2: {tag} in {parent}")
        if tag == "/Figure" and not alt:
            self.faults.append("7.3: a figure without alternative text")
        if tag == "/TH" and "/Scope" not in found.get("/A", {}):
            self.faults.append("7.5: a header cell without scope")
        # An empty cell has no kids.
        kids = found.get("/K", pikepdf.Array())
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            self._kid(found, kid, made)
        if tag == "/Span" and "/ActualText" in found:
            made.text = str(found.ActualText)
        rows = [len(row.kids) for row in made.kids]
        if tag == "/Table" and len(set(rows)) != 1:
            self.faults.append(f"7.2: rows of a table have {rows} cells")
        if tag == "/Table" and not made.all("TH"):
            self.faults.append("7.5: a table without a header cell")
        return made

    def _kid(self, found: Any, kid: Any, made: Read) -> None:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            if kid.P.objgen != found.objgen:
                self.faults.append(f"14.7.2: the parent of {kid.S} is another element")
            below = self.element(kid, str(found.S))
            if below.tag == "Span":
                made.text += ("\n" if made.text else "") + below.text
            else:
                made.kids.append(below)
        elif isinstance(kid, pikepdf.Dictionary) and kid.Type == "/OBJR":
            if self._parents[int(kid.Obj.StructParent)].objgen != found.objgen:
                self.faults.append("14.7.4.4: a link does not lead back to its element")
            if not kid.Obj.get("/Contents"):
                self.faults.append("7.18.5: a link without a description")
        else:
            page, number = (kid.Pg, int(kid.MCID)) if isinstance(kid, pikepdf.Dictionary) else (found.Pg, int(kid))
            if self._parents[int(page.StructParents)][number].objgen != found.objgen:
                self.faults.append(f"14.7.4.4: mark {number} does not lead back to its element")
            self._used.add((page.objgen, number))
            made.text += ("\n" if made.text else "") + self._texts[page.objgen][number]

    def _marked(self, number: int, page: pikepdf.Page) -> dict[int, str]:
        """The text of each mark of a page."""
        texts: dict[int, str] = {}
        path: list[int | str] = []
        replaced = 0
        fonts = {name: _codes(one) for name, one in page.resources.get("/Font", {}).items()}
        codes: dict[bytes, str] = {}
        for operands, operator in pikepdf.parse_content_stream(page):
            match name := str(operator):
                case "BDC" | "BMC":
                    inside, told = str(operands[0]), operands[1] if len(operands) > 1 else {}
                    if inside == "/Artifact" and any(isinstance(one, int) for one in path):
                        self.faults.append(f"7.1: an artifact within content, page {number + 1}")
                    path.append(int(told.MCID) if "/MCID" in told else inside)
                    if "/MCID" in told:
                        texts[int(told.MCID)] = ""
                    if "/ActualText" in told:
                        replaced = len(path)
                        self._add(texts, path, str(told.ActualText))
                case "EMC":
                    path.pop()
                    replaced = replaced if len(path) >= replaced else 0
                case "Tf":
                    codes = fonts[str(operands[0])]
                case "Td" | "Tm":
                    self._add(texts, path, "" if replaced else " ")
                case _ if name in PAINTING:
                    if not any(isinstance(one, int) or one == "/Artifact" for one in path):
                        self.faults.append(f"7.1: {name} is not marked, page {number + 1}")
                    if name in ("Tj", "TJ") and not replaced:
                        strings = operands[0] if name == "TJ" else [operands[0]]
                        self._add(texts, path, "".join(_decoded(one, codes) for one in strings))
        return {mark: text.strip() for mark, text in texts.items()}

    def _add(self, texts: dict[int, str], path: list[int | str], text: str) -> None:
        mark = next((one for one in reversed(path) if isinstance(one, int)), None)
        if mark is not None:
            texts[mark] += text

    def check(self, root: Read) -> None:
        """Look at the file as a whole."""
        catalogue = self.pdf.Root
        wanted = {
            "7.1: it is not said to be tagged": bool(catalogue.MarkInfo.Marked),
            "7.2: no language": bool(catalogue.get("/Lang")),
            "7.1: the title is not shown": bool(catalogue.ViewerPreferences.DisplayDocTitle),
            "5: not identified as PDF/UA-1": b"<pdfuaid:part>1<" in catalogue.Metadata.read_bytes(),
            "7.1: no title in the metadata": b"<dc:title>" in catalogue.Metadata.read_bytes(),
        }
        self.faults += [fault for fault, held in wanted.items() if not held]
        for number, page in enumerate(self.pdf.pages, start=1):
            if page.obj.get("/Tabs") != "/S":
                self.faults.append(f"7.18.3: page {number} has no order of tabs")
            for mark in self._texts[page.obj.objgen]:
                if (page.obj.objgen, mark) not in self._used:
                    self.faults.append(f"7.1: mark {mark} of page {number} is in no element")
            for name, font in page.resources.get("/Font", {}).items():
                self._check_font(f"{name} of page {number}", font)
        level = 0
        for tag, _ in root.lines():
            if re.fullmatch(r"H\d", tag):
                if int(tag[1]) > level + 1:
                    self.faults.append(f"7.4.2: {tag} follows H{level}")
                level = int(tag[1])

    def _check_font(self, where: str, font: Any) -> None:
        own = font.DescendantFonts[0] if font.Subtype == "/Type0" else font
        if not {"/FontFile2", "/FontFile3"} & set(own.FontDescriptor.keys()):
            self.faults.append(f"7.21.4: font {where} is not embedded")
        if "/ToUnicode" not in font:
            self.faults.append(f"7.21.7: font {where} has no characters")
        if font.Subtype == "/Type0" and "/CIDToGIDMap" not in font.DescendantFonts[0]:
            self.faults.append(f"7.21.3: font {where} has no map of glyphs")


def _codes(font: Any) -> dict[bytes, str]:
    """What each code of a font means, by its ToUnicode (ISO 32000-1, 9.10.3)."""
    cmap = font.ToUnicode.read_bytes().decode("ascii")
    found: dict[bytes, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(r"<(\w+)>\s*<(\w*)>", block):
            found[bytes.fromhex(code)] = _text(text)
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, _, several, text in re.findall(r"<(\w+)>\s*<(\w+)>\s*(?:\[(.*?)\]|<(\w+)>)", block, re.DOTALL):
            begin, size = int(first, 16), len(first) // 2
            texts = re.findall(r"<(\w*)>", several) or [text]
            last = int(_, 16)
            for index in range(last - begin + 1):
                one = texts[index] if len(texts) > 1 else f"{int(texts[0], 16) + index:0{len(texts[0])}X}"
                found[(begin + index).to_bytes(size)] = _text(one)
    return found


def _text(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-16-be", "replace")


def _decoded(string: Any, codes: dict[bytes, str]) -> str:
    if not isinstance(string, pikepdf.String):
        return ""
    raw = bytes(string)
    size = max(map(len, codes), default=1)
    return "".join(codes.get(raw[at : at + size], "\ufffd") for at in range(0, len(raw), size))
