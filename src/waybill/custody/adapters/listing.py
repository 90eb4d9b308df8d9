"""What lies in a bucket."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from waybill.core.aws.s3_faults import translated
from waybill.custody.errors import CustodyRefusedError, CustodyUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def keys_of(client: "S3Client", bucket: str, prefix: str) -> Iterator[str]:
    """Yield the keys below a prefix, in their order."""
    with translated(CustodyUnavailableError, CustodyRefusedError, bucket):
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (each["Key"] for each in page.get("Contents", []))
