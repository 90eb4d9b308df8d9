"""What the directory of a ZIP archive says of its members; nothing is unpacked.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.12 (central directory), 4.3.14 to 4.3.16 (end records), 4.4.4 (flags).
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

_END = b"PK\x05\x06"
_END_LENGTH = 22
_LOCATOR = b"PK\x06\x07"
_LOCATOR_LENGTH = 20
_END_64 = b"PK\x06\x06"
_ENTRY = b"PK\x01\x02"
_ENTRY_LENGTH = 46
_LONGEST_COMMENT = 65_535
_ENCRYPTED = 1 << 0
_STRONGLY_ENCRYPTED = 1 << 6
_DIRECTORY_ENCRYPTED = 1 << 13
_WIDE = 0xFFFFFFFF
# Hostile archives say what they like: neither more entries nor more bytes than these are looked at.
_ENTRIES = 200_000
_DIRECTORY_BYTES = 64 << 20
_RATIO = 200
_RATIO_FREE_BYTES = 256 << 20


@dataclass(frozen=True)
class ZipFacts:
    """What a directory says: members in all, encrypted ones, and whether it is over the limits or like a bomb.

    `unread` means that it is too long to be read to its end.
    """

    members: int
    encrypted: int
    excessive: bool
    unread: bool = False


def read_directory(file: BinaryIO, size: int) -> ZipFacts | None:
    """Return what the directory of the archive in `file` says; None when there is none, or a broken one."""
    end = end_of_directory(file, size)
    if end is None:
        return None
    offset, length = end
    if length > _DIRECTORY_BYTES:
        return ZipFacts(0, 0, excessive=True, unread=True)
    file.seek(offset)
    directory = file.read(length)
    if len(directory) < length:
        return None
    return _facts(directory)


def _facts(directory: bytes) -> ZipFacts | None:
    members = encrypted = packed = unpacked = place = 0
    while place + _ENTRY_LENGTH <= len(directory) and directory.startswith(_ENTRY, place):
        flags, packed_size, unpacked_size, name, extra, comment = struct.unpack_from("<8xH10xLL3H", directory, place)
        members += 1
        if flags & (_ENCRYPTED | _STRONGLY_ENCRYPTED | _DIRECTORY_ENCRYPTED):
            encrypted += 1
        # A size that is told in the extra field is at least this large.
        packed += packed_size
        unpacked += unpacked_size
        if members >= _ENTRIES:
            return ZipFacts(members, encrypted, excessive=True, unread=True)
        place += _ENTRY_LENGTH + name + extra + comment
    if not members and directory:
        return None
    return ZipFacts(members, encrypted, unpacked > _RATIO_FREE_BYTES and unpacked > packed * _RATIO)


def end_of_directory(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Return offset and length of the central directory."""
    tail_length = min(size, _END_LENGTH + _LONGEST_COMMENT + _LOCATOR_LENGTH)
    file.seek(size - tail_length)
    tail = file.read(tail_length)
    place = tail.rfind(_END)
    if place < 0 or place + _END_LENGTH > len(tail):
        return None
    length, offset = struct.unpack_from("<12xLL", tail, place)
    end = size - tail_length + place
    if _WIDE in {length, offset}:
        wide = _end_record_64(file, tail, place)
        if wide is None:
            return None
        end, length, offset = wide
    # Bytes before the archive, as of a self-extracting one, move everything; the directory ends where the end begins.
    return (end - length, length) if end - length >= 0 and offset <= end - length else None


def _end_record_64(file: BinaryIO, tail: bytes, place: int) -> tuple[int, int, int] | None:
    locator = place - _LOCATOR_LENGTH
    if locator < 0 or not tail.startswith(_LOCATOR, locator):
        return None
    (where,) = struct.unpack_from("<8xQ", tail, locator)
    file.seek(where)
    record = file.read(56)
    if len(record) < 56 or not record.startswith(_END_64):
        return None
    length, offset = struct.unpack_from("<40xQQ", record)
    return where, length, offset
