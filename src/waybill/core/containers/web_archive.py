"""What was harvested, in web archives: WARC (ISO 28500:2017, sections 4 to 6) and ARC (Internet Archive, 1996).

A record holds an answer of HTTP as it came: its content may be packed or in chunks (RFC 9112, section 7.1; RFC 9110,
section 8.4). Of what the crawler says itself, and of what it asked, a scan of the archive's own bytes sees everything.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from waybill.core.containers.archives import CHUNK, counted, refused
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, Read, UnopenedReason

_LINE_BYTES = 1 << 20
_FIELDS = 1000
_HARVESTED = frozenset({"response", "resource", "conversion", "continuation"})
_HTTP = b"HTTP/"
# Of a header of a thousand lines of a megabyte each nothing else is kept.
_READ = frozenset({"content-length", "warc-type", "warc-target-uri", "content-encoding", "transfer-encoding"})
# Address, IP address, date, type, length (version 1); version 2 has others between, and the length last.
_ARC_LINE = re.compile(
    rb"(?P<name>[A-Za-z][A-Za-z0-9+.-]{1,20}:\S{1,4000}) \S{1,100} \d{14} .{0,500}?(?P<size>\d{1,18})\r?\n"
)
_CHUNK_LINE = re.compile(rb"[ \t]{0,8}([0-9A-Fa-f]{1,15})[ \t]{0,8}(?:;[^\r\n]{0,1000})?\r?\n")
_PLAIN = frozenset({"", "identity", "gzip", "x-gzip"})


def web_archive_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what was harvested, each answer without its header; gzip is left to be opened as what it is."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    warc = file.read(5) == b"WARC/"
    place = 0
    while place < size:
        file.seek(place)
        line = _first_line(file, budget)
        if not line:
            return
        record = _warc_record(file) if warc and line.startswith(b"WARC/") else _arc_record(line)
        if record is None:
            raise ContainerError(UnopenedReason.BROKEN)
        name, length = record
        start = file.tell()
        if name is not None and length:
            budget.enter()
            yield _answer(file, name, start, min(length, max(0, size - start)), budget)
        place = start + length
        if place > size:
            raise ContainerError(UnopenedReason.TRUNCATED)


def _first_line(file: BinaryIO, budget: ContainerBudget) -> bytes:
    """Return the next line that is not empty: empty ones stand between records, any number of them."""
    while line := file.readline(_LINE_BYTES):
        budget.check_time()
        if line.strip(b"\r\n"):
            return line
    return b""


def _warc_record(file: BinaryIO) -> tuple[str | None, int] | None:
    """Return the name of a record, None for one that was not harvested, and its length."""
    fields = _fields(file)
    # Every record has one (ISO 28500, section 5.4); without it the next begins at once, or the archive is broken.
    length = fields.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > 18:
        return None
    harvested = fields.get("warc-type", "").lower() in _HARVESTED
    return (fields.get("warc-target-uri", "record").strip("<>") if harvested else None), int(length)


def _arc_record(line: bytes) -> tuple[str | None, int] | None:
    found = _ARC_LINE.fullmatch(line)
    if found is None:
        return None
    name = found["name"].decode("latin-1")
    return (None if name.startswith("filedesc:") else name), int(found["size"])


def _fields(file: BinaryIO) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for _ in range(_FIELDS):
        line = file.readline(_LINE_BYTES).rstrip(b"\r\n")
        if not line:
            break
        name, _, value = line.decode("utf-8", "replace").partition(":")
        if (known := name.strip().lower()) in _READ:
            fields.setdefault(known, value.strip())
    return fields


def _answer(file: BinaryIO, name: str, start: int, length: int, budget: ContainerBudget) -> ContainerEntry:
    part = _Part(file, start, length)
    file.seek(start)
    if file.read(len(_HTTP)) != _HTTP:
        return ContainerEntry(name, counted(part, budget, length))
    file.seek(start)
    file.readline(_LINE_BYTES)
    fields = _fields(file)
    header = min(file.tell() - start, length)
    coding = fields.get("content-encoding", "").lower()
    body = _Part(file, start + header, length - header)
    # Many crawlers keep the field and take the chunks apart.
    chunked = "chunked" in fields.get("transfer-encoding", "").lower() and body.line(peek=True) is not None
    content = _Chunks(body) if chunked else body
    if coding in _PLAIN:
        return ContainerEntry(name, counted(content, budget, length))
    if coding == "deflate":
        return ContainerEntry(name, counted(_Deflated(content.read), budget, length))
    return refused(name, UnopenedReason.UNKNOWN_METHOD)


class _Part:
    """A part of a file; others may read the file meanwhile."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._place, self._end = file, start, start + length

    def read(self, count: int, /) -> bytes:
        self._file.seek(self._place)
        part = self._file.read(min(count, self._end - self._place))
        self._place += len(part)
        return part

    def line(self, *, peek: bool = False) -> int | None:
        """Return the length that the line of a chunk tells, None for another line."""
        self._file.seek(self._place)
        line = self._file.readline(min(2000, self._end - self._place))
        found = _CHUNK_LINE.fullmatch(line)
        if found is not None and not peek:
            self._place += len(line)
        return int(found[1], 16) if found else None

    def skip(self, count: int) -> None:
        self._place = min(self._end, self._place + count)


class _Chunks:
    """The content of chunks."""

    def __init__(self, part: _Part) -> None:
        self._part = part
        self._left = 0
        self._begun = self._ended = False

    def read(self, count: int, /) -> bytes:
        if not self._left and not self._ended:
            if self._begun:
                self._part.skip(2)
            self._begun = True
            length = self._part.line()
            if length is None:
                raise ContainerError(UnopenedReason.TRUNCATED)
            self._left, self._ended = length, length == 0
        if self._ended:
            return b""
        plain = self._part.read(min(count, self._left))
        if not plain:
            raise ContainerError(UnopenedReason.TRUNCATED)
        self._left -= len(plain)
        return plain


class _Deflated:
    """What is packed as zlib does it, or without its frame as some servers send it."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._stream = zlib.decompressobj()
        self._begun = False

    def read(self, count: int, /) -> bytes:
        while not self._stream.eof:
            waiting = self._stream.unconsumed_tail or self._read(CHUNK)
            if not self._begun and waiting and (waiting[0] & 0xF != 8 or int.from_bytes(waiting[:2]) % 31):
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
            self._begun = True
            if plain := self._stream.decompress(waiting, count):
                return plain
            if not waiting and not self._stream.eof:
                raise ContainerError(UnopenedReason.TRUNCATED)
        return b""
