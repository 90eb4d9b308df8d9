"""The bucket: reports, and what they are made of."""

import base64
import hashlib
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

from waybill.core.s3_faults import ObjectMissingError, translated
from waybill.disclosure.errors import ReportDamagedError, StorageRefusedError, StorageUnavailableError
from waybill.disclosure.models import StoredReport

# An address that is passed on is dead soon.
_URL_SECONDS = 300
_READ_BYTES = 1024 * 1024


class ReportsBucket:
    """`Reports` on S3; `client` is a boto3 `s3` client, `presigner` one that makes addresses."""

    def __init__(self, client: Any, bucket: str, presigner: Any) -> None:
        self._client = client
        self._presigner = presigner
        self._bucket = bucket

    def verify(self, report: StoredReport) -> None:
        """Raise unless the object is there with this size and checksum.

        Raises
        ------
        ReportDamagedError
            It is not there, or other than it was rendered.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        try:
            with _translated():
                head = self._client.head_object(Bucket=self._bucket, Key=report.key, ChecksumMode="ENABLED")
        except ObjectMissingError:
            raise ReportDamagedError("the report that was rendered is not in the bucket") from None
        if head["ContentLength"] != report.bytes:
            raise ReportDamagedError(f"the report has {head['ContentLength']} bytes, {report.bytes} were rendered")
        told = head.get("ChecksumSHA256")
        # The checksum of a multipart upload is one of its parts' checksums, marked by their number.
        if told and "-" in told:
            return
        # What was put at an upload address has the checksum of S3's own choice, not this one.
        found = base64.b64decode(told).hex() if told else self._sha256(report.key)
        if found != report.sha256:
            raise ReportDamagedError("the report's SHA-256 is not that of what was rendered")

    def forget(self, prefix: str, *, but: str | None = None) -> int:
        """Remove every object below a prefix but one; return how many. Again from the start until none is left."""
        removed = 0
        while True:
            with _translated():
                answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            keys = [entry["Key"] for entry in answer.get("Contents", []) if entry["Key"] != but]
            if not keys:
                return removed
            with _translated():
                told = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                )
            if told.get("Errors"):
                raise StorageUnavailableError(f"{told['Errors'][0].get('Code')} from S3 while removing objects")
            removed += len(keys)

    def download_url(self, key: str, file_name: str) -> str:
        """Return an address that gives the report, under this name, for at most five minutes."""
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": "application/pdf",
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        }
        url: str = self._presigner.generate_presigned_url("get_object", Params=parameters, ExpiresIn=_URL_SECONDS)
        return url

    def upload_url(self, key: str) -> str:
        """Return an address that takes a report for at most five minutes."""
        parameters = {"Bucket": self._bucket, "Key": key, "ContentType": "application/pdf"}
        url: str = self._presigner.generate_presigned_url("put_object", Params=parameters, ExpiresIn=_URL_SECONDS)
        return url

    def content(self, key: str) -> bytes:
        """Return the bytes of an object.

        Raises
        ------
        ReportDamagedError
            It is not there.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        try:
            with _translated():
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ObjectMissingError:
            raise ReportDamagedError("the report is not in the bucket") from None
        return body

    def _sha256(self, key: str) -> str:
        digest = hashlib.sha256()
        with _translated():
            for piece in self._client.get_object(Bucket=self._bucket, Key=key)["Body"].iter_chunks(_READ_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def keep_template(self, key: str, text: bytes) -> None:
        """Store the text of a template; the key follows from the text."""
        with _translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=text, ChecksumAlgorithm="SHA256")


def _translated() -> AbstractContextManager[None]:
    return translated(StorageUnavailableError, StorageRefusedError, "the bucket of reports")
