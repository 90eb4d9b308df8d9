"""A stream in overlapping blocks, so that whatever is no longer than the overlap stands whole in one of them."""

BLOCK = 32 << 20
OVERLAP = 1 << 20


# A block in pieces, as they came: joining them would copy every byte once more.
type Block = list[bytes]


class Blocks:
    """Cuts a stream into blocks of `size` bytes; each begins with the last `overlap` bytes of the one before."""

    def __init__(self, size: int = BLOCK, overlap: int = OVERLAP) -> None:
        if not 0 <= overlap < size:
            raise ValueError("the overlap must be shorter than a block")
        self._size = size
        self._overlap = overlap
        self._pieces: Block = []
        self._missing = size
        self._fresh = False

    def feed(self, chunk: bytes) -> list[Block]:
        """Take the next bytes; return the blocks that they complete."""
        complete = []
        while chunk:
            part, chunk = chunk[: self._missing], chunk[self._missing :]
            self._pieces.append(part)
            self._missing -= len(part)
            self._fresh = True
            if not self._missing:
                complete.append(self._pieces)
                self._pieces = _last(self._pieces, self._overlap)
                self._missing = self._size - self._overlap
                self._fresh = False
        return complete

    def rest(self) -> list[Block]:
        """Return the last block, if it holds anything that no block before it holds."""
        return [self._pieces] if self._fresh else []


def _last(pieces: Block, count: int) -> Block:
    found: Block = []
    for piece in reversed(pieces):
        if count <= 0:
            break
        found.append(piece[-count:])
        count -= len(found[-1])
    return found[::-1]
