"""Reports and exports in the results bucket."""

from typing import TYPE_CHECKING

from waybill.consignments.errors import RunBucketRefusedError, RunBucketUnavailableError
from waybill.core.aws.s3_faults import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SECONDS = 300


class S3ResultFiles:
    """Keeps what is too long for an answer, and signs addresses to it."""

    def __init__(self, client: "S3Client", signer: "S3Client", bucket: str) -> None:
        self._client = client
        self._signer = signer
        self._bucket = bucket

    def put(self, key: str, text: str, content_type: str) -> str:
        """Keep a text; return its address, `s3://bucket/key`."""
        with translated(RunBucketUnavailableError, RunBucketRefusedError, key):
            content = text.encode(errors="replace")
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)
        return f"s3://{self._bucket}/{key}"

    def address(self, key: str, name: str) -> str:
        """Return an address that is good for five minutes and saves what is there under `name`."""
        disposition = f'attachment; filename="{name}"'
        asked = {"Bucket": self._bucket, "Key": key, "ResponseContentDisposition": disposition}
        return self._signer.generate_presigned_url("get_object", Params=asked, ExpiresIn=_SECONDS)
