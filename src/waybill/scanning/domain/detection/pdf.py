"""The text of PDF files page by page, with notes, form fields, links, bookmarks, properties and attached files.

Read by PDFium (ISO 32000-1). Pictures are not read, scanned pages among them: each page that has some is told of.
"""

import ctypes
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from waybill.scanning.domain.detection.budget import Budget, UnreadableError
from waybill.scanning.domain.detection.member import Member, named, on_disk, refused, text_of

if TYPE_CHECKING:
    import pypdfium2

# What an annotation says, its title, and the value and the default of a form field (ISO 32000-1, 12.5.6.2, 12.7.3.1).
_ANNOTATION_TEXTS = (b"Contents", b"T", b"Subj", b"V", b"DV", b"TU")
# What PDFium gives for a hyphen at the end of a line.
_HYPHEN = "\ufffe"
_PICTURE_DEPTH = 5


def pdf_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield what can be read of a PDF; raises UnreadableError where it is encrypted or broken."""
    import pypdfium2

    with on_disk(outer, budget) as (path, size):
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise UnreadableError("ENCRYPTED" if "password" in str(error).lower() else "ARCHIVE_BROKEN") from error
        try:
            for name, parts in (("properties", _properties(document)), ("bookmarks", _bookmarks(document))):
                budget.enter()
                yield Member(named(outer, name, budget), text_of(parts, budget, size), plain=True)
            for number in range(len(document)):
                yield from _page(outer, document, number, budget, size)
            yield from _attachments(outer, document, budget)
        finally:
            document.close()


def _properties(document: "pypdfium2.PdfDocument") -> Iterator[str]:
    yield from (f"{name}: {value}\n" for name, value in document.get_metadata_dict(skip_empty=True).items())


def _bookmarks(document: "pypdfium2.PdfDocument") -> Iterator[str]:
    yield from (f"{bookmark.get_title()}\n" for bookmark in document.get_toc())


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
        yield Member(path, text_of(_texts(page), budget, size), plain=True)
        if next(iter(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=_PICTURE_DEPTH)), None):
            yield refused(f"{path} pictures", "UNSUPPORTED_TYPE")
    finally:
        page.close()


def _texts(page: "pypdfium2.PdfPage") -> Iterator[str]:
    import pypdfium2

    try:
        text = page.get_textpage()
        try:
            yield text.get_text_bounded(errors="replace").replace(_HYPHEN, "") + "\n"
        finally:
            text.close()
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error
    yield from _annotations(page)


def _annotations(page: "pypdfium2.PdfPage") -> Iterator[str]:
    import pypdfium2.raw as pdfium

    for number in range(pdfium.FPDFPage_GetAnnotCount(page.raw)):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        try:
            for key in _ANNOTATION_TEXTS:
                if text := _string(pdfium.FPDFAnnot_GetStringValue, annotation, key):
                    yield f"{text}\n"
            if address := _address(page, annotation):
                yield f"{address}\n"
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _string(get: Callable[..., int], annotation: Any, key: bytes) -> str:
    """Return a text that PDFium writes into a buffer, in UTF-16 with a zero at its end."""
    import pypdfium2.raw as pdfium

    length = get(annotation, key, None, 0)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    get(annotation, key, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")


def _address(page: "pypdfium2.PdfPage", annotation: Any) -> str:
    import pypdfium2.raw as pdfium

    link = pdfium.FPDFAnnot_GetLink(annotation)
    action = pdfium.FPDFLink_GetAction(link) if link else None
    if not action:
        return ""
    length = pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, None, 0)
    buffer = ctypes.create_string_buffer(max(1, length))
    pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, buffer, length)
    return buffer.raw[:length].rstrip(b"\0").decode("utf-8", "replace")


def _attachments(outer: Member, document: "pypdfium2.PdfDocument", budget: Budget) -> Iterator[Member]:
    import pypdfium2

    for number in range(document.count_attachments()):
        budget.enter()
        attachment = document.get_attachment(number)
        path = named(outer, attachment.get_name() or f"attachment {number + 1}", budget)
        try:
            content = bytes(attachment.get_data())
        except pypdfium2.PdfiumError:
            yield refused(path, "ARCHIVE_BROKEN")
            continue
        budget.unpack(len(content), len(content), len(content))
        yield Member(path, BytesIO(content).read)
