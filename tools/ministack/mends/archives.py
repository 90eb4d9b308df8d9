"""How the code and the layers of a function get to its processes.

MiniStack unpacks both for every process, which takes seconds where many start at once. Here they are unpacked for the
first one, and what Python compiles of them is kept for the others, those of the next embedded AWS too.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
import zipfile
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

_KEPT_SECONDS = 86_400


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked for its first process; the others get a link to the same files."""

    folder = Path(__file__).resolve().parents[3] / ".local" / "unpacked"
    # ZipFile has a `_lock` of its own, for each archive that is open.
    _one_unpacks = threading.Lock()

    def namelist(self) -> list[str]:
        """Return the members, which MiniStack checks before it unpacks them; none when that was done before."""
        return [] if self._unpacked.exists() else super().namelist()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        """Make the empty folder `path` a link to the unpacked files."""
        with self._one_unpacks:
            if not self._unpacked.exists():
                self._unpack()
        os.utime(self._unpacked)
        os.rmdir(path)
        os.symlink(self._unpacked, path)

    def _unpack(self) -> None:
        # Whole, or not at all: two embedded AWSs may be at it, and the second one's is not needed.
        new = Path(tempfile.mkdtemp(dir=self.folder))
        super().extractall(new)
        try:
            new.rename(self._unpacked)
        except OSError:
            shutil.rmtree(new)
            if not self._unpacked.exists():
                raise

    @cached_property
    def _unpacked(self) -> Path:
        # The directory names each member with the checksum of its content (APPNOTE.TXT, 4.3.12): a hundred megabytes
        # need not be read for each process.
        with Path(str(self.filename)).open("rb") as archive:
            archive.seek(self.start_dir)
            digest = hashlib.sha256(archive.read()).hexdigest()
        return self.folder / digest


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
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), **own})
