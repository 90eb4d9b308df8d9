"""Binds files of pages into one document: page numbers, bookmarks, links, what it is called, and its structure.

Nothing but the pages' frames is in memory: qpdf copies what they show from file to file.
"""

import html
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, ObjectStreamMode, OutlineItem

from waybill.subject_access.domain.report.errors import PartUnreadableError
from waybill.subject_access.domain.report.flow import RowPlace
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.merging import structure_of
from waybill.subject_access.domain.report.sheets import FOOTER_HEIGHT, HEADER_SIZE, RIGHT
from waybill.subject_access.domain.report.tagging import Described, prepare, tag

LANGUAGE: Final = "en-GB"
_PRODUCER: Final = "Waybill"
# ISO 16684-1 (XMP) and ISO 14289-1, clause 5: the identification that a file keeps to PDF/UA.
_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{day}T00:00:00Z</xmp:CreateDate><xmp:ModifyDate>{day}T00:00:00Z</xmp:ModifyDate>
<pdf:Producer>{producer}</pdf:Producer><pdfuaid:part>1</pdfuaid:part>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True)
class Pages:
    """A file of pages that goes into the document: `begin` is the number of pages before them."""

    path: Path
    pages: int
    begin: int = 0


@dataclass(frozen=True)
class Cover:
    """What a document says of itself."""

    title: str
    day: date


@dataclass(frozen=True)
class ContentsLine:
    """A line of the contents: where it is, the page it leads to, counted from 0, and what that is called."""

    place: RowPlace
    target: int
    label: str


def bind(
    files: Sequence[Pages],
    cover: Cover,
    destination: Path,
    *,
    bookmarks: Sequence[OutlineItem] = (),
    contents: Sequence[ContentsLine] = (),
    numbered: bool = True,
) -> None:
    """Write the document to `destination`; the same files give the same bytes.

    Raises
    ------
    PartUnreadableError
        A file is no PDF, or has other pages than it is said to have.
    """
    total = files[-1].begin + files[-1].pages
    fonts, described = Fonts(), []
    with ExitStack() as opened:
        pdf = opened.enter_context(pikepdf.new())
        for file in files:
            source = opened.enter_context(_opened(file))
            pdf.pages.extend(source.pages)
            described.append(Described(file.begin, structure_of(source)))
        if numbered:
            for number, page in enumerate(pdf.pages, start=1):
                page.contents_add(_page_number(fonts, page, f"Page {number} of {total}"))
        for line in contents:
            _link(pdf, line)
        with pdf.open_outline() as outline:
            outline.root.extend(bookmarks)
        _describe(pdf, cover)
        prepare(pdf)
        pdf.save(destination, deterministic_id=True, object_stream_mode=ObjectStreamMode.generate)
    tag(destination, described)


def _opened(file: Pages) -> pikepdf.Pdf:
    try:
        pdf = pikepdf.open(file.path)
    except pikepdf.PdfError as error:
        raise PartUnreadableError(f"{file.path.name} is not a PDF file") from error
    if len(pdf.pages) != file.pages:
        raise PartUnreadableError(f"{file.path.name} has {len(pdf.pages)} pages instead of {file.pages}")
    return pdf


def _page_number(fonts: Fonts, page: pikepdf.Page, text: str) -> bytes:
    """Return the operators that print a page's number, in the first font of the file that the page is from."""
    x = float(page.mediabox[2]) - RIGHT - fonts.width(text, HEADER_SIZE)
    shown = f"BT {x:.2f} {FOOTER_HEIGHT:g} Td /F1+0 {HEADER_SIZE:g} Tf ({text}) Tj ET"
    return f"/Artifact <</Type /Pagination /Subtype /Footer>> BDC {shown} EMC".encode()


def _link(pdf: pikepdf.Pdf, line: ContentsLine) -> None:
    """Make a line of the contents lead to its page."""
    place = line.place
    annotation = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=[round(one, 2) for one in (place.left, place.bottom, place.right, place.top)],
        Border=[0, 0, 0],
        Dest=[pdf.pages[line.target].obj, Name.Fit],
        Contents=f"{line.label}, page {line.target + 1}",
        # Printed: a reader that hides it takes the line away.
        F=4,
    )
    page = pdf.pages[place.page - 1].obj
    if "/Annots" not in page:
        page.Annots = pikepdf.Array()
    page.Annots.append(pdf.make_indirect(annotation))


def _describe(pdf: pikepdf.Pdf, cover: Cover) -> None:
    moment = f"D:{cover.day:%Y%m%d}000000Z"
    pdf.docinfo[Name.Title] = cover.title
    pdf.docinfo[Name.CreationDate] = moment
    pdf.docinfo[Name.ModDate] = moment
    pdf.docinfo[Name.Producer] = _PRODUCER
    told = _XMP.format(title=html.escape(cover.title), language=LANGUAGE, day=cover.day.isoformat(), producer=_PRODUCER)
    pdf.Root.Metadata = pdf.make_stream(told.encode(), Type=Name.Metadata, Subtype=Name.XML)
    pdf.Root.Lang = LANGUAGE
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    pdf.Root.PageMode = Name.UseOutlines
