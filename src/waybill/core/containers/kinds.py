"""What kinds of container a content is, by its bytes alone; one content may be several at the same time.

Sources: APPNOTE 6.3.10; RFC 1952 (gzip); [MS-CFB] 2.2; ISO 32000-1, 7.5.2 and annex H (the header within the first
1,024 bytes); ECMA-119 (descriptors at sector 16); RFC 5322 (fields of a message), RFC 4155 (mailboxes); [MS-OXTNEF];
[MS-OXRTFCP]; [MS-PST] 2.2.2.6; ECMA-167 (UDF); the marks of 7-Zip, RAR, cabinets, zstd (RFC 8878) and lz4 as their
makers document them; ISO 28500 (WARC); RFC 5652 (CMS); RFC 9580 (OpenPGP); the SWF specification; the kernel's
documentation of ext4 ("The Super Block") and [MS-FAT] for images of disks, and the marks of those of virtual machines.
"""

import io
import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from waybill.core.containers.models import ContainerKind
from waybill.core.containers.pictures import BEGINNINGS
from waybill.core.containers.wrapped import is_open_cms, is_open_pgp_message
from waybill.core.containers.zip_directory import end_of_directory

HEAD_BYTES = 65_536
_PDF_WITHIN = 1024
_MARKS = (
    (0, b"PK\x03\x04", ContainerKind.ZIP),
    (0, b"PK\x05\x06", ContainerKind.ZIP),
    (0, b"PK00PK\x03\x04", ContainerKind.ZIP),
    (0, b"\x1f\x8b", ContainerKind.GZIP),
    (0, b"BZh", ContainerKind.BZIP2),
    (0, b"\xfd7zXZ\0", ContainerKind.XZ),
    (257, b"ustar", ContainerKind.TAR),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ContainerKind.COMPOUND),
    (8, b"LZFu", ContainerKind.COMPRESSED_RTF),
    (0, b"\x78\x9f\x3e\x22", ContainerKind.TNEF),
    (0, b"{\\rt", ContainerKind.RTF),
    (0, b"7z\xbc\xaf\x27\x1c", ContainerKind.SEVEN_ZIP),
    (0, b"Rar!\x1a\x07", ContainerKind.RAR),
    (0, b"MSCF", ContainerKind.CABINET),
    (0, b"ISc(", ContainerKind.CABINET),
    (0x8001, b"CD001", ContainerKind.ISO),
    # Beside ISO 9660 as well: what its tree does not show may be in that of UDF (ECMA-167, part 2, 9.1.2).
    *((0x8001 + 2048 * sector, b"NSR0", ContainerKind.DISK_IMAGE) for sector in range(1, 15)),
    (0x8001, b"BEA01", ContainerKind.DISK_IMAGE),
    (0, b"MSWIM\0\0\0", ContainerKind.DISK_IMAGE),
    (0, b"EVF\t\r\n\xff\0", ContainerKind.DISK_IMAGE),
    (0, b"hsqs", ContainerKind.DISK_IMAGE),
    (0, b"\x28\xb5\x2f\xfd", ContainerKind.ZSTANDARD),
    # A frame that readers skip may stand first (RFC 8878, section 3.1.2); lz4 knows the same ones.
    *((0, bytes([kind]) + b"\x2a\x4d\x18", ContainerKind.ZSTANDARD) for kind in range(0x50, 0x60)),
    (0, b"\x1f\x9d", ContainerKind.COMPRESS),
    (0, b"\x04\x22\x4d\x18", ContainerKind.LZ4),
    (0, b"\x02\x21\x4c\x18", ContainerKind.LZ4),
    (0, b"!BDN", ContainerKind.OUTLOOK_FOLDERS),
    (7, b"**ACE**", ContainerKind.OTHER_ARCHIVE),
    (0, b"\x60\xea", ContainerKind.OTHER_ARCHIVE),
    (2, b"-lh", ContainerKind.OTHER_ARCHIVE),
    (0, b"StuffIt", ContainerKind.OTHER_ARCHIVE),
    (0, b"SIT!", ContainerKind.OTHER_ARCHIVE),
    (0, b"xar!", ContainerKind.OTHER_ARCHIVE),
    (0, b"\xed\xab\xee\xdb", ContainerKind.OTHER_ARCHIVE),
    (0, b"SZDD\x88\xf0\x27\x33", ContainerKind.OTHER_ARCHIVE),
    (0, b"KWAJ\x88\xf0\x27\xd1", ContainerKind.OTHER_ARCHIVE),
    (0, b"\x37\xe4\x53\x96", ContainerKind.OTHER_ARCHIVE),
    (0, b"LZIP", ContainerKind.OTHER_ARCHIVE),
    (0, b"\x89LZO\0\r\n\x1a\n", ContainerKind.OTHER_ARCHIVE),
    (0, b"!<arch>\n", ContainerKind.OTHER_ARCHIVE),
    (0, b"ITSF\3\0\0\0", ContainerKind.OTHER_ARCHIVE),
    (0, bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3"), ContainerKind.ONENOTE),
    *((0, b"07070" + kind, ContainerKind.OTHER_ARCHIVE) for kind in (b"1", b"2", b"7")),
    (0, b"conectix", ContainerKind.DISK_IMAGE),
    (0, b"vhdxfile", ContainerKind.DISK_IMAGE),
    (0, b"KDMV", ContainerKind.DISK_IMAGE),
    (0, b"QFI\xfb", ContainerKind.DISK_IMAGE),
    (0, b"EVF2\r\n\x81\0", ContainerKind.DISK_IMAGE),
    (0, b"AFF10\r\n\0", ContainerKind.DISK_IMAGE),
    (0, b"WLPWM\0\0\0", ContainerKind.DISK_IMAGE),
    (0, b"LVF\t\r\n\xff\0", ContainerKind.DISK_IMAGE),
    (0, b"LEF2\r\n\x81\0", ContainerKind.DISK_IMAGE),
    (0, b"COWD", ContainerKind.DISK_IMAGE),
    (0x40, b"\x7f\x10\xda\xbe", ContainerKind.DISK_IMAGE),
    (0, b"encrcdsa", ContainerKind.DISK_IMAGE),
    (0, b"LUKS\xba\xbe", ContainerKind.DISK_IMAGE),
    (0, b"XFSB", ContainerKind.DISK_IMAGE),
    (3, b"NTFS    ", ContainerKind.DISK_IMAGE),
    (3, b"EXFAT   ", ContainerKind.DISK_IMAGE),
    (512, b"EFI PART", ContainerKind.DISK_IMAGE),
    (1024, b"H+\0\4", ContainerKind.DISK_IMAGE),
    (1024, b"HX\0\5", ContainerKind.DISK_IMAGE),
    (0, b"WARC/", ContainerKind.WEB_ARCHIVE),
    (0, b"filedesc:", ContainerKind.WEB_ARCHIVE),
)
_FIELD = re.compile(rb"[!-9;-~]{1,80}[ \t]{0,8}:")
_FIELDS = re.compile(
    rb"^(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to|x-mailer"
    rb"|content-transfer-encoding|reply-to|sender)[ \t]{0,8}:",
    re.IGNORECASE | re.MULTILINE,
)
_ENCRYPTED_FIELDS = re.compile(
    rb"^content-type[ \t]{0,8}:[ \t\r\n]{0,8}(?:multipart/encrypted|application/(?:x-)?pkcs7-mime[^\r\n]{0,200}"
    rb"(?:\r?\n[ \t][^\r\n]{0,200}){0,4}?smime-type[ \t]{0,4}=[ \t]{0,4}\"?(?:enveloped|authenveloped)-data)",
    re.IGNORECASE | re.MULTILINE,
)
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_MAILBOX = re.compile(rb"From [^\r\n]{1,500}\r?\n")
_TEXT_CONTROLS = frozenset("\t\n\r\f\v\x1a\x1b\u2028\u2029\ufeff")
# Beside what is printed: white space, the end of a text of CP/M, and escapes of a terminal.
_TEXT_BYTES = b"\b\t\n\v\f\r\x1a\x1b" + bytes(range(0x20, 256))
_MARKED = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Encoding, bytes of a character, and which of them are zero in Latin text; the longer ones first.
_UNMARKED = (
    ("utf-32-le", 4, (1, 2, 3)),
    ("utf-32-be", 4, (0, 1, 2)),
    ("utf-16-le", 2, (1,)),
    ("utf-16-be", 2, (0,)),
)
_SHORTEST = 8
_LZMA_PROPERTIES = 0x5D
_SECTOR = 512
_SHORTEST_FLASH = 16
_SAMPLE_BYTES = 4096
_MOSTLY = 0.6


