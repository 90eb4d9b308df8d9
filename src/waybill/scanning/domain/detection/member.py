"""A member of a container: something with a name that is read for itself."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.budget import CHUNK, NAME_LENGTH, Budget, UnreadableError

_IN_MEMORY_BYTES = 8 << 20


@dataclass(frozen=True)
class Member:
    """One member: `name` is its path, `reason` why it cannot be read at all, `plain` that it is text in UTF-8.

    `place` is for tables, whose cells tabs part: what the cell of a line (from 1) and a number (from 0) is called.
    """

    name: str
    read: Read
    reason: str = ""
    plain: bool = False
    place: Callable[[int, int], str] | None = None


def named(outer: Member, name: str, budget: Budget) -> str:
    """Return what a member of `outer` is called in findings and reports."""
    path = f"{outer.name}!{name}" if outer.name else name
    # Bytes that are no UTF-8 are surrogates here, which no text that is sent or stored may hold.
    # A value that the limit would cut is hidden as a whole.
    return budget.name(path[: 2 * NAME_LENGTH].encode(errors="surrogateescape").decode(errors="replace"))


def refused(name: str, reason: str) -> Member:
    """Return a member that cannot be read."""
    return Member(name, lambda _: b"", reason)


def spool(outer: Member, budget: Budget, file: IO[bytes]) -> int:
    """Write a container into `file` and return its size; raises UnreadableError when it is too large for one."""
    size = 0
    while chunk := outer.read(CHUNK):
        size += len(chunk)
        if size > budget.limits.archive_bytes:
            raise UnreadableError("ARCHIVE_TOO_LARGE")
        file.write(chunk)
    file.flush()
    return size


@contextmanager
def spooled(outer: Member, budget: Budget) -> Iterator[IO[bytes]]:
    """Give a container as a file that can be read at any place; a small one stays in memory."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        spool(outer, budget, file)
        yield file


@contextmanager
def on_disk(outer: Member, budget: Budget) -> Iterator[tuple[str, int]]:
    """Give the path of a file with a container, for readers that take nothing else, and its size in bytes."""
    with tempfile.NamedTemporaryFile() as file:
        size = spool(outer, budget, file)
        yield file.name, size


def text_of(parts: Iterator[str], budget: Budget, packed: int) -> Read:
    """Return a reader of `parts` in UTF-8, which counts what it gives out against `packed` bytes."""
    unpacked, left = 0, b""

    def read(count: int) -> bytes:
        nonlocal unpacked, left
        while not left:
            part: Any = next(parts, None)
            if part is None:
                return b""
            left = part.encode(errors="replace")
            unpacked += len(left)
            budget.unpack(len(left), unpacked, packed)
        given, left = left[:count], left[count:]
        return given

    return read
