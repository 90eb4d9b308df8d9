"""Compound files ([MS-CFB]): their streams as streams, and what Office has embedded in them.

Kept instead of a library, since every chain is bounded: those that exist follow a hostile file's chains into memory.
Sources: [MS-CFB] 2.2 (header), 2.3 to 2.5 (allocation tables), 2.6 (directory); [MS-OLEDS] 2.3.6 (`Ole10Native`);
[MS-PPT] 2.10.34 (compressed objects); [MS-OVBA] 2.4.1 (macros).
"""

import io
import re
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from waybill.core.containers.archives import CHUNK, counted
from waybill.core.containers.macros import macro_sources
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, Read, UnopenedReason

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA
_HEADER_TABLES = 109
_ENTRY_LENGTH = 128
_STREAM, _ROOT = 2, 5
# A directory that is longer is a ring, or meant to be read for ever.
_DIRECTORY_BYTES = 32 << 20
# A table of 16 million sectors, which is a file of 8 GB.
_TABLE_BYTES = 64 << 20
_MINI_LIMIT = 4096
_MACRO_BYTES = 16 << 20
_SLIDES = "PowerPoint Document"
_SLIDES_BYTES = 256 << 20
# recVer and recInstance of a compressed object, its type, its length, then the length that it unpacks to.
_SLIDES_OBJECT = re.compile(rb"\x10\x00\x11\x10(.{4}).{4}(?=\x78)", re.DOTALL)


@dataclass(frozen=True)
class CompoundStream:
    """A stream: its name, its first sector and its length; `storage` is the number of the storage that it is in.

    Streams of one name are told apart by it: an embedded document has the same as the one around it. The root is 0; one
    that hangs nowhere is in none (-1).
    """

    name: str
    start: int
    size: int
    storage: int = 0


