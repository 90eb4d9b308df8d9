"""The sentence follows the evidence, each beside a file that has it (field notes on consignments, kind 9)."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, scanners
from waybill.consignments.domain.checks.scanner_process import ScannerProcess
from waybill.consignments.domain.explanations import explanation
from waybill.consignments.domain.statuses import file_verdicts, is_accepted
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import CheckedFile

TABLES = shipped()
DOCX = contents.docx()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


@pytest.fixture
def desk(process: ScannerProcess, tmp_path: Path) -> Desk:
    return Desk(tmp_path, process, MemoryObjects({}))


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/media/a.bin", bytes(300 << 20))
    return out.getvalue()


def wrong_count() -> bytes:
    end = DOCX.rindex(b"PK\5\6")
    return DOCX[: end + 8] + bytes(4) + DOCX[end + 12 :]


def told(desk: Desk, name: str, content: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the explanation of `FFID`, and all values."""
    desk.objects.contents[name] = content
    [line] = desk.check()
    verdicts = file_verdicts(CheckedFile(line), None, TABLES)
    ffid = next(verdict for verdict in verdicts if verdict.name == "FFID")
    stored = {"statusName": "FFID", "value": ffid.value, "rule": ffid.rule, "detail": ffid.detail}
    return explanation(stored, TABLES), {verdict.name: verdict.value for verdict in verdicts}


@pytest.mark.parametrize(
    ("name", "content", "value", "words"),
    [
        ("locked.odt", contents.encrypted_odt(), "PasswordProtected", "protected by a password"),
        ("cut.docx", DOCX[: len(DOCX) // 2], "Unidentified", "damaged or cut off"),
        ("bomb.docx", bomb(), "Unidentified", "unpack to far more than we open"),
        ("words.doc", b"Minutes of the meeting\r\n" * 30, "Unidentified", "does not fit its name"),
        ("generic.doc", contents.compound({"Contents": b"x" * 5000}), "Zip", "a program that we do not know"),
        ("pack.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24), "Zip", "Unpack it"),
        ("clean.bat", b"@echo off\r\ndel *.tmp\r\n", "Executable", "a program and not a record"),
        ("CLEAN.BAT", b"@echo off\r\ndel *.tmp\r\n", "Executable", "a program and not a record"),
        ("noise.bin2", bytes(range(1, 255)) * 3, "Unidentified", "do not know the format"),
    ],
)
def test_a_file_is_told_what_is_true_of_it(desk: Desk, name: str, content: bytes, value: str, words: str) -> None:
    said, values = told(desk, name, content)
    assert said["value"] == value
    assert words in said["sentence"]
    assert not is_accepted(values)


def test_a_word_file_whose_directory_is_wrong_is_damaged_and_not_to_be_unpacked(desk: Desk) -> None:
    said, values = told(desk, "count.docx", wrong_count())
    assert "Unpack" not in said["sentence"]
    assert not is_accepted(values)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("disc.iso", bytes(32768) + b"\1CD001\1" + bytes(2041) + b"\xffCD001\1" + bytes(2041)),
        ("prog", b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0\1\0\0\0" + bytes(60)),
        ("scan.pdf", b"Rar!\x1a\x07\x00\xcf\x90\x73" + bytes(34) + b"\x1d" + bytes(30)),
    ],
)
def test_what_is_no_record_is_not_accepted_under_any_name(desk: Desk, name: str, content: bytes) -> None:
    # Field notes, kind 2: each of these was accepted.
    _, values = told(desk, name, content)
    assert values["FFID"] in {"Zip", "Executable"}
    assert not is_accepted(values)


@pytest.mark.parametrize("name", ["a.docx", "a.txt", "a.warc"])
def test_records_stay_accepted(desk: Desk, name: str) -> None:
    content = {"a.docx": DOCX, "a.txt": b"Minutes", "a.warc": b"WARC/1.0\r\nWARC-Type: warcinfo\r\n\r\n"}[name]
    _, values = told(desk, name, content)
    assert values["FFID"] == "Success"
    assert values["Antivirus"] == "Success"
