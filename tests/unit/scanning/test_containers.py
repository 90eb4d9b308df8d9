"""What is inside of containers: read, or named as not looked at; sources: the formats' standards."""

import base64
import binascii
import bz2
import email.message
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.office import plain_text
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report

SSN = b"219-45-6789"
LINE = b"ssn " + SSN + b"\n"


def scan(engine: Engine, content: bytes, **options: Any) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess(), **options).scan(io.BytesIO(content).read)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def mailed(members: dict[str, bytes]) -> bytes:
    message = email.message.EmailMessage()
    message["From"], message["Subject"] = "Registry", "Records"
    message.set_content("see attached")
    for name, content in members.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def only(members: dict[str, bytes]) -> bytes:
    [content] = members.values()
    return content


def uuencoded(members: dict[str, bytes]) -> bytes:
    """POSIX.1-2017, `uuencode`."""
    files = [
        f"begin 644 {name}\n".encode()
        + b"".join(binascii.b2a_uu(content[place : place + 45]) for place in range(0, len(content), 45))
        + b"`\nend\n"
        for name, content in members.items()
    ]
    return b"\n".join(files)


CONTAINERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": zipped,
    "stored": lambda members: zipped(members, zipfile.ZIP_STORED),
    "zip-bzip2": lambda members: zipped(members, zipfile.ZIP_BZIP2),
    "zip-lzma": lambda members: zipped(members, zipfile.ZIP_LZMA),
    "package": lambda members: zipped({"[Content_Types].xml": b"x"} | members),
    "tar": tarred,
    "mail": mailed,
    "uuencode": uuencoded,
    "mailbox": lambda members: b"From a@b.example Fri Nov 28 10:00:00 2025\n" + mailed(members) + b"\n\n",
    "zstd": lambda members: zstd.compress(only(members)),
    "gzip": lambda members: gzip.compress(only(members)),
    "bzip2": lambda members: bz2.compress(only(members)),
    "xz": lambda members: lzma.compress(only(members)),
    "lzma": lambda members: lzma.compress(only(members), lzma.FORMAT_ALONE),
}
SINGLE = ("zstd", "gzip", "bzip2", "xz", "lzma")
# Content that nobody reads here: each has to be named.
OPAQUE = (b"GIF89a" + bytes(64), b"\x89PNG\r\n\x1a\n" + bytes(64), b"PAR1" + bytes(64))


class Tree:
    """A generated tree: what is planted in it, and how many members nobody can read."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self.planted: list[bytes] = []
        self.opaque = 0

    def content(self, depth: int) -> bytes:
        kind = self._draw(
            st.sampled_from(["text", "opaque", *CONTAINERS]) if depth else st.sampled_from(["text", "opaque"])
        )
        if kind == "text":
            value = b"219-%02d-%04d" % (1 + len(self.planted) % 99, 6000 + len(self.planted))
            self.planted.append(value)
            return b"ssn " + value + b"\n"
        if kind == "opaque":
            self.opaque += 1
            return self._draw(st.sampled_from(OPAQUE))
        number = 1 if kind in SINGLE else self._draw(st.integers(1, 3))
        return CONTAINERS[kind]({f"m{index}": self.content(depth - 1) for index in range(number)})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_each_leaf_of_a_tree_of_containers_is_found_or_named(engine: Engine, data: st.DataObject) -> None:
    tree = Tree(data.draw)
    content = CONTAINERS[data.draw(st.sampled_from(sorted(set(CONTAINERS) - set(SINGLE))))](
        {f"m{index}": tree.content(2) for index in range(data.draw(st.integers(1, 3)))}
    )
    # Parsers that a generated tree breaks are none of this test's matter: nothing is isolated.
    report = ObjectScanner(engine, b"key").scan(io.BytesIO(content).read)
    assert report.counts["US_SSN"] == len(tree.planted)
    assert report.reasons.total() == tree.opaque
    assert (report.outcome == Outcome.COMPLETE) == (tree.opaque == 0)
    assert report.outcome == Outcome.SKIPPED or report.bytes_scanned == len(content)
    assert len(report.unread) == tree.opaque


def hurt_zip(method: int) -> bytes:
    """A member in the middle is damaged."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a.txt", LINE)
        archive.writestr("b.bin", bytes(range(256)) * 300)
        archive.writestr("c.txt", LINE)
    hurt = bytearray(file.getvalue())
    start = zipfile.ZipFile(io.BytesIO(hurt)).getinfo("b.bin").header_offset + 90
    hurt[start : start + 40] = bytes(40)
    return bytes(hurt)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_costs_neither_those_before_it_nor_those_behind_it(engine: Engine, method: int) -> None:
    report = scan(engine, hurt_zip(method))
    assert (report.outcome, report.counts["US_SSN"]) == (Outcome.PARTIAL, 2)
    assert [each.member for each in report.unread] == ["b.bin"]


