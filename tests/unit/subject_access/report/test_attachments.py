"""Attachments of all kinds and sizes, and those that cannot be shown."""

import io
from collections.abc import Callable
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report import pdf_pages, pictures
from waybill.subject_access.domain.report.models import Attachment, Redaction

type Attach = Callable[[str, bytes, str], Attachment]

MM = 72 / 25.4
SIZES = {
    "a3": (297 * MM, 420 * MM),
    "a4": (210 * MM, 297 * MM),
    "a5": (148 * MM, 210 * MM),
    "landscape": (297 * MM, 210 * MM),
    "long": (100 * MM, 1200 * MM),
}
PDF = "application/pdf"


def pdf_of(size: tuple[float, float], pages: int = 1, rotation: int = 0, **save: Any) -> bytes:
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=size)
    for number in range(1, pages + 1):
        canvas.drawString(20, size[1] - 20, f"top of page {number}")
        canvas.drawString(20, 20, f"foot of page {number}")
        canvas.acroForm.textfield(name=f"field{number}", value="filled in", x=20, y=40, width=80, height=15)
        canvas.showPage()
    canvas.save()
    with pikepdf.open(made) as pdf:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('never')")
        for page in pdf.pages:
            page.Rotate = rotation
        saved = io.BytesIO()
        pdf.save(saved, **save)
    return saved.getvalue()


def picture_of(size: tuple[int, int], mode: str = "RGB", format_: str = "PNG", color: Any = None, **save: Any) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, color).save(made, format_, **save)
    return made.getvalue()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rotation", [0, 90])
def test_pdf_pages_of_any_size_are_set_between_the_margins(
    draw: DrawPart, attach: Attach, size: str, rotation: int
) -> None:
    part = draw({"a": 1}, attachments=[attach("plan.pdf", pdf_of(SIZES[size], 2, rotation), PDF)])
    assert part.summary.pages == len(part.pages) == 4
    for number, page in enumerate(part.pages[2:], start=1):
        for printed in (f"top of page {number}", f"foot of page {number}", "filled in", "Official Sensitive", "SMITH"):
            assert printed in page
    width, height = SIZES[size] if rotation == 0 else SIZES[size][::-1]
    with pikepdf.open(part.path) as pdf:
        box = [float(side) for side in pdf.pages[2].mediabox]
        assert (box[2] > box[3]) == (width > height)
        assert max(box) < 842


def test_nothing_but_what_pages_show_is_taken_from_a_pdf(draw: DrawPart, attach: Attach) -> None:
    part = draw({"a": 1}, attachments=[attach("form.pdf", pdf_of(SIZES["a4"]), PDF)])
    assert b"app.alert" not in part.raw
    assert b"JavaScript" not in part.raw
    with pikepdf.open(part.path) as pdf:
        assert "/AcroForm" not in pdf.Root
        assert all("/Annots" not in page for page in pdf.pages)


def test_a_pdf_that_only_its_owner_may_change_is_shown(draw: DrawPart, attach: Attach) -> None:
    file = pdf_of(SIZES["a4"], encryption=pikepdf.Encryption(owner="secret", user=""))
    part = draw({"a": 1}, attachments=[attach("a.pdf", file, PDF)])
    assert "top of page 1" in part.text


