"""Which files of a RAR archive are encrypted: libarchive gives their encrypted bytes as if they were the content.

Sources: rarlab's "RAR 5.0 archive format" and, for older ones, `technote.txt` of RAR 2.9 (blocks, and their flags).
Imported in the scanners' process alone, since what it reads is hostile.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

_OLD, _NEW = b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\1\0"
# Hostile archives say what they like: no more blocks than these are looked at, and no header that is longer.
_BLOCKS = 50_000
_HEADER_BYTES = 2 << 20
_OLD_ARCHIVE, _OLD_FILE = 0x73, 0x74
_OLD_HEADERS_ENCRYPTED, _OLD_FILE_ENCRYPTED = 0x0080, 0x0004
_OLD_HAS_DATA, _OLD_LARGE = 0x8000, 0x0100
_NEW_FILE, _NEW_ENCRYPTION = 2, 4
_NEW_HAS_EXTRA, _NEW_HAS_DATA = 1, 2
_NEW_RECORD_ENCRYPTION = 1


class HeadersEncryptedError(Exception):
    """Not even the names can be read without a password."""


def encrypted_files(file: BinaryIO) -> list[bool]:
    """Return of each file of the archive, in its order, whether it is encrypted, as far as headers can be followed.

    Raises
    ------
    HeadersEncryptedError
        The headers are encrypted.
    """
    file.seek(0)
    head = file.read(len(_NEW))
    try:
        if head == _NEW:
            return list(_new_files(file))
        return list(_old_files(file, len(_OLD))) if head.startswith(_OLD) else []
    except (struct.error, IndexError):
        return []


def _old_files(file: BinaryIO, place: int) -> Iterator[bool]:
    for _ in range(_BLOCKS):
        file.seek(place)
        header = file.read(40)
        if len(header) < 7:
            return
        kind, flags, size = struct.unpack_from("<2xBHH", header)
        if kind == _OLD_ARCHIVE and flags & _OLD_HEADERS_ENCRYPTED:
            raise HeadersEncryptedError
        if kind == _OLD_FILE:
            yield bool(flags & _OLD_FILE_ENCRYPTED)
        data = struct.unpack_from("<7xL", header)[0] if flags & _OLD_HAS_DATA or kind == _OLD_FILE else 0
        if kind == _OLD_FILE and flags & _OLD_LARGE:
            data |= struct.unpack_from("<32xL", header)[0] << 32
        if size < 7:
            return
        place += size + data


def _new_files(file: BinaryIO) -> Iterator[bool]:
    place = len(_NEW)
    for _ in range(_BLOCKS):
        file.seek(place)
        lead = file.read(4 + 10)
        if len(lead) < 7:
            return
        size, start = _number(lead, 4)
        if size > _HEADER_BYTES:
            return
        file.seek(place + start)
        header = file.read(size)
        kind, at = _number(header, 0)
        if kind == _NEW_ENCRYPTION:
            raise HeadersEncryptedError
        flags, at = _number(header, at)
        extra, at = _number(header, at) if flags & _NEW_HAS_EXTRA else (0, at)
        data, at = _number(header, at) if flags & _NEW_HAS_DATA else (0, at)
        if kind == _NEW_FILE:
            yield extra > 0 and _has_encryption(header[max(0, len(header) - extra) :])
        place += start + size + data


def _has_encryption(extra: bytes) -> bool:
    place = 0
    while place < len(extra):
        size, start = _number(extra, place)
        kind, _ = _number(extra, start)
        if kind == _NEW_RECORD_ENCRYPTION:
            return True
        place = start + max(1, size)
    return False


def _number(content: bytes, place: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    number = 0
    for count in range(10):
        byte = content[place + count]
        number |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return number, place + count + 1
    raise IndexError("a number is too long")
