"""What is inside of compressed files and archives, a member at a time, within limits that a bomb cannot pass.

Members are read while they are unpacked; a ZIP archive, whose directory is at its end, goes to a temporary file first.
"""

import html
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.text import Kind

_CHUNK = 65_536
_RATIO_FREE_BYTES = 1 << 20
_IN_MEMORY_BYTES = 8 << 20
_OFFICE_MARK = "[Content_Types].xml"
_OFFICE_TEXT = re.compile(r"(?:word|xl|ppt)/.*\.xml|docProps/.*\.xml")
_OFFICE_MEMBER_BYTES = 32 << 20
# A name is stored with every finding, and an item of DynamoDB takes 400 KB; archives take names of any length.
_NAME_LENGTH = 1000
_LINE_TAGS = re.compile(rb"</(?:w:p|w:tr|a:p|si|row)>|<(?:w:br|w:cr)\b[^>]{0,100}>")
_CELL_TAGS = re.compile(rb"</(?:c|v|w:tc)>|<w:tab/>")
_TAGS = re.compile(rb"<[^<>]{1,20000}>")


class UnreadableError(Exception):
    """A member cannot be read, or may not be read any further; `reason` is what the report says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """How far archives are followed; sizes in bytes."""

    depth: int = 3
    ratio: int = 100
    total_bytes: int = 2 << 30
    entries: int = 10_000
    archive_bytes: int = 400 << 20

    def budget(self, shown: Callable[[str], str]) -> "Budget":
        """Return the budget of one object, whose members' names are stored as `shown` gives them."""
        return Budget(self, shown)


@dataclass
class Budget:
    """What is left of the limits for one object."""

    limits: Limits
    shown: Callable[[str], str]
    bytes_unpacked: int = 0
    entries: int = 0
    _named: dict[int, int] = field(default_factory=dict)

    def enter(self) -> None:
        """Count one more member; raises UnreadableError when there are too many."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise UnreadableError("ARCHIVE_ENTRIES")

    def name(self, path: str) -> str:
        """Return what a member is called: its path, with a number where another member of the object has that name.

        Findings are told apart by it, and archives may hold a path any number of times. What `shown` hides is hidden
        before: two paths may then be one.
        """
        path = self.shown(path)[:_NAME_LENGTH]
        # The names themselves would take as much memory as an archive likes; two with one hash only get a number.
        first = hash(path)
        name, number = path, self._named.get(first, 0)
        while hash(name) in self._named:
            number += 1
            name = f"{path} ({number + 1})"
        self._named[first] = number
        self._named.setdefault(hash(name), 0)
        return name

    def unpack(self, count: int, unpacked: int, packed: int) -> None:
        """Count `count` bytes of a member, `unpacked` so far from `packed`; raises UnreadableError over a limit."""
        self.bytes_unpacked += count
        if self.bytes_unpacked > self.limits.total_bytes:
            raise UnreadableError("ARCHIVE_TOTAL_BYTES")
        if unpacked > _RATIO_FREE_BYTES and unpacked > packed * self.limits.ratio:
            raise UnreadableError("ARCHIVE_RATIO")


@dataclass(frozen=True)
class Member:
    """One member: `name` is its path, `reason` why it cannot be read at all."""

    name: str
    read: Read
    reason: str = ""


def members(outer: Member, kind: Kind, budget: Budget) -> Iterator[Member]:
    """Yield what is in `outer`, an archive of `kind`; each member is read before the next is asked for.

    Raises
    ------
    UnreadableError
        The archive is broken or over a limit.
    """
    unpack = {Kind.GZIP: _gzip, Kind.TAR: _tar, Kind.ZIP: _zip}[kind]
    try:
        yield from unpack(outer, budget)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error


def _named(outer: Member, name: str, budget: Budget) -> str:
    path = f"{outer.name}!{name}" if outer.name else name
    # Bytes that are no UTF-8 are surrogates here, which no text that is sent or stored may hold.
    # A value that the limit would cut is hidden as a whole.
    return budget.name(path[: 2 * _NAME_LENGTH].encode(errors="surrogateescape").decode(errors="replace"))


def _gzip(outer: Member, budget: Budget) -> Iterator[Member]:
    budget.enter()
    yield Member(_named(outer, "gzip", budget), _Gunzip(outer.read, budget).read)


class _Gunzip:
    """Unpacks gzip, several members in a row included (RFC 1952, section 2.2)."""

    def __init__(self, read: Read, budget: Budget) -> None:
        self._read = read
        self._budget = budget
        self._packed = self._unpacked = 0
        self._waiting = b""
        self._decompressor = zlib.decompressobj(wbits=31)
        self._between = True

    def read(self, count: int) -> bytes:
        while True:
            if not self._waiting:
                self._waiting = self._read(_CHUNK)
                self._packed += len(self._waiting)
            if not self._waiting:
                if not self._between:
                    raise UnreadableError("ARCHIVE_TRUNCATED")
                return b""
            self._between = False
            try:
                plain = self._decompressor.decompress(self._waiting, min(count, _CHUNK * 16))
            except zlib.error as error:
                raise UnreadableError("ARCHIVE_BROKEN") from error
            self._waiting = self._decompressor.unconsumed_tail
            if self._decompressor.eof:
                # What follows is another member, or padding of zeros.
                self._waiting = self._decompressor.unused_data.lstrip(b"\0")
                self._decompressor = zlib.decompressobj(wbits=31)
                self._between = True
            if plain:
                self._unpacked += len(plain)
                self._budget.unpack(len(plain), self._unpacked, self._packed)
                return plain


class _Stream:
    """A file object for tarfile's stream mode."""

    def __init__(self, read: Read) -> None:
        self.read = read


