"""How the code and the layers of a function get to its processes.

MiniStack unpacks both for every process, which takes seconds where many start at once. Here they are unpacked for the
first one, and what Python compiles of them is kept for the others.
"""

import hashlib
import os
import tempfile
import threading
import zipfile
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked for its first process; the others get a link to the same files."""

    # ZipFile has a `_lock` of its own, for each archive that is open.
    _one_unpacks = threading.Lock()

    def namelist(self) -> list[str]:
        """Return the members, which MiniStack checks before it unpacks them; none when that was done before."""
        return [] if self._unpacked.exists() else super().namelist()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        """Make the empty folder `path` a link to the unpacked files."""
        with self._one_unpacks:
            if not self._unpacked.exists():
                new = self._unpacked.with_suffix(".new")
                super().extractall(new)
                new.rename(self._unpacked)
        os.rmdir(path)
        os.symlink(self._unpacked, path)

    @cached_property
    def _unpacked(self) -> Path:
        # The directory names each member with the checksum of its content (APPNOTE.TXT, 4.3.12): a hundred megabytes
        # need not be read for each process.
        with Path(str(self.filename)).open("rb") as archive:
            archive.seek(self.start_dir)
            digest = hashlib.sha256(archive.read()).hexdigest()
        folder = Path(tempfile.gettempdir(), "unpacked")
        folder.mkdir(exist_ok=True)
        return folder / digest


def mend() -> None:
    """Unpack an archive once."""
    # MiniStack catches a `LargeFileError` that does not exist, which hides what went wrong.
    own = {"ZipFile": UnpackedOnce, "LargeFileError": zipfile.LargeZipFile}
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), **own})
