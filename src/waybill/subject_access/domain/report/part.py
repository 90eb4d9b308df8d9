"""One service's part of the report: its own file, made by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

from waybill.subject_access.domain.inline_pictures import numbered
from waybill.subject_access.domain.report.answer_file import read_answer
from waybill.subject_access.domain.report.attachments import Attachments
from waybill.subject_access.domain.report.blocks import Block, Inline, Paragraph
from waybill.subject_access.domain.report.content import content_blocks
from waybill.subject_access.domain.report.covers import subject_lines
from waybill.subject_access.domain.report.errors import AnswerUnreadableError
from waybill.subject_access.domain.report.flow import Flow
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.hidden_pages import hide_pages, without_title, without_what_is_hidden
from waybill.subject_access.domain.report.inline import InlinePictures
from waybill.subject_access.domain.report.merging import concatenate, digest
from waybill.subject_access.domain.report.models import Bookmark, Json, Outcome, PartSummary, Section, Subject
from waybill.subject_access.domain.report.pdf_pages import place
from waybill.subject_access.domain.report.redaction import Redacted, redact
from waybill.subject_access.domain.report.sheets import Budget, HeaderAndFooter, Sheets
from waybill.subject_access.domain.report.templates import template_blocks
from waybill.subject_access.domain.report.wording import NO_DATA_HELD, NOT_SUPPORTED, is_empty, one_line

FOOTER = "Official Sensitive"
# What one service's part may take: 60 MB of answer have some 20,000 pages, and RenderPart has 15 minutes.
MOST_PAGES = 100_000
MOST_SECONDS = 600.0
# Headings of these levels are in the outline, below the service, as long as there are not too many to be of use.
_BOOKMARKED = (2, 3)
_MOST_BOOKMARKS = 500


def render_part(section: Section, subject: Subject, destination: Path, work: Path) -> PartSummary:
    """Write the pages of one service to `destination`.

    Parameters
    ----------
    section : Section
        What the service holds. Every value in it is text, whatever it looks like.
    subject : Subject
        For the header of each page.
    destination : Path
        The file to write; replaced when it exists.
    work : Path
        An empty folder for files on the way.

    Returns
    -------
    PartSummary
        The same section gives the same bytes, so the same summary.

    Raises
    ------
    AnswerUnreadableError
        `section.content` names a file that is not a JSON object.
    TemplateError
        The template cannot be filled (`templates.check_template`).
    PartTooLargeError
        It takes more than `MOST_PAGES` or `MOST_SECONDS`.
    """
    complete = section.outcome is Outcome.COMPLETE
    redacted = redact(_numbered(section, work), section.redactions) if complete else Redacted()
    fonts = Fonts()
    budget = Budget(MOST_PAGES, time.monotonic() + MOST_SECONDS)
    sheets = Sheets(fonts, header_and_footer(fonts, subject), work, budget, section.hidden_pages.keys())
    flow = Flow(sheets)
    flow.page()
    title = one_line(section.label) or section.service
    flow.heading(title, 1)
    pictures = InlinePictures(flow, section.pictures.values())
    for block in _blocks(section, redacted, title):
        if isinstance(block, Inline):
            pictures.draw(block)
        else:
            flow.draw([block])
    # What is drawn need not be in memory while its pages are joined.
    redacted.content = None
    headings = list(flow.headings)
    attachments = Attachments(flow, work, redacted.swept, redacted.look if redacted.texts else None)
    if complete:
        attachments.draw([redacted.attachment(one) for one in section.attachments], section.hidden_attachments)
    _write(sheets, attachments, destination, work)
    within = [Bookmark(one_line(text), page, level - 1) for text, level, page in headings if level in _BOOKMARKED]
    bookmarks = (Bookmark(title, 1), *within[:_MOST_BOOKMARKS], *attachments.bookmarks)
    if section.hidden_pages:
        hide_pages(destination, section.hidden_pages, header_and_footer(fonts, subject), work)
        bookmarks = tuple(
            without_title(one) if one.page in section.hidden_pages else one
            for one in (Bookmark(title, 1), *attachments.bookmarks)
        )
    shown = (*attachments.outcomes, *pictures.outcomes)
    outcomes = tuple(without_what_is_hidden(one, section.hidden_pages) for one in shown)
    return PartSummary(
        pages=sheets.pages,
        size=destination.stat().st_size,
        sha256=digest(destination),
        bookmarks=bookmarks,
        unprintable=_unprintable(fonts, sheets, section),
        redacted=redacted.removed,
        redacted_left=redacted.left,
        near_misses=redacted.near_count,
        near=tuple(redacted.near),
        attachments=outcomes,
        taken={mark: count for mark, count in sorted(redacted.taken.items()) if mark},
    )


def _unprintable(fonts: Fonts, sheets: Sheets, section: Section) -> dict[str, int]:
    """Return the characters that could not be printed: those of pages that are taken out are nobody's to list."""
    shown = sheets.unprintable if section.hidden_pages else fonts.unprintable
    return {code: shown[code] for code in sorted(fonts.unprintable) if shown[code]}


def _write(sheets: Sheets, attachments: Attachments, destination: Path, work: Path) -> None:
    files, structure = sheets.close(), sheets.structure.close()
    if not attachments.placements:
        concatenate(files, destination, structure)
        return
    joined = work / "joined.pdf"
    concatenate(files, joined, structure)
    place(joined, attachments.placements, destination)


def _numbered(section: Section, work: Path) -> Json:
    """Return the content with the numbers of its pictures, so that they are found whatever is taken out of it."""
    if not section.pictures:
        return _content(section, work)
    numbers = {address: one.number for address, one in section.pictures.items()}
    return numbered(_content(section, work), numbers, section.hidden_attachments)


def _content(section: Section, work: Path) -> Json:
    if not isinstance(section.content, Path):
        return section.content
    try:
        answer = read_answer(section.content, work)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadableError(f"the answer of {section.service} is not JSON") from error
    if not isinstance(answer, dict):
        raise AnswerUnreadableError(f"the answer of {section.service} is not a JSON object")
    return answer.get("content")


def _blocks(section: Section, redacted: Redacted, title: str) -> Iterator[Block]:
    if section.outcome is Outcome.NOT_SUPPORTED:
        yield Paragraph(NOT_SUPPORTED)
    elif section.outcome is Outcome.NO_DATA or is_empty(redacted.content):
        yield Paragraph(NO_DATA_HELD)
    elif section.template is not None:
        yield from template_blocks(section.template, redacted.content, section.lookups, title)
    else:
        yield from content_blocks(redacted.content)


def header_and_footer(fonts: Fonts, subject: Subject) -> HeaderAndFooter:
    """Return header and footer of the pages between the covers."""
    return HeaderAndFooter([fonts.printable(line) for line in subject_lines(subject)], FOOTER)