class CompoundFile:
    """Reads a compound file.

    Raises
    ------
    ContainerError
        It is none, or broken.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        header = file.read(512)
        if len(header) < 512 or not header.startswith(MARK):
            raise ContainerError(UnopenedReason.BROKEN)
        shift, mini_shift = struct.unpack_from("<HH", header, 30)
        if shift not in {9, 12} or mini_shift != 6:
            raise ContainerError(UnopenedReason.BROKEN)
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._tables = self._table_sectors(header)
        self._table: array[int] | None = None
        self._mini_table: array[int] | None = None
        (self._directory_start,) = struct.unpack_from("<L", header, 48)
        (self._mini_start,) = struct.unpack_from("<L", header, 60)
        self._root = CompoundStream("", _LAST_SECTOR, 0)
        self.streams = list(self._directory())

    def stream(self, stream: CompoundStream) -> Iterator[bytes]:
        """Yield the bytes of a stream; raises `ContainerError` where its chain breaks off or comes back to itself."""
        left = stream.size
        mini = stream.size < _MINI_LIMIT
        for sector in self._chain(stream.start, stream.size, mini=mini):
            data = self._mini_sector(sector) if mini else self._sector(sector)
            yield data[:left]
            left -= min(left, len(data))
        if left:
            raise ContainerError(UnopenedReason.TRUNCATED)

    def beginning(self, name: str, count: int) -> bytes:
        """Return the first bytes of a stream by its name; none where there is no such stream, or it is broken."""
        for stream in self.streams:
            if stream.name == name:
                found = b""
                try:
                    for data in self.stream(stream):
                        found += data
                        if len(found) >= count:
                            break
                except ContainerError:
                    pass
                return found[:count]
        return b""

    def _table_sectors(self, header: bytes) -> list[int]:
        tables = [sector for sector in struct.unpack_from(f"<{_HEADER_TABLES}L", header, 76) if sector < _LAST_SECTOR]
        (sector,) = struct.unpack_from("<L", header, 68)
        per_sector = self._size // 4
        while sector < _LAST_SECTOR and len(tables) * self._size < _TABLE_BYTES:
            numbers = self._numbers(sector)
            if len(numbers) < per_sector:
                break
            tables += [number for number in numbers[:-1] if number < _LAST_SECTOR]
            sector = numbers[-1]
        return tables[: _TABLE_BYTES // self._size]

    def _directory(self) -> Iterator[CompoundStream]:
        data = b"".join(
            map(self._sector, self._chain(self._directory_start, _DIRECTORY_BYTES, mini=False, whole=False))
        )
        storages = _storages(data)
        for place in range(0, len(data) - _ENTRY_LENGTH + 1, _ENTRY_LENGTH):
            length, kind = struct.unpack_from("<HB", data, place + 64)
            if kind not in {_STREAM, _ROOT} or not 2 <= length <= 64:
                continue
            start, size = struct.unpack_from("<LQ", data, place + 116)
            if self._size == 512:
                # The upper half is not written in version 3 ([MS-CFB] 2.6.1).
                size &= 0xFFFFFFFF
            name = data[place : place + length - 2].decode("utf-16-le", "replace")
            if kind == _ROOT:
                self._root = CompoundStream(name, start, size)
            else:
                yield CompoundStream(name, start, size, storages.get(place // _ENTRY_LENGTH, -1))

    def _chain(self, start: int, size: int, *, mini: bool, whole: bool = True) -> Iterator[int]:
        """Yield the sectors of a chain, no more of them than `size` bytes need."""
        if self._table is None:
            self._table = self._joined(self._tables)
        if mini and self._mini_table is None:
            sectors = self._chain(self._mini_start, _TABLE_BYTES, mini=False, whole=False)
            self._mini_table = self._joined(sectors)
        table = (self._mini_table if mini else self._table) or array("I")
        width = self._mini_size if mini else self._size
        sector = start
        # One that is longer than the table comes back to itself.
        for _ in range(min(-(-size // width), len(table))):
            if sector >= len(table):
                if whole:
                    raise ContainerError(UnopenedReason.BROKEN)
                return
            yield sector
            sector = table[sector]

    def _joined(self, sectors: "Iterator[int] | list[int]") -> "array[int]":
        found = array("I")
        for sector in sectors:
            found.extend(self._numbers(sector))
        return found

    def _numbers(self, sector: int) -> tuple[int, ...]:
        data = self._sector(sector)
        return struct.unpack(f"<{len(data) // 4}L", data[: len(data) // 4 * 4])

    def _sector(self, number: int) -> bytes:
        self._file.seek((number + 1) * self._size)
        return self._file.read(self._size)

    def _mini_sector(self, number: int) -> bytes:
        """Return one of the small sectors, which lie in the stream of the root."""
        per_sector = self._size // self._mini_size
        place, within = divmod(number, per_sector)
        sectors = self._mini_sectors()
        if place >= len(sectors):
            raise ContainerError(UnopenedReason.BROKEN)
        return self._sector(sectors[place])[within * self._mini_size : (within + 1) * self._mini_size]

    def _mini_sectors(self) -> list[int]:
        if not hasattr(self, "_mini_places"):
            bound = min(self._root.size, _TABLE_BYTES)
            self._mini_places = list(self._chain(self._root.start, bound, mini=False, whole=False))
        return self._mini_places


def _storages(directory: bytes) -> dict[int, int]:
    """Return in which storage each entry is, by its number: siblings are a tree ([MS-CFB] 2.6.4)."""
    found: dict[int, int] = {}
    count = len(directory) // _ENTRY_LENGTH
    waiting = [(struct.unpack_from("<L", directory, 76)[0], 0)] if count else []
    while waiting:
        number, storage = waiting.pop()
        if number >= count or number in found:
            continue
        found[number] = storage
        left, right, child = struct.unpack_from("<LLL", directory, number * _ENTRY_LENGTH + 68)
        waiting += [(left, storage), (right, storage), (child, number)]
    return found


def compound_entries(
    file: BinaryIO, budget: ContainerBudget, wanted: Callable[[CompoundStream], bool] = lambda _: True
) -> Iterator[ContainerEntry]:
    """Yield the streams of a compound file that are `wanted`, and the source of their macros."""
    compound = CompoundFile(file)
    if not compound.streams:
        raise ContainerError(UnopenedReason.BROKEN)
    for stream in filter(wanted, compound.streams):
        budget.enter()
        yield ContainerEntry(_shown(stream.name), counted(_Streamed(compound.stream(stream)), budget, stream.size))
        try:
            yield from _within(compound, stream, budget)
        except ContainerError as error:
            # Whoever has read the stream knows; those behind it are whole.
            if error.reason not in {UnopenedReason.BROKEN, UnopenedReason.TRUNCATED}:
                raise


def _within(compound: CompoundFile, stream: CompoundStream, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    if stream.name == _SLIDES:
        yield from _slides_objects(b"".join(_bounded(compound.stream(stream), _SLIDES_BYTES)), budget)
    elif stream.size <= _MACRO_BYTES:
        yield from _macros(stream.name, b"".join(compound.stream(stream)), budget)


def _macros(name: str, content: bytes, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    for number, source in enumerate(macro_sources(content), start=1):
        budget.enter()
        read = counted(io.BytesIO(source), budget, len(content))
        yield ContainerEntry(f"{_shown(name)} (macro {number})", read)


def _slides_objects(slides: bytes, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the embedded objects of a presentation, macros among them, each packed by itself ([MS-PPT] 2.10.34)."""
    for number, found in enumerate(_SLIDES_OBJECT.finditer(slides), start=1):
        (length,) = struct.unpack("<L", found[1])
        packed = slides[found.end() : found.end() + max(0, length - 4)]
        budget.enter()
        yield ContainerEntry(f"object {number}", _inflated(packed, budget))


