"""All text of PDF files: what the pages show, every string of every object, and every stream that holds no drawing.

PDFium reads the pages, qpdf the objects (ISO 32000-1, 7.3): notes, form fields, links, bookmarks, scripts, properties
and attached files are objects, wherever they hang. Pictures are not read, scanned pages among them: each page that has
some is told of.
"""

import codecs
import mmap
import re
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from waybill.scanning.domain.detection.budget import Budget, UnreadableError
from waybill.scanning.domain.detection.content_type import PDF_HEADER_BYTES
from waybill.scanning.domain.detection.member import Member, named, on_disk, refused, text_of

if TYPE_CHECKING:
    import pikepdf
    import pypdfium2

# What PDFium gives for a hyphen at the end of a line.
_HYPHEN = "\ufffe"
_PICTURE_DEPTH = 5
_LEVELS = 100
# Streams that draw, or that say how: contents of pages and forms, pictures, fonts, colours, and the file's own tables.
_DRAWING_TYPES = frozenset(
    {"/XObject", "/XRef", "/ObjStm", "/Font", "/CMap", "/Pattern", "/Type1C", "/CIDFontType0C", "/OpenType"}
)
_DRAWING_KEYS = frozenset(
    {"/Length1", "/FunctionType", "/ShadingType", "/PatternType", "/CMapName", "/N", "/BitsPerComponent", "/BBox"}
)

# ISO 32000-1, 7.3.8: what begins a stream and what ends it. Those of a file that is whole are as long as it at most;
# data may hold such a word by chance.
_STREAM = re.compile(rb"(?:end)?stream")
_LOOKED_AT, _FEW_BYTES = 16, 16 << 20


def pdf_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield what can be read of a PDF; raises UnreadableError where it is encrypted or broken."""
    with on_disk(outer, budget) as (path, size):
        if before := _before(path):
            budget.enter()
            yield Member(named(outer, "before the document", budget), BytesIO(before).read)
        # Each reader mends what the other does not.
        broken = False
        try:
            yield from _pages(outer, path, budget, size)
        except UnreadableError as error:
            if error.reason != "ARCHIVE_BROKEN":
                raise
            broken = True
        try:
            yield from _objects(outer, path, budget, size)
        except UnreadableError as error:
            if broken:
                raise
            yield refused(named(outer, "objects", budget), error.reason)
        if broken:
            yield refused(named(outer, "pages", budget), "ARCHIVE_BROKEN")


def _before(path: str) -> bytes:
    """Return what stands before the header (ISO 32000-1, annex H: within the first 1,024 bytes) and is not blank."""
    with open(path, "rb") as file:
        head = file.read(PDF_HEADER_BYTES + 5)
    return head[: max(0, head.find(b"%PDF-"))].removeprefix(codecs.BOM_UTF8).strip(b"\0\t\n\f\r ")


def _is_endless(path: str, size: int) -> bool:
    """Return whether streams have no end of their own: PDFium looks for that of each, in vain to the file's end."""
    looked_at = unended = 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
        before = 0
        for found in _STREAM.finditer(content):
            looked_at += unended * (found.start() - before)
            if looked_at > _LOOKED_AT * size + _FEW_BYTES:
                return True
            before, unended = found.start(), 0 if found[0] == b"endstream" else unended + 1
        looked_at += unended * (size - before)
    return looked_at > _LOOKED_AT * size + _FEW_BYTES


def _pages(outer: Member, path: str, budget: Budget, size: int) -> Iterator[Member]:
    import pypdfium2

    if size and _is_endless(path, size):
        raise UnreadableError("ARCHIVE_BROKEN")
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("ENCRYPTED" if "password" in str(error).lower() else "ARCHIVE_BROKEN") from error
    try:
        for number in range(len(document)):
            yield from _page(outer, document, number, budget, size)
    finally:
        document.close()


def _page(outer: Member, document: "pypdfium2.PdfDocument", number: int, budget: Budget, size: int) -> Iterator[Member]:
    import pypdfium2
    import pypdfium2.raw as pdfium

    budget.enter()
    path = named(outer, f"page {number + 1}", budget)
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        yield refused(path, "ARCHIVE_BROKEN")
        return
    try:
        yield Member(path, text_of(_shown_text(page), budget, size), plain=True)
        if next(iter(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=_PICTURE_DEPTH)), None):
            yield refused(f"{path} pictures", "UNSUPPORTED_TYPE")
    finally:
        page.close()


