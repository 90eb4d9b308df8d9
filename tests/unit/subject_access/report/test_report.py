"""The whole report: order of its pages, numbers, bookmarks, covers."""

from datetime import date
from typing import Any

import pikepdf
import pypdf
import pytest

from tests.unit.subject_access.report.conftest import DrawnPart, DrawPart, DrawReport, Pdf, squeezed
from waybill.subject_access.domain.report.errors import PartUnreadableError
from waybill.subject_access.domain.report.models import Attachment, IdKind, Missing, Outcome, PartSummary, Subject

type Given = tuple[str, str, str, DrawnPart]


@pytest.fixture
def parts(draw: DrawPart) -> list[Given]:
    """Parts in no order: one of several pages, with attachments; one without data; two of the base services."""
    rows = [{"date": f"2024-01-{number % 28 + 1:02}", "note": f"note {number}"} for number in range(150)]
    files = [Attachment(number, f"scan {number}", f"{number}.bin", "x/y", None) for number in (10, 2)]
    return [
        ("z-api", "alpha probation", "PROBATION", draw({"a": 1}, label="alpha probation")),
        ("b-api", "zebra", "PRISON", draw(rows, label="zebra", attachments=files)),
        ("G2", "Second base", "PRISON", draw({"a": 1}, label="Second base")),
        ("a-api", "Aardvark", "PRISON", draw(None, label="Aardvark", outcome=Outcome.NO_DATA)),
        ("G1", "Zz first base", "PRISON", draw({"a": 1}, label="Zz first base")),
    ]


def outline(report: Pdf) -> list[tuple[int, str, int]]:
    """Level, title and page (from 1) of each bookmark."""
    reader = pypdf.PdfReader(report.path)

    def walked(items: Any, level: int) -> list[tuple[int, str, int]]:
        found = []
        for item in items:
            if isinstance(item, list):
                found += walked(item, level + 1)
            else:
                number = reader.get_destination_page_number(item)
                assert number is not None
                found.append((level, item.title, number + 1))
        return found

    return walked(reader.outline, 0)


def test_pages_are_in_the_order_of_the_reference(join: DrawReport, parts: list[Given]) -> None:
    report = join(parts)
    labels = ["Zz first base", "Second base", "Aardvark", "zebra", "alpha probation"]
    assert [place.label for place in report.summary.sections] == labels
    internal_cover, contents, external_cover, *_, rear = report.pages
    for printed in (
        "Subject Access Request Report",
        "INTERNAL ONLY",
        "OFFICIAL-SENSITIVE",
        "Name: SMITH, John",
        "NOMIS ID: A1234AA",
        "SAR case reference: SAR-2025-0042",
        "Report date range: 1 January 2020 - 31 December 2024",
        "Report generation date: 4 March 2025",
        f"Total pages: {len(report.pages)}",
    ):
        assert printed in internal_cover
    assert "INTERNAL ONLY" in contents
    assert [line.rsplit(" ", 2)[0] for line in contents.splitlines() if line.split()[-2:-1] == ["7"]] == labels
    assert "INTERNAL ONLY" not in external_cover
    for printed in ("Subject Access Request Report", "SMITH, John", "A1234AA", "SAR-2025-0042"):
        assert printed in external_cover
    for printed in ("End of report", f"Total pages: {len(report.pages)}", "INTERNAL ONLY"):
        assert printed in rear
    for place in report.summary.sections:
        assert place.label in report.pages[place.first_page - 1]


def test_the_total_is_the_number_of_pages(join: DrawReport, parts: list[Given]) -> None:
    report = join(parts)
    assert report.summary.pages == len(report.pages) == sum(part.summary.pages for *_, part in parts) + 5
    for number, page in enumerate(report.pages, start=1):
        assert page.count(f"Page {number} of {len(report.pages)}") == 1


def test_pages_between_the_covers_say_whose_they_are(join: DrawReport, parts: list[Given]) -> None:
    report = join(parts)
    first = report.summary.sections[0].first_page
    for page in report.pages[first - 1 : -1]:
        assert "Name: SMITH, John" in page
        assert "NOMIS ID: A1234AA" in page
        assert "Official Sensitive" in page
        assert "INTERNAL ONLY" not in page


