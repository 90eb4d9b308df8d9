"""Where the bytes of a file stand while the scanners look at them."""

from collections import deque
from itertools import count
from pathlib import Path
from re import fullmatch
from shutil import disk_usage, rmtree

WINDOW = 16 << 20
_ZIP_MARK = b"PK\x03\x04"
# No signature's sequence may lie across the cut.
_GAP = 65_536


class Workspace:
    """Names the copies below `root`: one for each file, gone with it, and never one for two files."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self._root = root
        self._numbers = count()

    def path(self, extension: str) -> Path:
        """Return the path of a copy that is not there yet.

        It has `extension`, as far as a format can have it: identification reads it off the name.
        """
        suffix = f".{extension}" if fullmatch(r"[A-Za-z0-9_+-]{1,32}", extension) else ""
        return self._root / f"{next(self._numbers)}{suffix}"

    def free_bytes(self) -> int:
        """Return how many bytes the disk has room for."""
        return disk_usage(self._root).free

    def clear(self) -> None:
        """Remove what an invocation that was killed has left; nothing may be in use."""
        for left in self._root.iterdir():
            if left.is_dir():
                rmtree(left)
            else:
                left.unlink()


class Windows:
    """The first and the last bytes of a stream, at most `window` each."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._first: list[bytes] = []
        self._missing = window
        # Chunks as they came, the last ones: a little more than a window.
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size += len(chunk)
        if self._missing:
            self._first.append(chunk[: self._missing])
            chunk = chunk[self._missing :]
            self._missing -= len(self._first[-1])
        self._last.append(chunk)
        self._last_size += len(chunk)
        while self._last_size - len(self._last[0]) >= self._window:
            self._last_size -= len(self._last.popleft())

    def write(self, target: Path) -> None:
        """Write what stands for the file: both windows, with a hole between them.

        An archive's directory tells offsets, so the hole of a ZIP file is as wide as what is missing. Elsewhere it is
        narrow: signatures count from the beginning or from the end (PRONOM), and a wide one would be read.
        """
        first, last = b"".join(self._first), b"".join(self._last)[-self._window :]
        missing = self._size - len(first) - len(last)
        hole = missing if first.startswith(_ZIP_MARK) else min(missing, _GAP)
        with target.open("wb") as file:
            file.write(first)
            file.seek(hole, 1)
            file.write(last)


def write_whole(folder: Path, name: str, content: bytes) -> Path:
    """Return the file of that name in `folder`: at no moment does it hold less than all of `content`."""
    path = folder / name
    begun = folder / f"{name}.part"
    begun.write_bytes(content)
    return begun.replace(path)
