"""Names in the scripts that people write them in: searched, copied and read aloud in the order of their letters."""

import unicodedata

import pypdfium2
import pytest

from tests.unit.subject_access.report.conftest import DrawPart, DrawReport
from tests.unit.subject_access.report.reading import read
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.lines import wrap
from waybill.subject_access.domain.report.models import Redaction
from waybill.subject_access.domain.report.shaping import shaping_face

# The scripts; each with something that only shaping draws right.
NAMES = {
    "Thai": "สมชาย ใจดี น้ำผึ้ง",
    "Devanagari": "प्रियंका शर्मा किशोर",
    "Bengali": "মুহাম্মদ রহমান কৃষ্ণ",
    "Gurmukhi": "ਹਰਪ੍ਰੀਤ ਸਿੰਘ",
    "Gujarati": "પટેલ કૃષ્ણકાંત",
    "Tamil": "லக்ஷ்மி கோவிந்தராஜன்",
    "Telugu": "శ్రీనివాస",
    "Kannada": "ಶ್ರೀಕೃಷ್ಣ",
    "Malayalam": "ശ്രീകുമാർ",
    "Sinhala": "ශ්‍රී ලංකා",
    "Myanmar": "အောင်ဆန်းစုကြည်",
    "Khmer": "សុខ វណ្ណា",
    "Lao": "ສົມສັກ",
    "Amharic": "አበበ በቂላ",
    "Georgian": "გიორგი მაისურაძე",
    "Armenian": "Արամ Խաչատրյան",
    "Arabic": "محمد عبد الله",
    "Urdu": "ٹیپو سلطان کے بیٹے",
    "Persian": "می‌خواهم علی",
    "Hebrew": "שָׁלוֹם יעקב",
    "Rate": "הנחה 20% על $50",
    "Chinese": "王小明 習近平",
    "Japanese": "山田 たろう",
    "Korean": "김민수",
    "Vietnamese": "Nguyễn Thị Hồng",
    "Welsh": "Ŵyn Ŷstrad ŵ ŷ",
    "Emoji": "👍🏽 🇬🇧 😀",
    "Both": "Ann (محمد) 12/05/2024 किताब",
}


def alike(text: str) -> str:
    """A text by NFC and without spaces; PDFium leaves out what joins letters without being one."""
    return "".join(unicodedata.normalize("NFC", text).replace("\u200c", "").replace("(", "").replace(")", "").split())


def test_names_are_read_and_found_in_the_order_of_their_letters(draw: DrawPart, join: DrawReport) -> None:
    part = draw(NAMES)
    assert part.summary.unprintable == {}
    found = read(join([("G1", "สมชาย", "PRISON", part)]).path)
    assert found.faults == []
    told = {row.kids[0].text: row.kids[1].text for row in found.root.all("TR") if row.kids[0].tag == "TH"}
    assert {name: alike(told[name]) for name in NAMES} == {name: alike(text) for name, text in NAMES.items()}
    with pypdfium2.PdfDocument(part.path) as document:
        searched = "".join(alike(page.get_textpage().get_text_range()) for page in document)
    missing = [name for name, text in NAMES.items() for word in text.split() if alike(word) not in searched]
    assert missing == []


def test_the_language_of_a_script_that_one_language_has_is_said(draw: DrawPart) -> None:
    raw = draw({"a": "สมชาย", "b": "محمد"}).raw
    assert b"/Lang (th)" in raw
    assert raw.count(b"/Lang (") == raw.count(b"/Lang (th)")


def test_a_redacted_name_is_gone_from_what_is_written_beside_its_glyphs(draw: DrawPart, join: DrawReport) -> None:
    content = {"victim": "محمد किशोर", "note": "X"}
    drawn = draw(content)
    name = "किशोर".encode("utf-16-be").hex().upper().encode()
    letters = "कि".encode("utf-16-be").hex().upper().encode()
    assert letters in drawn.raw
    part = draw(content, redactions=[Redaction("victim", "third party", everywhere=True)])
    raw = join([("G1", "Service", "PRISON", part)]).raw
    for gone in (name, letters, "محمد".encode("utf-16-be").hex().upper().encode(), "محمد".encode()):
        assert gone not in raw


@pytest.mark.parametrize("text", ["สวัสดีครับผมชื่อสมชาย" * 9, "प्रियंकाशर्मा" * 12, "a\u0301" * 90])
def test_a_long_word_is_cut_between_what_belongs_together(text: str) -> None:
    fonts = Fonts()
    lines = wrap(fonts, fonts.printable(text), 200, 12)
    assert "".join(lines) == unicodedata.normalize("NFC", text)
    assert len(lines) > 1
    assert all(fonts.width(line, 12) <= 201 for line in lines)
    assert not [line for line in lines if unicodedata.category(line[0])[0] == "M"]


def test_each_script_has_a_typeface_of_its_own_and_latin_has_none() -> None:
    assert {face.name for char in "กकক" if (face := shaping_face(char, bold=False))} == {
        "NotoSansThai", "NotoSansDevanagari", "NotoSansBengali",
    }  # fmt: skip
    assert shaping_face("a", bold=False) is None
    assert shaping_face("\u0f40", bold=False) is None  # Tibetan: no typeface is shipped


@pytest.mark.parametrize(
    ("sent", "printed"),
    [
        # Unicode Standard Annex 9, 2.1 to 2.6: they direct what is around them and are seen by nobody.
        ("Tel. \u202a+44 7700 900123\u202c", "Tel. +44 7700 900123"),
        ("to \u2068Ann\u2069 and \u200eBob\u200f", "to Ann and Bob"),
        # Unicode Technical Standard 51, annex C: the flag of Wales.
        ("\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", "\U0001f3f4[gbwls]"),
        # UAX 15: letters of mathematics stand for plain ones, and messages are written in them.
        ("\U0001d409\U0001d428\U0001d421\U0001d427", "John"),
        ("1\ufe0f\u20e3", "1"),
        # An override makes a text look like another one: that is shown.
        ("a\u202egpj.exe\u202c", "a[U+202E]gpj.exe"),
    ],
)
def test_what_nobody_sees_is_not_printed_by_its_number(sent: str, printed: str) -> None:
    fonts = Fonts()
    shown = "".join(char for char in fonts.printable(sent) if fonts.width(char, 12))
    assert shown == printed


def test_marks_of_direction_are_obeyed_and_take_no_room(draw: DrawPart) -> None:
    fonts, plain = Fonts(), "name: محمد, 12"
    directed = fonts.printable("name: \u2068محمد\u2069, 12")
    assert fonts.width(directed, 12) == fonts.width(plain, 12)
    part = draw({"a": "name: \u2068محمد\u2069, 12"})
    assert (part.summary.unprintable, "محمد" in part.text) == ({}, True)


def test_a_paragraph_from_right_to_left_begins_at_the_right(draw: DrawPart) -> None:
    part = draw({"a": "שלום עולם English וגם " * 12})
    with pypdfium2.PdfDocument(part.path) as document:
        page = document[0]
        text = page.get_textpage()
        boxes = [text.get_rect(index) for index in range(text.count_rects())]
        right = page.get_width() - 35
    lines: dict[int, float] = {}
    for _, bottom, end, _ in boxes:
        if 400 < bottom < 770 and end > 300:
            lines[round(bottom / 9)] = max(lines.get(round(bottom / 9), 0.0), end)
    # Letters keep a little room of their own at their side.
    assert len(lines) > 3
    assert all(abs(end - right) < 4 for end in lines.values()), lines
