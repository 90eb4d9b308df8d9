"""`Exports` on S3."""

from typing import TYPE_CHECKING

from waybill.core.aws.s3_faults import translated
from waybill.scanning.errors import ExportRefusedError, ExportUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Exports:
    """Puts exports under `<job>/`; `client` is a boto3 `s3` client."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes, content_type: str) -> str:
        """Store an object and return its address; the same one again replaces it.

        Raises
        ------
        ExportUnavailableError
            S3 throttles, fails or cannot be reached.
        ExportRefusedError
            The bucket is missing, or refuses this role.
        """
        with translated(ExportUnavailableError, ExportRefusedError, self._bucket):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)
        return f"s3://{self._bucket}/{key}"
