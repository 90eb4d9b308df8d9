"""The entries of tar archives and of compressed streams; see `zip_archive` for ZIP."""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from itertools import count
from typing import Any, BinaryIO, Protocol

from waybill.core.containers.models import (
    ContainerBudget,
    ContainerEntry,
    ContainerError,
    ContainerReader,
    Read,
    UnopenedReason,
)
from waybill.core.containers.streams import UnpackedStream

CHUNK = 1 << 18
# An extension header that is longer is there to take memory; libarchive stops at the same.
_TAR_HEADER_BYTES = 1 << 20
_TAR_BLOCK = 512
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
# What decompressors and archive readers raise of hostile bytes: their documentation names but a part.
BROKEN_ERRORS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    NotImplementedError,
)


class Readable(Protocol):
    """Anything that bytes are read from."""

    def read(self, count: int, /) -> bytes:
        """Return up to `count` bytes; none at the end only."""
        ...


def nothing(_count: int) -> bytes:
    """Return that there is nothing to be read."""
    return b""


def refused(name: str, reason: UnopenedReason) -> ContainerEntry:
    """Return an entry that cannot be read at all."""
    return ContainerEntry(name, nothing, reason)


def counted(content: Readable, budget: ContainerBudget, packed: int) -> Read:
    """Return a reader of `content` that counts what it gives, against `packed` bytes in the container."""
    unpacked = 0

    def read(count: int) -> bytes:
        nonlocal unpacked
        try:
            plain = content.read(min(count, CHUNK))
        except (EOFError, tarfile.ReadError) as error:
            raise ContainerError(UnopenedReason.TRUNCATED) from error
        except BROKEN_ERRORS as error:
            raise ContainerError(UnopenedReason.BROKEN) from error
        unpacked += len(plain)
        budget.count(len(plain), unpacked, packed)
        return plain

    return read


class _BoundedHeaders(io.RawIOBase):
    """Keeps tarfile from reading an extension header of any length into memory."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= _TAR_HEADER_BYTES:
            raise tarfile.ReadError("an extension header is too long")
        return self._file.read(count)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(place, whence)


def tar_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the files of a tar archive, and whatever else lies in it; links and devices hold nothing.

    Kinds of entries that nobody knows are files (POSIX, pax interchange format, `typeflag`). The library ends without a
    word where a header is none, from where others go on to the next one.
    """
    file.seek(0)
    guarded: Any = _BoundedHeaders(file)
    try:
        archive = tarfile.open(fileobj=guarded, mode="r:")  # noqa: SIM115 - closed below
    except BROKEN_ERRORS as error:
        raise ContainerError(UnopenedReason.BROKEN) from error
    with archive:
        while (entry := _next_entry(archive)) is not None:
            # It keeps every entry that it has seen.
            kept: Any = archive
            kept.members = []
            if entry.isfile() or entry.type not in tarfile.SUPPORTED_TYPES:
                budget.enter()
                content = archive.fileobject(archive, entry)
                yield ContainerEntry(entry.name, _whole(counted(content, budget, entry.size), entry.size))
        yield from _behind(file, archive.offset, budget)


def _behind(file: BinaryIO, place: int, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what stands behind the last entry and the zeros that end an archive, where there is anything."""
    file.seek(place)
    while block := file.read(CHUNK):
        budget.check_time()
        if rest := block.lstrip(b"\0"):
            place += len(block) - len(rest)
            # Blocks of zeros end it: what comes then begins with its block.
            place -= place % _TAR_BLOCK
            budget.enter()
            yield ContainerEntry("behind the end", counted(From(file, place), budget, _left(file, place)))
            yield from _further_entries(file, place, budget)
            return
        place += len(block)


def _further_entries(file: BinaryIO, place: int, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield everything from the next header on, where what stands before it is none."""
    found = place_of(file, _TAR_MARK, place)
    while found >= 0 and (found - _TAR_MARK_AT - place) % _TAR_BLOCK:
        budget.check_time()
        found = place_of(file, _TAR_MARK, found + 1)
    if found > place + _TAR_MARK_AT:
        budget.enter()
        start = found - _TAR_MARK_AT
        yield ContainerEntry(f"from byte {start:,}", counted(From(file, start), budget, _left(file, start)))


def _left(file: BinaryIO, place: int) -> int:
    return file.seek(0, io.SEEK_END) - place


class From:
    """A file from a place on; others may read it meanwhile."""

    def __init__(self, file: BinaryIO, place: int) -> None:
        self._file, self._place = file, place

    def read(self, count: int, /) -> bytes:
        """Return up to `count` bytes; none at the end only."""
        self._file.seek(self._place)
        part = self._file.read(count)
        self._place += len(part)
        return part


def _next_entry(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    try:
        return archive.next()
    except BROKEN_ERRORS as error:
        raise ContainerError(UnopenedReason.BROKEN) from error


def _whole(read: Read, size: int) -> Read:
    """Return a reader that misses what a cut-off archive lacks of a member of `size` bytes."""
    left = size

    def read_all(count: int) -> bytes:
        nonlocal left
        plain = read(count)
        left -= len(plain)
        if not plain and left > 0:
            raise ContainerError(UnopenedReason.TRUNCATED)
        return plain

    return read_all


def _stream_entries(form: str) -> ContainerReader:
    def entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
        file.seek(0)
        budget.enter()
        stream = UnpackedStream(file.read, form, budget.count)
        yield ContainerEntry("content", stream.read)
        if first := stream.behind(CHUNK):
            # `gzip -d` leaves it out with a warning; another archive may begin there.
            budget.enter()
            yield ContainerEntry("behind the end", counted(_Joined(first, stream.behind), budget, CHUNK))
        if stream.streams > 1:
            yield from members(file, budget)

    def members(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
        # Together they are what their tools unpack; what begins in one of them is at the beginning of no other.
        file.seek(0)
        stream = UnpackedStream(file.read, form, budget.count, apart=True)
        for number in count(1):
            budget.enter()
            yield ContainerEntry(f"member {number}", stream.read)
            if not stream.another():
                return

    return entries


class _Joined:
    """What has been read already, and what comes then."""

    def __init__(self, first: bytes, rest: Read) -> None:
        self._first, self._rest = first, rest

    def read(self, count: int) -> bytes:
        part, self._first = self._first[:count], self._first[count:]
        return part or self._rest(count)


gzip_entries = _stream_entries("gzip")
bzip2_entries = _stream_entries("bzip2")
xz_entries = _stream_entries("xz")
lzma_entries = _stream_entries("lzma")


def place_of(file: BinaryIO, mark: bytes, place: int, end: int | None = None) -> int:
    """Return where a mark is found from a place on, all of it before `end`; -1 for nowhere."""
    before = b""
    file.seek(place)
    while part := file.read(CHUNK if end is None else max(0, min(CHUNK, end - place))):
        found = (before + part).find(mark)
        if found >= 0:
            return place - len(before) + found
        place += len(part)
        before = part[-len(mark) + 1 :]
    return -1
