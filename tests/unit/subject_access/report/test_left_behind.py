"""What is taken out is in nothing that a file is made of (ICO, "How to disclose information safely": hidden data).

A reader shows text, but a file has more: maps from codes to letters, subsets of fonts, what the file says of itself,
bookmarks, the structure, words for pictures, and resources that no page shows.
"""

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from tests.unit.subject_access.report.conftest import DrawnPart, DrawPart, DrawReport
from waybill.subject_access.domain.report.models import Attachment, Redaction

HIDDEN = "[Redacted: third party]"
# Each has letters that nothing else in these files has.
PEOPLE = ["Žofie Řeřichová", "王小明", "김서연", "สมชาย ใจดี", "कमला देवी", "محمد الفارسي", "דוד לוי", "Łukasz Ðorđević"]
PLAIN = set(map(chr, range(0x7F))) | set("…•–—[]\u00a0")
PIXELS = b"a picture of a face " * 45


def letters_of(file: Path) -> set[str]:
    """Return every letter that a file can be made to tell: from its maps, strings and streams."""
    with pikepdf.open(file) as pdf:
        found = {letter for one in pdf.objects for letter in _letters(one)}
    return found - PLAIN


def _letters(value: Any) -> str:
    match value:
        case pikepdf.String():
            return str(value)
        case pikepdf.Stream() if value.get("/Type") == "/XRef":
            # Its strings are the file's identity, which is a hash.
            return ""
        case pikepdf.Stream():
            content = value.read_bytes()
            codes = re.findall(rb"<((?:[0-9A-Fa-f]{4})+)>", content) if b"begincmap" in content else []
            codes += re.findall(rb"<FEFF((?:[0-9A-Fa-f]{4})+)>", content)
            told = "".join(bytes.fromhex(code.decode()).decode("utf-16-be", "ignore") for code in codes)
            return told + (content.decode() if value.get("/Subtype") == "/XML" else "") + _direct(value.values())
        case pikepdf.Dictionary():
            return _direct(value.values())
        case pikepdf.Array():
            return _direct(value)
    return ""


def _direct(values: Iterable[Any]) -> str:
    """Return the letters of values that are no objects of their own: those come by themselves."""
    return "".join(_letters(one) for one in values if not getattr(one, "is_indirect", False))


def raw(file: Path) -> bytes:
    with pikepdf.open(file) as pdf:
        streams = [one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream)]
        return b"\n".join([file.read_bytes(), *streams])


def whole(drawn: DrawnPart, join: DrawReport) -> list[Path]:
    """Return the part and the reports that are made of it."""
    part = [("moves", "Moves", "PRISON", drawn)]
    return [drawn.path, join(part).path, join(part, internal=False).path]


def shared_pages(path: Path) -> Attachment:
    """Two pages that have one list of resources, as many programs write them; the first alone shows a picture."""
    with pikepdf.new() as pdf:
        picture = pdf.make_stream(
            PIXELS,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=30,
            Height=10,
            ColorSpace=pikepdf.Name.DeviceRGB,
            BitsPerComponent=8,
        )
        within = pikepdf.Dictionary(Im0=picture)
        form = pdf.make_stream(
            b"/Im0 Do",
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=[0, 0, 9, 9],
            Resources=pikepdf.Dictionary(XObject=within),
        )
        other = pdf.make_stream(
            b"0 0 5 5 re f",
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=[0, 0, 9, 9],
            Resources=pikepdf.Dictionary(XObject=within),
        )
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        listed = pikepdf.Dictionary(Face=picture, Form=form, Other=other)
        resources = pdf.make_indirect(pikepdf.Dictionary(XObject=listed, Font=pikepdf.Dictionary(F1=font)))
        for content in (b"q /Face Do /Form Do Q BT /F1 9 Tf (Quill) Tj ET", b"/O#74her Do BT /F1 9 Tf (Leeds) Tj ET"):
            page = pikepdf.Dictionary(
                Type=pikepdf.Name.Page,
                MediaBox=[0, 0, 300, 300],
                Resources=resources,
                Contents=pdf.make_stream(content),
            )
            pdf.pages.append(pikepdf.Page(page))
        pdf.save(path)
    return Attachment(1, "Form", "form.pdf", "application/pdf", path)


