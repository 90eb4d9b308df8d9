"""The sentence follows the evidence, each beside a file that has it."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, scanners
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.models import Examination
from waybill.consignments.domain.explanations import explanation
from waybill.consignments.domain.statuses import file_verdicts, is_accepted
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import CheckedFile

TABLES = shipped()
DOCX = contents.docx()

# A content that takes a second to make is made by the test that needs it, and not by every worker.
type Content = bytes | Callable[[], bytes]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


@pytest.fixture
def desk(process: ScannerProcess, tmp_path: Path) -> Desk:
    return Desk(tmp_path, process, MemoryObjects({}))


@cache
def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/media/a.bin", bytes(300 << 20))
    return out.getvalue()


def made(content: Content) -> bytes:
    return content() if callable(content) else content


def wrong_count() -> bytes:
    end = DOCX.rindex(b"PK\5\6")
    return DOCX[: end + 8] + bytes(4) + DOCX[end + 12 :]


NOISE = bytes(range(256)) * 2
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + bytes(50) + b"\xff\xd9"


XML = b'<?xml version="1.0"?>\n<a/>\n'
GRIB = b"GRIB\0\0\0\1" + bytes(20) + b"7777"


def told(desk: Desk, name: str, content: Content) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the explanation of `FFID`, and all values."""
    desk.objects.contents[name] = made(content)
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
        ("bomb.docx", bomb, "Unidentified", "unpack to far more than we open"),
        ("words.doc", b"Minutes of the meeting\r\n" * 30, "Unidentified", "plain text under the name"),
        ("noise.doc", NOISE, "Unidentified", "does not fit its name"),
        # Formats of text, which PRONOM has signatures of: to be named .txt would lose what they are.
        ("mesh.obj", b"v 0 0 0\nf 1 2 3\n", "Unidentified", "is text, as its name lets expect"),
        ("map.prj", b'GEOGCS["WGS 84"]', "Unidentified", "is text, as its name lets expect"),
        ("pic.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "Unidentified", "is text, as its name lets expect"),
        ("key.cer", b"-----BEGIN CERTIFICATE-----\nMIIB\n", "Unidentified", "is text, as its name lets expect"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + bytes(60), "Unidentified", "damaged or cut off"),
        ("cut.jpg", JPEG[:-2], "Unidentified", "damaged or cut off"),
        # PRONOM knows RTF by its character set, which readers do without: where it ends, it is whole.
        (
            "a.rtf",
            rb"{\rtf1 Minutes{\b of} the meeting}" + b"\r\n\0",
            "Unidentified",
            "begins and ends as its name says",
        ),
        ("cut.rtf", rb"{\rtf1 Minutes{\b of} the mee", "Unidentified", "damaged or cut off"),
        ("next.pdf", contents.pdf().replace(b"%PDF-1.", b"%PDF-3."), "Unidentified", "of no version of that format"),
        ("cut.pdf", contents.pdf()[:-60], "Unidentified", "damaged or cut off"),
        ("count.bin", wrong_count(), "Zip", "damaged or cut off"),
        ("noise.odt", NOISE, "Unidentified", ".odt stands for Online Description Tool Format (x-fmt/3)"),
        ("noise.csv", NOISE, "Unidentified", "stands for Comma Separated Values (x-fmt/18). Send"),
        ("noise.json", NOISE, "Unidentified", "stands for JSON Data Interchange Format (fmt/817). Send"),
        ("noise.md", NOISE, "Unidentified", "its content is no text"),
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
    # Each of these was accepted.
    _, values = told(desk, name, content)
    assert values["FFID"] in {"Zip", "Executable"}
    assert not is_accepted(values)


@pytest.mark.parametrize(
    ("name", "content", "value", "rule", "words"),
    [
        # What a double click runs, where PRONOM has no identifier for it; in any case.
        (
            "clean.CMD",
            b"@echo off\r\ndel *.tmp\r\n",
            "Executable",
            "waybill.scriptByName",
            ".cmd is a Windows command script",
        ),
        (
            "a.reg",
            "Windows Registry Editor Version 5.00\r\n".encode("utf-16"),
            "Executable",
            "waybill.scriptByName",
            ".reg is a set of entries for the registry of Windows",
        ),
        ("a.wsf", b"<job><script language='VBScript'>x</script></job>", "Executable", "waybill.scriptByName", ".wsf"),
        (
            "a.hta",
            b"<html><head><hta:application></head></html>",
            "Executable",
            "waybill.scriptByName",
            "HTML application",
        ),
        # PDF 1.7, 7.6.3.1: with an empty user password everybody opens it, and nobody lifts its restrictions.
        (
            "a.pdf",
            contents.pdf(owner="secret"),
            "PasswordProtected",
            "waybill.restrictedPdf",
            "opens without a password",
        ),
        (
            "a.pdf",
            contents.pdf(password="secret"),
            "PasswordProtected",
            "waybill.protection",
            "protected by a password",
        ),
        # A message is no plain text under another name.
        (
            "a.eml",
            b"From: a@b.org\nTo: c@b.org\nSubject: x\n\nHello\n",
            "Unidentified",
            "waybill.unknownMessage",
            "e-mail",
        ),
    ],
)
def test_sentences_follow_what_was_seen(
    desk: Desk, name: str, content: bytes, value: str, rule: str, words: str
) -> None:
    said, values = told(desk, name, content)
    assert (values["FFID"], said["rule"]) == (value, rule)
    assert words in said["sentence"]


@pytest.mark.parametrize("name", ["a.docx", "a.txt", "a.warc"])
def test_records_stay_accepted(desk: Desk, name: str) -> None:
    content = {"a.docx": DOCX, "a.txt": b"Minutes", "a.warc": b"WARC/1.0\r\nWARC-Type: warcinfo\r\n\r\n"}[name]
    _, values = told(desk, name, content)
    assert values["FFID"] == "Success"
    assert values["Antivirus"] == "Success"


@pytest.mark.parametrize(
    ("name", "content", "rule", "words"),
    [
        (
            "photo.pdf",
            JPEG,
            "waybill.extensionMismatch",
            "JPEG File Interchange Format (fmt/43), its name ends in .pdf",
        ),
        ("sheet.xls", DOCX, "waybill.extensionMismatch", "Microsoft Word for Windows (fmt/412), its name ends in .xls"),
        ("archive.zip", DOCX, "waybill.extensionMismatch", "its name ends in .zip"),
        ("photo", JPEG, "waybill.extensionMismatch", "its name has no extension"),
        ("run.sh", b"echo hello\n", "waybill.textOnly", "Plain Text File (x-fmt/111), its name ends in .sh"),
        ("scan.pdf", XML, "waybill.extensionMismatch", "Extensible Markup Language (fmt/101), its name ends in .pdf"),
        # PRONOM knows XML by .xml alone, and no format by .grib.
        ("a.xsd", XML, "waybill.xmlOnly", "what kind of XML it is cannot be told"),
        ("a.tei", XML, "waybill.xmlOnly", "what kind of XML it is cannot be told"),
        ("a.grib", GRIB, "waybill.unknownExtension", "Gridded Binary (fmt/284), its name ends in .grib"),
        ("a.csv", b"a,b\r\n1,2\r\n", "waybill.extensionOnly", ".csv stands for Comma Separated Values (x-fmt/18)"),
        ("a.csv", "a,\u00fcber\n".encode("utf-16"), "waybill.extensionOnly", "Only the name"),
        ("a.md", "# \u00dcberschrift\n".encode("latin-1"), "waybill.extensionOnly", "Only the name"),
    ],
)
def test_what_is_accepted_with_a_remark_is_told_it(
    desk: Desk, name: str, content: bytes, rule: str, words: str
) -> None:
    # Each was accepted without a word.
    said, values = told(desk, name, content)
    assert is_accepted(values)
    assert (said["rule"], said["value"]) == (rule, "Success")
    assert words in said["sentence"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.odt", contents.encrypted_odt(), "protected by a password"),
        ("a.docx", DOCX[:-40], "damaged or cut off"),
        ("a.zip", bomb, "more, or is nested more deeply, than we open"),
        ("a.pst", b"!BDN" + bytes(600), "a mailbox of Outlook, which we cannot open"),
    ],
)
def test_what_was_not_scanned_inside_is_told_why(desk: Desk, name: str, content: Content, words: str) -> None:
    desk.objects.contents[name] = made(content)
    [line] = desk.check()
    [verdict] = [each for each in file_verdicts(CheckedFile(line), None, TABLES) if each.name == "Antivirus"]
    said = explanation({"statusName": "Antivirus", "value": verdict.value, "rule": verdict.rule}, TABLES)
    assert verdict.value == "NotScannedInside"
    assert words in said["sentence"]


