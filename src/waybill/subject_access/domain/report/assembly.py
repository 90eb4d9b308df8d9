"""The whole report: covers, contents, parts in their order, page numbers, bookmarks.

Nothing but the pages' frames is in memory: qpdf copies what they show from file to file.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, OutlineItem

from waybill.subject_access.domain.report.covers import (
    Line,
    contents,
    external_cover,
    internal_cover,
    missing_parts,
    rear_page,
    staff_decisions,
)
from waybill.subject_access.domain.report.errors import PartUnreadableError
from waybill.subject_access.domain.report.flow import Flow, RowPlace
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.merging import concatenate, digest
from waybill.subject_access.domain.report.models import Facts, Part, ReportSummary, SectionPlace
from waybill.subject_access.domain.report.part import furniture
from waybill.subject_access.domain.report.sheets import FOOTER_HEIGHT, FURNITURE_SIZE, RIGHT, Furniture, Sheets
from waybill.subject_access.service_models import report_order

LANGUAGE: Final = "en-GB"


@dataclass(frozen=True)
class _File:
    """Pages on their way into the report: `begin` is the number of pages before them."""

    path: Path
    pages: int
    begin: int


def assemble(
    parts: Sequence[Part], facts: Facts, destination: Path, work: Path, *, internal: bool = True
) -> ReportSummary:
    """Write the report to `destination`; without `internal` pages it is the copy of the person, with its own numbers.

    Parameters
    ----------
    parts : Sequence[Part]
        In any order; the report has its own (`report_order`).
    facts : Facts
        What the covers say.
    destination : Path
        The file to write; replaced when it exists.
    work : Path
        An empty folder for files on the way.

    Returns
    -------
    ReportSummary
        The same parts and facts give the same bytes, so the same summary.

    Raises
    ------
    PartUnreadableError
        A part's file is no PDF, or does not have the pages of its summary.
    """
    ordered = sorted(parts, key=lambda part: report_order(part.service, part.label, part.category))
    front = _front(ordered, facts, work, internal=internal)
    begins = list(accumulate((part.summary.pages for part in ordered), initial=front.pages))
    total = begins[-1] + internal
    rear = (
        [_File(_drawn(work / "rear", lambda sheets: rear_page(sheets, total)).path, 1, begins[-1])] if internal else []
    )
    bodies = [_File(part.path, part.summary.pages, begin) for part, begin in zip(ordered, begins, strict=False)]
    bookmarks = _bookmarks(ordered, begins, front.missing_at)
    _write([front.file, *bodies, *rear], facts, bookmarks, front.links, destination)
    return ReportSummary(
        pages=total,
        size=destination.stat().st_size,
        sha256=digest(destination),
        sections=tuple(
            SectionPlace(part.service, part.label, begin + 1, part.summary.pages)
            for part, begin in zip(ordered, begins, strict=False)
        ),
        unprintable=front.unprintable,
    )


@dataclass(frozen=True)
class _Front:
    file: _File
    missing_at: int | None
    unprintable: dict[str, int]
    links: Sequence[tuple[RowPlace, int]]

    @property
    def pages(self) -> int:
        return self.file.pages


def _front(parts: Sequence[Part], facts: Facts, work: Path, *, internal: bool) -> _Front:
    """Draw the pages before the sections.

    Once to see which characters cannot be printed, which the contents list with those of the parts; once to see how
    many pages that makes; then with the right numbers.
    """
    withheld = [(part.label, one) for part in parts for one in part.summary.attachments if one.problem]
    some = bool(facts.missing or withheld)
    missing = _drawn(work / "missing", lambda sheets: missing_parts(Flow(sheets), facts.missing, withheld), facts)
    missing_pages = missing.pages if some else 0
    listed = _unprintable(parts) + (missing.unprintable if some else Counter())
    before = 0
    links: list[tuple[RowPlace, int]] = []

    def draw(sheets: Sheets) -> None:
        nonlocal before
        begins = list(accumulate((part.summary.pages for part in parts), initial=before + missing_pages))
        if internal:
            internal_cover(sheets, facts, begins[-1] + 1)
        else:
            external_cover(sheets, facts)
        flow = Flow(sheets)
        lines = [Line(part.label, part.template_version, begin + 1) for part, begin in zip(parts, begins, strict=False)]
        places = contents(flow, lines, dict(sorted(listed.items())), internal=internal)
        links[:] = zip(places, begins, strict=False)
        if internal:
            staff_decisions(flow, facts.missing)
            external_cover(sheets, facts)
        before = sheets.pages

    listed += _drawn(work / "read", draw).unprintable
    _drawn(work / "counted", draw)
    files = [_drawn(work / "front", draw).path, *([missing.path] if some else [])]
    joined = work / "front.pdf"
    concatenate(files, joined)
    pages = _File(joined, before + missing_pages, 0)
    return _Front(pages, before if some else None, dict(sorted(listed.items())), links)


@dataclass(frozen=True)
class _Drawn:
    path: Path
    pages: int
    unprintable: Counter[str]


def _drawn(folder: Path, draw: Callable[[Sheets], None], with_furniture: Facts | None = None) -> _Drawn:
    folder.mkdir()
    fonts = Fonts()
    sheets = Sheets(fonts, furniture(fonts, with_furniture.subject) if with_furniture else Furniture(), folder)
    draw(sheets)
    file = folder.with_suffix(".drawn.pdf")
    concatenate(sheets.close(), file)
    return _Drawn(file, sheets.pages, fonts.unprintable)


def _bookmarks(parts: Sequence[Part], begins: Sequence[int], missing_at: int | None) -> list[OutlineItem]:
    items = [] if missing_at is None else [OutlineItem("Missing parts", missing_at)]
    for part, begin in zip(parts, begins, strict=False):
        path = [OutlineItem(part.label, begin)]
        for bookmark in part.summary.bookmarks:
            if bookmark.level:
                item = OutlineItem(bookmark.title, begin + bookmark.page - 1)
                # A level may be left out: then it hangs on the one above.
                path[bookmark.level :] = []
                path[-1].children.append(item)
                path.append(item)
        for item in path[0].children:
            item.is_closed = True
        path[0].is_closed = True
        items.append(path[0])
    return items


def _write(
    files: Sequence[_File],
    facts: Facts,
    bookmarks: Sequence[OutlineItem],
    links: Sequence[tuple[RowPlace, int]],
    destination: Path,
) -> None:
    total = files[-1].begin + files[-1].pages
    fonts = Fonts()
    with ExitStack() as opened:
        pdf = opened.enter_context(pikepdf.new())
        for file in files:
            source = opened.enter_context(_opened(file))
            pdf.pages.extend(source.pages)
        for number, page in enumerate(pdf.pages, start=1):
            page.contents_add(_page_number(fonts, page, f"Page {number} of {total}"))
        for place, target in links:
            _link(pdf, place, target)
        with pdf.open_outline() as outline:
            outline.root.extend(bookmarks)
        _describe(pdf, facts)
        pdf.save(destination, deterministic_id=True)


def _opened(file: _File) -> pikepdf.Pdf:
    try:
        pdf = pikepdf.open(file.path)
    except pikepdf.PdfError as error:
        raise PartUnreadableError(f"{file.path.name} is not a PDF file") from error
    if len(pdf.pages) != file.pages:
        raise PartUnreadableError(f"{file.path.name} has {len(pdf.pages)} pages instead of {file.pages}")
    return pdf


def _page_number(fonts: Fonts, page: pikepdf.Page, text: str) -> bytes:
    """Return the operators that print a page's number, in the first font of the file that the page is from."""
    x = float(page.mediabox[2]) - RIGHT - fonts.width(text, FURNITURE_SIZE)
    return f"BT {x:.2f} {FOOTER_HEIGHT:g} Td /F1+0 {FURNITURE_SIZE:g} Tf ({text}) Tj ET".encode()


def _link(pdf: pikepdf.Pdf, place: RowPlace, target: int) -> None:
    """Make a line of the contents lead to the page `target`, counted from 0."""
    annotation = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=[round(one, 2) for one in (place.left, place.bottom, place.right, place.top)],
        Border=[0, 0, 0],
        Dest=[pdf.pages[target].obj, Name.Fit],
    )
    page = pdf.pages[place.page - 1].obj
    if "/Annots" not in page:
        page.Annots = pikepdf.Array()
    page.Annots.append(pdf.make_indirect(annotation))


def _describe(pdf: pikepdf.Pdf, facts: Facts) -> None:
    title = f"{facts.title} {facts.case_reference}"
    moment = f"D:{facts.generated:%Y%m%d}000000Z"
    pdf.docinfo[Name.Title] = title
    pdf.docinfo[Name.CreationDate] = moment
    pdf.docinfo[Name.ModDate] = moment
    pdf.docinfo[Name.Producer] = "Waybill"
    pdf.Root.Lang = LANGUAGE
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    pdf.Root.PageMode = Name.UseOutlines


def _unprintable(parts: Sequence[Part]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.summary.unprintable)
    return total
