"""The bucket that submitters upload to, on S3."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, override

from waybill.consignments.domain.ports import Uploads
from waybill.consignments.errors import RunBucketRefusedError, RunBucketUnavailableError
from waybill.consignments.models import StoredObject
from waybill.core.aws.s3_faults import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What S3 calls the version of an object that was stored while the bucket kept none.
_NO_VERSION = "null"


class S3Uploads(Uploads):
    """`Uploads` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    @override
    def objects(self, prefix: str) -> Iterator[StoredObject]:
        with translated(RunBucketUnavailableError, RunBucketRefusedError, self.bucket):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for each in page.get("Versions", []):
                    if each["IsLatest"]:
                        version = each.get("VersionId")
                        yield StoredObject(
                            each["Key"].removeprefix(prefix),
                            each["Size"],
                            each["ETag"],
                            None if version in {None, _NO_VERSION} else version,
                        )
