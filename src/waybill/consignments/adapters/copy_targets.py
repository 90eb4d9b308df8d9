"""`CopyTargets` on S3."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from waybill.consignments.domain.copies import CopyPlace
from waybill.consignments.errors import RunBucketRefusedError, RunBucketUnavailableError
from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated

# CopyObject takes objects of at most 5 GiB (Amazon S3 API Reference); larger ones are copied in parts, of which an
# object has at most 10,000 (Amazon S3 User Guide, "Multipart upload limits").
_SINGLE_COPY_BYTES = 5 * 1024**3
_PART_BYTES = 512 * 1024**2
_PARTS = 10_000
_PARTS_AT_ONCE = 8


class S3CopyTargets:
    """The clean bucket and the quarantine bucket; `client` is a boto3 `s3` client."""

    def __init__(self, client: Any, clean: str, quarantine: str) -> None:
        self._client = client
        self._buckets = {CopyPlace.CLEAN: clean, CopyPlace.QUARANTINE: quarantine}

    def place(self, copy: Mapping[str, Any]) -> bool:
        """Put the copy of one object where it belongs, and take it away from where an earlier run had put it."""
        place = CopyPlace(copy["place"])
        # First away, so that at no time a file is clean that its newest verdict does not call so.
        for other, bucket in self._buckets.items():
            if other is not place:
                with translated(RunBucketUnavailableError, RunBucketRefusedError, bucket):
                    self._client.delete_object(Bucket=bucket, Key=copy["to"])
        return place is CopyPlace.NOWHERE or self._copied(copy, self._buckets[place])

    def _copied(self, copy: Mapping[str, Any], bucket: str) -> bool:
        source = {"Bucket": copy["bucket"], "Key": copy["key"]}
        if "versionId" in copy:
            source["VersionId"] = copy["versionId"]
        target = {"Bucket": bucket, "Key": copy["to"]}
        try:
            with translated(RunBucketUnavailableError, RunBucketRefusedError, f"{bucket}/{copy['to']}"):
                if copy["objectSize"] > _SINGLE_COPY_BYTES:
                    self._copy_in_parts(source, copy["eTag"], copy["objectSize"], target)
                else:
                    # Tags stay behind: they may be a scanner's verdict on the upload, and copying them takes rights of
                    # its own (Amazon S3 API Reference, CopyObject).
                    state = {"CopySourceIfMatch": copy["eTag"], "TaggingDirective": "REPLACE"}
                    self._client.copy_object(CopySource=source, **target, **state)
        except (ObjectMissingError, ObjectChangedError):
            return False
        return True

    def _copy_in_parts(self, source: Mapping[str, str], e_tag: str, size: int, target: Mapping[str, str]) -> None:
        """Copy what CopyObject does not take, with its metadata and without its tags; nothing is there until the end.

        boto3's own copy in parts asks for tags as well, and has an error of its own for an object that has changed.
        """
        found = self._client.head_object(**source, IfMatch=e_tag)
        described = {name: found[name] for name in ("ContentType", "Metadata") if found.get(name)}
        upload = {**target, "UploadId": self._client.create_multipart_upload(**target, **described)["UploadId"]}

        def copied(part: tuple[int, int, int]) -> dict[str, Any]:
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
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except Exception:  # whatever ends it, its parts would be stored and paid for
            self._client.abort_multipart_upload(**upload)
            raise


def part_ranges(size: int) -> list[tuple[int, int, int]]:
    """Return number, first and last byte of the parts in which an object of `size` bytes is copied."""
    length = max(_PART_BYTES, -(-size // _PARTS))
    starts = range(0, size, length)
    return [(number, first, min(first + length, size) - 1) for number, first in enumerate(starts, start=1)]