# In their order: those at the beginning that begin with each byte, and those that lie elsewhere.
_MARKS_BY_BEGINNING = tuple(
    tuple((place, mark, kind) for place, mark, kind in _MARKS if place > 0 or mark[0] == first) for first in range(256)
)


def kinds_of(file: BinaryIO) -> list[ContainerKind]:
    """Return every kind that the content of `file` is, in the order in which they are opened; none for others."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    found = [kind for place, mark, kind in _MARKS_BY_BEGINNING[head[0]] if head.startswith(mark, place)] if head else []
    found += [kind for kind, looks_so in _BY_LOOKS if looks_so(head)]
    if wide_encoding(head) is not None:
        found.append(ContainerKind.WIDE_TEXT)
    elif b"\0" not in head and ContainerKind.WEB_ARCHIVE not in found:
        found += _of_text(head)
        if found == [ContainerKind.DATA_URLS] and _has_old_lines(head):
            found.append(ContainerKind.OLD_LINES)
    if ContainerKind.ZIP not in found and _ends_as_zip(file):
        found.append(ContainerKind.ZIP)
    if _ends_as_disk_image(file):
        found.append(ContainerKind.DISK_IMAGE)
    return list(dict.fromkeys(found))


def _has_old_lines(head: bytes) -> bool:
    """Return whether the lines of a text end as those of classic Mac OS did, where no reader here looks for an end."""
    return b"\r" in head and b"\n" not in head and is_text(head)


def _ends_as_disk_image(file: BinaryIO) -> bool:
    """Return whether the last sector is a footer: of an image of Apple's or, of a fixed size, of Virtual PC's."""
    if file.seek(0, io.SEEK_END) < _SECTOR:
        return False
    file.seek(-_SECTOR, io.SEEK_END)
    return file.read(8).startswith((b"koly\0\0\0\4", b"conectix"))


def _is_flash(head: bytes) -> bool:
    # A version behind the mark, up to 51, and what zlib (RFC 1950, 2.2) or LZMA begin with behind the length.
    if len(head) < _SHORTEST_FLASH or not 6 <= head[3] <= 60:
        return False
    if head.startswith(b"CWS"):
        return head[8] & 0xF == 8 and int.from_bytes(head[8:10]) % 31 == 0
    return head.startswith(b"ZWS") and head[12] == 0x5D


def _is_ext(head: bytes) -> bool:
    # Magic number, state and revision, and the size of a block, of the superblock at 1,024.
    if len(head) < 2048 or head[1080:1082] != b"\x53\xef":
        return False
    block, state, revision = struct.unpack_from("<24xL30xH16xL", head, 1024)
    return bool(block <= 6 and state <= 7 and revision <= 1)


def _is_fat(head: bytes) -> bool:
    return head[510:512] == b"\x55\xaa" and (head.startswith(b"FAT", 54) or head.startswith(b"FAT32   ", 82))


def _is_lzma(head: bytes) -> bool:
    """Return whether it begins as xz lets a stream begin whose form has no mark: liblzma, `lzma_alone_decoder`."""
    if len(head) < 13 or head[0] != _LZMA_PROPERTIES:
        return False
    dictionary, size = struct.unpack_from("<LQ", head, 1)
    # A power of two, or one and a half times that.
    high = dictionary & (dictionary - 1)
    usual = dictionary >= 1 << 12 and high in {0, (dictionary - high) << 1}
    return usual and (size == (1 << 64) - 1 or size < 1 << 38)


def _is_picture(head: bytes) -> bool:
    return head.startswith(BEGINNINGS)


_BY_LOOKS: tuple[tuple[ContainerKind, Callable[[bytes], bool]], ...] = (
    (ContainerKind.PDF, lambda head: b"%PDF-" in head[:_PDF_WITHIN]),
    (ContainerKind.SIGNED, is_open_cms),
    (ContainerKind.OPEN_PGP, is_open_pgp_message),
    (ContainerKind.FLASH, _is_flash),
    (ContainerKind.PICTURE, _is_picture),
    (ContainerKind.LZMA, _is_lzma),
    (ContainerKind.DISK_IMAGE, _is_ext),
    (ContainerKind.DISK_IMAGE, _is_fat),
)


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding of a text in UTF-16 or UTF-32, with or without a mark; None for anything else."""
    for mark, encoding in _MARKED:
        if head.startswith(mark):
            return encoding if _reads_as_text(head[len(mark) :], encoding) else None
    # Without a mark only what is mostly Latin can be told from other bytes: its zeros lie at the same place each time.
    sample = head[: min(_SAMPLE_BYTES, len(head) // 4 * 4)] if len(head) >= _SHORTEST else b""
    # The least that any of them asks for; most contents have fewer.
    if sample.count(0) <= len(sample) / 2 * _MOSTLY:
        return None
    for encoding, unit, zeros in _UNMARKED:
        counted = sum(sample[place::unit].count(0) for place in zeros)
        if sample and counted > len(sample) / unit * len(zeros) * _MOSTLY and _reads_as_text(sample, encoding):
            return encoding
    return None


def is_text(head: bytes) -> bool:
    """Return whether `head` reads as text in any encoding: UTF-16, UTF-32, or one that keeps ASCII's controls."""
    if wide_encoding(head) is not None:
        return True
    return not head.translate(None, _TEXT_BYTES)


def _reads_as_text(sample: bytes, encoding: str) -> bool:
    unit = 4 if "32" in encoding else 2
    sample = sample[:_SAMPLE_BYTES]
    try:
        # Half of a pair at the end of the sample is no fault of the text.
        text = sample[: len(sample) - len(sample) % unit].decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(character >= " " or character in _TEXT_CONTROLS for character in text)


def _of_text(head: bytes) -> list[ContainerKind]:
    found = []
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if _MAILBOX.match(start):
        # What is encoded in it is in its messages.
        return [ContainerKind.MAILBOX]
    if _FIELD.match(start):
        empty_line = _EMPTY_LINE.search(start)
        fields = start[: empty_line.start()] if empty_line else start
        if len({match[0].lower() for match in _FIELDS.finditer(fields)}) > 1:
            encrypted = _ENCRYPTED_FIELDS.search(fields)
            found.append(ContainerKind.ENCRYPTED_MAIL if encrypted else ContainerKind.MAIL)
    found.append(ContainerKind.DATA_URLS)
    return found


def _ends_as_zip(file: BinaryIO) -> bool:
    """Return whether an archive stands behind other bytes: a program that unpacks itself, or a picture with a tail."""
    size = file.seek(0, io.SEEK_END)
    end = end_of_directory(file, size)
    if end is None or end[1] == 0:
        return False
    file.seek(end[0])
    return file.read(4) == b"PK\x01\x02"
