"""Where the bytes of a file stand while the scanners look at them: a folder of its own, gone with the file."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from re import fullmatch

CHUNK = 1 << 20
WINDOW = 16 << 20
_ZIP_MARK = b"PK\x03\x04"
# No signature's sequence may lie across the cut.
_GAP = 65_536


class Workspace:
    """Gives every file a folder of its own below `root`, and takes it away with everything in it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make a folder for one file."""
        made = Path(tempfile.mkdtemp(prefix="file-", dir=self._root))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def clear(self) -> None:
        """Remove what an invocation that was killed has left; nothing may be in use."""
        for left in self._root.glob("file-*"):
            shutil.rmtree(left, ignore_errors=True)


def spool_name(extension: str) -> str:
    """Return a file name with `extension`, as far as a format can have it: identification reads it off the name."""
    return f"content.{extension}" if fullmatch(r"[A-Za-z0-9_+-]{1,32}", extension) else "content"


class Windows:
    """The first and the last bytes of a stream, at most `window` each."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._first = bytearray()
        self._last = bytearray()
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size += len(chunk)
        missing = self._window - len(self._first)
        if missing > 0:
            self._first += chunk[:missing]
            chunk = chunk[missing:]
        self._last += chunk
        # Twice the window, so that it is not moved for every chunk.
        if len(self._last) > 2 * self._window:
            del self._last[: -self._window]

    def write(self, target: Path) -> None:
        """Write what stands for the file: both windows, with a hole between them.

        An archive's directory tells offsets, so the hole of a ZIP file is as wide as what is missing. Elsewhere it is
        narrow: signatures count from the beginning or from the end (PRONOM), and a wide one would be read.
        """
        last = self._last[-self._window :]
        missing = self._size - len(self._first) - len(last)
        hole = missing if self._first.startswith(_ZIP_MARK) else min(missing, _GAP)
        with target.open("wb") as file:
            file.write(self._first)
            file.seek(hole, 1)
            file.write(last)
