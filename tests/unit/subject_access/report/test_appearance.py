"""How a page looks. The picture that it is compared with is the one that the README shows."""

from pathlib import Path

import pypdf
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageStat

from tests.conftest import PROJECT
from tests.unit.subject_access.report.conftest import DrawnPart, DrawPart, DrawReport
from waybill.subject_access.domain.report.models import Redaction

PICTURE = PROJECT / "docs" / "images" / "subject-access-report-page.png"
# Renderers smooth edges in their own ways: a pixel here and there is darker or lighter, no line is elsewhere.
MEAN_DIFFERENCE = 2.0
DIFFERENT_PIXELS = 0.01

CONTENT = {
    "prisonerName": "Łukasz 中文 <b>&amp;</b>",
    "dateOfBirth": "1990-01-02",
    "activeCaseload": True,
    "alias": None,
    "languages": ["Polish", "English"],
    "keyworkerNotes": "Met on the wing.\nAgreed to meet again next week, and to bring the letters that "
    "were mentioned last time; see also the notes of the workshop.",
    "address": {"street": "1 High Street", "town": "Leeds"},
    "contacts": [
        {"name": "Ann Smith", "relationship": "Sister", "phone": "07700 900123"},
        {"name": "Bob Jones", "relationship": "Friend", "phone": None},
    ],
    "visits": [
        {"visitDate": f"2024-0{month}-05", "visitors": ["Ann Smith"], "result": "Attended", "hours": 1.5}
        for month in range(1, 10)
    ],
}


@pytest.fixture
def page(draw: DrawPart, join: DrawReport) -> Image.Image:
    """The first page of a service, as 72 dots per inch in grey."""
    part = draw(CONTENT, redactions=[Redaction("contacts[].phone", "third party")])
    report = join([("keyworker-api", "Allocate Keyworkers", "PRISON", part)])
    with pypdfium2.PdfDocument(report.path) as document:
        return document[report.summary.sections[0].first_page - 1].render(scale=1).to_pil().convert("L")


def differences(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """The mean difference of the pixels, of 255, and the share of pixels that are clearly different."""
    difference = ImageChops.difference(one, other)
    clearly = difference.point(lambda value: 255 if value > 96 else 0)
    return ImageStat.Stat(difference).mean[0], ImageStat.Stat(clearly).mean[0] / 255


def test_a_page_looks_as_in_the_readme(page: Image.Image, tmp_path: Path) -> None:
    actual = tmp_path / PICTURE.name
    page.save(actual, optimize=True)
    with Image.open(PICTURE) as picture:
        assert picture.size == page.size
        mean, different = differences(picture.convert("L"), page)
    assert mean < MEAN_DIFFERENCE, f"compare {actual} with {PICTURE}"
    assert different < DIFFERENT_PIXELS, f"compare {actual} with {PICTURE}"


def test_the_comparison_sees_a_line_that_is_elsewhere(page: Image.Image) -> None:
    moved = ImageChops.offset(page, 0, 3)
    mean, different = differences(page, moved)
    assert mean > MEAN_DIFFERENCE
    assert different > DIFFERENT_PIXELS


def places(part: DrawnPart) -> dict[str, float]:
    """Where texts of the first page begin, in points from the left."""
    found: dict[str, float] = {}

    def note(text: str, _: object, matrix: list[float], *__: object) -> None:
        if text.strip():
            found.setdefault(text.strip(), matrix[4])

    pypdf.PdfReader(part.path).pages[0].extract_text(visitor_text=note)
    return found


def test_what_belongs_to_a_heading_is_set_in_below_it(draw: DrawPart) -> None:
    """GOV.UK, "Publishing accessible documents": people see what belongs to what, however deep it is."""
    part = draw({"a": {"b": {"c": {"deep": "value"}}}, "z": {"y": "last"}})
    found = places(part)
    assert found["A"] < found["B"] < found["C"] == found["Deep"]
    assert found["Z"] == found["A"]


def test_no_word_of_a_table_is_cut_while_there_is_room(draw: DrawPart) -> None:
    row = {"date": "2026-01-02", "from": "Leeds (HMP)", "to": "Moorland (HMP)", "escort": "GEO", "sequence": 1}
    part = draw({"moves": [{**row, "reason": "Court hearing, then returned " * 4} for _ in range(3)]})
    for word in ("Escort", "Sequence", "Moorland", "January"):
        assert word in part.text.split()
