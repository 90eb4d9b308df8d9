"""`Uploads` on S3."""

from collections.abc import Iterator
from typing import Any

from waybill.consignments.errors import RunBucketRefusedError, RunBucketUnavailableError
from waybill.consignments.models import StoredObject
from waybill.core.aws.s3_faults import translated

# What S3 calls the version of an object that was stored while the bucket kept none.
_NO_VERSION = "null"


class S3Uploads:
    """The upload bucket; `client` is a boto3 `s3` client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects below `prefix`, each in its current version, in the order of their names."""
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
