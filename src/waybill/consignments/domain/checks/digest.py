"""The one pass over a file's bytes: checksum, size, and whether there is anything but white space."""

import hashlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE

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
