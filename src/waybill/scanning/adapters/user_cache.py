"""What is kept of this user between calls on this machine: compiled patterns, which anybody else could break in by."""

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from waybill.core.user_folders import user_folder

_DIGEST_BYTES = hashlib.sha256().digest_size
# Two for each set of detectors and regions that is asked for, and more; older ones are those of earlier versions.
_FILES_KEPT = 64
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class UserCache:
    """`Cache` in a folder that belongs to the user, and to which nobody else can write; else it keeps nothing.

    A file begins with the digest of what it holds: one that was cut or broken is no file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_user(cls) -> "UserCache":
        """Return the cache of the user who runs this process."""
        return cls(user_folder("CACHE"))

    def load(self, name: str) -> bytes | None:
        """Return what is kept by a name, None where nothing is, or nothing to rely on."""
        with suppress(OSError), self._opened() as folder:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(file, "rb") as stream:
                if not _is_ours(os.fstat(file)):
                    return None
                digest, content = stream.read(_DIGEST_BYTES), stream.read()
            if digest == hashlib.sha256(content).digest():
                return content
        return None

    def store(self, name: str, content: bytes) -> None:
        """Keep something by a name, as a whole or not at all."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened() as folder:
                new = f".{secrets.token_hex(8)}"
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                try:
                    with os.fdopen(os.open(new, flags, 0o600, dir_fd=folder), "wb") as stream:
                        stream.write(hashlib.sha256(content).digest() + content)
                    os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
                except OSError:
                    os.unlink(new, dir_fd=folder)
                    raise
                _drop_oldest(folder)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the folder; raises OSError where it is another's, or others may write to it."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not _is_ours(os.fstat(folder)):
                raise PermissionError(self._folder)
            yield folder
        finally:
            os.close(folder)


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE


def _drop_oldest(folder: int) -> None:
    written = sorted((os.stat(name, dir_fd=folder).st_mtime, name) for name in os.listdir(folder))
    for _, name in written[:-_FILES_KEPT]:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
