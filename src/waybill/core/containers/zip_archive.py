"""The members of ZIP archives, by their directory, and where there is none, by their own headers as `zip -FF` does.

PKWARE APPNOTE 6.3.10, sections 4.3.7 (local headers), 4.3.9 (data descriptors), 4.4.4 (flags).
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from waybill.core.containers.archives import BROKEN_ERRORS, CHUNK, counted, place_of, refused
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, Read, UnopenedReason
from waybill.core.containers.zip_directory import read_directory

_ENCRYPTED = 1 << 0 | 1 << 6
_SIZES_BEHIND, _UTF_8 = 1 << 3, 1 << 11
_KNOWN_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
# Section 4.4.5: all that have a number.
_METHODS = frozenset({*range(21), *range(93, 100)})
_LOCAL, _LOCAL_LENGTH = b"PK\x03\x04", 30
# Names of the packages of documents: OPC, ODF and EPUB, Java.
OF_PACKAGES = frozenset(
    {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF", "META-INF/manifest.xml", "META-INF/container.xml"}
)
# What stands before the first member of an archive that was once in parts (section 8.5.4).
_SPANNED = 4


def zip_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the members of a ZIP archive, whatever the package is that is built on it."""
    facts = read_directory(file, file.seek(0, io.SEEK_END))
    # The library makes an object of every entry before it gives the first.
    if facts and (facts.members > budget.limits.members or facts.unread):
        raise ContainerError(UnopenedReason.MEMBERS)
    archive = _opened(file) if facts else None
    if archive is None:
        yield from _LocalEntries(file, budget).entries()
        raise ContainerError(UnopenedReason.BROKEN)
    with archive:
        for entry in archive.infolist():
            if entry.is_dir() and entry.file_size == 0:
                continue
            budget.enter()
            yield from _zip_entry(file, archive, entry, budget)


