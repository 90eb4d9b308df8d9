"""The entries of ZIP and tar archives, and of compressed streams."""

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, Read, UnopenedReason
from waybill.core.containers.zip_directory import read_directory

CHUNK = 1 << 18
_ENCRYPTED = 1 << 0 | 1 << 6
_KNOWN_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
# An extension header that is longer is there to take memory; libarchive stops at the same.
_TAR_HEADER_BYTES = 1 << 20
_TAR_BLOCK = 512
# xz may ask for a dictionary of 4 GiB.
_XZ_MEMORY_BYTES = 256 << 20
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


def zip_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the members of a ZIP archive, whatever the package is that is built on it."""
    facts = read_directory(file, file.seek(0, io.SEEK_END))
    if facts is None:
        raise ContainerError(UnopenedReason.BROKEN)
    # The library makes an object of every entry before it gives the first.
    if facts.members > budget.limits.members or facts.unread:
        raise ContainerError(UnopenedReason.MEMBERS)
    try:
        archive = zipfile.ZipFile(file)
    except BROKEN_ERRORS as error:
        raise ContainerError(UnopenedReason.BROKEN) from error
    with archive:
        for entry in archive.infolist():
            if entry.is_dir() and entry.file_size == 0:
                continue
            budget.enter()
            yield from _zip_entry(archive, entry, budget)


def _zip_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    if entry.flag_bits & _ENCRYPTED:
        yield refused(entry.filename, UnopenedReason.ENCRYPTED)
        return
    if entry.compress_type not in _KNOWN_METHODS:
        yield refused(entry.filename, UnopenedReason.UNKNOWN_METHOD)
        return
    try:
        content = archive.open(entry)
    except RuntimeError:  # zipfile's word for a member whose own header calls it encrypted
        yield refused(entry.filename, UnopenedReason.ENCRYPTED)
        return
    except BROKEN_ERRORS:
        yield refused(entry.filename, UnopenedReason.BROKEN)
        return
    with content:
        yield ContainerEntry(entry.filename, counted(content, budget, entry.compress_size))


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
    """Yield the files of a tar archive; links and devices hold nothing."""
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
            if not entry.isfile():
                continue
            budget.enter()
            content = archive.extractfile(entry)
            if content is not None:
                yield ContainerEntry(entry.name, _whole(counted(content, budget, entry.size), entry.size))


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


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the manners of the two others: it keeps what it was given and has not yet unpacked."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


class _Unpacked:
    """The plain bytes of a compressed stream: several streams in a row are one (RFC 1952, section 2.2)."""

    def __init__(self, packed: Read, make: Callable[[], _Decompressor], budget: ContainerBudget) -> None:
        self._packed, self._make, self._budget = packed, make, budget
        self._stream = make()
        self._waiting = b""
        self._packed_bytes = self._unpacked_bytes = self._streams = 0
        self._begun = False
        self._ended = False

    def read(self, count: int) -> bytes:
        while not self._ended:
            if not self._waiting and self._stream.needs_input:
                self._waiting = self._packed(CHUNK)
                self._packed_bytes += len(self._waiting)
                if not self._waiting and not self._begun and self._streams:
                    break
            plain = self._plain(count)
            if plain:
                self._unpacked_bytes += len(plain)
                self._budget.count(len(plain), self._unpacked_bytes, self._packed_bytes)
                return plain
        self._ended = True
        return b""

    def _plain(self, count: int) -> bytes:
        given, self._waiting = self._waiting, b""
        try:
            plain = self._stream.decompress(given, min(count, CHUNK))
        except BROKEN_ERRORS as error:
            if self._streams and not self._begun:
                # What stands behind the last stream and is none is no part of it; `gzip -d` ignores it too.
                self._ended = True
                return b""
            raise ContainerError(UnopenedReason.BROKEN) from error
        self._begun = True
        if self._stream.eof:
            self._streams += 1
            # Padding of zeros may follow (gzip's manual, "Tapes"; the .xz file format, 2.2).
            self._waiting = self._stream.unused_data.lstrip(b"\0")
            self._stream, self._begun = self._make(), False
        elif not given and not plain:
            raise ContainerError(UnopenedReason.TRUNCATED)
        return plain


def _stream_entries(
    make: Callable[[], _Decompressor],
) -> Callable[[BinaryIO, ContainerBudget], Iterator[ContainerEntry]]:
    def entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
        file.seek(0)
        budget.enter()
        yield ContainerEntry("content", _Unpacked(file.read, make, budget).read)

    return entries


gzip_entries = _stream_entries(_Gzip)
bzip2_entries = _stream_entries(bz2.BZ2Decompressor)
xz_entries = _stream_entries(lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES))
