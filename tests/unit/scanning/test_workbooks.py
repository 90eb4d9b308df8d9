"""Workbooks by rows and cells, and texts of presentations of PowerPoint 97 to 2003."""

import io
import struct
import zipfile

import pytest

from tests.fakes.contents import compound
from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.legacy_office import slide_texts
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def scan(engine: Engine, content: bytes) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess()).scan(io.BytesIO(content).read)


def workbook(rows: str, strings: str = "", name: str = "People", **more: str) -> bytes:
    """ECMA-376, part 1, 12.3: the parts of a workbook."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        sheet = f'<sheets><sheet name="{name}" sheetId="1" r:id="rId7" state="hidden"/></sheets>'
        package.writestr("xl/workbook.xml", f'<workbook {MAIN} xmlns:r="{RELATED}">{sheet}</workbook>')
        target = f'<Relationship Id="rId7" Type="{RELATED}/worksheet" Target="worksheets/one.xml"/>'
        package.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{target}</Relationships>")
        package.writestr("xl/worksheets/one.xml", f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>")
        if strings:
            package.writestr("xl/sharedStrings.xml", f"<sst {MAIN}>{strings}</sst>")
        for part, content in more.items():
            package.writestr(part, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B9"><v>219456789</v></c>',
        '<c r="B9" t="str"><f>A9&amp;""</f><v>219456789</v></c>',
        '<c r="B9" t="inlineStr"><is><r><t>2194</t></r><r><t>56789</t></r></is></c>',
        '<c r="B9" t="s"><v>2</v></c>',
        "<c/><c><v>2.19456789E8</v></c>",
    ],
    ids=["number", "formula", "inline", "shared", "without a place"],
)
def test_a_value_has_its_cell_and_its_heading(engine: Engine, cell: str) -> None:
    heading = '<row r="4"><c r="A4" t="s"><v>0</v></c><c r="B4" t="s"><v>1</v></c></row>'
    title = '<row r="1"><c r="A1" t="inlineStr"><is><t>Quarter 4</t></is></c></row>'
    strings = "<si><t>name</t></si><si><t>SSN</t></si><si><r><t>219</t></r><r><t>456789</t></r></si>"
    report = scan(engine, workbook(f'{title}{heading}<row r="9">{cell}</row>', strings))
    assert report.outcome == Outcome.COMPLETE
    assert [(each.detector, each.cell, each.line) for each in report.findings] == [("US_SSN", "People!B9", 9)] * (
        1 if "<v>2</v>" in cell else len(report.findings)
    )
    assert report.findings


def test_a_number_below_another_heading_is_none(engine: Engine) -> None:
    rows = '<row r="1"><c t="inlineStr"><is><t>invoice</t></is></c><c t="inlineStr"><is><t>ssn</t></is></c></row>'
    assert not scan(engine, workbook(f'{rows}<row r="2"><c><v>219456789</v></c></row>')).findings


def test_a_string_that_no_sheet_shows_is_read_all_the_same(engine: Engine) -> None:
    report = scan(
        engine, workbook('<row><c t="s"><v>0</v></c></row>', "<si><t>x</t></si><si><t>ssn 219-45-6789</t></si>")
    )
    assert [each.member for each in report.findings] == ["xl/sharedStrings.xml"]


def test_a_value_in_the_name_of_a_sheet_is_masked(engine: Engine) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>ssn 219-45-6789</t></is></c></row>'
    report = scan(engine, workbook(rows, name="alice@corp-mail.org"))
    assert {each.cell for each in report.findings if each.detector == "US_SSN"} == {"****@****!A1"}
    # The name itself is a finding too.
    assert report.counts == {"US_SSN": 1, "EMAIL": 1}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="1"><c r="XFD1"><v>1</v></c></row>' * 20_000, "ARCHIVE_RATIO"),
        ('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', None),
        ('<row r="1"><c r="A1"><v>1</v>', "ARCHIVE_BROKEN"),
    ],
    ids=["far columns", "far rows", "cut"],
)
def test_a_hostile_sheet_costs_itself_alone(engine: Engine, rows: str, reason: str | None) -> None:
    report = scan(engine, workbook(rows, **{"note.txt": "ssn 219-45-6789"}))
    assert [each.member for each in report.findings] == ["note.txt"]
    assert dict(report.reasons) == ({reason: 1} if reason else {})


def test_a_workbook_that_memory_does_not_suffice_for_is_not_called_broken(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's documentation, "Built-in Exceptions": the limit is the process's, and says nothing about the file."""

    def refuse(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("xlrd.open_workbook", refuse)
    report = scan(engine, compound({"Workbook": b"\x09\x08" * 4096}))
    assert [each.reason for each in report.unread] == ["MEMORY"]


def test_every_text_of_a_presentation_is_a_line() -> None:
    """[MS-PPT] 2.3.1, 2.9.42, 2.9.43: a container, a text of two bytes per character, and one of one."""
    wide, narrow = "Größe\rzwei".encode("utf-16-le"), b"ssn 219-45-6789"
    atoms = struct.pack("<HHL", 0, 0x0FA0, len(wide)) + wide + struct.pack("<HHL", 0, 0x0FA8, len(narrow)) + narrow
    assert list(slide_texts(struct.pack("<HHL", 0xF, 0x03E8, len(atoms)) + atoms)) == [
        "Größe\nzwei\n",
        "ssn 219-45-6789\n",
    ]


@pytest.mark.parametrize(
    "header",
    [
        "&amp;C219-45-6789 SSN",
        "&amp;LSSN&amp;R219-45-6789",
        "&amp;C&amp;&quot;Arial,Bold&quot;&amp;14SSN &amp;B219-45&amp;B-6789",
        "&amp;RSSN &amp;K04+000219-45-6789&amp;P",
        "SSN &amp;&amp; &amp;KFF0000219-45-6789",
    ],
)
def test_signs_of_headers_are_no_part_of_a_value(engine: Engine, header: str) -> None:
    """ECMA-376, part 1, 18.3.1.46: where a section begins, how it looks, and what is filled in."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row></sheetData><headerFooter>'
    sheet = f"{rows}<oddHeader>{header}</oddHeader></headerFooter><sheetData>"
    found = scan(engine, workbook(sheet)).findings
    assert [(each.detector, each.cell) for each in found if each.detector == "US_SSN"] == [("US_SSN", "People")]
