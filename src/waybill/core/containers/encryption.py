"""Which contents only a password or a key opens, by what their formats say.

Sources: [MS-OFFCRYPTO] 2.3.4.4 (`EncryptedPackage`); [MS-XLS] 2.4.117 (`FilePass`); [MS-PPT] 2.3.2 (`headerToken`);
[MS-DOC] 2.5.2 (`fEncrypted`); OpenDocument 1.2 part 3, 3.4 and 4.8; EPUB OCF, `META-INF/encryption.xml`; RFC 5652, 5083
(CMS); RFC 9580, sections 4.2 and 6.2 (OpenPGP).
"""

import io
import re
import struct
import zipfile
from typing import BinaryIO

from waybill.core.containers.archives import BROKEN_ERRORS
from waybill.core.containers.compound import MARK, CompoundFile
from waybill.core.containers.encoded import armoured
from waybill.core.containers.models import ContainerError
from waybill.core.containers.wrapped import is_open_pgp_message
from waybill.core.containers.zip_directory import read_directory

_XML_BYTES = 4 << 20
_ENTRIES = 200_000
_BOF = frozenset({0x0809, 0x0409, 0x0209, 0x0009})
_FILE_PASS = 0x002F
# What may stand before it: nothing but a few records of the beginning.
_RECORDS = 8
_PPT_ENCRYPTED = 0xF3D1C4DF
_DOC_MAGIC = frozenset({0xA5EC, 0xA5DC, 0xA699, 0xA697})
# Of a package, and of what rights management has made of an older file ([MS-OFFCRYPTO] 2.2.10 and 2.3.4.4).
_PROTECTED_STREAMS = frozenset({"EncryptedPackage", "\tDRMContent", "\tDRMViewerContent"})
# Word for Windows 1 and 2, and Excel 2 to 4, whose flag and record are those of later versions.
_OLD_DOC_MAGIC = (b"\x9b\xa5", b"\x9c\xa5", b"\xdb\xa5")
_OLD_BOF = frozenset({0x0009, 0x0209, 0x0409})
_SHORTEST = 16
# age (C2SP), `openssl enc`, LUKS, BitLocker, Ansible Vault, and KeePass, by what their files begin with.
_CIPHERS = (
    (0, b"age-encryption.org/v"),
    (0, b"-----BEGIN AGE ENCRYPTED FILE-----"),
    (0, b"Salted__"),
    (0, b"LUKS\xba\xbe"),
    (3, b"-FVE-FS-"),
    (0, b"$ANSIBLE_VAULT;"),
    *((0, b"\x03\xd9\xa2\x9a" + kind + b"\xfb\x4b\xb5") for kind in (b"\x65", b"\x66", b"\x67")),
)
_ODF_ENCRYPTED = re.compile(rb"<[A-Za-z0-9_.-]{0,40}:?encryption-data[\s>/]")
_EPUB_ALGORITHM = re.compile(rb"Algorithm\s{0,16}=\s{0,16}[\"']([^\"']{1,300})[\"']")
# Fonts that are only obfuscated (EPUB 3.3, 4.2.6.3.1; Adobe's method) are no encryption, nor are these of a signature.
_FONTS_ONLY = frozenset({b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC"})
_CMS_ENVELOPES = (
    bytes.fromhex("06092a864886f70d010703"),
    bytes.fromhex("06092a864886f70d010706"),
    bytes.fromhex("060b2a864886f70d0109100117"),
)
_ARMOUR = re.compile(rb"-----BEGIN (PGP MESSAGE|PKCS7|CMS)(?:, PART [^-]{1,40})?-----[ \t]{0,8}\r?\n")
# RFC 9580, 5.1, 5.3, 5.7, 5.13: a session key for a public key or a password, or encrypted data.
_PGP_KEY, _PGP_PASSWORD, _PGP_DATA, _PGP_PROTECTED_DATA = 1, 3, 9, 18
_PGP_ALGORITHMS = frozenset({1, 2, 16, 18, 25, 26})
_PGP_CIPHERS = frozenset(range(1, 14))
_PGP_KEY_FROM_PASSWORD = frozenset({0, 1, 3, 4})


def encryption_of(file: BinaryIO) -> str | None:
    """Return what kind of encryption `file` has, as results name it; None for a content without."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(4096)
    if head.startswith(MARK):
        return _of_office(file)
    if head.startswith(b"PK\x03\x04"):
        return _of_package(file, size)
    if _is_cms(head):
        return "cms"
    if _is_old_office(head):
        return "office"
    if any(head.startswith(mark, place) for place, mark in _CIPHERS):
        return "other"
    if _is_open_pgp(head, size):
        return "openPgp"
    return _armoured(head)


def _of_office(file: BinaryIO) -> str | None:
    try:
        compound = CompoundFile(file)
    except ContainerError:
        return None
    names = {stream.name for stream in compound.streams}
    if names & _PROTECTED_STREAMS:
        return "office"
    for name in ("Workbook", "Book"):
        if name in names and _has_file_pass(compound.beginning(name, 4096)):
            return "office"
    user = compound.beginning("Current User", 16)
    if len(user) >= 16 and struct.unpack_from("<L", user, 12)[0] == _PPT_ENCRYPTED:
        return "office"
    document = compound.beginning("WordDocument", 12)
    if len(document) >= 12:
        magic, flags = struct.unpack_from("<H8xH", document)
        if magic in _DOC_MAGIC and flags & 0x0100:
            return "office"
    return None


def _is_old_office(head: bytes) -> bool:
    """Return whether a file of before compound files is protected: a stream of records, or one with a Word header."""
    if len(head) > _SHORTEST and head.startswith(_OLD_DOC_MAGIC):
        return bool(struct.unpack_from("<H", head, 10)[0] & 0x0100)
    kind, length = struct.unpack_from("<HH", head) if len(head) > _SHORTEST else (0, 0)
    return kind in _OLD_BOF and 4 <= length <= 8 and _has_file_pass(head)


def _has_file_pass(stream: bytes) -> bool:
    place = 0
    for number in range(_RECORDS):
        if place + 4 > len(stream):
            return False
        kind, length = struct.unpack_from("<HH", stream, place)
        if number == 0 and kind not in _BOF:
            return False
        if kind == _FILE_PASS:
            return True
        place += 4 + length
    return False


def _of_package(file: BinaryIO, size: int) -> str | None:
    facts = read_directory(file, size)
    if facts is None or facts.unread or facts.members > _ENTRIES:
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            if _ODF_ENCRYPTED.search(_xml(archive, "META-INF/manifest.xml")):
                return "openDocument"
            algorithms = set(_EPUB_ALGORITHM.findall(_xml(archive, "META-INF/encryption.xml")))
            if algorithms - _FONTS_ONLY:
                return "epub"
    except (*BROKEN_ERRORS, RuntimeError):
        return None
    return None


def _xml(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as content:
            return content.read(_XML_BYTES)
    except KeyError:
        return b""


def _is_cms(head: bytes) -> bool:
    """Return whether a ContentInfo (RFC 5652, section 3), in DER or BER, holds what is enveloped or encrypted."""
    if len(head) < 2 or head[0] != 0x30:
        return False
    length = 1 if head[1] < 0x80 or head[1] == 0x80 else 1 + (head[1] & 0x7F)
    return head.startswith(_CMS_ENVELOPES, 1 + length)


def _is_open_pgp(head: bytes, size: int) -> bool:
    """Return whether packets begin with a session key or with encrypted data (RFC 9580, section 4.2)."""
    packet = _packet(head)
    if packet is None:
        return False
    tag, length, body = packet
    if tag == _PGP_KEY and len(body) >= 10 and body[0] == 3:
        return body[9] in _PGP_ALGORITHMS
    if tag == _PGP_KEY:
        return body[:1] == b"\6"
    if tag == _PGP_PASSWORD and len(body) >= 3:
        return body[0] in {5, 6} or (body[0] == 4 and body[1] in _PGP_CIPHERS and body[2] in _PGP_KEY_FROM_PASSWORD)
    # The data has no version of its own, or one of two: that it fills the file tells it from noise.
    whole = length is not None and len(head) - len(body) + length == size
    return whole and (tag == _PGP_DATA or (tag == _PGP_PROTECTED_DATA and body[:1] in {b"\1", b"\2"}))


def _packet(head: bytes) -> tuple[int, int | None, bytes] | None:
    """Return the tag of the first packet, its length where it is told at once, and what follows its header."""
    if len(head) < 6 or not head[0] & 0x80:
        return None
    if head[0] & 0x40:
        tag, first = head[0] & 0x3F, head[1]
        if first < 192:
            return tag, first, head[2:]
        if first < 224:
            return tag, (first - 192 << 8) + head[2] + 192, head[3:]
        return (tag, int.from_bytes(head[2:6]), head[6:]) if first == 255 else (tag, None, head[2:])
    width = (1, 2, 4, 0)[head[0] & 3]
    return head[0] >> 2 & 0xF, int.from_bytes(head[1 : 1 + width]) if width else None, head[1 + width :]


def _armoured(head: bytes) -> str | None:
    found = _ARMOUR.search(head)
    if found is None or found.start() > 1024:
        return None
    content = armoured(head[found.start() :])
    if found[1] == b"PGP MESSAGE":
        # What is only signed has the same armour (RFC 9580, section 6.2).
        return None if is_open_pgp_message(content) else "openPgp"
    return "cms" if _is_cms(content) else None