def _bomb() -> bytes:
    """A PDF whose page unpacks to 100 MB."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.Contents = pdf.make_stream(b"0 0 m\n" * 16_666_667)
        made = io.BytesIO()
        pdf.save(made)
    return made.getvalue()


def _damaged() -> bytes:
    """A PDF whose page cannot be unpacked, all else being well."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.Contents = pdf.make_stream(b"no zlib data", Filter=pikepdf.Name.ASCIIHexDecode)
        made = io.BytesIO()
        pdf.save(made, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return made.getvalue()


def _noise(size: tuple[int, int]) -> bytes:
    made = io.BytesIO()
    Image.effect_noise(size, 60).save(made, "JPEG")
    return made.getvalue()


UNREADABLE: dict[str, tuple[str, bytes | Callable[[], bytes], str, str]] = {
    "password": ("a.pdf", pdf_of(SIZES["a4"], encryption=pikepdf.Encryption(owner="o", user="u")), PDF, "password"),
    "cut PDF": ("a.pdf", pdf_of(SIZES["a4"])[:600], PDF, "damaged"),
    "garbage PDF": ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 20, PDF, "damaged"),
    "empty PDF": ("a.pdf", b"", PDF, "damaged"),
    "PDF that unpacks to 100 MB": ("a.pdf", _bomb, PDF, "too large"),
    "PDF with a damaged page": ("a.pdf", _damaged, PDF, "damaged"),
    "cut JPEG": ("a.jpg", _noise((900, 600))[:5000], "image/jpeg", "damaged"),
    "no JPEG": ("a.jpg", b"hello", "image/jpeg", "damaged"),
    "cut PNG": ("a.png", picture_of((500, 500))[:100], "image/png", "damaged"),
    "video": ("clip.mp4", b"\0\0\0\x18ftypmp42", "video/mp4", "files of the type video/mp4 cannot be printed"),
    "Word": ("a.doc", b"PK\x03\x04", "application/msword", "files of the type application/msword cannot be printed"),
    "no type": ("a", b"\x00\x01", "", "files of the type unknown cannot be printed"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_shown_has_a_page_that_says_why(draw: DrawPart, attach: Attach, case: str) -> None:
    name, content, content_type, problem = UNREADABLE[case]
    good = attach("good.png", picture_of((30, 30)), "image/png")
    made = content() if callable(content) else content
    part = draw({"a": 1}, attachments=[attach(name, made, content_type), good])
    assert part.summary.pages == 3
    assert problem in part.pages[2].replace("\n", " ")
    assert [one.problem is None for one in part.summary.attachments] == [True, False]


def test_a_file_that_was_not_fetched_has_a_page_that_says_why(draw: DrawPart) -> None:
    missing = Attachment(1, "letter", "letter.pdf", PDF, None, "the file is shorter than announced")
    part = draw({"a": 1}, attachments=[missing])
    assert "letter.pdf" in part.text
    assert "cannot be shown: the file is shorter than announced" in part.text


@pytest.mark.parametrize(
    ("size", "mode", "format_", "content_type"),
    [
        ((3000, 200), "RGB", "JPEG", "image/jpeg"),
        ((200, 3000), "CMYK", "JPEG", "image/jpeg"),
        ((1, 1), "RGB", "PNG", "image/png"),
        ((300, 200), "RGBA", "PNG", "image/png"),
        ((300, 200), "P", "PNG", "image/png"),
        ((300, 200), "1", "PNG", "image/png"),
        ((300, 200), "I;16", "PNG", "image/png"),
        ((300, 200), "LA", "PNG", "image/png"),
        ((300, 200), "P", "GIF", "image/gif"),
        ((300, 200), "CMYK", "TIFF", "image/tiff"),
        ((300, 200), "L", "TIFF", "application/octet-stream"),
    ],
)
def test_pictures_are_fitted_into_three_quarters_of_the_page(
    draw: DrawPart, attach: Attach, size: tuple[int, int], mode: str, format_: str, content_type: str
) -> None:
    part = draw({"a": 1}, attachments=[attach("scan", picture_of(size, mode, format_), content_type)])
    assert part.summary.attachments[0].problem is None
    (shown,) = placed(part.path, 2)
    assert shown.width / shown.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert (
        shown.width == pytest.approx(0.75 * 595.28, abs=0.1)
        or shown.height == pytest.approx(0.75 * 841.89, abs=0.1)
        or shown.y == pytest.approx(70, abs=0.1)  # as high as the page has room for
    )
    assert shown.x + shown.width / 2 == pytest.approx(595.28 / 2, abs=0.1)


class Shown:
    def __init__(self, operands: list[Any]) -> None:
        self.width, _, _, self.height, self.x, self.y = (float(one) for one in operands)


def placed(file: Path, page: int) -> list[Shown]:
    """The pictures of a page: reportlab sets each by a matrix of its own."""
    with pikepdf.open(file) as pdf:
        operations = [
            (list(one.operands), str(one.operator)) for one in pikepdf.parse_content_stream(pdf.pages[page - 1])
        ]
    return [
        Shown(operands)
        for (operands, operator), (_, following) in pairwise(operations)
        if operator == "cm" and following == "Do"
    ]


def test_a_picture_of_forty_megapixels_is_shown(draw: DrawPart, attach: Attach) -> None:
    part = draw({"a": 1}, attachments=[attach("map.png", picture_of((8000, 5000), "L"), "image/png")])
    assert part.summary.attachments[0].problem is None
    assert part.summary.size < 1_000_000


def test_a_picture_that_unpacks_to_more_than_memory_is_not_decoded(
    draw: DrawPart, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1_000_000)
    part = draw({"a": 1}, attachments=[attach("bomb.png", picture_of((1001, 1000), "1"), "image/png")])
    assert "more than 1 million pixels" in part.text


def test_every_page_of_a_fax_is_shown(draw: DrawPart, attach: Attach) -> None:
    fax = picture_of((100, 100), "1", "TIFF", save_all=True, append_images=[Image.new("L", (50, 80)) for _ in range(2)])
    part = draw({"a": 1}, attachments=[attach("fax.tif", fax, "image/tiff")])
    assert part.summary.pages == 4
    assert [len(placed(part.path, page)) for page in (2, 3, 4)] == [1, 1, 1]


def test_a_photograph_that_lies_on_its_side_is_set_upright(draw: DrawPart, attach: Attach) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    photo = picture_of((400, 100), "RGB", "JPEG", exif=exif)
    part = draw({"a": 1}, attachments=[attach("photo.jpg", photo, "image/jpeg")])
    (shown,) = placed(part.path, 2)
    assert shown.height > shown.width


def test_too_many_pages_are_not_copied(draw: DrawPart, attach: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "MOST_PAGES", 3)
    part = draw({"a": 1}, attachments=[attach("a.pdf", pdf_of(SIZES["a5"], 4), PDF)])
    assert "more than 3 pages" in part.text


def test_numbers_decide_the_order_and_all_are_there(draw: DrawPart) -> None:
    attachments = [Attachment(number, "", f"file{number}.bin", "x/y", None) for number in range(1200, 0, -1)]
    part = draw({"a": 1}, attachments=attachments)
    assert part.summary.pages == 1201
    assert [one.number for one in part.summary.attachments] == list(range(1, 1201))
    assert [bookmark.page for bookmark in part.summary.bookmarks] == [1, *range(2, 1202)]
    with pikepdf.open(part.path) as pdf:
        assert len(pdf.pages) == 1201


def test_more_pdf_files_than_may_be_open_at_once(
    draw: DrawPart, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_pages, "_OPEN", 3)
    part = draw({"a": 1}, attachments=[attach(f"{n}.pdf", pdf_of(SIZES["a5"], n), PDF) for n in range(1, 6)])
    tops = [page.count("top of page") for page in part.pages]
    assert tops == list(chain([0], *([0, *[1] * n] for n in range(1, 6))))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ("report &amp; notes.pdf", "report &amp; notes.pdf"),
        ("nul\x00byte\ttab\u202ereversed", "nul byte tab reversed"),
        ("x" * 300, "x" * 50),
        ("figure \U0001fbc5.pdf", "figure [U+1FBC5 stick figure].pdf"),
    ],
)
def test_names_are_cleaned_before_they_are_printed(draw: DrawPart, name: str, shown: str) -> None:
    part = draw({"a": 1}, attachments=[Attachment(1, "", name, "x/y", None)])
    assert shown in part.pages[1]