# Field of accessible documents: the contents are links (PDF/UA-1, 7.18.5; GOV.UK, "Publishing accessible documents").
@pytest.mark.parametrize("internal", [True, False])
def test_each_line_of_the_contents_leads_to_its_section(join: DrawReport, parts: list[Given], internal: bool) -> None:
    report = join(parts, internal=internal)
    with pikepdf.open(report.path) as pdf:
        links = [one for page in pdf.pages for one in page.obj.get("/Annots", [])]
        numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, start=1)}
        assert [numbers[one.Dest[0].objgen] for one in links] == [one.first_page for one in report.summary.sections]


def test_bookmarks_reach_the_third_level(join: DrawReport, draw: DrawPart) -> None:
    part = draw({"address": {"street": "x", "past": {"street": "y"}}, "visits": [{"a": 1}]}, label="S")
    report = join([("G1", "S", "PRISON", part)])
    assert [(level, title) for level, title, _ in outline(report)] == [
        (0, "S"),
        (1, "Address"),
        (2, "Past"),
        (1, "Visits"),
    ]


def test_bookmarks_lead_to_services_and_attachments(join: DrawReport, parts: list[Given]) -> None:
    report = join(parts)
    assert [(level, title) for level, title, _ in outline(report)] == [
        (0, "Missing parts"),
        (0, "Zz first base"),
        (0, "Second base"),
        (0, "Aardvark"),
        (0, "zebra"),
        (1, "Attachment 2: scan 2"),
        (1, "Attachment 10: scan 10"),
        (0, "alpha probation"),
    ]
    for level, title, page in outline(report):
        assert (title if level == 0 else title.partition(":")[0].replace(" 1", ": 1").replace(" 2", ": 2")) in (
            report.pages[page - 1]
        )


def test_the_contents_name_the_pages_even_where_they_fill_several(join: DrawReport, draw: DrawPart) -> None:
    part = draw({"a": 1})
    report = join([(f"service-{n}", f"Service number {n:03}", "PRISON", part) for n in range(150)])
    contents = [page for page in report.pages if "Service number" in page]
    assert len(contents) > 2
    for place in report.summary.sections:
        assert any(f"{place.label} 7 {place.first_page}" in page for page in contents)
    assert report.summary.sections[0].first_page == len(contents) + 3


def test_title_language_and_dates_of_the_file(join: DrawReport, parts: list[Given]) -> None:
    with pikepdf.open(join(parts).path) as pdf:
        assert str(pdf.docinfo["/Title"]) == "Subject Access Request Report SAR-2025-0042"
        assert str(pdf.docinfo["/CreationDate"]) == "D:20250304000000Z"
        assert str(pdf.Root.Lang) == "en-GB"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert pdf.check_pdf_syntax() == []


def test_the_start_of_record_and_a_person_with_one_name(join: DrawReport, draw: DrawPart) -> None:
    subject = Subject.named("Suharto", "", IdKind.NDELIUS, "X123456")
    report = join([("G1", "G1", "PRISON", draw({"a": 1}, subject=subject))], date_from=None, subject=subject)
    assert "Report date range: Start of record - 31 December 2024" in report.pages[0]
    assert all(
        "Name: SUHARTO" in page and "nDelius ID: X123456" in page for page in (report.pages[0], *report.pages[2:4])
    )


def test_what_is_missing_is_listed_with_its_reason(join: DrawReport, parts: list[Given]) -> None:
    missing = [Missing("Use of force", "The service <b>has</b> been closed", accepted_by="JSMITH_GEN")]
    report = join(parts, missing=missing)
    page = report.pages[3]
    assert "Missing parts" in page
    assert "Use of force" in page
    assert "The service <b>has</b> been closed" in page
    assert "JSMITH_GEN" not in page
    assert "decided by JSMITH_GEN" in report.pages[1].replace("\n", " ")
    assert outline(report)[0] == (0, "Missing parts", 4)
    assert report.summary.sections[0].first_page == 5
    assert f"Total pages: {len(report.pages)}" in report.pages[0]


