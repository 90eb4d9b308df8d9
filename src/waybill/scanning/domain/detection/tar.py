"""Tar archives as streams, in memory that does not depend on what they claim.

`tarfile` reads extension headers of any length as a whole, and gives nothing of a member that is cut. Sources: POSIX
pax, "pax Interchange Format" and "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format" (long names, sparse
members).
"""

import re
import tarfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import NamedTuple

from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.budget import CHUNK, Budget, UnreadableError

_BLOCK = 512
# libarchive stops at the same.
_EXTENSION_BYTES = 1 << 20
_RECORD = re.compile(rb"(\d{1,10}) ([^=\n]{1,200})=")
_LONG_NAME, _PAX, _PAX_GLOBAL, _SPARSE = b"L", b"x", b"g", b"S"
# Of an old sparse member: whether more of its map follows, in its header and in each block of the map.
_MORE_IN_HEADER, _MORE_IN_MAP = 482, 504


# What records say of a member itself; others are text that somebody has put there, such as comments and attributes.
_OF_MEMBERS = re.compile(rb"(?:path|linkpath|size|[acm]time|[ug]id|[ug]name|(?:hdr)?charset|GNU\.sparse\..*)")


class TarEntry(NamedTuple):
    """A regular file of an archive, to be read before the next is asked for; or, `header`, text beside one."""

    name: str
    read: Read
    header: bool = False


class TarStream:
    """Reads an archive from its beginning to its end."""

    def __init__(self, read: Read, budget: Budget) -> None:
        self._read = read
        self._budget = budget
        self._left = 0

    def entries(self) -> Iterator[TarEntry]:
        """Yield the files; links and devices hold nothing.

        Raises
        ------
        UnreadableError
            The archive is broken or cut, or something stands behind its end.
        """
        given: dict[bytes, bytes] = {}
        while (entry := self._header()) is not None:
            # Devices and links have no content, whatever size they name (POSIX, "ustar Interchange Format", size).
            size = entry.size if entry.isreg() or entry.type not in tarfile.SUPPORTED_TYPES else 0
            if entry.type in {_PAX, _PAX_GLOBAL, _LONG_NAME, b"K"}:
                content = self._extension(entry.size)
                if entry.type in {_PAX, _PAX_GLOBAL}:
                    records = dict(_records(content))
                    given |= records if entry.type == _PAX else {}
                    if text := _text_of(records):
                        self._budget.enter()
                        yield TarEntry("extended header", BytesIO(text).read, header=True)
                elif entry.type == _LONG_NAME:
                    given[b"path"] = content.rstrip(b"\0")
                continue
            size = int(given.get(b"size", size)) if given.get(b"size", b"0").isdigit() else size
            name = given.get(b"GNU.sparse.name") or given.get(b"path")
            given = {}
            self._budget.enter()
            self._left = size
            shown = name.decode("utf-8", "surrogateescape") if name is not None else entry.name
            if size or entry.isreg():
                yield TarEntry(shown, self._content)
            self._skip(-size % _BLOCK)
        self._rest()

    def _header(self) -> tarfile.TarInfo | None:
        block = self._exactly(_BLOCK)
        if not block:
            return None
        try:
            entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            if not block.strip(b"\0"):
                return None
            raise UnreadableError("ARCHIVE_TRUNCATED" if len(block) < _BLOCK else "ARCHIVE_BROKEN") from error
        if entry.type == _SPARSE:
            more = block[_MORE_IN_HEADER]
            while more:
                part = self._exactly(_BLOCK)
                more = part[_MORE_IN_MAP] if len(part) == _BLOCK else 0
        return entry

    def _extension(self, size: int) -> bytes:
        if size > _EXTENSION_BYTES:
            raise UnreadableError("ARCHIVE_BROKEN")
        content = self._exactly(size)
        self._exactly(-size % _BLOCK)
        if len(content) < size:
            raise UnreadableError("ARCHIVE_TRUNCATED")
        return content

    def _content(self, count: int) -> bytes:
        if not self._left:
            return b""
        part = self._read(min(count, self._left, CHUNK))
        if not part:
            self._left = 0
            raise UnreadableError("ARCHIVE_TRUNCATED")
        self._left -= len(part)
        return part

    def _skip(self, padding: int) -> None:
        """Go on behind a member, of which the reader may have left some."""
        left, self._left = self._left + padding, 0
        while left and (part := self._read(min(left, CHUNK))):
            left -= len(part)

    def _rest(self) -> None:
        """Read what stands behind the end: zeros, to the length of a record."""
        found = False
        while part := self._read(CHUNK):
            if found or part.strip(b"\0"):
                found = True
                self._budget.leave(len(part))
        if found:
            raise UnreadableError("TRAILING_DATA")

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count and (part := self._read(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _text_of(records: Mapping[bytes, bytes]) -> bytes:
    """Return those of a header's records that hold text of somebody's, a line each."""
    found = (name + b"=" + value for name, value in records.items() if not _OF_MEMBERS.fullmatch(name))
    return b"".join(line.decode("utf-8", "replace").encode() + b"\n" for line in found)


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while found := _RECORD.match(content, place):
        end = place + int(found[1])
        yield found[2], content[found.end() : end - 1]
        if end <= place:
            return
        place = end