def test_the_same_attachments_give_the_same_bytes(draw: DrawPart, attach: Attach) -> None:
    attachments = [
        attach("a.pdf", pdf_of(SIZES["a3"], 2), PDF),
        attach("b.jpg", _noise((500, 400)), "image/jpeg"),
        attach("c.png", picture_of((30, 30), "RGBA"), "image/png"),
    ]
    assert draw({"a": 1}, attachments=attachments).summary == draw({"a": 1}, attachments=attachments).summary


def test_what_a_pdf_says_of_a_redacted_person_is_listed(draw: DrawPart, attach: Attach) -> None:
    """Text inside PDF attachments is never "not searched" without a word, so that a person looks."""
    lines = ["Plan", "JONES, John was seen; Joens as well", "nothing here"]
    made = io.BytesIO()
    canvas = Canvas(made)
    for number, line in enumerate(lines):
        canvas.drawString(20, 400, line)
        if number == 2:
            canvas.acroForm.textfield(name="who", value="A 9876 ZZ", x=20, y=40, width=80, height=15)
        canvas.showPage()
    canvas.save()
    content = {"victim": {"name": "John JONES", "id": "A9876ZZ"}}
    rules = [Redaction(f"victim.{name}", "third party", everywhere=True) for name in ("name", "id")]
    attached = attach("plan.pdf", made.getvalue(), PDF)
    part = draw(content, redactions=rules, attachments=[attached])
    assert [(one.place, one.kind) for one in part.summary.near] == [
        ("attachments[1].pages[2]", "within a page that is shown as it came"),
        ("attachments[1].pages[2]", "one letter differs"),
        # What was filled into a form is part of the page.
        ("attachments[1].pages[3]", "within a page that is shown as it came"),
    ]
    # Nothing was taken out of the file, and it counts as not searched: its pictures are not read.
    assert (part.summary.redacted, part.summary.redacted_left) == (2, 0)
    assert [(one.searched, one.swept) for one in part.summary.attachments] == [(False, False)]
    assert draw(content, attachments=[attached]).summary.near == ()
