"""Attached texts and documents are drawn; what of them is not is said.

UK GDPR Article 15(3): a copy of the data, all of it. Samples are made by the libraries and forms that are named.
"""

import base64
import csv
import io
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html.parser import HTMLParser

import docx
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from striprtf.striprtf import rtf_to_text

from tests.functional.subject_access.drawing import a_pdf
from tests.unit.subject_access.report.conftest import DrawnPart, DrawPart
from waybill.subject_access.domain.report.blocks import Paragraph
from waybill.subject_access.domain.report.markup import document_blocks
from waybill.subject_access.domain.report.models import Attachment, Redaction
from waybill.subject_access.domain.report.texts import in_short_lines

type Attach = Callable[[str, bytes, str], Attachment]


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Assessment", 1)
    document.add_paragraph("He was calm.")
    document.add_paragraph("first point", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [*table.rows[0].cells, *table.rows[1].cells], ("Day", "Place", "3 May", "Leeds"), strict=True
    ):
        cell.text = text
    document.sections[0].header.paragraphs[0].text = "Confidential"
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def message() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ann@x.example", "bob@x.example", "Visit on 3 May"
    mail["Date"] = "Fri, 03 May 2024 10:00:00 +0100"
    mail.set_content("We met in Leeds.")
    mail.add_attachment("the list", filename="list.txt")
    return mail.as_bytes()


def table() -> bytes:
    made = io.StringIO()
    csv.writer(made).writerows([("Day", "Place"), ("3 May", "Leeds, West"), ("4 May", "York")])
    return made.getvalue().encode("utf-8-sig")


SHOWN = {
    "text": ("a.txt", "Łódź\n\nlast line".encode(), "text/plain", ["Łódź", "last line"]),
    "text of Windows": ("a.txt", "caf\xe9 – \u20ac5".encode("cp1252"), "text/plain; charset=iso-8859-1", ["café – €5"]),
    "text in UTF-16": ("a.log", "wide".encode("utf-16"), "text/plain", ["wide"]),
    "text by its name": ("a.txt", b"by name", "application/octet-stream", ["by name"]),
    "CSV": ("a.csv", table(), "text/csv", ["Day Place", "3 May Leeds, West", "4 May York"]),
    "HTML": (
        "a.html",
        b"<html><head><title>t</title><style>p{}</style></head><body><h1>Note</h1><p>one &amp; two</p>"
        b"<script>evil()</script><table><tr><th>A</th></tr><tr><td>b</td></tr></table></body></html>",
        "text/html",
        ["Note", "one & two", "A", "b"],
    ),
    "RTF": ("a.rtf", rb"{\rtf1\ansi{\b Bold} and caf\'e9\par next}", "application/rtf", ["Bold and café", "next"]),
    "message": (
        "a.eml",
        message(),
        "message/rfc822",
        ["From ann@x.example", "Subject Visit on 3 May", "We met in Leeds.", "Attached: list.txt", "the list"],
    ),
    "Word": (
        "a.docx",
        word(),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ["Confidential", "Assessment", "He was calm.", "• first point", "Day Place", "3 May Leeds"],
    ),
}


def drawn(draw: DrawPart, attachment: Attachment, **more: object) -> DrawnPart:
    return draw({"a": 1}, attachments=[attachment], **more)


@pytest.mark.parametrize("case", SHOWN)
def test_a_document_is_drawn(draw: DrawPart, attach: Attach, case: str) -> None:
    name, content, content_type, texts = SHOWN[case]
    part = drawn(draw, attach(name, content, content_type))
    text = " ".join(part.pages[1].split())
    for one in texts:
        assert one in text
    assert "evil" not in text
    (outcome,) = part.summary.attachments
    assert (outcome.problem, outcome.searched) == (None, True)


@pytest.mark.parametrize("case", SHOWN)
def test_what_is_redacted_is_gone_from_documents_too(draw: DrawPart, attach: Attach, case: str) -> None:
    name, content, content_type, texts = SHOWN[case]
    gone = {"CSV": "4 May", "HTML": "one & two", "Word": "He was calm."}.get(case, texts[-1])
    rule = Redaction("", "third party", everywhere=True, kind="text", texts=(gone,))
    part = drawn(draw, attach(name, content, content_type), redactions=[rule])
    assert "[Redacted: third party]" in " ".join(part.pages[1].split())
    assert gone not in " ".join(part.pages[1].split())