@pytest.mark.parametrize("person", PEOPLE)
def test_letters_of_a_person_who_is_taken_out_are_in_no_map_of_the_file(
    draw: DrawPart, join: DrawReport, person: str
) -> None:
    content = {"victim": {"name": person}, "note": f"Seen with {person} in Leeds.", "day": "2026-01-02"}
    shown = draw(content)
    assert set(person) - PLAIN <= letters_of(shown.path)
    rules = [Redaction("victim.name", "third party", everywhere=True, kind="name")]
    part = draw(content, redactions=rules)
    for file in whole(part, join):
        assert not set(person) & letters_of(file), file


@pytest.mark.parametrize("person", [*PEOPLE, "\u0f40\u0f62\u0fa8"])
def test_letters_of_a_page_that_is_taken_out_are_in_no_map_of_the_file(
    draw: DrawPart, join: DrawReport, person: str
) -> None:
    """A font of a file has the letters of all its pages, in the order in which they came."""
    content = {"first": {"text": "plain " * 900}, "second": {"name": person}, "third": {"text": "plain " * 900}}
    shown = draw(content)
    (page,) = [number for number, text in enumerate(shown.pages, start=1) if "Second" in text]
    part = draw(content, hidden_pages={page: HIDDEN})
    assert part.summary.pages == shown.summary.pages
    assert HIDDEN in part.pages[page - 1]
    for file in whole(part, join):
        assert not set(person) & letters_of(file), file
    # Nor are its characters listed as some that could not be printed.
    assert part.summary.unprintable == {}


def test_what_only_a_page_that_is_taken_out_draws_with_is_not_in_the_file(
    draw: DrawPart, join: DrawReport, tmp_path: Path
) -> None:
    attachment = shared_pages(tmp_path / "form.pdf")
    shown = draw({"a": 1}, attachments=[attachment])
    assert PIXELS in raw(shown.path)
    part = draw({"a": 1}, attachments=[attachment], hidden_pages={shown.summary.pages - 1: HIDDEN})
    assert "Leeds" in part.pages[-1]
    for file in whole(part, join):
        assert PIXELS not in raw(file)
        assert b"Quill" not in raw(file)
        # What the page that stays draws with is there.
        assert b"0 0 5 5 re f" in raw(file)


def test_a_picture_on_a_page_that_is_taken_out_is_not_in_the_file(draw: DrawPart, tmp_path: Path) -> None:
    made = BytesIO()
    Image.frombytes("RGB", (30, 10), PIXELS).save(made, "PNG")
    (tmp_path / "face.png").write_bytes(made.getvalue())
    picture = Attachment(1, "Face", "face.png", "image/png", tmp_path / "face.png")
    shown = draw({"a": 1}, attachments=[picture])
    assert PIXELS in raw(shown.path)
    part = draw({"a": 1}, attachments=[picture], hidden_pages={shown.summary.pages: HIDDEN})
    assert PIXELS not in raw(part.path)


def test_what_a_file_says_of_itself_is_not_of_people(draw: DrawPart, join: DrawReport) -> None:
    """Names of fonts are made of letters of the program's own, and nothing is embedded."""
    rules = [Redaction("name", "third party", everywhere=True)]
    part = draw({"name": "Peter Quill", "note": "Peter Quill left"}, redactions=rules)
    with pikepdf.open(whole(part, join)[1]) as pdf:
        assert not pdf.attachments
        assert set(pdf.docinfo.keys()) == {"/Title", "/CreationDate", "/ModDate", "/Producer"}
        fonts = {str(one.FontName) for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/FontName" in one}
        assert all(re.fullmatch(r"/([A-Z]{6}|WAYBIL)\+[\w-]+", name) for name in fonts), fonts
        assert b"Quill" not in pdf.Root.Metadata.read_bytes()
