"""S3 as the scanner reads it: one list call per 1,000 keys, one GET per object, no HEAD."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.s3_faults import S3Fault, s3_fault
from waybill.core.errors import NotFoundError
from waybill.scanning.adapters.s3_errors import listing_error, object_error
from waybill.scanning.errors import BucketDeniedError, BucketUnavailableError
from waybill.scanning.models import READ_AT_ONCE, Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
        ListObjectsV2OutputTypeDef,
        ListObjectsV2RequestTypeDef,
        ObjectTypeDef,
    )


class S3Object:
    """An object that is being read; `changed` that it is not in its listed state any more."""

    def __init__(self, answer: "GetObjectOutputTypeDef", offset: int, *, changed: bool) -> None:
        self._body = answer["Body"]
        self.etag = str(answer["ETag"]).strip('"')
        self.size = int(answer["ContentLength"]) + offset
        self.changed = changed

    def read(self, count: int) -> bytes:
        """Read up to `count` bytes; none at the end.

        Raises
        ------
        BucketUnavailableError
            The connection broke.
        """
        try:
            return bytes(self._body.read(count))
        except (BotoCoreError, OSError) as error:
            raise BucketUnavailableError(type(error).__name__) from error

    def close(self) -> None:
        """Give the connection back, whatever is left to read."""
        self._body.close()


class S3Bucket:
    """`Bucket` on Amazon S3; `allowed` names the buckets that may be scanned, None for any."""

    def __init__(self, client: "Callable[[], S3Client]", allowed: frozenset[str] | None) -> None:
        self._client = client
        self._allowed = allowed

    def check(self, bucket: str, prefix: str) -> None:
        """Ask for one key.

        Raises
        ------
        BucketNotFoundError, BucketDeniedError, BucketUnavailableError
            The bucket cannot be listed.
        """
        self._permit(bucket)
        self._list({"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1})

    def page(self, bucket: str, prefix: str, start_after: str, limit: int) -> tuple[list[Entry], bool]:
        """Return up to `limit` (at most 1,000) objects behind the key `start_after`, and whether these are the last."""
        wanted: ListObjectsV2RequestTypeDef = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": limit}
        if start_after:
            wanted["StartAfter"] = start_after
        answer = self._list(wanted)
        entries = [
            Entry(each["Key"], int(each["Size"]), str(each["ETag"]).strip('"'), _storage_class(each))
            for each in answer.get("Contents", [])
        ]
        return entries, not answer.get("IsTruncated")

    def open(self, bucket: str, entry: Entry, offset: int) -> S3Object:
        """Open an object in its listed state, or as it is now when that state is gone.

        Raises
        ------
        ObjectRefusedError
            S3 does not give it.
        BucketUnavailableError
            S3 fails, or asks to slow down.
        """
        try:
            return S3Object(self._get(bucket, entry.key, offset, entry.etag), offset, changed=False)
        except ClientError as error:
            if s3_fault(error) != S3Fault.CHANGED:
                raise object_error(error) from error
        except BotoCoreError as error:
            raise object_error(error) from error
        try:
            return S3Object(self._get(bucket, entry.key, 0), 0, changed=True)
        except (ClientError, BotoCoreError) as error:
            raise object_error(error) from error

    def open_file(self, bucket: str, key: str, etag: str | None = None) -> S3Object:
        """Open an object that is read for itself, not scanned; in the state `etag` where one is given.

        Raises
        ------
        NotFoundError, BucketNotFoundError, BucketDeniedError
            It does not exist, or may not be read.
        BucketUnavailableError
            S3 fails, or the object has changed since `etag`: it may be read from its beginning.
        """
        self._permit(bucket)
        try:
            return S3Object(self._get(bucket, key, 0, etag or None), 0, changed=False)
        except (ClientError, BotoCoreError) as error:
            match s3_fault(error):
                case S3Fault.OBJECT_MISSING:
                    raise NotFoundError(f"there is no s3://{bucket}/{key}") from error
                case S3Fault.CHANGED:
                    raise BucketUnavailableError(f"an object of {bucket} changes while it is read") from error
                case _:
                    raise listing_error(error, bucket) from error

    def _permit(self, bucket: str) -> None:
        if self._allowed is not None and bucket not in self._allowed:
            raise BucketDeniedError(f"{bucket} is not one of the buckets that may be scanned (parameter ScanBuckets)")

    def _get(self, bucket: str, key: str, offset: int, etag: str | None = None) -> "GetObjectOutputTypeDef":
        wanted: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
        if offset:
            wanted["Range"] = f"bytes={offset}-"
        if etag is not None:
            wanted["IfMatch"] = f'"{etag}"'
        return self._client().get_object(**wanted)

    def _list(self, wanted: "ListObjectsV2RequestTypeDef") -> "ListObjectsV2OutputTypeDef":
        try:
            return self._client().list_objects_v2(**wanted)
        except (ClientError, BotoCoreError) as error:
            raise listing_error(error, wanted["Bucket"]) from error


def _storage_class(listed: "ObjectTypeDef") -> str:
    storage_class = str(listed.get("StorageClass", "STANDARD"))
    return "" if storage_class in READ_AT_ONCE else storage_class