def unlisted_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what has a header of its own and no entry in the directory, which programs that go by headers unpack.

    Of two archives one behind the other the directory is that of the last; without any, `zip_entries` goes by headers.
    """
    archive = _opened(file)
    if archive is None:
        return
    with archive:
        gaps = list(_gaps(file, archive))
    for start, end in gaps:
        budget.check_time()
        for entry in _LocalEntries(file, budget, start, end).entries():
            yield replace(entry, name=f"{entry.name} (not in the directory)")


def _gaps(file: BinaryIO, archive: zipfile.ZipFile) -> Iterator[tuple[int, int]]:
    """Yield where members of the directory leave room for a header."""
    place = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        if entry.header_offset - place >= _LOCAL_LENGTH:
            yield place, entry.header_offset
        place = max(place, entry.header_offset + _own_length(file, entry) + entry.compress_size)
    if archive.start_dir - place >= _LOCAL_LENGTH:
        yield place, archive.start_dir


def _own_length(file: BinaryIO, entry: zipfile.ZipInfo) -> int:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_LENGTH)
    if len(header) < _LOCAL_LENGTH or not header.startswith(_LOCAL):
        return 0
    name, extra = struct.unpack_from("<HH", header, 26)
    return _LOCAL_LENGTH + int(name + extra)


def zip_names(file: BinaryIO) -> list[str]:
    """Return the names in the directory of an archive; none where it cannot be read."""
    archive = _opened(file)
    if archive is None:
        return []
    with archive:
        return archive.namelist()


def zip_comments(file: BinaryIO) -> list[bytes]:
    """Return the comments of the members and of the archive (sections 4.4.18 and 4.4.26) that are not empty."""
    archive = _opened(file)
    if archive is None:
        return []
    with archive:
        return [comment for comment in (*(entry.comment for entry in archive.infolist()), archive.comment) if comment]


def bytes_before(file: BinaryIO) -> int:
    """Return how many bytes stand before the first member: a program that unpacks it, or another archive."""
    archive = _opened(file)
    if archive is None:
        return 0
    with archive:
        first = min((entry.header_offset for entry in archive.infolist()), default=archive.start_dir)
    return first if first > _SPANNED else 0


def _opened(file: BinaryIO) -> zipfile.ZipFile | None:
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except BROKEN_ERRORS:
        return None


def _zip_entry(
    file: BinaryIO, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: ContainerBudget
) -> Iterator[ContainerEntry]:
    if entry.flag_bits & _ENCRYPTED:
        yield refused(entry.filename, UnopenedReason.ENCRYPTED)
        return
    if entry.compress_type not in _KNOWN_METHODS:
        yield refused(entry.filename, UnopenedReason.UNKNOWN_METHOD)
        return
    # The library refuses a member that its own header calls otherwise, though it can be read like any other.
    entry.orig_filename = _own_name(file, entry) or entry.orig_filename
    try:
        content = archive.open(entry)
    except RuntimeError:  # zipfile's word for a member whose own header calls it encrypted
        yield refused(entry.filename, UnopenedReason.ENCRYPTED)
        return
    except BROKEN_ERRORS:
        yield refused(entry.filename, UnopenedReason.BROKEN)
        return
    with content:
        # The library would keep the last part of a member whose checksum does not hold.
        unchecked: Any = content
        unchecked._expected_crc = None
        yield ContainerEntry(entry.filename, checked(counted(content, budget, entry.compress_size), entry.CRC))


def _own_name(file: BinaryIO, entry: zipfile.ZipInfo) -> str:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_LENGTH)
    if len(header) < _LOCAL_LENGTH or not header.startswith(_LOCAL):
        return ""
    return _decoded(file.read(struct.unpack_from("<H", header, 26)[0]), struct.unpack_from("<H", header, 6)[0])


def _decoded(name: bytes, flags: int) -> str:
    return name.decode("utf-8" if flags & _UTF_8 else "cp437", "replace")


def checked(read: Read, checksum: int) -> Read:
    """Return a reader that ends with a fault where what it has given does not have a CRC-32."""
    found = 0

    def read_checked(count: int) -> bytes:
        nonlocal found
        plain = read(count)
        found = zlib.crc32(plain, found)
        if not plain and found != checksum:
            raise ContainerError(UnopenedReason.BROKEN)
        return plain

    return read_checked


class _LocalEntries:
    """Goes from header to header; between two places of an archive, where other bytes may look like one."""

    def __init__(self, file: BinaryIO, budget: ContainerBudget, start: int = 0, end: int | None = None) -> None:
        self._file = file
        self._budget = budget
        self._next = start
        self._end = end

    def entries(self) -> Iterator[ContainerEntry]:
        """Yield the members; each is read before the next is asked for, as far as there is any of it."""
        while (place := place_of(self._file, _LOCAL, self._next, self._end)) >= 0:
            # What is no member counts as none, and a hostile archive is full of it.
            self._budget.check_time()
            self._file.seek(place)
            header = self._file.read(_LOCAL_LENGTH)
            if len(header) < _LOCAL_LENGTH:
                return
            flags, method, packed, name, extra = struct.unpack_from("<6xHH8xL4xHH", header)
            if self._end is not None:
                if place + _LOCAL_LENGTH + name + extra > self._end:
                    return
                if method not in _METHODS or not name:
                    self._next = place + len(_LOCAL)
                    continue
            shown = _decoded(self._file.read(name), flags)
            data = place + _LOCAL_LENGTH + name + extra
            self._next = data + (0 if flags & _SIZES_BEHIND else packed)
            if shown.endswith("/"):
                continue
            self._budget.enter()
            if flags & _ENCRYPTED:
                yield refused(shown, UnopenedReason.ENCRYPTED)
            elif method == zipfile.ZIP_DEFLATED:
                yield ContainerEntry(shown, self._inflated(data))
            elif method == zipfile.ZIP_STORED and not flags & _SIZES_BEHIND:
                yield ContainerEntry(shown, self._stored(data, packed))
            else:
                yield refused(shown, UnopenedReason.UNKNOWN_METHOD)

    def _stored(self, place: int, size: int) -> Read:
        left = size

        def read(count: int) -> bytes:
            nonlocal left
            self._file.seek(place + size - left)
            plain = self._file.read(min(count, left, CHUNK))
            if not plain and left:
                raise ContainerError(UnopenedReason.TRUNCATED)
            left -= len(plain)
            self._budget.count(len(plain), size - left, size)
            return plain

        return read

    def _inflated(self, place: int) -> Read:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        packed = unpacked = 0

        def read(count: int) -> bytes:
            nonlocal packed, unpacked
            plain = b""
            while not plain and not stream.eof:
                waiting = stream.unconsumed_tail
                if not waiting:
                    self._file.seek(place + packed)
                    waiting = self._file.read(CHUNK)
                    packed += len(waiting)
                if not waiting:
                    raise ContainerError(UnopenedReason.TRUNCATED)
                try:
                    plain = stream.decompress(waiting, min(count, CHUNK))
                except zlib.error as error:
                    raise ContainerError(UnopenedReason.BROKEN) from error
            unpacked += len(plain)
            self._budget.count(len(plain), unpacked, packed)
            if stream.eof:
                self._next = max(self._next, place + packed - len(stream.unused_data))
            return plain

        return read
