"""Which files of a directory are sent, and why the others are not."""

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from waybill.cli.errors import CommandError
from waybill.consignments.domain.tables import excluded_by
from waybill.consignments.models import LeftOutFile
from waybill.core.clock import iso

_BLOCK_BYTES = 1 << 20


class LeftOut(StrEnum):
    """Why something is not sent, for programs."""

    LINK = "LINK"
    SPECIAL_FILE = "SPECIAL_FILE"
    EXCLUDED = "EXCLUDED"
    UNREADABLE = "UNREADABLE"
    NAME_NOT_UTF8 = "NAME_NOT_UTF8"
    EMPTY_FOLDER = "EMPTY_FOLDER"
    CHANGED = "CHANGED"


# What somebody would have wanted to send: the command has not done all that was asked of it.
FAULTS = frozenset({LeftOut.UNREADABLE, LeftOut.NAME_NOT_UTF8, LeftOut.CHANGED})
_SPECIAL = (
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


@dataclass(frozen=True)
class LocalFile:
    """A file to send: `path` is what the register calls it, relative to the directory, with slashes.

    `changed_ns` is when its content was changed last, in nanoseconds, to notice a later change by.
    """

    location: Path
    path: str
    size: int
    last_modified: str | None = None
    changed_ns: int | None = None

    def has_changed(self) -> bool:
        """Return whether it is another file by now, or gone."""
        if self.changed_ns is None:
            return False
        try:
            status = self.location.stat()
        except OSError:
            return True
        return (status.st_size, status.st_mtime_ns) != (self.size, self.changed_ns)


@dataclass(frozen=True)
class Walk:
    """What a directory holds: the files to send, what is not sent, and which paths are one file by several names."""

    files: tuple[LocalFile, ...]
    left_out: tuple[LeftOutFile, ...]
    hard_links: tuple[tuple[str, ...], ...] = ()


class _Directory:
    """Collects what there is below a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[LocalFile] = []
        self.left_out: list[LeftOutFile] = []
        self._linked: dict[tuple[int, int], list[str]] = defaultdict(list)

    def take(self, location: Path) -> None:
        """Take in one entry."""
        path, given = self._path(location)
        if given is not None:
            self._leave(given, LeftOut.NAME_NOT_UTF8, "its name is not UTF-8: rename it")
            return
        try:
            status = location.lstat()
        except OSError as error:
            self.unreadable(location, error)
            return
        if stat.S_ISLNK(status.st_mode):
            self._leave(path, LeftOut.LINK, self._link(location))
        elif not stat.S_ISREG(status.st_mode):
            kind = next((name for is_kind, name in _SPECIAL if is_kind(status.st_mode)), "no ordinary file")
            self._leave(path, LeftOut.SPECIAL_FILE, f"it is {kind}, which holds nothing that could be kept")
        elif excluded_by(location.name) is not None:
            self._leave(path, LeftOut.EXCLUDED, f"files that are named {location.name} are excluded: systems make them")
        else:
            moment = _moment(status.st_mtime)
            self.files.append(LocalFile(location, path, status.st_size, moment, status.st_mtime_ns))
            if status.st_nlink > 1:
                self._linked[status.st_dev, status.st_ino].append(path)

    def empty(self, folder: Path) -> None:
        """Take in a folder with nothing in it."""
        path, given = self._path(folder)
        self._leave(given or path, LeftOut.EMPTY_FOLDER, "it is a folder with nothing in it")

    def unreadable(self, location: Path, error: OSError) -> None:
        """Take in what cannot be read."""
        path, given = self._path(location)
        self._leave(given or path, LeftOut.UNREADABLE, f"it cannot be read: {error.strerror or type(error).__name__}")

    def hard_links(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of each file that has several here."""
        return tuple(sorted(tuple(sorted(paths)) for paths in self._linked.values() if len(paths) > 1))

    def _path(self, location: Path) -> tuple[str, str | None]:
        """Return the path, and what to write in its place where it is not UTF-8."""
        path = location.relative_to(self.root).as_posix()
        try:
            path.encode()
        except UnicodeEncodeError:
            return path, path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return path, None

    def _link(self, location: Path) -> str:
        target = os.fsencode(os.readlink(location)).decode("utf-8", "backslashreplace")
        if not location.exists():
            return f"it is a link to {target}, where nothing is"
        kind = "folder" if location.is_dir() else "file"
        inside = location.resolve().is_relative_to(self.root.resolve())
        where = "which is among what is looked at" if inside else "which is outside of the directory and is not sent"
        return f"it is a link to the {kind} {target}, {where}"

    def _leave(self, path: str, kind: LeftOut, reason: str) -> None:
        self.left_out.append(LeftOutFile(path, kind.value, reason))


def walk(directory: Path) -> Walk:
    """Return the files below `directory`, in the order of their paths, and everything else with the reason.

    Raises
    ------
    CommandError
        It is no directory, or cannot be read.
    """
    if not directory.is_dir():
        raise CommandError(f"{directory} is not a directory")
    found = _Directory(directory)
    for location, is_empty in _entries(found):
        if is_empty:
            found.empty(location)
        else:
            found.take(location)
    return Walk(
        tuple(sorted(found.files, key=lambda file: file.path)),
        tuple(sorted(found.left_out, key=lambda each: each.path)),
        found.hard_links(),
    )


def _entries(found: _Directory) -> Iterator[tuple[Path, bool]]:
    """Yield everything that is no folder, and the folders without anything in them, which the second value tells."""

    def refused(error: OSError) -> None:
        location = Path(error.filename)
        if location == found.root:
            raise CommandError(f"cannot be read: {error}") from error
        found.unreadable(location, error)

    for folder, folders, names in os.walk(found.root, onerror=refused):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        if not names and not folders and here != found.root:
            yield here, True
        yield from ((here / name, False) for name in (*names, *links))


def sha256_of(location: Path) -> str:
    """Return the SHA-256 of a file as lower-case hex; raises OSError when it cannot be read."""
    digest = hashlib.sha256()
    with location.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _moment(seconds: float) -> str | None:
    try:
        return iso(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):  # some file systems give times that no calendar has
        return None


def told(left_out: Sequence[LeftOutFile]) -> list[dict[str, str]]:
    """Return what is not sent as `[{path, kind, reason}]`."""
    return [{"path": each.path, "kind": each.kind, "reason": each.reason} for each in left_out]
