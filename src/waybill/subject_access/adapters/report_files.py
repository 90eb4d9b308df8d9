"""`ReportFiles` on S3: what a report is made of, to local files and back."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, override

from waybill.core.aws.s3_faults import ObjectMissingError, translated
from waybill.subject_access.domain.rendering import Files
from waybill.subject_access.errors import ReportDamagedError, StorageRefusedError, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Up to here S3 keeps the SHA-256 of the whole object, beyond one of its parts' (Amazon S3 user guide, "Checking object
# integrity"); more is uploaded in parts.
_IN_ONE_REQUEST = 100 * 1024**2
_PART_BYTES = 16 * 1024**2


class ReportFiles(Files):
    """Reads and writes objects by way of files; `client` is a boto3 `s3` client."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @override
    def fetch(self, key: str, file: Path) -> None:
        """Write an object to `file`, piece by piece.

        Raises
        ------
        ReportDamagedError
            It is not there.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        StorageRefusedError
            The bucket is missing, or refuses this role.
        """
        if not self.fetch_if_there(key, file):
            raise ReportDamagedError(f"the object {key} is not in the bucket")

    @override
    def fetch_if_there(self, key: str, file: Path) -> bool:
        try:
            with _translated():
                self._client.download_file(self._bucket, key, str(file))
        except ObjectMissingError:
            return False
        return True

    @override
    def keep(self, key: str, file: Path, content_type: str) -> None:
        """Store `file`, in one request or in parts, with its SHA-256; the same file again changes nothing."""
        # Not at the top: boto3 itself reads it when something is to be transferred.
        from boto3.s3.transfer import TransferConfig

        parts = TransferConfig(multipart_threshold=_IN_ONE_REQUEST, multipart_chunksize=_PART_BYTES)
        arguments = {"ChecksumAlgorithm": "SHA256", "ContentType": content_type}
        with _translated():
            self._client.upload_file(str(file), self._bucket, key, ExtraArgs=arguments, Config=parts)

    @override
    def save_facts(self, key: str, facts: Mapping[str, object]) -> None:
        body = json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()
        with _translated():
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
            )


def _translated() -> AbstractContextManager[None]:
    return translated(StorageUnavailableError, StorageRefusedError, "the bucket of reports")
