"""Objects that are files, for what is measured without S3."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from waybill.consignments.domain.checks.models import FileRecord


@dataclass
class DiskObject:
    """A file that is being read."""

    file: BinaryIO
    size: int
    version_id: str | None = None
    e_tag: str = "tag"

    def read(self, count: int) -> bytes:
        return self.file.read(count)

    def close(self) -> None:
        self.file.close()


@dataclass
class DiskObjects:
    """`Objects` in a folder."""

    folder: Path

    def open(self, record: FileRecord) -> DiskObject:
        path = self.folder / record.key
        return DiskObject(path.open("rb", buffering=0), path.stat().st_size)


def record_of(path: Path) -> dict[str, Any]:
    """Return the record of a file."""
    place = {"s3SourceBucket": "files", "s3SourceBucketKey": path.name}
    return {"fileId": path.name, "originalPath": path.name, "objectSize": path.stat().st_size, **place}
