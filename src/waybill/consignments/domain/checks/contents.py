"""Gets the bytes of one object to where the scanners need them, in one read."""

import errno
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from pathlib import Path
from typing import Any, Self

from waybill.consignments.domain.checks.digest import CopyDigest, DigestBuilder
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import OUT_OF_TIME, Digest, Failure, FileRecord, Reason
from waybill.consignments.domain.checks.ports import OpenObject, Scanners, UploadedObjects
from waybill.consignments.domain.checks.spool import Workspace
from waybill.consignments.domain.checks.stream import ObjectStream

_CHUNK = 1 << 20
# Small files that wait to be examined, and the blocks and both ends of a stream.
_RESERVED_BYTES = 160 << 20
_NO_DISK = Failure(Reason.NO_DISK, "There was no room on the function's disk for the file.")


class _DiskFullError(Exception):
    pass


@contextmanager
def _disk_faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise _DiskFullError from error
        raise


def _write(file: FileIO, chunk: bytes) -> None:
    if file.write(chunk) < len(chunk):
        raise _DiskFullError


@dataclass
class Fetched:
    """A file whose bytes have been read; `path` is a copy of them, or of both ends of a stream."""

    path: Path
    size: int
    found: Digest | CopyDigest
    version_id: str | None
    e_tag: str
    # What an object that was too large to be kept has left.
    stream: ObjectStream | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def digest(self) -> Digest:
        """The digest, which may have to be waited for."""
        return self.found.result() if isinstance(self.found, CopyDigest) else self.found

    def close(self) -> None:
        """Remove the copy."""
        if isinstance(self.found, CopyDigest):
            self.found.close()
        self.path.unlink(missing_ok=True)

    def reading(self) -> dict[str, Any]:
        """Return how the file was read, as results hold it."""
        return {
            "bytes": self.size,
            "versionId": self.version_id,
            "eTag": self.e_tag,
            "how": "stream" if self.stream else "whole",
        }


class ContentFetcher:
    """Reads objects, each once.

    Parameters
    ----------
    objects : UploadedObjects
        The objects.
    workspace : Workspace
        Where copies go.
    large_bytes : int
        Objects above this size are not kept, but pass as a stream.
    seconds_left : callable
        How long may still be read.
    """

    def __init__(
        self, objects: UploadedObjects, workspace: Workspace, large_bytes: int, seconds_left: Callable[[], float]
    ) -> None:
        self._objects = objects
        self._workspace = workspace
        self._large_bytes = large_bytes
        self._seconds_left = seconds_left

    def fetch(self, record: FileRecord, scanners: Scanners | None, scan_seconds: float) -> Fetched:
        """Read the object of `record`; the result holds its copy until it is closed.

        `scanners` get the blocks of an object that is too large to be kept; None where nothing is scanned.

        Raises
        ------
        FileRefusedError
            S3 does not give it, or it takes more time than there is.
        ChecksUnavailableError
            S3 fails.
        """
        with suppress(_DiskFullError), self._opened(record) as (opened, path):
            if self._fits(opened.size):
                return self._copied(opened, path)
            return self._streamed(opened, path, scanners, scan_seconds)
        # Others have filled the disk meanwhile: what does not fit passes as a stream, and costs its neighbours nothing.
        try:
            with self._opened(record) as (opened, path):
                return self._streamed(opened, path, scanners, scan_seconds)
        except _DiskFullError as error:
            raise FileRefusedError(_NO_DISK) from error

    def fetch_small(self, record: FileRecord, limit: int) -> Fetched | None:
        """Read the object if it has at most `limit` bytes, and is one to be kept; None if not. Raises as `fetch`."""
        with suppress(_DiskFullError), self._opened(record) as (opened, path):
            return self._copied(opened, path) if opened.size <= limit and self._fits(opened.size) else None
        return None

    def _fits(self, size: int) -> bool:
        """Return whether a copy fits on the disk, beside what is fetched ahead and what streams need."""
        room = self._workspace.free_bytes() - (_RESERVED_BYTES if size > _RESERVED_BYTES else 0)
        return size <= min(self._large_bytes, room)

    def _streamed(self, opened: OpenObject, path: Path, scanners: Scanners | None, seconds: float) -> Fetched:
        stream = ObjectStream(scanners, path, seconds)
        with _disk_faults():
            digest = stream.run(self._chunks(opened))
        return self._fetched(opened, path, digest.size, digest, stream)

    @contextmanager
    def _opened(self, record: FileRecord) -> Iterator[tuple[OpenObject, Path]]:
        if self._seconds_left() <= 0:
            raise FileRefusedError(OUT_OF_TIME)
        with closing(self._objects.open(record)) as opened:
            path = self._workspace.path(record.extension)
            try:
                yield opened, path
            except BaseException:  # whatever ends the reading, time and the invocation's end included, no copy stays
                path.unlink(missing_ok=True)
                raise

    def _copied(self, opened: OpenObject, path: Path) -> Fetched:
        chunks = self._chunks(opened)
        first, second = next(chunks, b""), next(chunks, b"")
        with _disk_faults(), path.open("wb", buffering=0) as file:
            if not second:
                # Most files are no longer than this, and worth no thread.
                _write(file, first)
                builder = DigestBuilder()
                builder.feed(first)
                return self._fetched(opened, path, len(first), builder.digest())
            # Its length is told beforehand: the system makes room for it in fewer steps.
            file.truncate(opened.size)
            digest = CopyDigest(path)
            try:
                for chunk in chain((first, second), chunks):
                    _write(file, chunk)
                    digest.wrote(chunk)
                written = file.tell()
                file.truncate(written)
                digest.end()
                return self._fetched(opened, path, written, digest)
            except BaseException:
                digest.close()
                raise

    def _fetched(
        self, opened: OpenObject, path: Path, size: int, found: Digest | CopyDigest, stream: ObjectStream | None = None
    ) -> Fetched:
        if size != opened.size:
            raise ChecksUnavailableError(f"S3 gave {size} bytes of {opened.size}")
        return Fetched(path, size, found, opened.version_id, opened.e_tag, stream)

    def _chunks(self, opened: OpenObject) -> Iterator[bytes]:
        while chunk := opened.read(_CHUNK):
            if self._seconds_left() <= 0:
                raise FileRefusedError(OUT_OF_TIME)
            yield chunk
