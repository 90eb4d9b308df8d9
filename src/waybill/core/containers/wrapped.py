"""What is wrapped and can be read without a key: signed or compressed CMS, OpenPGP messages, Flash, OneNote's files.

Sources: RFC 5652, sections 3, 4 and 5.2, and RFC 3274 (CMS); X.690, section 8 (BER); RFC 9580, sections 4.2, 5.6 and
5.9 (OpenPGP); "SWF File Format Specification" 19, chapter 2; [MS-ONESTORE] 2.6.13 (embedded files).
"""

import bz2
import io
import lzma
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol, cast

from waybill.core.containers.archives import BROKEN_ERRORS, CHUNK, counted, place_of
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, Read, UnopenedReason

_SIGNED = bytes.fromhex("06092a864886f70d010702")
_COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")
_SEQUENCE, _CONTENT, _OCTETS, _OCTETS_IN_PARTS, _END = 0x30, 0xA0, 0x04, 0x24, 0
_DEPTH = 16


class _Value(NamedTuple):
    """A value in BER: where its contents begin and end; without an end it lasts until its end-of-contents."""

    tag: int
    start: int
    end: int | None


def is_open_cms(head: bytes) -> bool:
    """Return whether a ContentInfo holds what is signed or compressed."""
    if len(head) < 2 or head[0] != _SEQUENCE:
        return False
    length = 1 if head[1] < 0x80 or head[1] == 0x80 else 1 + (head[1] & 0x7F)
    return head.startswith((_SIGNED, _COMPRESSED), 1 + length)


def cms_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the content that was signed or compressed; a signature that is kept apart holds none."""
    reader = _Ber(file, budget)
    content_info = reader.at(0)
    kind = reader.at(content_info.start)
    wrapped = reader.at(reader.at(reader.behind(kind)).start)
    file.seek(kind.start - 2)
    compressed = file.read(len(_COMPRESSED)) == _COMPRESSED
    # Version, and the algorithms.
    place = reader.behind(reader.at(reader.behind(reader.at(wrapped.start))))
    encapsulated = reader.at(place)
    inner = reader.behind(reader.at(encapsulated.start))
    if encapsulated.end is not None and inner >= encapsulated.end:
        return
    found = reader.at(inner)
    if found.tag != _CONTENT:
        return
    budget.enter()
    octets = reader.octets(reader.at(found.start))
    size = file.seek(0, io.SEEK_END)
    content = _Inflated(octets.read, zlib.decompressobj()) if compressed else octets
    yield ContainerEntry("content", counted(content, budget, size))


class _Ber:
    def __init__(self, file: BinaryIO, budget: ContainerBudget) -> None:
        self._file, self._budget = file, budget
        self._size = file.seek(0, io.SEEK_END)

    def at(self, place: int) -> _Value:
        """Return the value at a place; raises `ContainerError` where there is none."""
        # A value may take two bytes, and a file hold any number of them.
        self._budget.check_time()
        self._file.seek(place)
        head = self._file.read(10)
        if len(head) < 2 or head[0] & 0x1F == 0x1F:
            raise ContainerError(UnopenedReason.TRUNCATED if len(head) < 2 else UnopenedReason.BROKEN)
        tag, first = head[0], head[1]
        if first == 0x80:
            return _Value(tag, place + 2, None)
        if first < 0x80:
            return _Value(tag, place + 2, place + 2 + first)
        width = first & 0x7F
        if width > 8 or len(head) < 2 + width:
            raise ContainerError(UnopenedReason.BROKEN)
        start = place + 2 + width
        end = start + int.from_bytes(head[2 : 2 + width])
        if end > self._size:
            raise ContainerError(UnopenedReason.TRUNCATED)
        return _Value(tag, start, end)

    def behind(self, value: _Value, depth: int = 0) -> int:
        """Return where the next value begins."""
        if value.end is not None:
            return value.end
        if depth > _DEPTH:
            raise ContainerError(UnopenedReason.BROKEN)
        place = value.start
        while (inner := self.at(place)).tag != _END:
            place = self.behind(inner, depth + 1)
        return place + 2

    def octets(self, value: _Value) -> "_Octets":
        if value.tag not in {_OCTETS, _OCTETS_IN_PARTS}:
            # An older form allows any value here: it is what it is (RFC 5652, section 5.2.1).
            return _Octets(self._file, iter([(value.start, self.behind(value))]))
        return _Octets(self._file, self._parts(value))

    def _parts(self, value: _Value, depth: int = 0) -> Iterator[tuple[int, int]]:
        if value.tag == _OCTETS and value.end is not None:
            yield value.start, value.end
            return
        if depth > _DEPTH:
            raise ContainerError(UnopenedReason.BROKEN)
        place = value.start
        while value.end is None or place < value.end:
            inner = self.at(place)
            if inner.tag == _END:
                return
            yield from self._parts(inner, depth + 1)
            place = self.behind(inner)


class _Octets:
    """A string of octets, in one part or in many; others may read the file meanwhile."""

    def __init__(self, file: BinaryIO, parts: Iterator[tuple[int, int]]) -> None:
        self._file, self._parts = file, parts
        self._place = self._end = 0

    def read(self, count: int, /) -> bytes:
        while self._place >= self._end:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._place, self._end = part
        self._file.seek(self._place)
        plain = self._file.read(min(count, self._end - self._place))
        if not plain:
            raise ContainerError(UnopenedReason.TRUNCATED)
        self._place += len(plain)
        return plain


class _Stream(Protocol):
    """A decompressor of zlib, bz2 or lzma."""

    @property
    def eof(self) -> bool:
        """Whether what was packed is at its end."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return at most so many bytes."""
        ...


