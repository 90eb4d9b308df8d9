"""The one pass over a file's bytes: checksum, size, and whether there is anything but white space."""

import hashlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from threading import Condition

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

    @property
    def possible(self) -> bool:
        """Whether nothing was fed yet that is not blank: if there was, nothing more need be fed."""
        return self._blank

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

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(chunk)
        if self._blank.possible:
            self._blank.feed(bytes(chunk))
        self._size += len(chunk)

    def digest(self) -> Digest:
        """Return what was found in all that was fed."""
        return Digest(self._sha256.hexdigest(), self._size, self._blank.result())


# Of pieces of a megabyte: as much as is hashed while a block of a stream is written and handed over.
_AHEAD = 32
_PIECE = 1 << 20


def digested(chunks: Iterable[bytes], builder: DigestBuilder) -> Iterator[bytes]:
    """Yield `chunks`, and feed them to `builder` on another thread meanwhile; at the end it has had all of them."""
    under_way: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as thread:
        for number, chunk in enumerate(chunks):
            if number == 0:
                # Most files are no longer than this, and worth no thread.
                builder.feed(chunk)
                yield chunk
                continue
            under_way.append(thread.submit(builder.feed, chunk))
            if len(under_way) > _AHEAD:
                under_way.popleft().result()
            yield chunk
        for waiting in under_way:
            waiting.result()


class CopyDigest:
    """The digest of a copy that is being written: a thread follows the writer, and goes on when that is done.

    Hashing is what takes longest of a large file; what the scanners say of the copy need not wait for it. While the
    thread keeps up with the writer it takes what was written as it is; what it falls behind by, it reads from the copy.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0
        # What was written last, each with its place; not more than a little memory holds.
        self._kept: deque[tuple[int, bytes]] = deque()
        self._ended = self._cancelled = False
        self._changed = Condition()
        thread = ThreadPoolExecutor(1)
        self._found = thread.submit(self._follow)
        thread.shutdown(wait=False)

    def wrote(self, piece: bytes) -> None:
        """Take note that the copy has these bytes more."""
        with self._changed:
            if len(self._kept) < _AHEAD:
                self._kept.append((self._written, piece))
            self._written += len(piece)
            self._changed.notify()

    def end(self) -> None:
        """Take note that the copy is whole."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def result(self) -> Digest:
        """Return the digest of the whole copy, once there is one."""
        return self._found.result()

    def close(self) -> None:
        """Stop; the thread has left the copy then."""
        with self._changed:
            self._cancelled = True
            self._changed.notify()
        self._found.exception()

    def _follow(self) -> Digest:
        builder, place = DigestBuilder(), 0
        buffer = memoryview(bytearray(_PIECE))
        with self._path.open("rb", buffering=0) as file:
            while piece := self._next(place, file, buffer):
                builder.feed(piece)
                place += len(piece)
        return builder.digest()

    def _next(self, place: int, file: FileIO, buffer: memoryview) -> bytes | memoryview:
        """Return what follows `place`, when there is anything; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._written > place or self._ended or self._cancelled)
            if self._cancelled or self._written == place:
                return b""
            if self._kept and self._kept[0][0] == place:
                return self._kept.popleft()[1]
            ready = (self._kept[0][0] if self._kept else self._written) - place
        file.seek(place)
        if not (count := file.readinto(buffer[:ready])):
            raise OSError("the copy is shorter than what was written")
        return buffer[:count]
