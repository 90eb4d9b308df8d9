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
        for number, found in enumerate(document.objects, start=1):
            if isinstance(found, pikepdf.Stream):
                budget.enter()
                yield from _stream(found, f"stream {number}", budget)


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
