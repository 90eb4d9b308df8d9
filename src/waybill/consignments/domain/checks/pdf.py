"""What a PDF holds behind its filters: text, scripts, embedded files."""

import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from waybill.core.containers.archives import counted, refused
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, UnopenedReason

if TYPE_CHECKING:
    import pikepdf

# Pictures whose bytes lie in the file as they are (ISO 32000-1, 7.4.1, table 6): the rules have seen them.
_PICTURES = frozenset({"/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode"})
_DEPTH = 32
_FLATE = frozenset({"/FlateDecode", "/Fl"})


def pdf_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield every stream of a PDF; one that opens without a password is read as its readers read it."""
    import pikepdf

    file.seek(0)
    try:
        document = pikepdf.open(file, suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise ContainerError(UnopenedReason.ENCRYPTED) from error
    except pikepdf.PdfError as error:
        reason = UnopenedReason.ENCRYPTED if "encryption" in str(error) else UnopenedReason.BROKEN
        raise ContainerError(reason) from error
    with document:
        names, scripts = _noted(document)
        for number, found in enumerate(document.objects, start=1):
            if isinstance(found, pikepdf.Stream):
                budget.enter()
                yield from _stream(found, names.get(found.objgen, f"stream {number}"), budget)
        for number, script in scripts:
            # As its readers read it, whatever string it is written as.
            budget.enter()
            plain = str(script).encode("utf-8", "replace")
            yield ContainerEntry(f"script in object {number}", counted(BytesIO(plain), budget, len(plain)))


def _noted(document: "pikepdf.Pdf") -> "tuple[dict[tuple[int, int], str], list[tuple[int, pikepdf.String]]]":
    """Return the names of embedded files by their streams, and the scripts that objects hold as strings.

    Readers show an embedded file by the name in its specification, and no number (ISO 32000-1, 7.11.3; 12.6.4.16).
    """
    import pikepdf

    names: dict[tuple[int, int], str] = {}
    scripts: list[tuple[int, pikepdf.String]] = []
    for number, found in enumerate(document.objects, start=1):
        for dictionary in _dictionaries(found):
            script, embedded = dictionary.get("/JS"), dictionary.get("/EF")
            if isinstance(script, pikepdf.String):
                scripts.append((number, script))
            if isinstance(embedded, pikepdf.Dictionary):
                name = str(dictionary.get("/UF", dictionary.get("/F", "")))
                names.update({stream.objgen: name for _, stream in embedded.items() if name})
    return names, scripts


def _dictionaries(found: "pikepdf.Object", depth: int = 0) -> "Iterator[pikepdf.Object]":
    """Yield the dictionaries of an object: itself and those that stand in it, not those that it refers to."""
    import pikepdf

    if depth > _DEPTH or not isinstance(found, pikepdf.Dictionary | pikepdf.Array | pikepdf.Stream):
        return
    if isinstance(found, pikepdf.Array):
        values = list(found)
    else:
        yield found
        values = [value for _, value in found.items()]
    for value in values:
        if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
            yield from _dictionaries(value, depth + 1)


def _stream(stream: "pikepdf.Stream", name: str, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    import pikepdf

    filters = _filters(stream)
    if filters and filters[0] in _PICTURES:
        return
    try:
        packed = stream.read_raw_bytes()
        plain = _unwrapped(packed, filters) if _PICTURES.intersection(filters) else stream.read_bytes()
    except pikepdf.PdfError:
        yield refused(name, UnopenedReason.UNKNOWN_METHOD)
        return
    yield ContainerEntry(name, counted(BytesIO(plain), budget, len(packed)))


def _filters(stream: "pikepdf.Stream") -> list[str]:
    import pikepdf

    given = stream.get("/Filter")
    if given is None:
        return []
    return [str(each) for each in given] if isinstance(given, pikepdf.Array) else [str(given)]


def _unwrapped(packed: bytes, filters: list[str]) -> bytes:
    """Return a picture that is packed once more, without that."""
    if filters[0] not in _FLATE:
        return packed
    try:
        return zlib.decompressobj().decompress(packed, 64 << 20)
    except zlib.error:
        return packed