def test_unprintable_characters_are_listed_for_staff(join: DrawReport, draw: DrawPart) -> None:
    report = join([("G1", "G1", "PRISON", draw({"a": "ཀ"})), ("G2", "G2", "PRISON", draw({"a": "ཀཀ"}))])
    assert report.summary.unprintable == {"U+0F40": 3}
    assert "U+0F40 tibetan letter ka 3" in report.pages[1]


def test_what_the_covers_and_the_missing_parts_cannot_print_is_listed_too(join: DrawReport, draw: DrawPart) -> None:
    gap = Missing("Court ᚠ", "closed ཀ", "ཇsmith")
    tibetan = Subject("ཀམ, Ann", IdKind.NOMIS, "A1234AA")
    part = ("G1", "Label \U0001fbc5", "PRISON", draw({"note": "ན"}, subject=tibetan))
    report = join([part], subject=tibetan, missing=[gap])
    assert report.summary.unprintable.keys() == {"U+0F40", "U+0F58", "U+0F53", "U+0F47", "U+16A0", "U+1FBC5"}
    for listed in ("U+0F40 tibetan letter ka", "U+0F53 tibetan letter na", "U+16A0 runic letter fehu feoh fe f"):
        assert squeezed(listed) in squeezed(report.pages[1])
    # The page is longer for what it lists, and the numbers are right all the same.
    assert f"Total pages: {len(report.pages)}" in report.pages[0]
    assert report.summary.sections[0].first_page == 5


AWKWARD = "<b>&amp;</b> {{x}} \\(a)"


def test_mark_up_in_every_field_is_text(join: DrawReport, draw: DrawPart) -> None:
    files = [Attachment(1, AWKWARD, AWKWARD, AWKWARD, None, AWKWARD)]
    subject = Subject(AWKWARD, IdKind.NOMIS, AWKWARD)
    part = draw({AWKWARD: AWKWARD, "list": [{AWKWARD: AWKWARD}]}, label=AWKWARD, attachments=files, subject=subject)
    gap = Missing(AWKWARD, AWKWARD, AWKWARD)
    report = join(
        [("G1", AWKWARD, "PRISON", part)],
        subject=subject,
        case_reference=AWKWARD,
        title=AWKWARD,
        missing=[gap],
    )
    internal_cover, contents, external_cover, missing, section, attachment, _ = map(squeezed, report.pages)
    for page, times in (
        (internal_cover, 4),
        (contents, 4),
        (external_cover, 4),
        (missing, 7),
        (section, 7),
        (attachment, 4),
    ):
        assert page.count(squeezed(AWKWARD)) == times, page
    assert [title for _, title, _ in outline(report)][1] == AWKWARD


def test_the_same_parts_give_the_same_bytes(join: DrawReport, parts: list[Given]) -> None:
    first, second = join(parts), join(parts[::-1])
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.summary == second.summary
    assert join(parts, generated=date(2025, 3, 5)).summary.sha256 != first.summary.sha256


def test_a_report_of_no_parts_has_its_covers(join: DrawReport) -> None:
    report = join([], missing=[Missing("All", "closed")])
    assert len(report.pages) == report.summary.pages == 5
    assert "End of report" in report.pages[-1]


def test_a_part_that_is_not_what_its_summary_says_is_refused(join: DrawReport, draw: DrawPart) -> None:
    part = draw({"a": 1})
    wrong = DrawnPart(part.path, PartSummary(2, part.summary.size, part.summary.sha256, part.summary.bookmarks))
    with pytest.raises(PartUnreadableError, match="1 pages instead of 2"):
        join([("G1", "G1", "PRISON", wrong)])
    part.path.write_bytes(b"not a PDF")
    with pytest.raises(PartUnreadableError, match="not a PDF"):
        join([("G1", "G1", "PRISON", part)])


def test_long_titles_wrap_on_the_covers(join: DrawReport, draw: DrawPart) -> None:
    subject = Subject("N" * 150, IdKind.NOMIS, "A1234AA")
    report = join([("G1", "G" * 400, "PRISON", draw({"a": 1}))], title="Report " * 40, subject=subject)
    assert "N" * 150 in "".join(report.pages[0].split())
    assert report.pages[0].count("Report ") >= 30
