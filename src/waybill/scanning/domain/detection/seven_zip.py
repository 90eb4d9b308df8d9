"""The members of 7z archives, by py7zr.

Several lie in one compressed stream, so that all are unpacked before any is read.
"""

import tempfile
from collections.abc import Iterator
from typing import IO, Any

from waybill.scanning.domain.detection.budget import Budget, UnreadableError
from waybill.scanning.domain.detection.member import Member, named, on_disk

# A function has 512 MB of disk in all.
_UNPACKED_BYTES = 256 << 20
_IN_MEMORY_BYTES = 1 << 20


def seven_zip_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the members of a 7z archive; raises UnreadableError where it is encrypted, broken or too large."""
    import py7zr
    from py7zr.exceptions import ArchiveError, PasswordRequired, UnsupportedCompressionMethodError

    with on_disk(outer, budget) as (path, size):
        files = _Files(budget, size)
        reason = ""
        try:
            with py7zr.SevenZipFile(path) as archive:
                if archive.needs_password():
                    raise UnreadableError("ENCRYPTED")
                archive.extractall(factory=files)
        except UnreadableError as error:
            reason = error.reason
        except PasswordRequired:
            reason = "ENCRYPTED"
        except UnsupportedCompressionMethodError:
            reason = "ARCHIVE_METHOD"
        except MemoryError:
            raise
        except (ArchiveError, Exception):  # whatever is made of hostile bytes
            reason = "ARCHIVE_BROKEN"
        # What was unpacked before it broke counts.
        for name, file in files.made:
            with file:
                file.seek(0)
                yield Member(named(outer, name, budget), file.read)
        if reason:
            raise UnreadableError(reason)


class _File:
    """What a member is written to."""

    def __init__(self, files: "_Files") -> None:
        self._files = files
        self.content: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 (closed when it was read)

    def write(self, part: bytes | bytearray) -> int:
        self._files.count(len(part))
        return self.content.write(part)

    def read(self, size: int | None = None) -> bytes:
        return self.content.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.content.seek(offset, whence)

    def flush(self) -> None:
        self.content.flush()

    def size(self) -> int:
        return self.content.tell()

    def close(self) -> None:
        """Leave it open: it is read when all are there."""


class _Files:
    """Makes a file of each member, within the limits of the object."""

    def __init__(self, budget: Budget, packed: int) -> None:
        self._budget = budget
        self._packed = packed
        self._unpacked = 0
        self.made: list[tuple[str, IO[bytes]]] = []

    def create(self, filename: str) -> Any:
        self._budget.enter()
        file = _File(self)
        self.made.append((filename, file.content))
        return file

    def count(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > _UNPACKED_BYTES:
            raise UnreadableError("ARCHIVE_TOO_LARGE")
        self._budget.unpack(size, self._unpacked, self._packed)