class _Inflated:
    """What a decompressor gives, as much at a time as is asked for: a few bytes of bzip2 may hold gigabytes."""

    def __init__(self, read: Read, stream: _Stream) -> None:
        self._read, self._stream = read, stream

    def read(self, count: int, /) -> bytes:
        stream = self._stream
        while not stream.eof:
            # zlib hands back what it has not come to, the others keep it.
            packed: bytes = getattr(stream, "unconsumed_tail", b"")
            ended = False
            if not packed and getattr(stream, "needs_input", True):
                packed = self._read(CHUNK >> 4)
                ended = not packed
            if plain := stream.decompress(packed, count):
                return plain
            if ended and not stream.eof:
                raise ContainerError(UnopenedReason.TRUNCATED)
        return b""


_SIGNATURE, _ONE_PASS, _PACKED, _LITERAL = 2, 4, 8, 11
_OPEN_PACKETS = frozenset({_SIGNATURE, _ONE_PASS, _PACKED, _LITERAL})
_NESTED = 4
_UNPACKED_IN_MEMORY = 4 << 20


def is_open_pgp_message(head: bytes) -> bool:
    """Return whether OpenPGP packets begin that hold a text without encrypting it: compressed, or behind a signature.

    A compressed one counts only where packets are in it, and one behind a signature by the form of that: other bytes
    begin in the same way.
    """
    try:
        tag, parts = _packet(io.BytesIO(head), 0)
        body = _Octets(io.BytesIO(head), parts)
        if tag == _PACKED:
            content, inner = _unpacking(body, body.read(1)[0]), b""
            with suppress(ContainerError):
                inner = content.read(len(head))
            return _packet(io.BytesIO(inner), 0)[0] in _OPEN_PACKETS
        # RFC 9580, 5.4: a version, and the kind of the signature: of a binary or a text.
        beginning = body.read(2)
        return tag == _ONE_PASS and beginning[:1] in {b"\3", b"\6"} and beginning[1:] in {b"\0", b"\1"}
    except (ContainerError, IndexError, *BROKEN_ERRORS):
        return False


def pgp_entries(file: BinaryIO, budget: ContainerBudget, depth: int = 0) -> Iterator[ContainerEntry]:
    """Yield the texts of a message, out of their packets."""
    size, place = file.seek(0, io.SEEK_END), 0
    while place < size:
        begin = place
        tag, parts = _packet(file, begin)
        # A body may be in as many parts as it has bytes, and a file hold as many packets as half of that.
        for _, end in parts:
            budget.check_time()
            place = end
        body = _Octets(file, _packet(file, begin)[1])
        if tag == _LITERAL:
            # What kind of text, its name and its date stand before it.
            _skipped(body, 1)
            _skipped(body, _skipped(body, 1)[0] + 4)
            budget.enter()
            yield ContainerEntry("content", counted(body, budget, size))
        elif tag == _PACKED and depth < _NESTED:
            yield from _unpacked(body, size, budget, depth)
        elif tag == _PACKED:
            raise ContainerError(UnopenedReason.DEPTH)
    if place > size:
        raise ContainerError(UnopenedReason.TRUNCATED)


