"""Objects that are files, for what is measured without S3."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from waybill.consignments.domain.checks.models import FileRecord
from waybill.consignments.domain.file_records import RegisteredRecord


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


def record_of(path: Path) -> RegisteredRecord:
    """Return the record of a file."""
    return RegisteredRecord(
        consignmentId="bench",
        fileId=path.name,
        userId="bench",
        consignmentType="",
        fileSize=str(path.stat().st_size),
        clientChecksum="",
        originalPath=path.name,
        s3SourceBucket="files",
        s3SourceBucketKey=path.name,
        objectSize=path.stat().st_size,
        eTag="tag",
        fileCheckResults={},
    )
