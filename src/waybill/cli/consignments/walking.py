"""Which files of a directory are sent."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from waybill.cli.errors import CommandError
from waybill.consignments.domain.tables import is_excluded

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class LocalFile:
    """A file to send: `path` is what the register calls it, relative to the directory, with slashes."""

    location: Path
    path: str
    size: int


@dataclass(frozen=True)
class Walk:
    """What a directory holds; `left_out` are paths that are not sent: excluded names, links, and what is no file."""

    files: tuple[LocalFile, ...]
    left_out: tuple[str, ...]


def walk(directory: Path) -> Walk:
    """Return the files below `directory`, in the order of their paths.

    Raises
    ------
    CommandError
        It cannot be read, or a name is not UTF-8.
    """
    files: list[LocalFile] = []
    left_out: list[str] = []
    for location in _entries(directory):
        path = location.relative_to(directory).as_posix()
        try:
            path.encode()
        except UnicodeEncodeError:
            raise CommandError(f"a name is not UTF-8, rename it: {path!a}") from None
        status = location.lstat()
        if stat.S_ISREG(status.st_mode) and not is_excluded(location.name):
            files.append(LocalFile(location, path, status.st_size))
        else:
            left_out.append(path)
    return Walk(tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(left_out)))


def _entries(directory: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise CommandError(f"cannot be read: {error}") from error

    if not directory.is_dir():
        raise CommandError(f"{directory} is not a directory")
    for folder, folders, names in os.walk(directory, onerror=stop):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        yield from (Path(folder) / name for name in (*names, *links))


def sha256_of(location: Path) -> str:
    """Return the SHA-256 of a file as lower-case hex; raises `CommandError` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with location.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise CommandError(f"cannot be read: {error}") from error
    return digest.hexdigest()
