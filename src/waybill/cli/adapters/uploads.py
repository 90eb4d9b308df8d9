"""Files of this machine, sent to a bucket."""

import base64
import mimetypes
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig

from waybill.cli.output import printable
from waybill.cli.walking import LocalFile
from waybill.core.aws.faults import AWS_FAULTS
from waybill.core.aws.s3_faults import translated
from waybill.core.errors import WaybillError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Up to this an upload is one request, whose checksum S3 compares with ours; above it, parts that have their own.
_ONE_REQUEST_BYTES = 64_000_000
# Of each large file, many of which are sent at the same time.
_PARTS_AT_ONCE = 2

UPLOAD_FAULTS = (*AWS_FAULTS, OSError, S3UploadFailedError)
"""Why a file may not be sent."""


class UploadRefusedError(WaybillError):
    """S3 did not take an upload."""


class _ChangedError(Exception):
    """A file is not any more what it was when it was looked at."""


@dataclass(frozen=True)
class Upload:
    """One file, and where it goes."""

    file: LocalFile
    sha256: str
    key: str


@dataclass(frozen=True)
class Sent:
    """How many files were sent, and those that changed between the look at them and the end of their upload."""

    count: int
    changed: Sequence[Upload] = ()


@dataclass(frozen=True)
class Uploader:
    """Uploads to one bucket; `client` is a boto3 `s3` client."""

    client: "S3Client"
    bucket: str

    def present(self, prefix: str) -> dict[str, int]:
        """Return the sizes of what an earlier call has uploaded, by key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", [])}

    def send_all(
        self, uploads: Sequence[Upload], present: dict[str, int], pool: Executor, advance: Callable[[], None]
    ) -> Sent:
        """Upload what is not there yet; what changes meanwhile keeps none of the others from being sent."""
        changed: list[Upload] = []

        def send(upload: Upload) -> bool:
            there = present.get(upload.key) == upload.file.size and self._is_there(upload)
            try:
                if not there:
                    self._send_unchanged(upload)
            except _ChangedError:
                changed.append(upload)
                return False
            finally:
                advance()
            return not there

        number = sum(pool.map(send, uploads))
        return Sent(number, sorted(changed, key=lambda upload: upload.file.path))

    def _send_unchanged(self, upload: Upload) -> None:
        try:
            self._send(upload)
        except (UploadRefusedError, OSError) as error:
            if upload.file.has_changed():
                raise _ChangedError from error
            raise
        # Of what is sent in parts nobody has compared the checksum of the whole.
        if upload.file.has_changed():
            raise _ChangedError

    def _is_there(self, upload: Upload) -> bool:
        head = self.client.head_object(Bucket=self.bucket, Key=upload.key)
        return bool(head.get("Metadata", {}).get("sha256") == upload.sha256)

    def _send(self, upload: Upload) -> None:
        metadata = {"sha256": upload.sha256}
        location = str(upload.file.location)
        # Whoever sends it knows the file by its name, and not by the key that it was given.
        with translated(UploadRefusedError, UploadRefusedError, printable(upload.file.path)):
            if upload.file.size > _ONE_REQUEST_BYTES:
                more = {"ChecksumAlgorithm": "SHA256", "Metadata": metadata}
                few = TransferConfig(max_concurrency=_PARTS_AT_ONCE)
                self.client.upload_file(location, self.bucket, upload.key, ExtraArgs=more, Config=few)
                return
            checksum = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
            # Read as it is sent: sixteen whole files would take a gigabyte. What has changed since it was hashed has
            # another checksum, which S3 refuses.
            with upload.file.location.open("rb") as content:
                self.client.put_object(
                    Bucket=self.bucket, Key=upload.key, Body=content, ChecksumSHA256=checksum, Metadata=metadata
                )


def send_file(client: "S3Client", location: Path, bucket: str, key: str) -> int:
    """Upload one file, with the media type of its name and a checksum, and return its size."""
    media_type = mimetypes.guess_type(location.name)[0] or "application/octet-stream"
    size = location.stat().st_size
    more = {"ContentType": media_type, "ChecksumAlgorithm": "SHA256"}
    client.upload_file(str(location), bucket, key, ExtraArgs=more)
    return size