def _unpacked(body: "_Octets", size: int, budget: ContainerBudget, depth: int) -> Iterator[ContainerEntry]:
    read = counted(_unpacking(body, _skipped(body, 1)[0]), budget, size)
    with tempfile.SpooledTemporaryFile(max_size=_UNPACKED_IN_MEMORY) as spool:
        while plain := read(CHUNK):
            spool.write(plain)
        yield from pgp_entries(cast("BinaryIO", spool), budget, depth + 1)


def _skipped(body: "_Octets", count: int) -> bytes:
    found = b""
    while len(found) < count and (part := body.read(count - len(found))):
        found += part
    if len(found) < count:
        raise ContainerError(UnopenedReason.TRUNCATED)
    return found


def _unpacking(body: "_Octets", algorithm: int) -> "_Inflated | _Octets":
    """Return what is in a compressed packet (RFC 9580, section 9.4)."""
    known: dict[int, Callable[[], _Stream]] = {
        1: lambda: zlib.decompressobj(-zlib.MAX_WBITS),
        2: zlib.decompressobj,
        3: bz2.BZ2Decompressor,
    }
    if algorithm == 0:
        return body
    if algorithm not in known:
        raise ContainerError(UnopenedReason.UNKNOWN_METHOD)
    return _Inflated(body.read, known[algorithm]())


def _packet(file: BinaryIO, place: int) -> tuple[int, Iterator[tuple[int, int]]]:
    """Return the tag of the packet at a place, and where the parts of its body lie."""
    file.seek(place)
    head = file.read(6)
    if len(head) < 2 or not head[0] & 0x80:
        raise ContainerError(UnopenedReason.BROKEN)
    if head[0] & 0x40:
        return head[0] & 0x3F, _parts(file, place + 1)
    width = (1, 2, 4, 0)[head[0] & 3]
    start = place + 1 + width
    end = start + int.from_bytes(head[1 : 1 + width]) if width else file.seek(0, io.SEEK_END)
    return head[0] >> 2 & 0xF, iter([(start, end)])


def _parts(file: BinaryIO, place: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a body whose lengths are told in the newer way, each by itself where they are partial."""
    while True:
        file.seek(place)
        head = file.read(5)
        if not head:
            raise ContainerError(UnopenedReason.TRUNCATED)
        first = head[0]
        partial = 224 <= first < 255
        if first < 192 or partial:
            start, length = place + 1, 1 << (first & 0x1F) if partial else first
        elif first < 224:
            start, length = place + 2, (first - 192 << 8) + int.from_bytes(head[1:2]) + 192
        else:
            start, length = place + 5, int.from_bytes(head[1:5])
        yield start, start + length
        if not partial:
            return
        place = start + length


_FLASH_HEAD = 8
_LZMA_HEAD, _LZMA_PROPERTIES = 12, 5


def flash_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what stands packed behind the header of a film."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(_FLASH_HEAD)
    budget.enter()
    if head.startswith(b"CWS"):
        stream: _Stream = zlib.decompressobj()
    else:
        file.seek(_LZMA_HEAD)
        stream = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=96 << 20)
        # The header of such a stream tells the length too, which here stands in that of the film.
        length = max(0, struct.unpack_from("<L", head, 4)[0] - _FLASH_HEAD)
        stream.decompress(file.read(_LZMA_PROPERTIES) + struct.pack("<Q", length), 0)
    yield ContainerEntry("film", counted(_Inflated(file.read, stream), budget, size))


_FILE_BEGINS = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac")
_FILE_HEAD = 36


def onenote_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the files that are embedded in a section: each lies in it as it is, behind a mark and its length."""
    size, place, number = file.seek(0, io.SEEK_END), 0, 0
    while (found := place_of(file, _FILE_BEGINS, place)) >= 0:
        file.seek(found + len(_FILE_BEGINS))
        start = found + _FILE_HEAD
        head = file.read(8)
        end = start + int.from_bytes(head, "little")
        if len(head) < 8 or end > size:
            raise ContainerError(UnopenedReason.TRUNCATED)
        number, place = number + 1, end
        budget.enter()
        content = _Octets(file, iter([(start, end)]))
        yield ContainerEntry(f"embedded file {number}", counted(content, budget, size))
