"""Small objects of a slice, read several at a time while another one is scanned: what takes time is that S3 answers."""

from collections.abc import Iterable
from io import BytesIO
from typing import Protocol

from waybill.core.prefetch import Prefetch
from waybill.scanning.models import Entry

SMALL_BYTES = 1 << 20
"""What may be held in memory of an object; a larger one is read as it is scanned."""


class Opened(Protocol):
    """An object that is being read."""

    @property
    def etag(self) -> str:
        """The state that is read."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        ...

    @property
    def changed(self) -> bool:
        """Whether it is not in its listed state any more."""
        ...

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class ObjectReader(Protocol):
    """Opens objects."""

    def open(self, bucket: str, entry: Entry, offset: int) -> Opened:
        """Open an object for reading, in its listed state if that still is there."""
        ...


class _Held:
    """A small object, which has been read."""

    def __init__(self, opened: Opened, content: bytes) -> None:
        self.etag = opened.etag
        self.size = opened.size
        self.changed = opened.changed
        self._content = BytesIO(content)

    def read(self, count: int) -> bytes:
        return self._content.read(count)

    def close(self) -> None:
        """Nothing is open."""


def prefetched(bucket: ObjectReader, name: str, entries: Iterable[Entry], at_once: int) -> Prefetch[Entry, Opened]:
    """Return what reads the small ones of `entries` ahead, up to `at_once` at a time, and closes what nobody takes.

    What was read and is not taken, since time is up, has cost a request each.
    """

    def held(entry: Entry) -> Opened:
        opened = bucket.open(name, entry, 0)
        if opened.size > SMALL_BYTES:
            # It was replaced by a large one.
            return opened
        try:
            return _Held(opened, b"".join(iter(lambda: opened.read(SMALL_BYTES), b"")))
        finally:
            opened.close()

    return Prefetch(
        entries,
        held,
        threads=at_once,
        depth=at_once,
        ahead=lambda entry: entry.size <= SMALL_BYTES,
        discard=lambda opened: opened.close(),
    )
