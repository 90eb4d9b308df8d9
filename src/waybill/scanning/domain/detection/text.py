"""What some bytes are: told from the bytes, never from a name."""

import codecs
from dataclasses import dataclass
from enum import StrEnum

from waybill.scanning.domain.detection.blocks import Read

SNIFFED_BYTES = 16_384
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_BINARIES = (
    b"\x7fELF",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"%PDF-",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"PAR1",
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"RIFF",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf'\x1c",
    b"(\xb5/\xfd",
)


class Kind(StrEnum):
    """What can be done with some bytes."""

    TEXT = "TEXT"
    GZIP = "GZIP"
    ZIP = "ZIP"
    TAR = "TAR"
    OTHER = "OTHER"


@dataclass(frozen=True)
class Nature:
    """What some bytes are; `encoding` is Python's name of it, `mark` the length of the byte order mark."""

    kind: Kind
    encoding: str = "utf-8"
    mark: int = 0


def nature_of(head: bytes) -> Nature:
    """Return what begins with `head`, the first `SNIFFED_BYTES` bytes or all there are."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Nature(Kind.GZIP)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Nature(Kind.ZIP)
    if head[257:262] == b"ustar":
        return Nature(Kind.TAR)
    if head.startswith(_BINARIES):
        return Nature(Kind.OTHER)
    return _text_nature(head)


def _text_nature(head: bytes) -> Nature:
    if head.startswith(codecs.BOM_UTF8):
        return Nature(Kind.TEXT, "utf-8", 3)
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return Nature(Kind.TEXT, encoding, 2)
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd:
        # Latin text in UTF-16 has a NUL in every other place, and hardly one in between.
        half = len(head) // 2
        if odd > half * 0.6 and even < half * 0.05:
            return Nature(Kind.TEXT, "utf-16-le")
        if even > half * 0.6 and odd < half * 0.05:
            return Nature(Kind.TEXT, "utf-16-be")
    if len(head) - len(head.translate(None, _CONTROL)) >= max(1, len(head) * 0.1):
        return Nature(Kind.OTHER)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return Nature(Kind.TEXT, "latin-1")
    return Nature(Kind.TEXT, "utf-8")


class Utf8Reader:
    """Reads UTF-16 as UTF-8; an odd surrogate becomes U+FFFD, which has its width in UTF-16."""

    def __init__(self, read: Read, encoding: str) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ended = False

    def read(self, count: int) -> bytes:
        """Return some bytes of UTF-8, about `count` or fewer; none at the end."""
        while not self._ended:
            raw = self._read(count)
            self._ended = not raw
            if text := self._decoder.decode(raw, final=self._ended):
                return text.encode()
        return b""
