"""The bucket: reports, and what they are made of."""

import base64
import hashlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, override
from urllib.parse import quote

from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated
from waybill.subject_access.domain.ports import Documents, Reports
from waybill.subject_access.errors import ReportDamagedError, StorageRefusedError, StorageUnavailableError
from waybill.subject_access.models import StoredReport

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TaggingTypeDef

# An address that is passed on is dead soon.
_URL_SECONDS = 300
_READ_BYTES = 1024 * 1024
_PDF = "application/pdf"
# The bucket's lifecycle rule ForgetArchived (template.yaml) names the same.
_ARCHIVED: "TaggingTypeDef" = {"TagSet": [{"Key": "archived", "Value": "true"}]}
_OTHER = "the report's SHA-256 is not that of what was rendered"


class ReportsBucket(Reports, Documents):
    """`Reports` on S3; `client` is a boto3 `s3` client, `presigner` one that makes addresses."""

    def __init__(self, client: "S3Client", bucket: str, presigner: "S3Client") -> None:
        self._client = client
        self._presigner = presigner
        self._bucket = bucket

    @override
    def verify(self, report: StoredReport) -> str:
        """Return the ETag of the object, after a look that it is there with this size and SHA-256.

        Raises
        ------
        ReportDamagedError
            It is not there, or other than it was rendered.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        with _damaged_where_missing(), _translated():
            return self._verified(report.key, report)

    @override
    def fetch(self, key: str, report: StoredReport, file: Path) -> None:
        """Write the object at `key` to `file`, after a look that it has this size and SHA-256.

        Raises
        ------
        ReportDamagedError
            It is not there, has another size or SHA-256, or was written to meanwhile.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        with _damaged_where_missing(), _translated(), file.open("wb") as target:
            etag = self._verified(key, report)
            body = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=etag)["Body"]
            for piece in body.iter_chunks(_READ_BYTES):
                target.write(piece)

    @override
    def adopt(self, uploaded: str, report: StoredReport) -> None:
        """Copy the object at the key `uploaded` to the report's key: exactly the bytes that have this SHA-256.

        Raises
        ------
        ReportDamagedError
            It is not there, has another size or SHA-256, or was written to meanwhile.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        with _damaged_where_missing(), _translated():
            etag = self._verified(uploaded, report)
            self._client.copy_object(
                Bucket=self._bucket,
                Key=report.key,
                CopySource={"Bucket": self._bucket, "Key": uploaded},
                CopySourceIfMatch=etag,
                ChecksumAlgorithm="SHA256",
                ContentType=_PDF,
                MetadataDirective="REPLACE",
            )

    @override
    def forget(self, prefix: str, *, but: Collection[str] = ()) -> int:
        """Remove every object below a prefix but these; return how many. Again from the start until none is left."""
        removed = 0
        while True:
            with _translated():
                answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            keys = [entry["Key"] for entry in answer.get("Contents", []) if entry["Key"] not in but]
            if not keys:
                return removed
            with _translated():
                told = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                )
            if told.get("Errors"):
                raise StorageUnavailableError(f"{told['Errors'][0].get('Code')} from S3 while removing objects")
            removed += len(keys)

    @override
    def tag_archived(self, prefix: str) -> None:
        with _translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
                self._client.put_object_tagging(Bucket=self._bucket, Key=key, Tagging=_ARCHIVED)

    @override
    def download_url(self, key: str, etag: str, file_name: str, content_type: str = _PDF) -> str:
        """Return an address that gives the object, under this name, for at most five minutes.

        Raises
        ------
        ReportDamagedError
            It is not there, or not the object with this ETag.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        with _damaged_where_missing(), _translated():
            self._client.head_object(Bucket=self._bucket, Key=key, IfMatch=etag)
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        }
        url: str = self._presigner.generate_presigned_url("get_object", Params=parameters, ExpiresIn=_URL_SECONDS)
        return url

    @override
    def upload_url(self, key: str) -> str:
        parameters = {"Bucket": self._bucket, "Key": key, "ContentType": _PDF}
        url: str = self._presigner.generate_presigned_url("put_object", Params=parameters, ExpiresIn=_URL_SECONDS)
        return url

    @override
    def content(self, report: StoredReport) -> bytes:
        """Return the bytes of a report.

        Raises
        ------
        ReportDamagedError
            It is not there, or other than it was stored.
        StorageUnavailableError
            S3 fails, or cannot be reached.
        """
        with _damaged_where_missing(), _translated():
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=report.key)["Body"].read()
        if hashlib.sha256(body).hexdigest() != report.sha256:
            raise ReportDamagedError(_OTHER)
        return body

    def _verified(self, key: str, report: StoredReport) -> str:
        """Return the ETag of the object at `key`, which has the size and the SHA-256 of `report`."""
        head = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        if head["ContentLength"] != report.bytes:
            raise ReportDamagedError(f"the report has {head['ContentLength']} bytes, {report.bytes} were rendered")
        etag: str = head["ETag"]
        # What was put at an upload address has a checksum of S3's own choice, and what was uploaded in parts one of its
        # parts' checksums: then only reading tells.
        right = base64.b64encode(bytes.fromhex(report.sha256)).decode()
        if head.get("ChecksumSHA256") != right and self._sha256(key, etag) != report.sha256:
            raise ReportDamagedError(_OTHER)
        return etag

    def _sha256(self, key: str, etag: str) -> str:
        digest = hashlib.sha256()
        body = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=etag)["Body"]
        for piece in body.iter_chunks(_READ_BYTES):
            digest.update(piece)
        return digest.hexdigest()

    @override
    def save_document(self, key: str, text: bytes) -> None:
        """Store a text; the key follows from what it is."""
        with _translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=text, ChecksumAlgorithm="SHA256")

    @override
    def document(self, key: str, most: int) -> bytes | None:
        try:
            with _translated():
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except ObjectMissingError:
            return None
        if answer["ContentLength"] > most:
            answer["Body"].close()
            return None
        body: bytes = answer["Body"].read()
        return body


def _translated() -> AbstractContextManager[None]:
    return translated(StorageUnavailableError, StorageRefusedError, "the bucket of reports")


@contextmanager
def _damaged_where_missing() -> Iterator[None]:
    try:
        yield
    except ObjectMissingError:
        raise ReportDamagedError("the report that was rendered is not in the bucket") from None
    except ObjectChangedError:
        raise ReportDamagedError("the object was written to since it was looked at") from None
