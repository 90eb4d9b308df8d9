"""The one pass over a file's bytes: checksum, size, and whether there is anything but white space."""

import hashlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from waybill.consignments.domain.checks.models import Digest

_WHITE = b" \t\n\r\v\f"
# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = ((BOM_UTF32_LE, True), (BOM_UTF32_BE, True), (BOM_UTF8, False), (BOM_UTF16_LE, True), (BOM_UTF16_BE, True))
_LONGEST_MARK = 4


class BlankContent:
    """Whether a content is empty but for a byte order mark and white space.

    Zero bytes are white only behind a mark of UTF-16 or UTF-32, where they belong to the characters.
    """

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._white = _WHITE
        self._blank = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; chunks may be cut anywhere."""
        if not self._blank:
            return
        if self._head is not None:
            self._head += chunk
            if len(self._head) < _LONGEST_MARK:
                return
            chunk = self._unmarked(self._head)
            self._head = None
        self._blank = not chunk.strip(self._white)

    def result(self) -> bool:
        """Return whether all that was fed is blank."""
        if self._blank and self._head:
            return not self._unmarked(self._head).strip(self._white)
        return self._blank

    def _unmarked(self, head: bytes) -> bytes:
        for mark, wide in _MARKS:
            if head.startswith(mark):
                self._white = _WHITE + b"\0" if wide else _WHITE
                return head.removeprefix(mark)
        return head


class DigestBuilder:
    """Computes what one pass over the bytes can tell."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._blank = BlankContent()
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._sha256.update(chunk)
        self._blank.feed(chunk)
        self._size += len(chunk)

    def digest(self) -> Digest:
        """Return what was found in all that was fed."""
        return Digest(self._sha256.hexdigest(), self._size, self._blank.result())


# Of pieces of a megabyte: as much as is hashed while a block of a stream is written and handed over.
_AHEAD = 32


def digested(chunks: Iterable[bytes], passing: DigestBuilder) -> Iterator[bytes]:
    """Yield `chunks`, and feed them to `passing` on another thread meanwhile; at the end it has had all of them.

    Hashing takes as long as all that is done with a large file beside it, and needs no lock of Python's.
    """
    under_way: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as thread:
        for number, chunk in enumerate(chunks):
            if number == 0:
                # Most files are no longer than this, and worth no thread.
                passing.feed(chunk)
                yield chunk
                continue
            under_way.append(thread.submit(passing.feed, chunk))
            if len(under_way) > _AHEAD:
                under_way.popleft().result()
            yield chunk
        for waiting in under_way:
            waiting.result()
