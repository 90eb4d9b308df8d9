"""Text of any length as blocks that overlap, so that memory is bounded and no value is cut."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from waybill.scanning.domain.detection.pieces import LOOKAHEAD, PIECE

BLOCK = 1 << 20
# What stays for the next block: room for the longest match, what a validator looks at behind it, and a line end.
_TAIL = 2 * LOOKAHEAD
_LEFT = 2 * PIECE

type Read = Callable[[int], bytes]


class Block(NamedTuple):
    """`text[start:end]` is this block's own, the rest is context; `offset` is where `text` begins in the whole."""

    text: bytes
    start: int
    end: int
    offset: int


def blocks(read: Read, size: int = BLOCK, offset: int = 0, context: int = 0) -> Iterator[Block]:
    """Yield the text that `read` gives, from `offset` of the whole on; blocks end at line ends where there are any.

    The first `context` bytes stand before the first block. The blocks are the same however many bytes a `read` gives at
    a time, and those behind a block are the same where `read` begins at `context_start` of it. Where `read` fails, what
    it has given before is yielded first.
    """
    text, start = b"", context
    source = _Source(read)
    while True:
        text += source.exactly(size + _TAIL - (len(text) - start))
        if len(text) - start < size + _TAIL:
            break
        end = text.rfind(b"\n", start, len(text) - _TAIL) + 1 or len(text) - _TAIL
        yield Block(text, start, end, offset)
        kept = context_start(text, end)
        text, start, offset = text[kept:], end - kept, offset + kept
    if len(text) > start:
        yield Block(text, start, len(text), offset)
    if source.fault:
        raise source.fault


def context_start(text: bytes, end: int) -> int:
    """Return where the context of the next block begins, where one ends at `end`: not within a character of UTF-8."""
    kept = max(0, end - _LEFT)
    # Only at the first byte can a scan go on whose object is in another encoding.
    return next((at for at in range(kept, min(kept + 4, end)) if text[at] & 0xC0 != 0x80), kept) if kept else 0


class _Source:
    """Reads on until there is nothing, or a fault, which is kept."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.fault: Exception | None = None

    def exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        try:
            while count > 0 and not self.fault and (part := self._read(count)):
                parts.append(part)
                count -= len(part)
        except Exception as fault:  # whatever it is: it is raised behind the text
            self.fault = fault
        return b"".join(parts)