WARC = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
SVG = b'<?xml version="1.0"?>\n<!-- a plan -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'
NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(64)


# Each by its own specification: ISO 28500, annex D (records one by one); SVG 1.1, 1.2; NIfTI-1; SAMv1, 4.1; "R
# Internals", 1.8; [MS-EMF] 2.3.4.2; the manuals of Gnumeric and Dia.
@pytest.mark.parametrize(
    ("name", "content", "holds"),
    [
        ("crawl.warc.gz", gzip.compress(WARC) + gzip.compress(WARC), "WARC"),
        ("crawl.WARC", gzip.compress(WARC), "WARC"),
        ("crawl.arc.gz", gzip.compress(b"filedesc://a.arc 0.0.0.0 20200101000000 text/plain 0\n\n"), "ARC"),
        ("plan.svgz", gzip.compress(SVG), "SVG"),
        ("brain.nii.gz", gzip.compress(NIFTI), "NIfTI"),
        ("reads.bam", gzip.compress(b"BAM\1" + bytes(40)), "BAM"),
        ("calls.vcf.gz", gzip.compress(b"##fileformat=VCFv4.3\n"), "VCF"),
        ("frame.rds", gzip.compress(b"X\n\0\0\0\3" + bytes(40)), "R data"),
        ("frame.RData", gzip.compress(b"RDX3\nX\n" + bytes(40)), "R data"),
        ("chart.emz", gzip.compress(b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(40)), "EMF"),
        ("sums.gnumeric", gzip.compress(b'<gnm:Workbook xmlns:gnm="http://www.gnumeric.org/v10.dtd"/>'), "Gnumeric"),
        ("net.dia", gzip.compress(b'<dia:diagram xmlns:dia="http://www.lysator.liu.se/~alla/dia/"/>'), "Dia"),
    ],
)
def test_what_its_maker_compresses_is_kept_as_it_is(desk: Desk, name: str, content: bytes, holds: str) -> None:
    said, values = told(desk, name, content)
    assert is_accepted(values)
    assert said["sentence"] == f"This file is compressed, as its format has it ({holds}): it is kept as it is."
    assert said["action"] is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("minutes.txt.gz", gzip.compress(b"Minutes")),
        ("plan.svg.gz", gzip.compress(SVG)),
        ("crawl.txt", gzip.compress(WARC)),
        ("folder.svgz", gzip.compress(contents.zipped({"a": b"a"}))),
        ("cut.svgz", gzip.compress(SVG)[:12]),
        ("page.svgz", gzip.compress(b"<html><svg/></html>")),
    ],
)
def test_what_somebody_has_compressed_is_unpacked_first(desk: Desk, name: str, content: bytes) -> None:
    said, values = told(desk, name, content)
    assert values["FFID"] == "Zip"
    assert "Unpack it" in said["sentence"]