def test_a_name_that_goes_on_in_the_next_line_is_gone(draw: DrawPart, attach: Attach) -> None:
    rule = Redaction("", "third party", everywhere=True, texts=("John Jones",))
    part = drawn(draw, attach("a.txt", b"Here John\nJones said", "text/plain"), redactions=[rule])
    assert "Here [Redacted: third party] said" in part.pages[1]


# What a document has that is no text is not withheld unseen.
@pytest.mark.parametrize(
    ("name", "content", "content_type", "problem"),
    [
        ("a.html", b"<p>x</p><img src='y'>", "text/html", "not all of it is shown: pictures"),
        ("a.rtf", rb"{\rtf1 x {\pict 00}}", "text/rtf", "not all of it is shown: pictures and embedded files"),
        ("a.txt", b"\0\1\2", "text/plain", "it is no text, though it is said to be"),
        ("a.eml", b"nothing", "message/rfc822", "it is no message"),
        ("a.docx", b"PK\x03\x04", "application/octet-stream", "the file is damaged"),
        ("a.mp4", b"\0\0\0\x18ftypmp42", "video/mp4", "files of the type video/mp4 cannot be printed"),
    ],
)
def test_what_is_not_shown_is_said(
    draw: DrawPart, attach: Attach, name: str, content: bytes, content_type: str, problem: str
) -> None:
    part = drawn(draw, attach(name, content, content_type))
    assert part.summary.attachments[0].problem == problem
    assert problem in " ".join(part.pages[1].split())


def nested(depth: int) -> bytes:
    """A message whose parts are made of parts (RFC 2046, 5.1)."""
    begun = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return b"From: a@x.example\r\n" + begun + b"\r\nhi\r\n"


@pytest.fixture
def plain_stack() -> Iterator[None]:
    """The interpreter's own limit (`sys.getrecursionlimit`), which Hypothesis raises and does not always set back."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("plain_stack")
@pytest.mark.parametrize(
    "content",
    [nested(2_000), b"From: a@x.example\r\nTo: " + b"(" * 3_000 + b"\r\n\r\nhi"],
    ids=["parts in parts", "remarks in remarks"],
)
def test_a_hostile_message_is_no_end_of_a_report(draw: DrawPart, attach: Attach, content: bytes) -> None:
    part = drawn(draw, attach("a.eml", content, "message/rfc822"))
    assert part.summary.attachments[0].problem == "the file is damaged"


# What Python's codecs say of these: nothing can be decoded; a name has a NUL; it is no encoding of text.
@pytest.mark.parametrize("charset", [b"undefined", b'"a\0b"', b"rot13", b"nobody-knows"])
def test_a_message_in_an_encoding_that_is_none_is_shown(draw: DrawPart, attach: Attach, charset: bytes) -> None:
    content = b"From: a@x.example\r\nContent-Type: text/plain; charset=" + charset + b"\r\n\r\nHe was calm."
    part = drawn(draw, attach("a.eml", content, "message/rfc822"))
    assert part.summary.attachments[0].problem is None
    assert "He was calm." in part.pages[1]


def test_a_text_has_its_budget_of_pages(draw: DrawPart, attach: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.subject_access.domain.report.attachments.MOST_PAGES", 3)
    part = drawn(draw, attach("a.txt", b"line\n\n" * 2000, "text/plain"))
    assert part.summary.pages < 10
    assert "more than 3 pages" in str(part.summary.attachments[0].problem)


def mail_with(*attached: EmailMessage | tuple[bytes, str, str, str], html: str = "") -> bytes:
    """A message with other messages and files."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ann@x.example", "Forwarded"
    mail.set_content("See below.")
    if html:
        mail.add_alternative(html, subtype="html")
    for one in attached:
        if isinstance(one, EmailMessage):
            mail.add_attachment(one)
        else:
            content, main, sub, name = one
            mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def forwarded() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "bob@x.example", "The first one"
    mail.set_content("What Bob wrote.")
    return mail


# Apple Mail writes the text around a picture as parts of their own (RFC 2046, 5.1.3).
AROUND = b"""From: a@x.example
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain

Before the picture.
--x
Content-Type: text/plain

Behind the picture.
--x--
"""


