"""The whole report: covers, contents, parts in their order, bookmarks."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from pikepdf import OutlineItem

from waybill.subject_access.domain.report.binding import ContentsLine, Cover, Pages, bind
from waybill.subject_access.domain.report.covers import (
    Line,
    contents,
    external_cover,
    internal_cover,
    missing_parts,
    rear_page,
    staff_decisions,
)
from waybill.subject_access.domain.report.flow import Flow
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.merging import concatenate, digest
from waybill.subject_access.domain.report.models import Facts, Part, ReportSummary, SectionPlace
from waybill.subject_access.domain.report.part import header_and_footer
from waybill.subject_access.domain.report.sheets import HeaderAndFooter, Sheets
from waybill.subject_access.domain.report.wording import one_line
from waybill.subject_access.service_models import report_order


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
        [Pages(_drawn(work / "rear", lambda sheets: rear_page(sheets, total)).path, 1, begins[-1])] if internal else []
    )
    bodies = [Pages(part.path, part.summary.pages, begin) for part, begin in zip(ordered, begins, strict=False)]
    bind(
        [*front.files, *bodies, *rear],
        Cover(f"{facts.title} {facts.case_reference}", facts.generated),
        destination,
        bookmarks=_bookmarks(ordered, begins, front.missing_at),
        contents=front.links,
    )
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
    files: Sequence[Pages]
    missing_at: int | None
    unprintable: dict[str, int]
    links: Sequence[ContentsLine]

    @property
    def pages(self) -> int:
        return sum(file.pages for file in self.files)


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
    links: list[ContentsLine] = []

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
        links[:] = (
            ContentsLine(place, begin, one_line(part.label))
            for place, begin, part in zip(places, begins, parts, strict=False)
        )
        if internal:
            staff_decisions(flow, facts.missing)
            external_cover(sheets, facts)
        before = sheets.pages

    listed += _drawn(work / "read", draw).unprintable
    _drawn(work / "counted", draw)
    files = [Pages(_drawn(work / "front", draw).path, before)]
    if some:
        files.append(Pages(missing.path, missing_pages, before))
    return _Front(files, before if some else None, dict(sorted(listed.items())), links)


@dataclass(frozen=True)
class _Drawn:
    path: Path
    pages: int
    unprintable: Counter[str]


def _drawn(folder: Path, draw: Callable[[Sheets], None], with_header_of: Facts | None = None) -> _Drawn:
    folder.mkdir()
    fonts = Fonts()
    sheets = Sheets(
        fonts, header_and_footer(fonts, with_header_of.subject) if with_header_of else HeaderAndFooter(), folder
    )
    draw(sheets)
    file = folder.with_suffix(".drawn.pdf")
    concatenate(sheets.close(), file, sheets.structure.close())
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


def _unprintable(parts: Sequence[Part]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.summary.unprintable)
    return total