def test_a_member_of_an_unknown_method_or_that_is_encrypted_is_named(engine: Engine) -> None:
    """APPNOTE 6.3.10, sections 4.4.4 and 4.4.5."""
    raw = bytearray(zipped({"a.txt": LINE, "b.txt": LINE, "c.txt": LINE}, zipfile.ZIP_STORED))
    directory = raw.find(b"PK\x01\x02")
    struct.pack_into("<H", raw, directory + 10, 93)
    struct.pack_into("<H", raw, raw.find(b"PK\x01\x02", directory + 4) + 8, 1)
    report = scan(engine, bytes(raw))
    assert [tuple(each) for each in report.unread] == [("a.txt", "ARCHIVE_METHOD"), ("b.txt", "ENCRYPTED")]
    assert (report.outcome, report.counts["US_SSN"]) == (Outcome.PARTIAL, 1)


def test_a_member_that_makes_a_package_hides_nothing(engine: Engine) -> None:
    """One entry makes any archive invisible."""
    report = scan(engine, zipped({"[Content_Types].xml": b"x", "export/customers.csv": b"ssn\n" + SSN + b"\n"}))
    assert (report.outcome, report.counts["US_SSN"]) == (Outcome.COMPLETE, 1)


def test_what_is_embedded_in_a_document_is_looked_at_or_named(engine: Engine) -> None:
    deck = {
        "[Content_Types].xml": b"<Types/>",
        "ppt/slides/slide1.xml": b"<a:p><a:t>figures</a:t></a:p>",
        "ppt/embeddings/sheet1.xlsx": zipped(
            {"[Content_Types].xml": b"<Types/>", "xl/sharedStrings.xml": b"<si><t>ssn " + SSN + b"</t></si>"}
        ),
        "ppt/slides/_rels/slide1.xml.rels": b'<Relationship Target="mailto:anna@corp-mail.org"/>',
        "ppt/media/image1.png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    }
    report = scan(engine, zipped(deck))
    assert (report.counts["US_SSN"], report.counts["EMAIL"]) == (1, 1)
    assert [tuple(each) for each in report.unread] == [("ppt/media/image1.png", "UNSUPPORTED_TYPE")]
    assert report.outcome == Outcome.PARTIAL


@pytest.mark.parametrize("transfer", ["base64", "quoted-printable"])
def test_the_parts_of_a_message_are_decoded(engine: Engine, transfer: str) -> None:
    """RFC 2045, section 6; a soft line end of quoted-printable may stand within a value (section 6.7, rule 5)."""
    message = email.message.EmailMessage()
    message["From"], message["Subject"] = "Registry", "=?utf-8?q?of_anna=40corp-mail=2Eorg?="
    message.set_content("x" * 70 + f" ssn {SSN.decode()} é", cte=transfer)
    attached = email.message.EmailMessage()
    attached["From"], attached["To"] = "bob@corp-mail.org", "Registry"
    attached.set_content("nothing")
    message.add_attachment(attached)
    report = scan(engine, message.as_bytes())
    assert (report.outcome, report.counts["US_SSN"], report.counts["EMAIL"]) == (Outcome.COMPLETE, 1, 2)


@pytest.mark.parametrize(
    ("boundary", "found"),
    [
        ("===============5932112152348060495==", 0),  # Python's `email`
        ("----=_Part_4_5932112152348060495.1732790000000", 0),  # Jakarta Mail
        ("Apple-Mail=_5932112152348060495", 0),  # Apple Mail
        ("5932112152348060495", 1),  # whoever chooses such a line may hide something in it
    ],
)
def test_a_number_that_parts_parts_is_no_card(engine: Engine, boundary: str, found: int) -> None:
    """RFC 2046, section 5.1.1: a boundary delimits; it says nothing."""
    content = f'From: Registry\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n'
    content += f"--{boundary}\nContent-Type: text/plain\n\nsee attached\n--{boundary}--\n"
    report = scan(engine, content.encode())
    assert (report.outcome, report.counts.get("CREDIT_CARD", 0)) == (Outcome.COMPLETE, found)


@pytest.mark.parametrize("text", ["{}\n--x\n\nplain\n--x--\n", "--x\n\nplain\n--x--\n{}\n"])
def test_what_stands_around_the_parts_of_a_message_is_read(engine: Engine, text: str) -> None:
    """RFC 2046, section 5.1.1: preamble and epilogue."""
    content = 'From: Registry\nContent-Type: multipart/mixed; boundary="x"\n\n' + text.format(f"ssn {SSN.decode()}")
    report = scan(engine, content.encode())
    assert (report.outcome, report.counts["US_SSN"]) == (Outcome.COMPLETE, 1)


@pytest.mark.parametrize("begin", [b"begin 644 a.zip\n", b"begin-base64 644 a.zip\n"])
def test_a_file_that_is_encoded_in_a_text_is_opened(engine: Engine, begin: bytes) -> None:
    """Attachments are members; POSIX.1-2017, `uuencode` in both forms."""
    packed = zipped({"a.txt": LINE})
    text = uuencoded({"a.zip": packed}) if b"64 6" not in begin else begin + base64.encodebytes(packed) + b"====\n"
    message = b"From: a@b.de\nTo: c@d.de\nSubject: x\n\nSee the file.\n\n" + text
    for content in (text, b"See the file.\n\n" + text, message):
        assert scan(engine, content).counts["US_SSN"] == 1
    assert scan(engine, b"begin 644 of what was said\nand so on\n" + LINE).counts["US_SSN"] == 1


def test_every_message_of_a_mailbox_is_read(engine: Engine) -> None:
    """RFC 4155."""
    box = b"".join(b"From a@b.example Fri Nov 28 10:00:00 2025\n" + mailed({"a.csv": LINE}) + b"\n\n" for _ in range(3))
    report = scan(engine, box)
    assert (report.outcome, report.counts["US_SSN"]) == (Outcome.COMPLETE, 3)
    assert len({finding.member for finding in report.findings}) == 3


PACKED = gzip.compress(LINE * 4000)


@pytest.mark.parametrize(
    ("content", "reason", "found"),
    [
        # `gzip -d` writes all of it.
        (PACKED[:-9], "ARCHIVE_TRUNCATED", 4000),
        (PACKED + b"\n", "TRAILING_DATA", 4000),
        (PACKED + b"garbage" * 100, "TRAILING_DATA", 4000),
        # A wrong checksum at the end (RFC 1952, section 2.3.1).
        (PACKED[:-8] + bytes(4) + PACKED[-4:], "ARCHIVE_BROKEN", 4000),
        (gzip.compress(LINE)[:-8] + bytes(8), "ARCHIVE_BROKEN", 1),
        (bz2.compress(LINE * 4)[:-4] + bytes(4), "ARCHIVE_BROKEN", 4),
        (lzma.compress(LINE * 4)[:-4], "ARCHIVE_TRUNCATED", 4),
    ],
)
def test_what_was_unpacked_before_a_stream_breaks_counts(
    engine: Engine, content: bytes, reason: str, found: int
) -> None:
    report = scan(engine, content)
    assert (report.outcome, report.counts["US_SSN"], dict(report.reasons)) == (Outcome.PARTIAL, found, {reason: 1})


def test_bytes_behind_the_last_stream_are_not_looked_at(engine: Engine) -> None:
    report = scan(engine, PACKED + b"garbage" * 100_000)
    assert report.bytes_scanned <= len(PACKED) + 65_536


@pytest.mark.parametrize("content", [gzip.compress(LINE) + gzip.compress(LINE), gzip.compress(LINE * 2) + bytes(512)])
def test_streams_in_a_row_and_padding_are_whole(engine: Engine, content: bytes) -> None:
    """RFC 1952, section 2.2; gzip's manual, "Using gzip on tapes"."""
    report = scan(engine, content)
    assert (report.outcome, report.counts["US_SSN"], report.bytes_scanned) == (Outcome.COMPLETE, 2, len(content))


def test_a_tar_archive_that_is_cut_within_a_member_keeps_what_there_is(engine: Engine) -> None:
    content = tarred({"a.txt": LINE, "b.txt": LINE * 100})[: 512 * 3 + 700]
    report = scan(engine, content)
    assert report.outcome == Outcome.PARTIAL
    assert report.counts["US_SSN"] > 1


def test_memory_that_an_archive_claims_is_not_given(engine: Engine) -> None:
    """An extension header of 800 MiB in a small file, which libarchive stops at too."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 800 << 20
    content = header.tobuf(tarfile.PAX_FORMAT) + b"8388000 comment=" + bytes(4 << 20)
    report = ObjectScanner(engine, b"key", isolation=ChildProcess(memory_bytes=64 << 20)).scan(io.BytesIO(content).read)
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ARCHIVE_BROKEN": 1})


@pytest.mark.parametrize(
    "mark",
    [b"\x89LZO\0\r\n\x1a\n", b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18", b"\xff\x06\0\0sNaPpY", b"\x1f\x9d\x90"],
)
def test_text_that_a_compressed_form_leaves_as_it_is_is_not_looked_at(engine: Engine, mark: bytes) -> None:
    """The marks of lzop, LZ4 (frame and legacy), Snappy (framing format) and compress, by their descriptions."""
    report = scan(engine, mark + b" " + b"a line of text that stays as it is\n" * 40)
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"UNSUPPORTED_TYPE": 1})


@pytest.mark.parametrize("size", [200, 1000, 4000])
def test_random_bytes_are_no_text(engine: Engine, size: int) -> None:
    """Random bytes were text in 37 % of cases at 200 bytes."""
    import random

    wrong = 0
    for seed in range(200):
        content = random.Random(seed).randbytes(size)
        wrong += ObjectScanner(engine, b"key").scan(io.BytesIO(content).read).outcome == Outcome.COMPLETE
    assert wrong <= 2


def test_a_head_that_is_text_does_not_make_the_rest_text(engine: Engine) -> None:
    """A program that unpacks itself."""
    report = scan(engine, b"@echo off\n" + b"echo installing\n" * 2000 + zipped({"a.bin": bytes(range(256)) * 400}, 0))
    assert (report.outcome, dict(report.reasons)) == (Outcome.PARTIAL, {"BINARY_DATA": 1})


@pytest.mark.parametrize(
    "encoding", ["utf-32", "utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be", "cp1251", "latin-1"]
)
def test_text_is_decoded_whatever_its_encoding(engine: Engine, encoding: str) -> None:
    text = ("Имя и номер записи\n" if encoding != "latin-1" else "Größe und Name\n") * 5 + "card 4539214712746634 x\n"
    content = text.encode(encoding)
    report = scan(engine, content)
    assert (report.outcome, report.counts["CREDIT_CARD"]) == (Outcome.COMPLETE, 1)
    [found] = report.findings
    raw = content[found.byte_offset : found.byte_offset + found.byte_length]
    assert raw.decode(encoding if "32" not in encoding or "e" in encoding[-2:] else "utf-32-le") == "4539214712746634"


@pytest.mark.parametrize(
    "markup",
    [
        b"<Properties><Application>Microsoft Excel</Application><AppVersion>3.1</AppVersion><N>53.1</N></Properties>",
        b"<w:p><w:r><w:t>3.1</w:t></w:r></w:p><w:p><w:r><w:t>53.1</w:t></w:r></w:p>",
        b"<a:p><a:r><a:t>3.1</a:t></a:r><a:br/><a:r><a:t>53.1</a:t></a:r></a:p>",
    ],
)
def test_neighbours_are_not_glued_together(engine: Engine, markup: bytes) -> None:
    """An empty workbook held an address."""
    names = ("docProps/app.xml", "word/document.xml", "ppt/slides/slide1.xml")
    for name in names:
        report = scan(engine, zipped({"[Content_Types].xml": b"<Types/>", name: markup}))
        assert report.counts["IP"] == 0


@pytest.mark.parametrize(
    "paragraph",
    [
        "{old}{new}",
        "{new}{old}",
        "<w:ins w:id='7' w:author='b'>{old}</w:ins>{new}",
        "{new}<w:del w:id='3' w:author='b'/></w:p><w:p>{old}",
    ],
)
def test_what_was_deleted_and_what_is_written_instead_are_both_read(engine: Engine, paragraph: str) -> None:
    """ECMA-376, part 1, 17.13.5.14 and 17.13.5.18: both stand in one paragraph, next to each other."""
    old = "<w:del w:id='1' w:author='a'><w:r><w:delText>219-45-</w:delText><w:delText>6788</w:delText></w:r></w:del>"
    new = f"<w:ins w:id='2' w:author='a'><w:r><w:t>{SSN}</w:t></w:r></w:ins>"
    markup = f"<w:p><w:r><w:t>SSN: </w:t></w:r>{paragraph.format(old=old, new=new)}</w:p>".encode()
    report = scan(engine, zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": markup}))
    assert len({finding.fingerprint for finding in report.findings}) == report.counts["US_SSN"] == 2


def test_a_value_that_spans_runs_is_whole(engine: Engine) -> None:
    runs = b"<w:p><w:r><w:t>ssn 219-</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>45-6789</w:t></w:r></w:p>"
    report = scan(engine, zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": runs}))
    assert (report.counts["US_SSN"], report.outcome) == (1, Outcome.COMPLETE)


# PKWARE APPNOTE, 4.3.7: what a member's own header says is enough to read it; Info-ZIP reads so with `zip -FF`.
@pytest.mark.parametrize(
    ("hurt", "reasons"),
    [
        (lambda archive: archive[: archive.find(b"PK\x01\x02")], {"ARCHIVE_BROKEN": 1}),
        (lambda archive: archive[: archive.find(b"PK\x01\x02") + 20], {"ARCHIVE_BROKEN": 1}),
        (lambda archive: archive.replace(b"PK\x01\x02", b"PK\x01\x03"), {"ARCHIVE_BROKEN": 1}),
        (lambda archive: _with(archive, archive.find(b"PK\x01\x02") + 16, 0xFF), {"ARCHIVE_BROKEN": 1}),
        (lambda archive: _with(archive, archive.find(b"PK\x01\x02") + 46, 0x20), {}),
    ],
    ids=["no directory", "cut directory", "broken directory", "wrong checksum", "another name"],
)
def test_what_can_be_read_of_a_damaged_zip_archive_is_read(
    engine: Engine, hurt: Callable[[bytes], bytes], reasons: dict[str, int]
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "ssn 219-45-6789")
        archive.writestr("b.txt", "ssn 219-45-6781")
    report = ObjectScanner(engine, b"key").scan(io.BytesIO(hurt(file.getvalue())).read)
    assert (report.counts["US_SSN"], dict(report.reasons)) == (2, reasons)


def _with(content: bytes, place: int, flip: int) -> bytes:
    return content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]


def test_an_archive_before_an_archive_is_looked_at(engine: Engine) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "ssn 219-45-6789")
    report = ObjectScanner(engine, b"key").scan(io.BytesIO(file.getvalue() * 2).read)
    assert [each.member for each in report.findings] == ["before the archive!a.txt", "a.txt"]


@pytest.mark.parametrize("size", [0, 30_000])
@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        zstd.compress,
        tarred,
        zipped,
        lambda members: gzip.compress(tarred(members)),
    ],
    ids=["gzip", "bzip2", "xz", "zstd", "tar", "zip", "tar.gz"],
)
def test_an_archive_behind_a_script_is_opened(engine: Engine, pack: Callable[[Any], bytes], size: int) -> None:
    """Makeself's README and the documentation of Python's zipapp: a script that unpacks, or runs, what is behind it."""
    script = b"#!/bin/sh\nssn=219-45-6781\ntail -n +3 $0 | tar x\n" + b"# padding\n" * (size // 10)
    line = b"ssn 219-45-6789\n"
    packed = (
        pack(line) if pack in {gzip.compress, bz2.compress, lzma.compress, zstd.compress} else pack({"a.txt": line})
    )
    report = ObjectScanner(engine, b"key").scan(io.BytesIO(script + packed).read)
    assert (report.outcome, report.counts["US_SSN"], dict(report.reasons)) == (Outcome.COMPLETE, 2, {})
    assert report.bytes_scanned == len(script + packed)


def test_an_archive_far_behind_in_a_script_is_not_passed_over(engine: Engine) -> None:
    script = b"#!/bin/sh\n" + b"# padding\n" * 30_000 + gzip.compress(b"ssn 219-45-6789")
    report = ObjectScanner(engine, b"key").scan(io.BytesIO(script).read)
    assert (report.outcome, dict(report.reasons)) == (Outcome.PARTIAL, {"BINARY_DATA": 1})
    # What a script says of archives is text.
    about = b"#!/bin/sh\ncase $head in BZh91AY&SY) echo bzip2;; esac # ssn 219-45-6789\n"
    assert scan(engine, about).outcome == Outcome.COMPLETE


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("CUSTOMER RECORD " * 4, "cp037"),
        ("Name and address of each customer\n" * 3, "cp500"),
        ("顧客番号の一覧です。\n" * 5, "shift_jis"),
        ("“It’s … –” he ‘said’, 5 €\n" * 3, "cp1252"),
    ],
)
def test_text_of_other_machines_is_read_at_its_place(engine: Engine, text: str, encoding: str) -> None:
    """Read, or named; to call EBCDIC looked at as Latin-1 text was neither."""
    content = f"{text} SSN: 219-45-6789 ".encode(encoding)
    report = scan(engine, content)
    [found] = report.findings
    assert (report.outcome, found.detector) == (Outcome.COMPLETE, "US_SSN")
    assert content[found.byte_offset : found.byte_offset + found.byte_length].decode(encoding) == "219-45-6789"


def test_a_file_encoded_far_behind_in_a_text_is_named(engine: Engine) -> None:
    """POSIX.1-2017, `uuencode`: a text may hold a file anywhere. What is not read is named."""
    line = b"begin 644 a.txt\n" + binascii.b2a_uu(b"SSN 219-45-6789 of a customer, and more of it") + b"`\nend\n"
    for before in (b"Dear all, please find the file below.\n" * 600, b"to begin with\n" * 200_000):
        report = scan(engine, before + line)
        assert (report.outcome, dict(report.reasons)) == (Outcome.PARTIAL, {"ENCODED_FILE": 1})
        assert scan(engine, before + b"begin 644 a.txt is what such a file begins with\n").outcome == Outcome.COMPLETE


def test_an_archive_of_the_oldest_tar_is_opened(engine: Engine) -> None:
    """The header of Unix's seventh edition (tar(5) of FreeBSD, "Old-Style Archive Format") ends behind 257 bytes."""
    text = b"ssn 219-45-6789\n"
    fields = (
        b"a.txt".ljust(100, b"\0"),
        b"000644 \0",
        b"000000 \0",
        b"000000 \0",
        b"%011o " % len(text),
        b"%011o " % 0,
    )
    header = (b"".join(fields) + b" " * 8).ljust(512, b"\0")
    header = header[:148] + b"%06o\0 " % sum(header) + header[156:]
    report = scan(engine, header + text.ljust(512, b"\0") + bytes(1024))
    assert [(found.detector, found.member) for found in report.findings] == [("US_SSN", "a.txt")]


# ECMA-376, part 1: 20.1.2.2.8 (docPr), 17.15.1.33 (docVar), 17.13.4.2 (comment), 22.3.2 (property), 17.5.2.1 (alias);
# [MS-XLSX] 2.6.203 (person). OpenDocument 1.3, part 3: 4.3.3, 9.1.4, 19.385, 19.803.
@pytest.mark.parametrize(
    ("name", "markup"),
    [
        (
            "word/document.xml",
            '<w:p><w:drawing><wp:docPr id="1" name="Picture 1" descr="card of 219-45-6789"/></w:drawing></w:p>',
        ),
        ("word/settings.xml", '<w:docVars><w:docVar w:name="ssn" w:val="219456789"/></w:docVars>'),
        (
            "word/comments.xml",
            '<w:comment w:id="0" w:author="ssn 219-45-6789"><w:p><w:r><w:t>x</w:t></w:r></w:p></w:comment>',
        ),
        ("word/document.xml", '<w:hyperlink w:tooltip="ssn: 219456789"><w:r><w:t>here</w:t></w:r></w:hyperlink>'),
        (
            "docProps/custom.xml",
            '<property fmtid="{D5}" pid="2" name="ssn"><vt:lpwstr>219456789</vt:lpwstr></property>',
        ),
        (
            "word/document.xml",
            '<w:sdt><w:sdtPr><w:alias w:val="SSN"/></w:sdtPr>'
            "<w:sdtContent><w:r><w:t>219456789</w:t></w:r></w:sdtContent></w:sdt>",
        ),
        ("xl/persons/person.xml", '<person displayName="A" userId="ssn 219-45-6789" providerId="None"/>'),
        ("meta.xml", '<meta:user-defined meta:name="SSN">219456789</meta:user-defined>'),
        ("content.xml", '<text:p><text:a xlink:href="https://corp-mail.org/?ssn=219-45-6789">here</text:a></text:p>'),
        (
            "content.xml",
            "<table:table-row><table:table-cell><text:p>name</text:p></table:table-cell><table:table-cell/>"
            "<table:table-cell><text:p>SSN</text:p></table:table-cell></table:table-row><table:table-row>"
            '<table:table-cell table:number-columns-repeated="2"/><table:table-cell office:value-type="float" '
            'office:value="219456789"><text:p>2.19E+08</text:p></table:table-cell>'
            '<table:table-cell table:number-columns-repeated="16380"/></table:table-row>',
        ),
    ],
)
def test_what_stands_in_attributes_and_beside_the_text_of_a_document_is_read(
    engine: Engine, name: str, markup: str
) -> None:
    package = {"[Content_Types].xml": b"<Types/>"} if "/" in name else {"mimetype": b"x", "content.xml": b"<x/>"}
    report = scan(engine, zipped(package | {name: f"<x>{markup}</x>".encode()}))
    assert (report.counts["US_SSN"], report.outcome) == (1, Outcome.COMPLETE)


def test_a_value_of_a_sheet_counts_once_and_not_below_a_heading_beside_its_own(engine: Engine) -> None:
    def row(*cells: str) -> str:
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def cell(text: str) -> str:
        stored = f' office:value-type="float" office:value="{text}"' if text.isdigit() else ""
        return f"<table:table-cell{stored}><text:p>{text}</text:p></table:table-cell>"

    headings = row(cell("name"), cell("invoice"), cell("SSN"))
    for cells, found in (
        ((cell("x"), "<table:table-cell/>", cell("219456789")), 1),
        (("<table:table-cell/>", cell("219456789"), "<table:table-cell/>"), 0),
        (("<table:covered-table-cell/>", cell("219456789")), 0),
    ):
        content = f"<x>{headings}{row(*cells)}</x>".encode()
        assert scan(engine, zipped({"mimetype": b"x", "content.xml": content})).counts["US_SSN"] == found


@pytest.mark.parametrize(
    "part",
    [
        *(b'a="xxxxxx1@', b'<a b="xxxxxx1@', b"<table:table-cell a", b"<table:table-cell/>", b'<property name="a'),
        *(b"<w:delText><w:del >", b"<w:delText><w:ins a"),
    ],
)
def test_hostile_markup_takes_linear_time(part: bytes) -> None:
    """Each size a fourth of the next, so that four times the time are what is expected; quadratic would be sixteen."""
    times = []
    for size in (1 << 17, 1 << 19):
        started = time.process_time()
        plain_text(part * (size // len(part)))
        times.append(time.process_time() - started)
    assert times[1] < 10 * max(times[0], 0.02)


@pytest.mark.parametrize(
    ("extra", "name"), [(b"", b""), (b"\x03\0abc", b""), (b"", b"a.txt"), (b"\x03\0abc", b"a.txt")]
)
def test_the_comment_in_a_header_of_gzip_is_read(engine: Engine, extra: bytes, name: bytes) -> None:
    """RFC 1952, section 2.3: FEXTRA is 4, FNAME 8, FCOMMENT 16, and they stand in this order."""
    plain = gzip.compress(b"nothing")
    flags = 16 | (4 if extra else 0) | (8 if name else 0)
    fields = extra + (name + b"\0" if name else b"") + "für ssn 219-45-6789".encode("latin-1") + b"\0"
    report = scan(engine, plain[:3] + bytes((flags,)) + plain[4:10] + fields + plain[10:])
    assert [(each.detector, each.member) for each in report.findings] == [("US_SSN", "comment")]
    assert report.outcome == Outcome.COMPLETE


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_comments_and_attributes_in_headers_of_pax_are_read(engine: Engine, everywhere: bool) -> None:
    """POSIX pax, "pax Extended Header": `comment`, and whatever programs add; xattr is what SCHILY's star writes."""
    said = {"comment": "of ssn 219-45-6789", "SCHILY.xattr.user.owner": "alice.smith@corp-mail.org"}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, pax_headers=said if everywhere else {}) as tar:
        entry = tarfile.TarInfo("a" * 200)
        entry.size, entry.pax_headers = 7, {} if everywhere else said
        tar.addfile(entry, io.BytesIO(b"nothing"))
    report = scan(engine, file.getvalue())
    assert [(each.detector, each.member) for each in report.findings] == [
        ("US_SSN", "extended header"),
        ("EMAIL", "extended header"),
    ]
    assert report.outcome == Outcome.COMPLETE


def test_the_comments_of_an_archive_are_read(engine: Engine) -> None:
    """PKWARE APPNOTE 6.3.10, sections 4.4.18 (of a member) and 4.4.26 (of the archive)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        commented = zipfile.ZipInfo("a.txt")
        commented.comment = b"of ssn 219-45-6788"
        archive.writestr(commented, b"nothing")
        archive.writestr("b.txt", b"nothing")
        archive.comment = b"made by alice.smith@corp-mail.org"
    report = scan(engine, file.getvalue())
    assert [(each.detector, each.member) for each in report.findings] == [("US_SSN", "comments"), ("EMAIL", "comments")]
    assert report.outcome == Outcome.COMPLETE


@pytest.mark.parametrize("fold", ["\n ", "\r\n\t", "\r\n   "])
def test_a_field_that_goes_over_lines_is_one(engine: Engine, fold: str) -> None:
    """RFC 5322, sections 2.2.3 and 3.2.2: the end of a line, and the blanks behind it, are one blank of a field."""
    line_end = "\r\n" if "\r" in fold else "\n"
    fields = [
        "From: a <a@x.example>",
        f"Subject: my card 4539 2147{fold}1274 6634 is new",
        "MIME-Version: 1.0",
        "",
        "x",
    ]
    assert scan(engine, line_end.join(fields).encode()).counts["CREDIT_CARD"] == 1


@pytest.mark.parametrize(
    "part",
    [
        # ECMA-376, part 1: 17.3.2.28, 17.3.3.18, 18.4.7, 21.1.2.3.9 (properties of runs, hyphens); extensions of Word.
        b"<w:p><w:r><w:t>219</w:t><w:noBreakHyphen/><w:t>45</w:t><w:noBreakHyphen/><w:t>6789</w:t></w:r></w:p>",
        b"<w:p><w:r><w:t>219-</w:t></w:r><w:r><w:rPr><w14:glow><w14:x/></w14:glow></w:rPr><w:t>45-6789</w:t>",
        b"<si><r><t>219-</t></r><r><rPr><vertAlign val='superscript'/><strike/></rPr><t>45-6789</t></r></si>",
        b"<a:r><a:t>219-</a:t></a:r><a:r><a:rPr><a:ln><a:noFill/></a:ln><a:effectLst/></a:rPr><a:t>45-6789</a:t>",
        # OpenDocument 1.3, part 3: 5.6, 5.5, 6.1, 8.1 (soft page breaks, changes, marks).
        b"<text:p>219-<text:soft-page-break/>45<text:bookmark-start text:name='x'/>-6789</text:p>",
        b"<text:p>219-<text:change-start text:change-id='1'/>45<text:change-end text:change-id='1'/>-6789</text:p>",
        b"<text:p>219-<text:alphabetical-index-mark-start text:id='1'/>45-<text:meta>6789</text:meta></text:p>",
    ],
)
def test_what_stands_within_a_paragraph_cuts_no_value(part: bytes) -> None:
    assert plain_text(part).strip() == b"219-45-6789"


def test_properties_of_runs_without_an_end_take_no_more_than_their_text() -> None:
    """Each is looked through up to the next: a hostile part has one every few bytes."""
    markup = b"<rPr>" * 200_000
    started = time.process_time()
    plain_text(markup)
    assert time.process_time() - started < 10