def changed_word() -> bytes:
    """A document with an insertion that is marked, a content control, a table within a table, and a letterhead."""
    document = docx.Document()
    paragraph = document.add_paragraph("Plain.")
    inserted = docx.oxml.parse_xml(
        f'<w:ins {docx.oxml.ns.nsdecls("w")} w:id="1" w:author="a"><w:r><w:t>Inserted.</w:t></w:r></w:ins>'
    )
    paragraph._p.append(inserted)
    control = docx.oxml.parse_xml(
        f"<w:sdt {docx.oxml.ns.nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Controlled.</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>"
    )
    document.element.body.insert(1, control)
    outer = document.add_table(2, 1)
    outer.cell(0, 0).text = "Head"
    outer.cell(1, 0).add_table(1, 1).cell(0, 0).text = "Nested."
    section = document.sections[0]
    section.different_first_page_header_footer = True
    section.first_page_header.add_table(1, 1, docx.shared.Cm(5)).cell(0, 0).text = "Letterhead."
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


# Article 15(3): nothing of a document goes missing without a word, wherever in it it stands.
@pytest.mark.parametrize(
    ("name", "content", "content_type", "texts"),
    [
        ("a.eml", mail_with(forwarded()), "message/rfc822", ["See below.", "From bob@x.example", "What Bob wrote."]),
        ("a.eml", AROUND, "message/rfc822", ["Before the picture.", "Behind the picture."]),
        ("a.eml", mail_with(html="<p>See below.</p>"), "message/rfc822", ["See below."]),
        ("a.eml", mail_with(html="<p>More than that.</p>"), "message/rfc822", ["More than that."]),
        ("a.eml", mail_with((word(), "application", "msword", "w.docx")), "message/rfc822", ["He was calm.", "Leeds"]),
        ("a.docx", changed_word(), "", ["Plain.Inserted.", "Controlled.", "Nested.", "Letterhead."]),
        ("a.html", b"<html><head><title>Of the unit</title><body><p>Body<noscript>Plain</noscript>", "text/html",
         ["Of the unit", "BodyPlain"]),
        ("a.html", b"<input value='typed'><input type=checkbox checked> yes", "text/html", ["typed", "[x] yes"]),
        ("a.ics", b"BEGIN:VCALENDAR\nSUMMARY:Visit", "text/calendar", ["SUMMARY:Visit"]),
        ("a.bin", b'{"a": 1}', "application/fhir+json", ['{"a": 1}']),
    ],
)  # fmt: skip
def test_what_stands_elsewhere_in_a_document_is_drawn(
    draw: DrawPart, attach: Attach, name: str, content: bytes, content_type: str, texts: list[str]
) -> None:
    part = drawn(draw, attach(name, content, content_type))
    text = " ".join(" ".join(part.pages[1:]).split())
    for one in texts:
        assert one in text
    assert part.summary.attachments[0].problem is None


@pytest.mark.parametrize("opening", ["<a ", "<a b='", "<a/", "<!--", "<?"])
def test_what_nothing_closes_is_text_and_nobody_looks_for_its_end_again(
    monkeypatch: pytest.MonkeyPatch, opening: str
) -> None:
    """`HTMLParser.close` tries each `<` up to the end of the text: minutes for a few 100 KB."""
    monkeypatch.setattr(HTMLParser, "close", pytest.fail)
    blocks = list(document_blocks(f"<p>before</p>{opening * 20_000}"))
    assert blocks[0] == Paragraph("before")
    assert str(blocks[1:]).count(opening.strip()) == 20_000


@given(
    st.lists(
        st.sampled_from([r"\'e9", r"\{", r"\\", r"\par ", "{", "}", r"{\b b}", "a", " ", "\t", r"\u233?"]), max_size=60
    )
)
def test_rtf_in_short_lines_says_the_same(pieces: list[str]) -> None:
    text = "{\\rtf1 " + "".join(pieces) * 100 + "}"
    assert rtf_to_text(in_short_lines(text), errors="ignore") == rtf_to_text(text, errors="ignore")


@pytest.mark.parametrize("piece", [r'{\field{\*\fldinst{HYPERLINK "a', 'HYPERLINK "a"', 'HYPERLINK\t"a"'])
def test_no_line_of_rtf_is_long_enough_to_be_searched_for_links_for_ever(piece: str) -> None:
    """Of striprtf: its time goes with the cube of the length of a line."""
    text = r"{\rtf1 {\field{\*\fldinst{" + piece * 5_000
    assert max(map(len, in_short_lines(text).splitlines())) <= 2_000 + len(piece)


def test_a_line_of_rtf_without_a_place_to_cut_it_is_passed_over_once() -> None:
    """A Rich Text Format reader (1.9.1) passes over ends of lines: one behind the line changes nothing."""
    text = "{\\rtf1 " + "\\'e9" * 50_000
    assert in_short_lines(text) == text + "\n"


