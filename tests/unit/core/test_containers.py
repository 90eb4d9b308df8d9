"""What is inside of containers, and what is named as not opened. Sources stand beside each expectation."""

import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from email.message import EmailMessage

import pytest

from tests.fakes import contents
from waybill.core.containers.encryption import encryption_of
from waybill.core.containers.macros import decompress
from waybill.core.containers.models import (
    ContainerKind,
    ContainerLimits,
    ContainerMember,
    UnopenedMember,
    UnopenedReason,
)
from waybill.core.containers.walk import walk

NEEDLE = b"the words that a rule looks for"


def looked_into(content: bytes, limits: ContainerLimits | None = None) -> tuple[dict[str, bytes], set[tuple[str, str]]]:
    """Return the members by path, and what was not opened with the reason."""
    members, unopened = {}, set()
    for found in walk(io.BytesIO(content), limits):
        if isinstance(found, ContainerMember):
            members[found.path] = found.content.read()
        else:
            unopened.add((found.path, found.reason.value))
    return members, unopened


def message(attachment: bytes, name: str = "tool.bin") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "Records"
    mail.set_content("They are attached.")
    mail.add_attachment(attachment, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def tarred(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def native(content: bytes) -> bytes:
    """Return an `Ole10Native` stream ([MS-OLEDS] 2.3.6; its names as Office's packager writes them)."""
    names = b"\2\0" + b"tool.exe\0" + b"C:\\tool.exe\0" + b"\0\0\3\0"
    temporary = b"C:\\temp\\tool.exe\0"
    body = names + struct.pack("<L", len(temporary)) + temporary + struct.pack("<L", len(content)) + content
    return struct.pack("<L", len(body)) + body


def slides(content: bytes) -> bytes:
    """Return a compressed object of a presentation ([MS-PPT] 2.10.34)."""
    packed = struct.pack("<L", len(content)) + zlib.compress(content)
    return bytes(64) + struct.pack("<HHL", 0x10, 0x1011, len(packed)) + packed + bytes(5000)


def rtf_object(content: bytes) -> bytes:
    """Return RTF with an embedded object ([MS-OLEDS] 2.2.5): version, kind, class, two empty names, length, data."""
    kind = b"Package\0"
    header = struct.pack("<LLL", 0x501, 2, len(kind)) + kind + bytes(8) + struct.pack("<L", len(content))
    digits = (header + content).hex()
    return (
        b"{\\rtf1{\\object\\objemb{\\*\\objdata "
        + "\n".join(digits[i : i + 78] for i in range(0, len(digits), 78)).encode()
        + b"}}}"
    )


def rtf_bytes(content: bytes) -> bytes:
    """Return RTF whose object stands in it as it is: RTF 1.9.1, "Pictures", `\\bin`, which objects may have too."""
    begun, _, digits = rtf_object(content).replace(b"\n", b"").partition(b"objdata ")
    data = bytes.fromhex(digits.rstrip(b"}").decode())
    return begun + b"objdata\\bin%d " % len(data) + data + b"}}}"


def rtf_with_words(content: bytes) -> bytes:
    """Return RTF with words and groups among the digits of its object, which readers leave out."""
    begun, _, digits = rtf_object(content).replace(b"\n", b"").partition(b"objdata ")
    among = b"{\\*\\generator abcd {12} 34}\\par{}\\'20"
    # A word that only begins as that for bytes does is between two digits of one byte.
    rest = digits[10:31] + b"\\x0 " + digits[31:35] + b"\\binder " + digits[35:]
    return begun + b"objdata " + digits[:10] + among + rest + b"\\par abc"


def tnef(content: bytes) -> bytes:
    """Return a `winmail.dat` with one attachment ([MS-OXTNEF] 2.1.3)."""

    def attribute(number: int, data: bytes) -> bytes:
        return struct.pack("<BLL", 2, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    return struct.pack("<LH", 0x223E9F78, 1) + attribute(0x00018010, b"tool.exe\0") + attribute(0x0006800F, content)


# Every container through which a rule cannot see.
CONTAINERS = {
    "docx": (contents.zipped({"[Content_Types].xml": b"<Types/>", "word/x.bin": NEEDLE}), "word/x.bin"),
    "zip in zip": (contents.zipped({"notes.zip": contents.zipped({"tool.exe": NEEDLE})}), "notes.zip/tool.exe"),
    "zip behind a program": (b"MZ" + bytes(500) + contents.zipped({"tool.exe": NEEDLE}), "tool.exe"),
    "zip of bzip2": (contents.zipped({"a": NEEDLE}, zipfile.ZIP_BZIP2), "a"),
    "zip of lzma": (contents.zipped({"a": NEEDLE}, zipfile.ZIP_LZMA), "a"),
    "gzip": (gzip.compress(NEEDLE), "content"),
    "several gzip members": (gzip.compress(b"one ") + gzip.compress(NEEDLE), "content"),
    "bzip2": (bz2.compress(NEEDLE), "content"),
    "xz": (lzma.compress(NEEDLE), "content"),
    "lzma": (lzma.compress(NEEDLE, lzma.FORMAT_ALONE), "content"),
    "lzma of another size": (
        lzma.compress(NEEDLE, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 3 << 20}]),
        "content",
    ),
    "tar in gzip": (gzip.compress(tarred(a=b"x", tool=NEEDLE)), "content/tool"),
    "attachment": (message(NEEDLE), "tool.bin"),
    "attachment of an attached message": (
        b"From: a\r\nTo: b\r\nContent-Type: message/rfc822\r\n\r\n" + message(NEEDLE),
        "tool.bin",
    ),
    "second message of a mailbox": (
        b"From a Mon Jan 1 00:00:00 2024\n"
        + message(b"other")
        + b"\n\nFrom b Mon Jan 1 00:00:00 2024\n"
        + message(NEEDLE),
        "message 2/tool.bin",
    ),
    # RFC 2046, section 5.1.1: what stands around the parts.
    "preamble of a message": (
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n' + NEEDLE + b"\n--x\n\na\n--x--\n",
        "part 1 preamble",
    ),
    "epilogue of a message": (
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n--x\n\na\n--x--\n' + NEEDLE + b"\n",
        "part 1 epilogue",
    ),
    "winmail.dat": (tnef(NEEDLE), "tool.exe"),
    # As mail programs of classic Mac OS wrote them.
    "message of an old Mac": (message(NEEDLE).replace(b"\n", b"\r"), "with line feeds/tool.bin"),
    "mailbox of an old Mac": (
        (b"From a Mon Jan 1 00:00:00 2024\n" + message(NEEDLE)).replace(b"\n", b"\r"),
        "with line feeds/message 1/tool.bin",
    ),
    "UTF-16 with a mark": (NEEDLE.decode().encode("utf-16"), "as UTF-8"),
    "UTF-16 without a mark": (NEEDLE.decode().encode("utf-16-be"), "as UTF-8"),
    "UTF-32": (NEEDLE.decode().encode("utf-32"), "as UTF-8"),
    "UTF-16 in a zip": (contents.zipped({"a.txt": NEEDLE.decode().encode("utf-16")}), "a.txt/as UTF-8"),
    "data URL": (b'<img src="data:image/png;base64,' + base64.b64encode(NEEDLE) + b'">', "data URL 1"),
    "data URL of text": (b"<a href='data:text/html,the%20words%20that%20a%20rule%20looks%20for'>", "data URL 1"),
    "object of RTF": (rtf_object(NEEDLE), "object 1"),
    "object of RTF in bytes": (rtf_bytes(NEEDLE), "object 1"),
    "object of RTF among words": (rtf_with_words(NEEDLE), "object 1"),
    # As Word writes a file that is dropped into RTF: without the length that an `Ole10Native` stream begins with.
    "file in an object of RTF": (rtf_object(native(NEEDLE)[4:]), "object 1/tool.exe"),
    "stream of a compound file": (contents.compound({"Contents": NEEDLE.ljust(5000)}), "Contents"),
    "small stream of a compound file": (contents.compound({"Contents": NEEDLE}), "Contents"),
    "embedded file": (contents.compound({"\x01Ole10Native": native(NEEDLE)}), "Ole10Native/tool.exe"),
    "object of a presentation": (contents.compound({"PowerPoint Document": slides(NEEDLE)}), "object 1"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_kind_of_container_shows_what_is_in_it(name: str) -> None:
    content, path = CONTAINERS[name]
    members, unopened = looked_into(content)
    assert NEEDLE in members[path]
    assert unopened == set()


def test_the_example_of_the_specification_of_macros_is_unpacked() -> None:
    # [MS-OVBA] 3.2.1, "No Compression Example", and 3.2.2, "Normal Compression Example".
    plain = bytes.fromhex("0119b000616263646566676800696a6b6c6d6e6f70007172737475762e")
    assert decompress(plain) == b"abcdefghijklmnopqrstuv."
    normal = bytes.fromhex(
        "012fb000236161616263646582660070616768696a01380861 6b6c00306d6e6f70067102700410727374757610 7778797a003c"
    )
    assert decompress(normal) == b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"


def test_the_source_of_a_macro_is_a_member() -> None:
    source = b'Attribute VB_Name = "Module1"\r\nSub AutoOpen()\r\nShell "the words"\r\nEnd Sub\r\n'
    # Token sequences without copies: a byte of flags before every eight characters ([MS-OVBA] 2.4.1.1.7).
    tokens = b"".join(b"\0" + source[place : place + 8] for place in range(0, len(source), 8))
    packed = b"\1" + struct.pack("<H", 0xB000 | (len(tokens) + 2 - 3)) + tokens
    project = contents.compound({"Module1": bytes(2000) + packed})
    members, unopened = looked_into(contents.zipped({"word/vbaProject.bin": project}))
    assert members["word/vbaProject.bin/Module1 (macro 1)"] == source
    assert unopened == set()


def nested(levels: int, content: bytes = b"harmless") -> bytes:
    for _ in range(levels):
        content = contents.zipped({"a": content})
    return content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nested(9), "DEPTH"),
        (contents.zipped({str(number): b"" for number in range(40)}), "MEMBERS"),
        (contents.zipped({"zeros": bytes(1 << 20)}), "RATIO"),
        (contents.zipped({"a": b"x" * 3000}, zipfile.ZIP_STORED), "MEMBER_BYTES"),
        (contents.zipped({str(n): b"x" * 1500 for n in range(5)}, zipfile.ZIP_STORED), "TOTAL_BYTES"),
        (gzip.compress(NEEDLE * 5)[:-20], "TRUNCATED"),
        (lzma.compress(NEEDLE)[:-20], "TRUNCATED"),
        (tarred(a=NEEDLE * 50)[:1000], "TRUNCATED"),
        (contents.encrypted_zip("a", NEEDLE, b"secret"), "ENCRYPTED"),
        (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24), "NO_READER"),
        (b"Rar!\x1a\7\0\xcf\x90\x73" + bytes(34), "NO_READER"),
        (b"!BDN" + bytes(600), "NO_READER"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "NO_READER"),
        # The marks are those that `file` knows (magic/Magdir: compress, filesystems, virtual, ewf, dmg).
        (b"\x53\x2a\x4d\x18\4\0\0\0abcd" + bytes(20), "NO_READER"),
        (b"\x02\x21\x4c\x18" + bytes(20), "NO_READER"),
        (b"LZIP\1\x0c" + bytes(20), "NO_READER"),
        (b"\x89LZO\0\r\n\x1a\n" + bytes(20), "NO_READER"),
        (b"WLPWM\0\0\0" + bytes(200), "NO_READER"),
        (b"LVF\t\r\n\xff\0" + bytes(200), "NO_READER"),
        (b"EVF2\r\n\x81\0" + bytes(200), "NO_READER"),
        (b"QFI\xfb\0\0\0\3" + bytes(200), "NO_READER"),
        (b"vhdxfile" + bytes(600), "NO_READER"),
        (b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe" + bytes(400), "NO_READER"),
        (bytes(9000) + b"koly\0\0\0\4\0\0\2\0" + bytes(500), "NO_READER"),
        (bytes(9000) + b"conectix" + bytes(504), "NO_READER"),
        (contents.docx()[:-40], "BROKEN"),
        (b"\x1f\x8b" + bytes(range(50)), "BROKEN"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "BROKEN"),
        (contents.zipped({"in.docx": contents.ole2("EncryptedPackage")}), "ENCRYPTED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_opened_is_named_with_the_reason(content: bytes, reason: str) -> None:
    narrow = {
        "MEMBERS": ContainerLimits(members=20),
        "MEMBER_BYTES": ContainerLimits(member_bytes=2000),
        "TOTAL_BYTES": ContainerLimits(total_bytes=5000),
        "RATIO": ContainerLimits(ratio_free_bytes=1500),
    }
    _, unopened = looked_into(content, narrow.get(reason))
    assert reason in {each for _, each in unopened}


def test_a_bomb_is_no_more_unpacked_than_the_limit() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    entry = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, 0, len(packed), 64 << 20, 1, 0)
    local = b"PK\3\4" + entry + b"a" + packed
    central = b"PK\1\2" + struct.pack("<H", 20) + entry + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + b"a"
    bomb = local + central + b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(central), len(local), 0)
    limits = ContainerLimits(ratio_free_bytes=1 << 20, ratio=10)
    (member, unopened) = walk(io.BytesIO(bomb), limits)
    assert isinstance(member, ContainerMember)
    assert member.size <= 10 * len(packed) + (1 << 20)
    assert unopened == UnopenedMember("a", ContainerKind.ZIP, UnopenedReason.RATIO)


def test_what_was_unpacked_before_a_stream_broke_is_still_a_member() -> None:
    # RFC 1952; `gzip -d` writes all of it before it complains.
    members, unopened = looked_into(gzip.compress(NEEDLE * 40)[:-9])
    assert NEEDLE in members["content"]
    assert unopened == {("content", "TRUNCATED")}


def test_what_stands_behind_the_last_stream_is_looked_into_too() -> None:
    # gzip's manual: "decompression OK, trailing garbage ignored": by gzip, and so not by whoever hides something there.
    members, unopened = looked_into(gzip.compress(b"first") + contents.zipped({"hidden": NEEDLE}))
    assert (members["content"], members["behind the end/hidden"], unopened) == (b"first", NEEDLE, set())


def test_streams_in_a_row_and_padding_are_one() -> None:
    # RFC 1952, section 2.2; gzip's manual, "Using gzip on tapes".
    members, unopened = looked_into(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(512))
    # And each is looked at by itself: what begins one of them is not at the beginning of them all.
    alone = {"member 1": b"one ", "member 2": b"two"}
    assert (members, unopened) == ({"content": b"one two", **alone}, set())


def test_one_broken_member_costs_itself() -> None:
    archive = bytearray(contents.zipped({"hurt": bytes(range(256)) * 20, "whole": NEEDLE}, zipfile.ZIP_LZMA))
    archive[60:100] = bytes(40)
    members, unopened = looked_into(bytes(archive))
    assert members["whole"] == NEEDLE
    assert {path for path, _ in unopened} == {"hurt"}


def test_a_container_that_refers_to_itself_comes_to_an_end() -> None:
    _, unopened = looked_into(contents.ole2("a", ring=True))
    assert isinstance(unopened, set)


def test_time_ends_the_whole_walk() -> None:
    _, unopened = looked_into(contents.zipped({"a": b"x"}), ContainerLimits(seconds=-1))
    assert unopened == {("", "TIME")}


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


BOF = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0x0DBB, 0x07CC, 0, 6))
FILE_PASS = record(0x002F, struct.pack("<HHH", 1, 1, 1) + bytes(48))
END = record(0x000A, b"")


