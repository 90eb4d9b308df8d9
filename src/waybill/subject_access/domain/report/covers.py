"""The pages around the sections (README, "The report's anatomy").

Those marked INTERNAL ONLY are for staff, who take them out before the report is handed over.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from waybill.core.clock import date_in_words
from waybill.subject_access.domain.report.blocks import Pair, Table
from waybill.subject_access.domain.report.flow import Flow, RowPlace
from waybill.subject_access.domain.report.models import AttachmentOutcome, Facts, Missing, Subject
from waybill.subject_access.domain.report.sheets import Sheets
from waybill.subject_access.domain.report.wording import one_line

INTERNAL: Final = "INTERNAL ONLY"
MARKING: Final = "OFFICIAL-SENSITIVE"
START_OF_RECORD: Final = "Start of record"
END_OF_REPORT: Final = "End of report"
# Heights in points.
_MARK_AT: Final = 790.0
_TITLE_AT: Final = 610.0
_FACTS_AT: Final = 560.0


@dataclass(frozen=True)
class Line:
    """A line of the contents: `first_page` counts from 1 in the whole file."""

    label: str
    template_version: str | None
    first_page: int


def internal_cover(sheets: Sheets, facts: Facts, total_pages: int) -> None:
    """Draw the first page: who, what, when, and how many pages there are in all."""
    begin = START_OF_RECORD if facts.date_from is None else date_in_words(facts.date_from)
    _cover(
        sheets,
        facts.title,
        [
            *_identity(facts),
            f"Report date range: {begin} - {date_in_words(facts.date_to)}",
            f"Report generation date: {date_in_words(facts.generated)}",
            f"Total pages: {total_pages}",
        ],
        internal=True,
    )


def external_cover(sheets: Sheets, facts: Facts) -> None:
    """Draw the first page of what is handed over."""
    _cover(sheets, facts.title, _identity(facts), internal=False)


def rear_page(sheets: Sheets, total_pages: int) -> None:
    """Draw the last page."""
    _cover(sheets, END_OF_REPORT, [f"Total pages: {total_pages}"], internal=True)


def contents(
    flow: Flow, lines: Sequence[Line], unprintable: Mapping[str, int], *, internal: bool = True
) -> Sequence[RowPlace]:
    """Draw the list of sections, and which characters could not be printed; versions of templates are for staff.

    Returns
    -------
    Sequence[RowPlace]
        Where each line is, so that it can lead to its section.
    """
    places: list[RowPlace] = []
    flow.page()
    if internal:
        _stamp(flow.sheets, _MARK_AT, INTERNAL, 14)
    flow.heading("Contents", 1)
    if internal:
        flow.table(
            ("Service", "Template version", "Page"),
            [(line.label, line.template_version or "-", str(line.first_page)) for line in lines],
            places.append,
        )
    else:
        flow.table(("Service", "Page"), [(line.label, str(line.first_page)) for line in lines], places.append)
    if unprintable:
        flow.heading("Characters that could not be printed", 2)
        flow.paragraph("They stand in the report by their number, in square brackets.")
        rows = [(code, _name(code), f"{count:,}") for code, count in unprintable.items()]
        flow.table(("Character", "What it is", "Times"), rows)
    return places


def missing_parts(
    flow: Flow, missing: Sequence[Missing], withheld: Sequence[tuple[str, AttachmentOutcome]] = ()
) -> None:
    """Draw the page that says which services' answers and which attachments are not in the report, and why."""
    flow.page()
    flow.heading("Missing parts", 1)
    if missing:
        flow.paragraph("This report was issued without the information that these services hold:")
        flow.draw([Table(("Service", "Reason"), [(one.label, one.reason) for one in missing])])
    if withheld:
        flow.heading("Attachments that are not in this report, or not as a whole", 2)
        flow.paragraph(
            "They are in the package that this report comes in, unless something is taken out of them, or their "
            "service did not send them."
        )
        rows = [(label, str(one.number), one.name, str(one.problem)) for label, one in withheld]
        flow.draw([Table(("Service", "Number", "Name", "Reason"), rows)])


def staff_decisions(flow: Flow, missing: Sequence[Missing]) -> None:
    """Draw, on the page of the contents, who decided to issue the report without a part."""
    accepted = [one for one in missing if one.accepted_by]
    if accepted:
        flow.heading("Issued without", 2)
        flow.draw(Pair(one.label, f"{one.reason} (decided by {one.accepted_by})") for one in accepted)


def subject_lines(subject: Subject) -> list[str]:
    """Return how a page names the person; without a name, by the number alone."""
    name = one_line(subject.name)
    return [*([f"Name: {name}"] if name else []), f"{subject.id_kind}: {one_line(subject.id)}"]


def _name(code: str) -> str:
    """Return what Unicode calls the character of ``U+0F40``."""
    char = chr(int(code.removeprefix("U+"), 16))
    other = {"Cc": "a control character", "Cs": "half of a character", "Co": "a character of the service's own"}
    return unicodedata.name(char, other.get(unicodedata.category(char), "no character")).lower()


def _identity(facts: Facts) -> list[str]:
    return [*subject_lines(facts.subject), f"SAR case reference: {one_line(facts.case_reference)}"]


def _cover(sheets: Sheets, title: str, lines: Sequence[str], internal: bool) -> None:
    sheets.begin()
    if internal:
        _stamp(sheets, _MARK_AT, INTERNAL, 18)
    flow = Flow(sheets)
    flow.at(_TITLE_AT + 26)
    flow.centred(title, 26, bold=True, level=1)
    flow.at(min(flow.y - 12, _FACTS_AT))
    for line in lines:
        flow.centred(line, 13)
        flow.at(flow.y - 8)
    _stamp(sheets, _MARK_AT if not internal else 96, MARKING, 14)


def _stamp(sheets: Sheets, y: float, text: str, size: float) -> None:
    """Draw a line in the middle of the page, wherever else something is drawn."""
    with sheets.marked("P") as mark:
        sheets.centred(y, text, size, bold=True)
    sheets.structure.leaf("P", [mark])