def test_a_text_in_two_forms_is_drawn_once(draw: DrawPart, attach: Attach) -> None:
    part = drawn(draw, attach("a.eml", mail_with(html="<p>See <b>below</b>.</p>"), "message/rfc822"))
    assert " ".join(part.text.split()).count("See below.") == 1


def test_files_of_a_message_are_drawn_and_a_person_looks_at_them(draw: DrawPart, attach: Attach) -> None:
    files = [(a_pdf("in the letter"), "application", "pdf", "letter.pdf"), (picture("PNG"), "image", "png", "a.png")]
    clip = (b"\0\0\0\x18ftypmp42", "video", "mp4", "clip.mp4")
    whole = drawn(draw, attach("a.eml", mail_with(*files), "message/rfc822")).summary.attachments[0]
    part = drawn(draw, attach("a.eml", mail_with(*files, clip), "message/rfc822"))
    (outcome,) = part.summary.attachments
    assert (whole.problem, whole.searched, outcome.searched) == (None, False, False)
    assert outcome.problem == (
        "not all of it is shown: Attached: clip.mp4 (files of the type video/mp4 cannot be printed)"
    )
    assert "in the letter" in part.text
    # The answer, the message, the picture, the PDF and its page, the clip: no page is empty.
    assert part.summary.pages == 6
    with pikepdf.open(part.path) as pdf:
        assert sum(len(page.get_images()) for page in pdf.pages) == 1


@pytest.mark.parametrize("word", ["header", "footerf", "footnote", "annotation"])
def test_what_a_letter_has_beside_its_text_is_said(draw: DrawPart, attach: Attach, word: str) -> None:
    content = rb"{\rtf1 Dear Ann{\%b beside}}" % word.encode()
    problem = drawn(draw, attach("a.rtf", content, "text/rtf")).summary.attachments[0].problem
    assert str(problem).startswith("not all of it is shown: ")


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_is_shown_and_that_is_said(draw: DrawPart, attach: Attach, form: str) -> None:
    made = io.BytesIO()
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    frames[0].save(made, form, save_all=True, append_images=frames[1:])
    outcome = drawn(draw, attach("a.bin", made.getvalue(), "image/gif")).summary.attachments[0]
    assert outcome.problem == "it has 3 pictures, of which the first is shown"


def test_what_is_within_an_attachment_shares_its_budget(
    draw: DrawPart, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waybill.subject_access.domain.report.attachments.MOST_PAGES", 4)
    files = [(word(), "application", "msword", f"{number}.docx") for number in range(9)]
    part = drawn(draw, attach("a.eml", mail_with(*files), "message/rfc822"))
    assert part.summary.pages < 10
    assert "more than 4 pages" in str(part.summary.attachments[0].problem)


# A red picture of 40 by 30 pixels, written by libheif with x265.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAACcAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNs"
    "eAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAKAAAAAEAAAAeAAAAAf///+gAAAAC////3gAAAAIAAAAQcGl4"
    "aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAL21kYXQAAAAjKAGvBBITjOD46cJoP91R/FqVtJ7yftCrK+NJn3ex"
    "GJKp/6A="
)


def picture(form: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(made, form)
    return made.getvalue()


@pytest.mark.parametrize("content", [picture("WEBP"), picture("BMP"), picture("GIF"), HEIC])
def test_pictures_of_other_forms_are_drawn(draw: DrawPart, attach: Attach, content: bytes) -> None:
    part = drawn(draw, attach("a.bin", content, "application/octet-stream"))
    assert part.summary.attachments[0].problem is None
    with pikepdf.open(part.path) as pdf:
        (image,) = pdf.pages[1].get_images().values()
        red, green, blue = pikepdf.PdfImage(image).as_pil_image().convert("RGB").getpixel((20, 15))
    assert red > 200
    assert max(green, blue) < 100


def test_frames_are_counted_together(draw: DrawPart, attach: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.subject_access.domain.report.pictures.MOST_PIXELS_IN_ALL", 5_000)
    made = io.BytesIO()
    image = Image.new("L", (40, 40))
    image.save(made, "TIFF", save_all=True, append_images=[image] * 9)
    part = drawn(draw, attach("a.tif", made.getvalue(), "image/tiff"))
    # Each has 1,600: three are drawn.
    assert part.summary.attachments[0].pages == 4
    assert "in all" in str(part.summary.attachments[0].problem)