@pytest.mark.parametrize("member", ["project.json", "archive/crawl.warc"])
@pytest.mark.parametrize("name", ["game.sb3", "crawl.wacz", "report.docx", "scan.pdf"])
def test_a_zip_under_another_name_is_not_called_damaged(desk: Desk, name: str, member: str) -> None:
    """Programs save documents as ZIP archives that PRONOM does not know: to unpack one is not all that can be done."""
    said, values = told(desk, name, contents.zipped({member: b"x"}))
    assert values["FFID"] == "Zip"
    assert said["rule"] == "waybill.zipUnderOtherName"


def test_a_package_of_a_program_that_nobody_knows_is_not_called_damaged(desk: Desk) -> None:
    # ECMA-376, part 2, for another program's documents: 3MF.
    said, _ = told(desk, "part.3mf", contents.zipped({"[Content_Types].xml": b"<Types/>", "3D/part.model": b"<m/>"}))
    assert said["rule"] == "waybill.zipUnderOtherName"


def test_formats_of_the_name_alone_are_those_of_the_signatures(process: ScannerProcess, tmp_path: Path) -> None:
    """Fails when new signatures match an extension that formats with a signature share, or rename what is text."""
    table = TABLES.extension_only
    found = {}
    for extension in sorted({extension for _, extension in table.shared} | {"csv", "json", "md", "log", "py", "xyz"}):
        path = tmp_path / f"noise.{extension}"
        path.write_bytes(NOISE)
        answer = process.examine(Examination(path, {"identify": 60}, extension))["identify"]
        found[extension] = {match["puid"] for match in answer["matches"]}
    assert all(puid in found[extension] for puid, extension in table.shared)
    assert all(found[extension] <= table.text for extension in ("csv", "json", "md", "log", "py", "xyz"))