def _shown_text(page: "pypdfium2.PdfPage") -> Iterator[str]:
    import pypdfium2

    try:
        text = page.get_textpage()
        try:
            yield text.get_text_bounded(errors="replace").replace(_HYPHEN, "") + "\n"
        finally:
            text.close()
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error


def _objects(outer: Member, path: str, budget: Budget, size: int) -> Iterator[Member]:
    import pikepdf

    try:
        document = pikepdf.open(path, suppress_warnings=True)
    except pikepdf.PdfError as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error
    with document:
        objects = _Objects(list(document.objects))
        budget.enter()
        path = named(outer, "objects", budget)
        yield Member(path, text_of(objects.strings(), budget, size), plain=True)
        if objects.cut:
            yield refused(path, "ARCHIVE_DEPTH")
        names = dict(objects.names_of_files())
        drawn = {content.objgen for page in document.pages for content in _contents(page)}
        for found in objects.all:
            if not isinstance(found, pikepdf.Stream):
                continue
            # A file may say of itself what it likes: what is attached is read.
            if found.objgen in names:
                yield from _stream(outer, found, names[found.objgen], budget)
            elif found.objgen not in drawn and not _draws(found):
                yield from _stream(outer, found, f"stream {found.objgen[0]}", budget)


class _Objects:
    """The objects of a file; `cut` says whether some value lies too deep within one."""

    def __init__(self, objects: list[Any]) -> None:
        self.all = objects
        self.cut = False

    def strings(self) -> Iterator[str]:
        """Yield every string, a line each."""
        import pikepdf

        return (f"{value}\n" for value in self._values() if isinstance(value, pikepdf.String))

    def names_of_files(self) -> Iterator[tuple[tuple[int, int], str]]:
        """Yield the names of embedded files by their streams (ISO 32000-1, 7.11.3)."""
        import pikepdf

        for found in self._values():
            if isinstance(found, pikepdf.Dictionary) and isinstance(found.get("/EF"), pikepdf.Dictionary):
                name = found.get("/UF", found.get("/F"))
                for _, stream in found.EF.items():
                    if isinstance(stream, pikepdf.Stream):
                        yield stream.objgen, str(name) if isinstance(name, pikepdf.String) else "attached file"

    def _values(self) -> Iterator[Any]:
        for found in self.all:
            yield from self._within(found, 0)

    def _within(self, found: Any, level: int) -> Iterator[Any]:
        """Yield a value and those within it; an object that it refers to comes by itself."""
        import pikepdf

        yield found
        if isinstance(found, pikepdf.Array):
            inner: list[Any] = list(found)
        elif isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
            inner = [value for _, value in found.items()]
        else:
            return
        if level == _LEVELS:
            self.cut = True
            return
        for value in inner:
            if not (isinstance(value, pikepdf.Object) and value.is_indirect):
                yield from self._within(value, level + 1)


def _contents(page: "pikepdf.Page") -> Iterator[Any]:
    import pikepdf

    contents: Any = page.obj.get("/Contents")
    if isinstance(contents, pikepdf.Array):
        yield from contents
    elif contents is not None:
        yield contents


def _draws(stream: "pikepdf.Stream") -> bool:
    kinds = {str(stream.get("/Type")), str(stream.get("/Subtype"))}
    # Hints of a file for the web (annex F) have numbers where others have names.
    return bool(kinds & _DRAWING_TYPES or _DRAWING_KEYS & set(stream.keys()) or isinstance(stream.get("/S"), int))


def _stream(outer: Member, stream: "pikepdf.Stream", name: str, budget: Budget) -> Iterator[Member]:
    import pikepdf

    budget.enter()
    path = named(outer, name, budget)
    try:
        content, length = stream.read_bytes(), len(stream.read_raw_bytes())
    except pikepdf.PdfError:
        yield refused(path, "ARCHIVE_METHOD")
        return
    budget.unpack(len(content), len(content), length)
    yield Member(path, BytesIO(content).read)
