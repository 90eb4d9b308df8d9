"""Small objects of a slice, read several at a time while another one is scanned: what takes time is that S3 answers."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import Protocol, Self

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


class Prefetch:
    """Opens `entries` of a bucket, which are asked for in their order; a context, at whose end nothing is open.

    Up to `at_once` small ones are read at a time. What was read and is not asked for, since time is up, has cost a
    request each.
    """

    def __init__(self, bucket: ObjectReader, name: str, entries: Iterable[Entry], at_once: int) -> None:
        self._bucket = bucket
        self._name = name
        self._waiting = deque(entry for entry in entries if entry.size <= SMALL_BYTES)
        self._begun: dict[str, Future[Opened]] = {}
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(at_once)

    def open(self, entry: Entry, offset: int) -> Opened:
        """Open an object as `ObjectReader.open` does."""
        self._begin()
        begun = self._begun.pop(entry.key, None)
        if begun is None:
            return self._bucket.open(self._name, entry, offset)
        opened = begun.result()
        self._begin()
        return opened

    def _begin(self) -> None:
        while self._waiting and len(self._begun) < self._at_once:
            entry = self._waiting.popleft()
            self._begun[entry.key] = self._threads.submit(self._held, entry)

    def _held(self, entry: Entry) -> Opened:
        opened = self._bucket.open(self._name, entry, 0)
        if opened.size > SMALL_BYTES:
            # It was replaced by a large one.
            return opened
        try:
            return _Held(opened, b"".join(iter(lambda: opened.read(SMALL_BYTES), b"")))
        finally:
            opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        for begun in self._begun.values():
            if not begun.cancelled() and begun.exception() is None:
                begun.result().close()
