"""The clean bucket and the quarantine bucket on S3."""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypedDict, override

from waybill.consignments.domain.copies import CopyTargets, PlacedCopy, PlannedCopy
from waybill.consignments.domain.file_records import WrittenCopy
from waybill.consignments.errors import RunBucketRefusedError, RunBucketUnavailableError
from waybill.consignments.models import CopyPlace
from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef, CreateMultipartUploadRequestTypeDef

# CopyObject takes objects of at most 5 GiB (Amazon S3 API Reference); larger ones are copied in parts, of which an
# object has at most 10,000 (Amazon S3 User Guide, "Multipart upload limits").
_SINGLE_COPY_BYTES = 5 * 1024**3
_PART_BYTES = 512 * 1024**2
_PARTS = 10_000
_PARTS_AT_ONCE = 8


class S3CopyTargets(CopyTargets):
    """`CopyTargets` on S3."""

    def __init__(self, client: "S3Client", clean: str, quarantine: str) -> None:
        self._client = client
        self._buckets = {CopyPlace.CLEAN: clean, CopyPlace.QUARANTINE: quarantine}

    @override
    def place(self, copy: PlannedCopy) -> PlacedCopy | None:
        place = CopyPlace(copy["place"])
        done: PlacedCopy = {"fileId": copy["to"].rpartition("/")[2]}
        # First away, so that at no time a file is clean that its newest verdict does not call so.
        for other, bucket in self._buckets.items():
            if other is not place:
                with translated(RunBucketUnavailableError, RunBucketRefusedError, bucket):
                    told = self._client.delete_object(Bucket=bucket, Key=copy["to"])
                # S3 says the same of a copy that was never there: what an earlier run has recorded was.
                if copy.get("had") == other:
                    done["removed"] = {"place": other.value}
                    if "VersionId" in told:
                        done["removed"]["versionId"] = told["VersionId"]
        if place is CopyPlace.NOWHERE:
            return done
        if (written := self._copied(copy, self._buckets[place])) is None:
            return None
        done["copy"] = written
        return done

    @override
    def withdraw(self, key: str) -> None:
        bucket = self._buckets[CopyPlace.CLEAN]
        with translated(RunBucketUnavailableError, RunBucketRefusedError, bucket):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _copied(self, copy: PlannedCopy, bucket: str) -> WrittenCopy | None:
        source: CopySourceTypeDef = {"Bucket": copy["bucket"], "Key": copy["key"]}
        if "versionId" in copy:
            source["VersionId"] = copy["versionId"]
        try:
            with translated(RunBucketUnavailableError, RunBucketRefusedError, f"{bucket}/{copy['to']}"):
                if copy["objectSize"] > _SINGLE_COPY_BYTES:
                    return self._copy_in_parts(source, copy["eTag"], copy["objectSize"], bucket, copy["to"])
                # Tags stay behind: they may be a scanner's verdict on the upload, and copying them takes rights of
                # its own (Amazon S3 API Reference, CopyObject).
                told = self._client.copy_object(
                    CopySource=source,
                    CopySourceIfMatch=copy["eTag"],
                    Bucket=bucket,
                    Key=copy["to"],
                    TaggingDirective="REPLACE",
                    ChecksumAlgorithm="SHA256",
                )
        except (ObjectMissingError, ObjectChangedError):
            return None
        result = told["CopyObjectResult"]
        return _written(result["ETag"], told.get("VersionId"), result.get("ChecksumSHA256"))

    def _copy_in_parts(self, source: "CopySourceTypeDef", e_tag: str, size: int, bucket: str, key: str) -> WrittenCopy:
        """Copy what CopyObject does not take, with its metadata and without its tags; nothing is there until the end.

        boto3's own copy in parts asks for tags as well, and has an error of its own for an object that has changed.
        """
        found = self._client.head_object(**source, IfMatch=e_tag)
        wanted: CreateMultipartUploadRequestTypeDef = {"Bucket": bucket, "Key": key}
        if found.get("ContentType"):
            wanted["ContentType"] = found["ContentType"]
        if found.get("Metadata"):
            wanted["Metadata"] = found["Metadata"]
        upload: _Upload = {
            "Bucket": bucket,
            "Key": key,
            "UploadId": self._client.create_multipart_upload(**wanted)["UploadId"],
        }

        def copied(part: tuple[int, int, int]) -> "CompletedPartTypeDef":
            number, first, last = part
            answer = self._client.upload_part_copy(
                CopySource=source,
                CopySourceIfMatch=e_tag,
                CopySourceRange=f"bytes={first}-{last}",
                PartNumber=number,
                **upload,
            )
            return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

        try:
            with ThreadPoolExecutor(_PARTS_AT_ONCE) as threads:
                parts = list(threads.map(copied, part_ranges(size)))
            told = self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except Exception:  # whatever ends it, its parts would be stored and paid for
            self._client.abort_multipart_upload(**upload)
            raise
        # The only SHA-256 of a whole object that S3 has is that of one that was written in one piece (Amazon S3 User
        # Guide, "Checking object integrity").
        return _written(told["ETag"], told.get("VersionId"), None)


class _Upload(TypedDict):
    Bucket: str
    Key: str
    UploadId: str


def _written(e_tag: str, version_id: str | None, sha256: str | None) -> WrittenCopy:
    written: WrittenCopy = {"eTag": e_tag}
    if version_id is not None:
        written["versionId"] = version_id
    if sha256 is not None:
        written["sha256"] = base64.b64decode(sha256).hex()
    return written


def part_ranges(size: int) -> list[tuple[int, int, int]]:
    """Return number, first and last byte of the parts in which an object of `size` bytes is copied."""
    length = max(_PART_BYTES, -(-size // _PARTS))
    starts = range(0, size, length)
    return [(number, first, min(first + length, size) - 1) for number, first in enumerate(starts, start=1)]
