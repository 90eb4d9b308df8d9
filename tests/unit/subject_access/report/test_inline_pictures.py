"""Pictures of an answer, printed where its template says: ``inlineAttachment`` and ``inlineAttachmentContent``.

Source: the facts of HMPPS' template library (release notes 2.1 to 2.2.1), as the project's notes list them.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from tests.unit.subject_access.report.conftest import DrawnPart, DrawPart, DrawReport
from tests.unit.subject_access.report.reading import read
from waybill.subject_access.domain.inline_pictures import FIRST_INLINE, address_hash
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.models import Attachment, Redaction
from waybill.subject_access.domain.report.templates import check_template

PHOTO = {"contentType": "image/png", "url": "https://files.example/photo-of-ann", "filesize": 3}
MAP = {"contentType": "image/jpeg", "url": "https://files.example/map", "filesize": 4}
ONE, TWO = FIRST_INLINE + 1, FIRST_INLINE + 2


@pytest.fixture
def pictures(tmp_path: Path) -> Mapping[str, Attachment]:
    """The pictures of `PHOTO`, 300 pixels wide and 200 high, and of `MAP`, which is damaged."""
    drawn = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(drawn, "PNG")
    (tmp_path / "photo").write_bytes(drawn.getvalue())
    (tmp_path / "map").write_bytes(b"no picture")
    return {
        address_hash(str(described["url"])): Attachment(number, f"Picture {number}", "", "image/png", tmp_path / name)
        for number, name, described in ((ONE, "photo", PHOTO), (TWO, "map", MAP))
    }


def sizes(part: DrawnPart) -> list[tuple[int, int]]:
    """Width and height in points of each picture, from the matrix that it is drawn with."""
    with pikepdf.open(part.path) as pdf:
        found = [one for page in pdf.pages for one in pikepdf.parse_content_stream(page) if str(one.operator) == "cm"]
    drawn = [[float(number) for number in one.operands] for one in found]
    return [(round(width), round(height)) for width, _, _, height, _, _ in drawn if width > 1]


@pytest.mark.parametrize(
    ("template", "drawn"),
    [
        # CSS pixels; the picture is as large as the box allows, and never out of shape.
        ("{{{inlineAttachment photo 90 140}}}", (101, 68)),
        ("{{inlineAttachment photo}}", (225, 150)),
        ("{{inlineAttachment photo 9000 9000}}", (525, 350)),
        ('<p>Here: <img src="{{inlineAttachmentContent photo}}" alt="Photo of {{name}}" width="40"/></p>', (30, 20)),
        ('<img src="{{{ inlineAttachmentContent photo }}}">', (225, 150)),
    ],
)
def test_a_picture_stands_where_the_template_says(
    draw: DrawPart, pictures: Mapping[str, Attachment], template: str, drawn: tuple[int, int]
) -> None:
    check_template(template)
    part = draw({"photo": PHOTO, "name": "Ann"}, template=f"<p>Before</p>{template}<p>After</p>", pictures=pictures)
    assert sizes(part) == [drawn]
    assert "Before" in part.text
    assert [(one.number, one.problem) for one in part.summary.attachments] == [(ONE, None)]
    assert "After" in part.text


def test_nothing_is_held_where_there_is_no_picture(draw: DrawPart, pictures: Mapping[str, Attachment]) -> None:
    template = '<p>[{{inlineAttachment photo}}]</p><img src="{{inlineAttachmentContent photo}}">'
    part = draw({"photo": None, "x": 1}, template=template, pictures=pictures)
    assert ("[No Data Held]" in part.text, sizes(part)) == (True, [])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("photo.png", "takes an object"),
        ({"url": "https://files.example/photo-of-ann"}, "takes an object"),
        ({**PHOTO, "contentType": "application/pdf"}, "prints no application/pdf"),
        ({**PHOTO, "url": "https://files.example/other"}, "did not come with the answer"),
        ({**PHOTO, "url": "https://files.example/other", "@inline": 100_009}, "did not come with the answer"),
    ],
)
def test_what_is_no_picture_of_the_answer_ends_the_part(
    draw: DrawPart, pictures: Mapping[str, Attachment], value: Any, problem: str
) -> None:
    with pytest.raises(TemplateError, match=problem):
        draw({"photo": value}, template="{{inlineAttachment photo}}", pictures=pictures)


def test_a_picture_in_a_table_stands_behind_its_row_and_is_named_in_it(
    draw: DrawPart, join: DrawReport, pictures: Mapping[str, Attachment]
) -> None:
    template = (
        '<table class="summary-list"><tr><td>Photo</td><td>{{inlineAttachment photo}}</td></tr>'
        "<tr><td>Next</td><td>row</td></tr></table><table><tr><td>Head</td></tr>"
        '<tr><td>See <img src="{{inlineAttachmentContent photo}}" alt="Ann"></td></tr></table>'
    )
    part = draw({"photo": PHOTO}, template=template, pictures=pictures)
    reading = read(join([("G1", "First", "PRISON", part)]).path)
    texts = [text for _, text in reading.lines]
    order = texts[texts.index("Photo") : texts.index("INTERNAL ONLY", texts.index("Photo"))]
    assert order == [
        "Photo", "Picture 1", "Picture 1", "Picture 1, without a description",
        "Next", "row", "Head", "See Picture 1", "Picture 1", "Ann",
    ]  # fmt: skip
    assert reading.faults == []


def test_a_picture_that_cannot_be_shown_is_said_and_withheld(
    draw: DrawPart, pictures: Mapping[str, Attachment]
) -> None:
    part = draw({"map": MAP}, template="{{inlineAttachment map}}", pictures=pictures)
    assert "cannot be shown: the file is damaged" in part.text
    assert [(one.number, one.problem) for one in part.summary.attachments] == [(TWO, "the file is damaged")]


@pytest.mark.parametrize(
    "taken_out",
    [
        {"redactions": [Redaction("photo", "third party")]},
        {"redactions": [Redaction("photo.url", "third party")]},
        {"hidden_attachments": {ONE: "[Redacted: third party]"}},
    ],
)
def test_a_picture_that_is_taken_out_is_not_in_the_file(
    draw: DrawPart, pictures: Mapping[str, Attachment], taken_out: Mapping[str, Any]
) -> None:
    template = '<p>{{inlineAttachment photo}}</p><img src="{{inlineAttachmentContent photo}}">'
    part = draw({"photo": PHOTO, "x": 1}, template=template, pictures=pictures, **taken_out)
    assert part.text.count("[Redacted: third party]") == 2
    with pikepdf.open(part.path) as pdf:
        images = [one for one in pdf.objects if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"]
        assert (sizes(part), images) == ([], [])


def test_a_name_in_its_address_takes_no_picture_away(draw: DrawPart, pictures: Mapping[str, Attachment]) -> None:
    part = draw(
        {"photo": PHOTO, "who": "Photo-of-Ann"},
        template="{{who}}{{inlineAttachment photo}}",
        pictures=pictures,
        redactions=[Redaction("who", "third party", everywhere=True, kind="text")],
    )
    assert (part.summary.redacted, sizes(part)) == (2, [(225, 150)])


@pytest.mark.parametrize(
    "template",
    [
        "<img src='inline:100001'>",
        '<img src="{{photo.url}}">',
        "<img>",
        '<img src="https://files.example/{{inlineAttachmentContent photo}}">',
        "{{inlineAttachment}}",
        "{{inlineAttachment a 1 2 3}}",
        "{{inlineAttachmentContent a 1}}",
    ],
)
def test_other_calls_may_not_be_registered(template: str) -> None:
    with pytest.raises(TemplateError, match="inlineAttachment"):
        check_template(template)
