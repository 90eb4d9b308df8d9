"""`Parts` on S3."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from waybill.core.aws.s3_faults import translated
from waybill.subject_access.domain.upstream.ports import SizeMismatchError, Stored
from waybill.subject_access.errors import StorageRefusedError, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# S3 takes parts of 5 MiB and more. This much of an object is in memory at a time.
_PART_BYTES = 8 * 1024**2


@dataclass
class _Measured:
    """Passes chunks on, measures them, and stops where they are more than `expected` bytes."""

    chunks: Iterator[bytes]
    expected: int | None

    def __post_init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of at least the size of a part, but for the last one; none without bytes."""
        held, kept = 0, list[bytes]()
        for chunk in self.chunks:
            self.size += len(chunk)
            if self.expected is not None and self.size > self.expected:
                raise SizeMismatchError(self.size)
            self._hash.update(chunk)
            kept.append(chunk)
            held += len(chunk)
            if held >= _PART_BYTES:
                piece = b"".join(kept)
                kept.clear()
                held = 0
                yield piece
                del piece
        if self.expected is not None and self.size != self.expected:
            raise SizeMismatchError(self.size)
        if kept:
            yield b"".join(kept)

    @property
    def stored(self) -> Stored:
        return Stored(self.size, self._hash.hexdigest())


class S3Parts:
    """Writes objects as they come: one request for a small one, a multipart upload for a large one."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, chunks: Iterator[bytes], *, content_type: str, expected: int | None = None) -> Stored:
        """Store what `chunks` yield; see `ports.Parts.put`.

        Raises
        ------
        SizeMismatchError
            They are not `expected` bytes; nothing was stored.
        StorageUnavailableError
            S3 throttles, fails or cannot be reached.
        StorageRefusedError
            The bucket is missing, or refuses this role.
        """
        measured = _Measured(chunks, expected)
        pieces = measured.pieces()
        ahead = list(islice(pieces, 2))
        if len(ahead) < 2:
            self._put_whole(key, ahead[0] if ahead else b"", content_type)
        else:
            self._put_in_parts(key, _drained(ahead, pieces), content_type)
        return measured.stored

    def _put_whole(self, key: str, body: bytes, content_type: str) -> None:
        with self._errors():
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(hashlib.sha256(body).digest()).decode(),
            )

    def _put_in_parts(self, key: str, pieces: Iterator[bytes], content_type: str) -> None:
        with self._errors():
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type, ChecksumAlgorithm="SHA256"
            )
        upload = begun["UploadId"]
        try:
            parts = [self._put_part(key, upload, number, piece) for number, piece in enumerate(pieces, start=1)]
            with self._errors():
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
                )
        except BaseException:  # whatever it is goes on to the caller
            # What was begun costs money until it is aborted; a lifecycle rule is the net below.
            with self._errors():
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            raise

    def _put_part(self, key: str, upload: str, number: int, piece: bytes) -> "CompletedPartTypeDef":
        checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        with self._errors():
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=piece, ChecksumSHA256=checksum
            )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def _errors(self) -> AbstractContextManager[None]:
        return translated(StorageUnavailableError, StorageRefusedError, "the bucket of subject access requests")


def _drained(ahead: list[bytes], pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield those ahead, each forgotten then, and the others."""
    while ahead:
        yield ahead.pop(0)
    yield from pieces
