"""A stream in overlapping blocks, so that whatever is no longer than the overlap stands whole in one of them."""

BLOCK = 32 << 20
OVERLAP = 1 << 20


class Blocks:
    """Cuts a stream into blocks of `size` bytes; each begins with the last `overlap` bytes of the one before."""

    def __init__(self, size: int = BLOCK, overlap: int = OVERLAP) -> None:
        if not 0 <= overlap < size:
            raise ValueError("the overlap must be shorter than a block")
        self._size = size
        self._overlap = overlap
        self._held = bytearray()
        self._fresh = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; return the blocks that they complete."""
        complete = []
        taken = 0
        while taken < len(chunk):
            part = chunk[taken : taken + self._size - len(self._held)]
            taken += len(part)
            self._held += part
            self._fresh = True
            if len(self._held) == self._size:
                complete.append(bytes(self._held))
                del self._held[: self._size - self._overlap]
                self._fresh = False
        return complete

    def rest(self) -> list[bytes]:
        """Return the last block, if it holds anything that no block before it holds."""
        return [bytes(self._held)] if self._fresh else []
