"""What the file checks are tried with: objects in memory, and the scanners' process with the rules of the project."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.adapters.scanner_process import MODULE, ScannerProcess
from waybill.consignments.domain.checks.checker import FileChecker, FileTimeLimits
from waybill.consignments.domain.checks.contents import ContentFetcher
from waybill.consignments.domain.checks.engines import YaraEngine
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import Failure, FileRecord, Reason
from waybill.consignments.domain.checks.ports import Antivirus, Scanners
from waybill.consignments.domain.checks.rule_set import RuleSet
from waybill.consignments.domain.checks.spool import Workspace

HOSTILE = "tests.fakes.hostile_scanners"
MISSING = Failure(Reason.OBJECT_MISSING, "The uploaded file is not there.")


def record(path: str, content: bytes = b"", **more: Any) -> dict[str, Any]:
    """Return the record of a file; its id and key are the path, so that tests can tell files apart."""
    return {
        "consignmentId": "e7073993-0bed-4d5f-bb2a-5bea1b2a87d3",
        "fileId": path,
        "userId": "030cf12c-8d5d-46b9-b86a-38e0920d0e1a",
        "consignmentType": "standard",
        "fileSize": str(len(content)),
        "clientChecksum": hashlib.sha256(content).hexdigest(),
        "originalPath": path,
        "s3SourceBucket": "uploads",
        "s3SourceBucketKey": path,
        "objectSize": len(content),
        "fileCheckResults": {"antivirus": [], "checksum": [], "fileFormat": []},
        **more,
    }


@dataclass
class MemoryObject:
    """One object, read `step` bytes at a time at most; `fail` is raised behind the first chunk."""

    content: bytes
    step: int
    fail: Exception | None = None
    version_id: str | None = "v1"
    e_tag: str = "tag"
    place: int = 0
    closed: bool = False

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, count: int) -> bytes:
        if self.fail is not None and self.place:
            raise self.fail
        chunk = self.content[self.place : self.place + min(count, self.step)]
        self.place += len(chunk)
        return chunk

    def close(self) -> None:
        self.closed = True


@dataclass
class MemoryObjects:
    """`Objects` by key; notes what is opened."""

    contents: dict[str, bytes]
    step: int = 1 << 20
    failures: dict[str, Exception] = field(default_factory=dict)
    breaking: dict[str, Exception] = field(default_factory=dict)
    opened: list[MemoryObject] = field(default_factory=list)

    def open(self, wanted: FileRecord) -> MemoryObject:
        if wanted.key in self.failures:
            raise self.failures[wanted.key]
        if wanted.key not in self.contents:
            raise FileRefusedError(MISSING)
        made = MemoryObject(self.contents[wanted.key], self.step, self.breaking.get(wanted.key))
        self.opened.append(made)
        return made


@contextmanager
def scanners(folder: Path, rules: RuleSet | None = None, module: str = MODULE) -> Iterator[ScannerProcess]:
    """Start the scanners' process; `rules` default to those of the project."""
    chosen = rules or shipped()
    process = ScannerProcess(chosen.write(folder), chosen.excluded, {}, module)
    try:
        yield process
    finally:
        process.close()


@dataclass
class Desk:
    """A checker on memory; attributes may be changed before `check`."""

    folder: Path
    scanners: Scanners
    objects: MemoryObjects
    large_bytes: int = 1 << 30
    limits: FileTimeLimits = field(default_factory=FileTimeLimits)
    seconds_left: Callable[[], float] = lambda: 600.0
    last_attempt: bool = False
    antivirus: Antivirus = field(default_factory=lambda: YaraEngine(shipped().yara, shipped().version))

    def check(self, records: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Return the lines of `records`, by default of all objects."""
        if records is None:
            records = [record(path, content) for path, content in self.objects.contents.items()]
        fetcher = ContentFetcher(self.objects, Workspace(self.folder / "files"), self.large_bytes, self.seconds_left)
        checker = FileChecker(
            fetcher,
            self.scanners,
            self.antivirus,
            self.limits,
            self.seconds_left,
            lambda: 1_670_411_830_303,
            last_attempt=self.last_attempt,
        )
        return list(checker.lines(records))


def results(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of a line by check; None where there is none."""
    return {name: found[0] if found else None for name, found in line["fileCheckResults"].items()}


def unavailable() -> ChecksUnavailableError:
    """Return what is raised while S3 is down."""
    return ChecksUnavailableError("SlowDown from S3")
