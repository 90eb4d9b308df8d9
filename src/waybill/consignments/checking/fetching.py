"""Gets the bytes of one object to where the scanners need them, in one read."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from waybill.consignments.checking.blocks import Blocks
from waybill.consignments.checking.errors import ChecksUnavailableError, ObjectRefusedError
from waybill.consignments.checking.models import OUT_OF_TIME, Digest, Failure, FileRecord, Question
from waybill.consignments.checking.passing import Pass
from waybill.consignments.checking.ports import Objects, Opened, Scanners
from waybill.consignments.checking.spooling import CHUNK, Windows, Workspace, spool_name


@dataclass
class Fetched:
    """A file whose bytes have been read; `path` is a copy of them, or what stands for it if `streamed`."""

    path: Path
    digest: Digest
    version_id: str | None
    e_tag: str
    streamed: bool = False
    # What the rules have found in the blocks of a stream.
    found: set[str] = field(default_factory=set)
    scan_failure: Failure | None = None
    _closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def reading(self) -> dict[str, Any]:
        """Return how the file was read, as results hold it."""
        return {
            "bytes": self.digest.size,
            "versionId": self.version_id,
            "eTag": self.e_tag,
            "how": "stream" if self.streamed else "whole",
        }


class Fetcher:
    """Reads objects, each once.

    Parameters
    ----------
    objects : Objects
        The objects.
    workspace : Workspace
        Where copies go.
    large_bytes : int
        Objects above this size are not kept, but pass as a stream.
    seconds_left : callable
        How long may still be read.
    """

    def __init__(
        self, objects: Objects, workspace: Workspace, large_bytes: int, seconds_left: Callable[[], float]
    ) -> None:
        self._objects = objects
        self._workspace = workspace
        self._large_bytes = large_bytes
        self._seconds_left = seconds_left

    def fetch(self, record: FileRecord, scanners: Scanners | None, scan_seconds: float) -> Fetched:
        """Read the object of `record`; the result holds its folder until it is closed.

        `scanners` get the blocks of an object that is too large to be kept; None where nothing is scanned.

        Raises
        ------
        ObjectRefusedError
            S3 does not give it, or it takes more time than there is.
        ChecksUnavailableError
            S3 fails.
        """
        with ExitStack() as stack:
            opened = stack.enter_context(closing(self._objects.open(record)))
            keeping = ExitStack()
            stack.enter_context(keeping)
            folder = keeping.enter_context(self._workspace.folder())
            path = folder / spool_name(record.extension)
            if opened.size > self._large_bytes:
                streamed = _Stream(scanners, folder, scan_seconds)
                digest = streamed.run(self._chunks(opened), path)
                found, failure = streamed.found, streamed.failure
            else:
                digest, found, failure = self._spool(opened, path), set(), None
            if digest.size != opened.size:
                raise ChecksUnavailableError(f"S3 gave {digest.size} bytes of {opened.size}")
            return Fetched(
                path,
                digest,
                opened.version_id,
                opened.e_tag,
                streamed=opened.size > self._large_bytes,
                found=found,
                scan_failure=failure,
                _closing=keeping.pop_all(),
            )

    def _spool(self, opened: Opened, path: Path) -> Digest:
        passing = Pass()
        with path.open("wb", buffering=0) as file:
            for chunk in self._chunks(opened):
                passing.feed(chunk)
                file.write(chunk)
        return passing.digest()

    def _chunks(self, opened: Opened) -> Iterator[bytes]:
        while chunk := opened.read(CHUNK):
            if self._seconds_left() <= 0:
                raise ObjectRefusedError(OUT_OF_TIME)
            yield chunk


class _Stream:
    """A pass over an object that does not fit on the disk: one block is scanned while the next is read."""

    def __init__(self, scanners: Scanners | None, folder: Path, scan_seconds: float) -> None:
        self._scanners = scanners
        self._seconds = scan_seconds
        self._places = [folder / "block-0", folder / "block-1"]
        self._asked = False
        self.found: set[str] = set()
        self.failure: Failure | None = None

    def run(self, chunks: Iterator[bytes], path: Path) -> Digest:
        passing, windows, blocks = Pass(), Windows(), Blocks()
        try:
            for chunk in chunks:
                passing.feed(chunk)
                windows.feed(chunk)
                for block in blocks.feed(chunk):
                    self._scan(block)
            for block in blocks.rest():
                self._scan(block)
        finally:
            self._collect()
        for place in self._places:
            place.unlink(missing_ok=True)
        windows.write(path)
        return passing.digest()

    def _scan(self, block: bytes) -> None:
        if self._scanners is None or self.failure is not None:
            return
        place = self._places[0]
        place.write_bytes(block)
        self._collect()
        self._scanners.ask(Question(place, {"scan": self._seconds}))
        self._asked = True
        self._places.reverse()

    def _collect(self) -> None:
        if self._scanners is None or not self._asked:
            return
        self._asked = False
        answer = self._scanners.answers()["scan"]
        if isinstance(answer, Failure):
            self.failure = answer
        else:
            self.found.update(answer)