def _tar(outer: Member, budget: Budget) -> Iterator[Member]:
    stream: Any = _Stream(outer.read)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            budget.enter()
            content = archive.extractfile(entry) if entry.isfile() else None
            if content is not None:
                yield Member(_named(outer, entry.name, budget), _guarded(content, budget, entry.size))


def _zip(outer: Member, budget: Budget) -> Iterator[Member]:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
        size = 0
        while chunk := outer.read(_CHUNK):
            size += len(chunk)
            if size > budget.limits.archive_bytes:
                raise UnreadableError("ARCHIVE_TOO_LARGE")
            spool.write(chunk)
        with zipfile.ZipFile(spool) as archive:
            office = _OFFICE_MARK in archive.namelist()
            for entry in archive.infolist():
                if entry.is_dir() or (office and not _OFFICE_TEXT.fullmatch(entry.filename)):
                    continue
                budget.enter()
                name = _named(outer, entry.filename, budget)
                if entry.flag_bits & 1:
                    yield Member(name, _nothing, reason="ENCRYPTED")
                    continue
                with archive.open(entry) as content:
                    read = _guarded(content, budget, entry.compress_size)
                    yield Member(name, _office_text(read) if office else read)


def _nothing(_count: int) -> bytes:
    return b""


def _guarded(content: IO[bytes], budget: Budget, packed: int) -> Read:
    unpacked = 0

    def read(count: int) -> bytes:
        nonlocal unpacked
        try:
            plain = content.read(min(count, _CHUNK * 16))
        except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UnreadableError("ARCHIVE_BROKEN") from error
        unpacked += len(plain)
        budget.unpack(len(plain), unpacked, packed)
        return plain

    return read


def _office_text(read: Read) -> Read:
    """Return a reader of the text of an Office document's part: a line per paragraph or row, without the markup.

    Word cuts a paragraph into runs wherever somebody has typed, so a value may stand in several elements.
    """
    text: bytes | None = None

    def read_text(count: int) -> bytes:
        nonlocal text
        if text is None:
            markup = b""
            while chunk := read(_CHUNK * 16):
                markup += chunk
                if len(markup) > _OFFICE_MEMBER_BYTES:
                    raise UnreadableError("ARCHIVE_TOO_LARGE")
            plain = _TAGS.sub(b"", _CELL_TAGS.sub(b"\t", _LINE_TAGS.sub(b"\n", markup)))
            text = html.unescape(plain.decode("utf-8", "replace")).encode()
        part, text = text[:count], text[count:]
        return part

    return read_text
