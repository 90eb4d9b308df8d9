"""`Exports` on S3."""

from typing import Any

from waybill.core.aws.s3_faults import translated
from waybill.scanning.errors import ExportRefusedError, ExportUnavailableError


class S3Exports:
    """Puts exports under `<job>/`; `client` is a boto3 `s3` client."""

    def __init__(self, client: Any, bucket: str) -> None:
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
