"""Registering and uploading the files of a directory; an interrupted upload goes on where it stopped."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from boto3.s3.transfer import TransferConfig

from waybill.cli.consignments.walking import LocalFile, told
from waybill.cli.deployment import Stack
from waybill.cli.output import printable
from waybill.consignments.domain.registration import Registrar
from waybill.consignments.domain.requests import FILES_PER_PAGE, ConsignmentRequest
from waybill.consignments.models import LeftOutFile
from waybill.core.aws.s3_faults import translated
from waybill.core.errors import WaybillError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Up to this an upload is one request, whose checksum S3 compares with ours; above it, parts that have their own.
_ONE_REQUEST_BYTES = 64_000_000
# Of each large file, many of which are sent at the same time.
_PARTS_AT_ONCE = 2


type HashedFile = tuple[LocalFile, str]


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
class Memory:
    """Which consignment was begun for a directory, from one call of the program to the next.

    `identity` is everything that makes it that consignment: a directory that has changed begins another one.
    """

    identity: str

    @classmethod
    def of(
        cls, stack: Stack, directory: Path, head: Mapping[str, Any], user: str, hashed: Sequence[HashedFile]
    ) -> "Memory":
        """Return the memory for these files of `directory`, sent by `user` to `stack`."""
        place = [stack.name, stack.region, stack.endpoint, str(directory.resolve()), user]
        content = [[file.path, sha256] for file, sha256 in hashed]
        document = json.dumps([place, sorted(head.items()), content])
        return cls(hashlib.sha256(document.encode()).hexdigest())

    @property
    def _file(self) -> Path:
        return Path(typer.get_app_dir("waybill")) / "consignments" / f"{self.identity[:32]}.json"

    def recall(self) -> str | None:
        """Return the id of the consignment that was begun."""
        try:
            return str(json.loads(self._file.read_text("utf-8"))["consignmentId"])
        except (OSError, ValueError, KeyError):
            return None

    def keep(self, consignment_id: str) -> None:
        """Remember it."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"consignmentId": consignment_id}), "utf-8")

    def forget(self) -> None:
        """Let the next call begin another one."""
        self._file.unlink(missing_ok=True)


def note_left_out(
    registrar: Registrar, head: dict[str, Any], total: int, left_out: Sequence[LeftOutFile], user: str
) -> None:
    """Register what is not sent beside `total` files, in pages of 1,000."""
    for page in batched(left_out, FILES_PER_PAGE, strict=False):
        request = ConsignmentRequest.parse({**head, "totalFiles": total, "files": [], "notSent": told(page)})
        registrar.take(request, user)


def described(file: LocalFile, sha256: str) -> dict[str, Any]:
    """Return a file as it is registered."""
    return {"path": file.path, "size": file.size, "sha256": sha256, "lastModified": file.last_modified}


def register(registrar: Registrar, head: dict[str, Any], hashed: Sequence[HashedFile], user: str) -> Iterator[Upload]:
    """Register the files in pages of 1,000; yield where each goes, when its page is stored. `head` names the rest."""
    for page in batched(hashed, FILES_PER_PAGE, strict=False):
        files = [described(file, sha256) for file, sha256 in page]
        request = ConsignmentRequest.parse({**head, "totalFiles": len(hashed), "files": files})
        keys = {file["path"]: file["uploadKey"] for file in registrar.take(request, user)["files"]}
        yield from (Upload(file, sha256, keys[file.path]) for file, sha256 in page)


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