def word(flags: int) -> bytes:
    return struct.pack("<HHHHHHHI", 0xA5EC, 0xC1, 0, 0x409, 0, flags, 0xBF, 0x12345678) + bytes(1400)


def user(token: int) -> bytes:
    return struct.pack("<HHI", 0, 0x0FF6, 28) + struct.pack("<IIIHHBBH", 20, token, 0, 4, 0x03F4, 3, 0, 0) + b"user"


def package(manifest: bytes) -> bytes:
    return contents.zipped({"META-INF/encryption.xml": b'<x Algorithm="%b"/>' % manifest})


def content_info(oid: str) -> bytes:
    identifier = bytes.fromhex(oid)
    return b"\x30\x82\x01\x00" + identifier + bytes(300)


ENVELOPED, SIGNED = "06092a864886f70d010703", "06092a864886f70d010702"

# What the formats say, and the same without it.
ENCRYPTED = {
    "xls": (contents.compound({"Workbook": BOF + FILE_PASS + END}), "office"),  # [MS-XLS] 2.4.117
    "xls of Excel 95": (contents.compound({"Book": BOF + record(0x2F, bytes(4)) + END}), "office"),
    "ppt": (contents.compound({"Current User": user(0xF3D1C4DF)}), "office"),  # [MS-PPT] 2.3.2
    "doc": (contents.compound({"WordDocument": word(0x1300)}), "office"),  # [MS-DOC] 2.5.2
    "Office Open XML": (contents.ole2("EncryptedPackage"), "office"),  # [MS-OFFCRYPTO] 2.3.4.4
    "OpenDocument": (contents.encrypted_odt(), "openDocument"),
    "EPUB": (package(b"http://www.w3.org/2001/04/xmlenc#aes128-cbc"), "epub"),
    "S/MIME": (content_info(ENVELOPED), "cms"),  # RFC 5652, section 6
    "S/MIME in BER": (b"\x30\x80" + bytes.fromhex(ENVELOPED) + bytes(50), "cms"),
    "S/MIME with authentication": (content_info("060b2a864886f70d0109100117"), "cms"),  # RFC 5083
    "PEM": (
        b"-----BEGIN CMS-----\n" + base64.encodebytes(content_info(ENVELOPED)) + b"-----END CMS-----\n",
        "cms",
    ),
    "OpenPGP armour": (b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n", "openPgp"),
    "OpenPGP for a key": (b"\x85\x01\x0c\x03" + bytes(8) + b"\x01" + bytes(200), "openPgp"),  # RFC 9580, 5.1
    "OpenPGP for a password": (b"\x8c\x0d\x04\x09\x03\x02" + bytes(40), "openPgp"),  # RFC 9580, 5.3
    "OpenPGP data": (b"\xd2\x3a\x01" + bytes(57), "openPgp"),  # RFC 9580, 5.13
}
PLAIN = {
    "xls": contents.compound({"Workbook": BOF + record(0x0012, b"\1\0") + END}),  # protected sheets alone
    "ppt": contents.compound({"Current User": user(0xE391C05F)}),
    "doc": contents.compound({"WordDocument": word(0x1200)}),
    "signed": content_info(SIGNED),  # RFC 5652, section 5: anybody reads it
    "fonts that are obfuscated": package(b"http://www.idpf.org/2008/embedding"),
    "docx": contents.docx(),
    "a signature": b"-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n",
    "text that begins with Cyrillic": "Ґрунт і вода".encode(),
    "text": b"Minutes of the meeting",
}


@pytest.mark.parametrize("name", ENCRYPTED)
def test_what_only_a_key_opens_is_known_by_its_format(name: str) -> None:
    content, kind = ENCRYPTED[name]
    assert encryption_of(io.BytesIO(content)) == kind


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_without_encryption_is_none(name: str) -> None:
    assert encryption_of(io.BytesIO(PLAIN[name])) is None


@pytest.mark.parametrize(
    "fields",
    [
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x',  # RFC 3156, section 4
        b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",  # RFC 8551, section 3.3
    ],
)
def test_an_encrypted_message_is_not_opened(fields: bytes) -> None:
    _, unopened = looked_into(b"From: a@example.org\r\nTo: b@example.org\r\n" + fields + b"\r\n\r\nMIIB\r\n")
    assert unopened == {("", "ENCRYPTED")}


def test_an_encrypted_message_that_is_attached_is_not_opened() -> None:
    inner = b"From: a\r\nTo: b\r\nContent-Type: multipart/encrypted; boundary=x\r\n\r\n--x\r\n\r\nnoise\r\n--x--\r\n"
    outer = b"From: a\r\nTo: b\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    assert "ENCRYPTED" in {reason for _, reason in looked_into(outer)[1]}


def test_nothing_is_found_in_what_is_no_container() -> None:
    for content in (b"", b"P", b"Minutes", bytes(range(256)) * 300, b"\x89PNG\r\n\x1a\n" + bytes(100)):
        assert list(walk(io.BytesIO(content))) == []


def of_type(kind: bytes) -> bytes:
    """A tar archive of one file whose header says another type (POSIX, pax interchange format: `typeflag`)."""
    archive = bytearray(tarred(odd=NEEDLE))
    archive[156:157], archive[148:156] = kind, b" " * 8
    archive[148:156] = b"%06o\0 " % sum(archive[:512])
    return bytes(archive)


@pytest.mark.parametrize(
    "content",
    [
        # Types that nobody knows are to be read as files; GNU tar and bsdtar do so.
        of_type(b"Z"),
        of_type(b"7"),
        # A header that is none: GNU tar goes on to the next one, and whoever reads on past the end finds more.
        tarred(first=b"harmless")[:1024] + b"!" * 512 + tarred(odd=NEEDLE),
        tarred(first=b"harmless") + tarred(odd=NEEDLE),
        tarred(first=b"harmless") + NEEDLE,
    ],
    ids=["a vendor's type", "contiguous", "a gap", "another archive", "a tail"],
)
def test_nothing_of_a_tar_archive_is_passed_over(content: bytes) -> None:
    members, _ = looked_into(content)
    assert NEEDLE in members.values()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of chunks (PNG, 5.3), its end included."""
    whole = (*chunks, (b"IEND", b""))
    made = (
        struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data)) for kind, data in whole
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


# T.81, annex B: start of image, an application's segment, start of scan and what it encodes, end of image.
JPEG = b"\xff\xd8\xff\xe0\0\4\xff\xd9\xff\xda\0\4\0\0" + b"\x12\xff\0\x34" * 9 + b"\xff\xd9"
GIF = b"GIF89a" + bytes(4) + b"\x80\0\0" + bytes(6) + b"!\xfe\3a;b\0," + bytes(9) + b"\2\2L\1\0;"
RIFF = b"RIFF" + struct.pack("<L", 12) + b"WAVEdata" + bytes(4)
PACKED = gzip.compress(NEEDLE)


@pytest.mark.parametrize(
    "picture", [png(), JPEG, JPEG + JPEG, GIF, RIFF, RIFF + RIFF], ids=["PNG", "JPEG", "two", "GIF", "RIFF", "two RIFF"]
)
def test_what_stands_behind_a_picture_is_opened(picture: bytes) -> None:
    """A stream of gzip behind a picture was in no rule's sight: its mark is too short to be looked for."""
    members, _ = looked_into(picture + PACKED)
    assert members["behind the end/content"] == NEEDLE
    # Nothing is behind a whole one, nor behind one whose end is not known.
    assert looked_into(picture + b"\0\r\n") == ({}, set())
    assert looked_into(picture[:-1]) == ({}, set())


def test_a_sound_that_was_written_into_a_pipe_has_nothing_behind_it() -> None:
    for size in (0, 0xFFFFFFFF):
        assert looked_into(RIFF[:4] + struct.pack("<L", size) + RIFF[8:] + bytes(1 << 20) + b"end") == ({}, set())


@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"note\0\0" + zlib.compress(NEEDLE)),
        (b"iCCP", b"name\0\0" + zlib.compress(NEEDLE)),
        (b"iTXt", b"note\0\1\0en\0note\0" + zlib.compress(NEEDLE)),
    ],
    ids=["zTXt", "iCCP", "iTXt"],
)
def test_what_a_png_compresses_beside_its_picture_is_unpacked(chunk: tuple[bytes, bytes]) -> None:
    members, _ = looked_into(png(chunk))
    assert NEEDLE in members.values()


def test_zeros_behind_a_tar_archive_are_nothing() -> None:
    members, unopened = looked_into(tarred(first=b"harmless") + bytes(20_000))
    assert (members, unopened) == ({"first": b"harmless"}, set())


def test_names_of_any_bytes_and_length_can_be_stored() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        entry = tarfile.TarInfo("caf\udce9" + "x" * 4000)
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    (path,) = looked_into(out.getvalue())[0]
    assert len(path.encode()) < 1100
    # Told so that it is not taken for another name.
    assert path.startswith("caf\\xe9xxx")
    assert all(not isinstance(found, UnopenedMember) for found in walk(io.BytesIO(out.getvalue())))
