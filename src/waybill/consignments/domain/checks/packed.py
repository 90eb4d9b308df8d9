"""What libarchive opens: 7z, RAR, cabinets, ISO images, LHA, and tar in zstd, lz4 or compress.

Imported in the scanners' process alone: it is C, and the archives are hostile.
"""

import io
import re
import stat
import warnings
from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from waybill.consignments.domain.checks.rar import HeadersEncryptedError, encrypted_files
from waybill.core.containers.archives import counted, refused
from waybill.core.containers.models import (
    ContainerBudget,
    ContainerEntry,
    ContainerError,
    ContainerKind,
    ContainerReader,
    UnopenedReason,
)

if TYPE_CHECKING:
    import archi

# libarchive tells these apart by their messages alone.
_REASONS = (
    (re.compile(r"encrypt|passphrase", re.IGNORECASE), UnopenedReason.ENCRYPTED),
    (re.compile(r"unrecognized archive format", re.IGNORECASE), UnopenedReason.NO_READER),
    (re.compile(r"unsupported|not supported|unavailable", re.IGNORECASE), UnopenedReason.UNKNOWN_METHOD),
    (re.compile(r"truncated|unexpected end|premature end", re.IGNORECASE), UnopenedReason.TRUNCATED),
)


def packed_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the files of an archive, one after the other as they lie in it; folders and links hold nothing."""
    size = file.seek(0, io.SEEK_END)
    encrypted = _encrypted_files(file)
    for number, entry in enumerate(_entries(file), start=1):
        budget.enter()
        if stat.S_ISDIR(entry.mode) or stat.S_ISLNK(entry.mode):
            continue
        # Where libarchive sees other files than the headers tell, none of them is taken for plain.
        if encrypted[number - 1] if number <= len(encrypted) else any(encrypted):
            yield refused(_name(entry, number), UnopenedReason.ENCRYPTED)
        else:
            yield ContainerEntry(_name(entry, number), counted(_Content(entry), budget, size))


def guessed_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what `packed_entries` does of a kind that libarchive may not know: nothing in it means that it does not.

    Zeros, with which much begins, are to it the end of a tar archive.
    """
    entries = packed_entries(file, budget)
    first = next(entries, None)
    if first is None:
        raise ContainerError(UnopenedReason.NO_READER)
    yield first
    yield from entries


def is_encrypted(file: BinaryIO) -> bool:
    """Return whether only a password opens the archive, a file in it (RAR), or the first file in it."""
    try:
        if any(_encrypted_files(file)):
            return True
        for entry in _entries(file):
            if not stat.S_ISDIR(entry.mode):
                _Content(entry).read(1)
                return False
    except ContainerError as error:
        return error.reason is UnopenedReason.ENCRYPTED
    return False


def _encrypted_files(file: BinaryIO) -> list[bool]:
    try:
        return encrypted_files(file)
    except HeadersEncryptedError:
        raise ContainerError(UnopenedReason.ENCRYPTED) from None


def _entries(file: BinaryIO) -> Iterator["archi.Entry"]:
    import archi

    # It reads a file by its descriptor or its path; of other objects it would take all of the content into memory.
    file.flush()
    try:
        with warnings.catch_warnings():
            # About names: what cannot be decoded is shown as it is.
            warnings.simplefilter("ignore")
            yield from archi.Archive(f"/proc/self/fd/{file.fileno()}")
    except archi.Error as error:
        raise ContainerError(_reason(error)) from error


def _name(entry: "archi.Entry", number: int) -> str:
    try:
        return str(entry.filename or f"member {number}")
    except UnicodeError:
        return f"member {number}"


class _Content:
    """The content of an entry; whatever libarchive warns of while it reads means that it is not whole."""

    def __init__(self, entry: "archi.Entry") -> None:
        self._entry = entry

    def read(self, count: int, /) -> bytes:
        import archi

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                plain: bytes = self._entry.read(count)
                return plain
        except (archi.Error, archi.ArchiveWarning) as error:
            raise ContainerError(_reason(error)) from error


def _reason(error: Exception) -> UnopenedReason:
    said = str(error)
    return next((reason for pattern, reason in _REASONS if pattern.search(said)), UnopenedReason.BROKEN)


PACKED = frozenset({ContainerKind.SEVEN_ZIP, ContainerKind.RAR})
_GUESSED = (ContainerKind.ZSTANDARD, ContainerKind.COMPRESS, ContainerKind.LZ4, ContainerKind.OTHER_ARCHIVE)
READERS: "MappingProxyType[ContainerKind, ContainerReader]" = MappingProxyType(
    {
        **dict.fromkeys((*PACKED, ContainerKind.CABINET, ContainerKind.ISO), packed_entries),
        **dict.fromkeys(_GUESSED, guessed_entries),
    }
)
