"""Whole pages of a part that are taken out: in their place stands why, and what they showed is not in the file."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pikepdf

from waybill.subject_access.domain.report.flow import Flow
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.merging import concatenate, keep_structure, structure_of
from waybill.subject_access.domain.report.models import AttachmentOutcome, Bookmark
from waybill.subject_access.domain.report.sheets import HeaderAndFooter, Sheets
from waybill.subject_access.domain.report.structure import elements, packed, without_pages


def hide_pages(part: Path, hidden: Mapping[int, str], header_and_footer: HeaderAndFooter, work: Path) -> None:
    """Replace pages of a file, which count from 1, by pages that say what `hidden` says of each.

    Raises
    ------
    ValueError
        The file has no such page.
    """
    folder = work / "hidden"
    folder.mkdir()
    sheets = Sheets(Fonts(), header_and_footer, folder)
    numbers = sorted(hidden)
    for number in numbers:
        flow = Flow(sheets)
        flow.page()
        flow.paragraph(hidden[number])
    drawn, result = work / "hidden.pdf", work / "shown.pdf"
    concatenate(sheets.close(), drawn, sheets.structure.close())
    with pikepdf.open(part) as before, pikepdf.open(drawn) as instead, pikepdf.new() as after:
        if not 1 <= numbers[0] <= numbers[-1] <= len(before.pages):
            raise ValueError("there is no such page")
        # Only what pages that stay refer to is copied.
        for number, page in enumerate(before.pages, start=1):
            after.pages.append(instead.pages[numbers.index(number)] if number in hidden else page)
        keep_structure(after, packed(without_pages(elements(structure_of(before)), hidden.keys())))
        after.save(result, deterministic_id=True)
    result.replace(part)


def without_what_is_hidden(outcome: AttachmentOutcome, hidden: Collection[int]) -> AttachmentOutcome:
    """Return the outcome of an attachment of which a page may be hidden."""
    pages = range(outcome.page, outcome.page + outcome.pages)
    return replace(outcome, swept=True, name="") if any(page in hidden for page in pages) else outcome


def without_title(bookmark: Bookmark) -> Bookmark:
    """Return the bookmark of a page that is hidden: what an attachment is called is on its first page."""
    return replace(bookmark, title=bookmark.title.partition(":")[0]) if bookmark.level else bookmark