def _inflated(packed: bytes, budget: ContainerBudget) -> Read:
    stream = zlib.decompressobj()
    waiting, unpacked = packed, 0

    def read(count: int) -> bytes:
        nonlocal waiting, unpacked
        try:
            plain = stream.decompress(waiting, min(count, CHUNK))
        except zlib.error as error:
            raise ContainerError(UnopenedReason.BROKEN) from error
        waiting = stream.unconsumed_tail
        unpacked += len(plain)
        budget.count(len(plain), unpacked, len(packed))
        return plain

    return read


def native_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the file that an `Ole10Native` stream holds: a length, names, and the content."""
    file.seek(4)
    budget.enter()
    head = file.read(8192)
    place = 2
    for _ in range(2):
        place = head.find(b"\0", place) + 1
        if place == 0:
            raise ContainerError(UnopenedReason.BROKEN)
    place += 4
    if len(head) < place + 4:
        raise ContainerError(UnopenedReason.BROKEN)
    (length,) = struct.unpack_from("<L", head, place)
    place += 4 + length
    if len(head) < place + 4:
        raise ContainerError(UnopenedReason.BROKEN)
    (size,) = struct.unpack_from("<L", head, place)
    name = head[2:].split(b"\0", 1)[0].decode("latin-1")
    file.seek(4 + place + 4)
    yield ContainerEntry(name or "embedded file", counted(_Limited(file, size), budget, size))


class _Streamed:
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = b""

    def read(self, count: int, /) -> bytes:
        # Larger reads than a sector, or a long stream takes a call for each.
        pieces, length = [self._waiting], len(self._waiting)
        while length < count and (piece := next(self._pieces, None)) is not None:
            pieces.append(piece)
            length += len(piece)
        found = b"".join(pieces)
        self._waiting = found[count:]
        return found[:count]


class _Limited:
    """The next `size` bytes of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def read(self, count: int, /) -> bytes:
        found = self._file.read(min(count, self._left))
        self._left -= len(found)
        return found


def _bounded(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise ContainerError(UnopenedReason.MEMBER_BYTES)
        yield piece


def _shown(name: str) -> str:
    """Return a stream's name without the control characters that Office puts before it."""
    return "".join(character for character in name if character >= " ")
