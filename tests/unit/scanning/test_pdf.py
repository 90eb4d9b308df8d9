"""What is read of a PDF and what is named as not read; the files are made by ReportLab, fpdf2 and pikepdf."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from fpdf import FPDF
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report

SSN = "219-45-6789"


def scan(engine: Engine, content: bytes) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess()).scan(io.BytesIO(content).read)


def places(report: Report) -> set[str]:
    return {finding.member for finding in report.findings if finding.detector == "US_SSN"}


def drawn(draw: Callable[[Canvas], None]) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, invariant=True)
    canvas.drawString(72, 60, "Page")
    draw(canvas)
    canvas.save()
    return file.getvalue()


def letter(canvas: Canvas) -> None:
    canvas.drawString(72, 720, "Nothing here")
    canvas.showPage()
    canvas.drawString(72, 720, f"ssn {SSN}")


def test_a_value_is_found_on_its_page(engine: Engine) -> None:
    report = scan(engine, drawn(letter))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"page 2"})


def test_what_fpdf2_writes_is_read_too(engine: Engine) -> None:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica")
    document.cell(text=f"ssn {SSN}")
    document.text_annotation(10, 10, f"his ssn was {SSN}")
    report = scan(engine, bytes(document.output()))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"page 1", "objects"})


# ISO 32000-1: 14.3.3 (document information), 12.3.3 (outline), 12.7.4.3 (text fields), 12.6.4.7 (URI actions).
@pytest.mark.parametrize(
    "draw",
    [
        lambda canvas: canvas.setTitle(f"ssn {SSN}"),
        lambda canvas: (canvas.bookmarkPage("a"), canvas.addOutlineEntry(f"ssn {SSN}", "a")),
        lambda canvas: canvas.acroForm.textfield(name="ssn", value=f"ssn {SSN}"),
        lambda canvas: canvas.linkURL(f"https://a.example/?ssn={SSN}", (0, 0, 9, 9)),
    ],
    ids=["title", "bookmark", "form field", "link"],
)
def test_what_stands_beside_the_text_is_read(engine: Engine, draw: Callable[[Canvas], None]) -> None:
    report = scan(engine, drawn(draw))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"objects"})


def changed(change: Callable[[pikepdf.Pdf], object]) -> bytes:
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn(lambda _: None))) as document:
        change(document)
        document.save(file, linearize=True)
    return file.getvalue()


def script(document: pikepdf.Pdf) -> None:
    """ISO 32000-1, 12.6.4.16: a script is a string or a stream."""
    code = pikepdf.Stream(document, f"var ssn = '{SSN}';".encode())
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=code)


def xmp(document: pikepdf.Pdf) -> None:
    with document.open_metadata() as metadata:
        metadata["dc:description"] = f"ssn {SSN}"


def typed(document: pikepdf.Pdf) -> None:
    """ISO 32000-1, 12.6.3: what happens while somebody types into a field is a script of the field."""
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=f"var ssn = '{SSN}';")
    document.pages[0].obj.AA = pikepdf.Dictionary(O=script)


def nested(document: pikepdf.Pdf) -> None:
    value: Any = pikepdf.String(f"ssn {SSN}")
    for _ in range(150):
        value = pikepdf.Array([value])
    document.Root.Deep = document.make_indirect(value)
    document.Root.Flat = pikepdf.Array([pikepdf.String(f"his ssn is {SSN}")])


def test_a_script_in_an_action_is_read(engine: Engine) -> None:
    report = scan(engine, changed(typed))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"objects"})


def test_what_is_nested_too_deep_is_named_and_costs_nothing_else(engine: Engine) -> None:
    report = scan(engine, changed(nested))
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"objects"})
    assert [(each.member, each.reason) for each in report.unread] == [("objects", "ARCHIVE_DEPTH")]


@pytest.mark.parametrize("change", [script, xmp])
def test_streams_that_hold_text_are_read(engine: Engine, change: Callable[[pikepdf.Pdf], object]) -> None:
    report = scan(engine, changed(change))
    assert report.outcome == Outcome.COMPLETE
    assert any(place.startswith("stream ") for place in places(report))


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.csv", f"ssn {SSN}\n")
    return packed.getvalue()


def attached(document: pikepdf.Pdf) -> None:
    document.attachments["records.zip"] = archive()


def pinned(document: pikepdf.Pdf) -> None:
    """ISO 32000-1, 12.5.6.15: a file hangs on a note of a page, and calls itself a picture besides."""
    stream = pikepdf.Stream(document, archive(), Subtype=pikepdf.Name.Image, BBox=pikepdf.Array([0, 0, 1, 1]))
    file = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, UF="records.zip", EF=pikepdf.Dictionary(F=stream))
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FileAttachment, Rect=pikepdf.Array([0, 0, 9, 9]), FS=file
    )
    document.pages[0].obj.Annots = document.make_indirect(pikepdf.Array([document.make_indirect(note)]))


@pytest.mark.parametrize("change", [attached, pinned])
def test_an_attached_file_is_looked_into(engine: Engine, change: Callable[[pikepdf.Pdf], object]) -> None:
    assert places(scan(engine, changed(change))) == {"records.zip!a.csv"}


def test_a_page_with_a_picture_is_not_wholly_read(engine: Engine) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(picture, "PNG")

    def draw(canvas: Canvas) -> None:
        letter(canvas)
        canvas.showPage()
        canvas.drawImage(ImageReader(picture), 72, 72)

    report = scan(engine, drawn(draw))
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"page 2"})
    assert [(each.member, each.reason) for each in report.unread] == [("page 3 pictures", "UNSUPPORTED_TYPE")]


@pytest.mark.parametrize(("user", "outcome"), [("secret", Outcome.SKIPPED), ("", Outcome.COMPLETE)])
def test_what_opens_without_a_password_is_read(engine: Engine, user: str, outcome: Outcome) -> None:
    """ISO 32000-1, 7.6.3.1: the user password may be empty."""
    with pikepdf.open(io.BytesIO(drawn(letter))) as document:
        file = io.BytesIO()
        document.save(file, encryption=pikepdf.Encryption(owner="owner", user=user))
    report = scan(engine, file.getvalue())
    assert report.outcome == outcome
    assert dict(report.reasons) == ({"ENCRYPTED": 1} if user else {})
    assert places(report) == (set() if user else {"page 2"})


def test_space_before_the_header_is_passed_over(engine: Engine) -> None:
    assert places(scan(engine, b"\r\n\r\n" + drawn(letter))) == {"page 2"}


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(5000), b"%PDF-1.7 and a text about it\n"])
def test_what_is_no_pdf_behind_its_mark_is_broken(engine: Engine, content: bytes) -> None:
    report = scan(engine, content)
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ARCHIVE_BROKEN": 1})


def test_a_page_tree_that_contains_itself_comes_to_an_end(engine: Engine) -> None:
    with pikepdf.open(io.BytesIO(drawn(letter))) as document:
        document.Root.Pages.Kids.append(document.Root.Pages)
        document.Root.Pages.Count = 2_000_000_000
        file = io.BytesIO()
        document.save(file)
    # As its readers do: the pages that there are.
    assert places(scan(engine, file.getvalue())) == {"page 2"}


@pytest.mark.parametrize(
    "before", [b"\x1b%-12345X@PJL SET COPIES=1\r\n", f"sent by {SSN}, ssn\n".encode(), b"x\n" * 500]
)
def test_what_stands_before_the_header_hides_no_document(engine: Engine, before: bytes) -> None:
    """ISO 32000-1, annex H (7.5.2): readers take a header within the first 1,024 bytes."""
    report = scan(engine, before + drawn(letter))
    assert report.outcome == Outcome.COMPLETE
    assert places(report) == {"page 2"} | ({"before the document"} if SSN.encode() in before else set())


@pytest.mark.parametrize(
    "text", ["%PDF-1.7 is a header\n1 0 obj\n", "as %PDF-1.4\nsays\n", "a\n" * 600 + "%PDF-1.4\n1 0 obj\n"]
)
def test_a_text_about_such_files_is_a_text(engine: Engine, text: str) -> None:
    report = scan(engine, f"About: {text}ssn {SSN}".encode())
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {""})


def test_strings_are_read_where_pages_cannot_be(engine: Engine) -> None:
    """Without its trailer PDFium opens no file; qpdf looks for the objects (ISO 32000-1, 7.5.5)."""
    content = drawn(lambda canvas: canvas.setSubject(f"ssn {SSN}"))
    report = scan(engine, content[: content.rindex(b"trailer")])
    assert [(each.member, each.reason) for each in report.unread] == [("pages", "ARCHIVE_BROKEN")]
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"objects"})
