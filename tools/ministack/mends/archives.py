"""How the code and the layers of a function get to its processes.

MiniStack writes both to the disk and unpacks them for every process, which takes seconds where many start at once. Here
they are unpacked for the first one, and what Python compiles of them is kept for the others, those of the next embedded
AWS too.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import shutil
import tempfile
import threading
import time
import zipfile
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self

from ministack.core import lambda_runtime

_KEPT_SECONDS = 86_400


class UnpackedOnce:
    """An archive that is unpacked for its first process; the others get a link to the same files.

    It takes the place of the file that MiniStack writes for each process, and of the `ZipFile` that reads it.
    """

    folder = Path(__file__).resolve().parents[3] / ".local" / "unpacked"
    _written: ClassVar[dict[str, bytes]] = {}
    _one_unpacks = threading.Lock()

    def __init__(self, file: str) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: no file is open."""

    def write(self, content: bytes) -> None:
        """Take the archive."""
        self._written[self._file] = content

    def namelist(self) -> list[str]:
        """Return the members, which MiniStack checks before it unpacks them; none when that was done before."""
        if self._unpacked.exists():
            return []
        with self._archive() as archive:
            return archive.namelist()

    def extractall(self, path: str) -> None:
        """Make the empty folder `path` a link to the unpacked files."""
        with self._one_unpacks:
            if not self._unpacked.exists():
                self._unpack()
        os.utime(self._unpacked)
        os.rmdir(path)
        os.symlink(self._unpacked, path)
        del self._written[self._file]  # a process unpacks each of its archives once

    def _unpack(self) -> None:
        # Whole, or not at all: two embedded AWSs may be at it, and the second one's is not needed.
        new = Path(tempfile.mkdtemp(dir=self.folder))
        with self._archive() as archive:
            archive.extractall(new)
        try:
            new.rename(self._unpacked)
        except OSError:
            shutil.rmtree(new)
            if not self._unpacked.exists():
                raise

    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(self._written[self._file]))

    @property
    def _unpacked(self) -> Path:
        return self.folder / _digest(self._written[self._file])


@lru_cache(maxsize=64)
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def open_archive(file: str, mode: str = "r", **options: Any) -> Any:
    """Open a file, but an archive that is written: see `UnpackedOnce`."""
    return UnpackedOnce(file) if mode == "wb" and file.endswith(".zip") else open(file, mode, **options)


def _keep_unpacked(folder: Path) -> None:
    """Let what is unpacked stay in a folder, until no process has started with it for a day and nothing runs."""
    folder.mkdir(parents=True, exist_ok=True)
    in_use = os.open(folder, os.O_RDONLY)  # and locked until this program ends
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for unpacked in folder.iterdir():
            if unpacked.stat().st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(unpacked, ignore_errors=True)
    fcntl.flock(in_use, fcntl.LOCK_SH)


def mend() -> None:
    """Unpack an archive once."""
    _keep_unpacked(UnpackedOnce.folder)
    # MiniStack catches a `LargeFileError` that does not exist, which hides what went wrong.
    own = {"ZipFile": UnpackedOnce, "LargeFileError": zipfile.LargeZipFile}
    lambda_runtime.open = open_archive
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), **own})
