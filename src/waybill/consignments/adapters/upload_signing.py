"""Signed addresses to which exactly one content can be uploaded."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, override

from waybill.consignments.domain.ports import SignedUpload, UploadSigner
from waybill.core.clock import iso

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SECONDS = 3600
# Amazon S3 API Reference, PutObject: a single upload is at most this long.
_LARGEST_BYTES = 5 << 30


class S3UploadSigner(UploadSigner):
    """Signs for the upload bucket: S3 refuses another length (a signed header), and another SHA-256 (`BadDigest`)."""

    def __init__(self, signer: "S3Client", bucket: str, now: Callable[[], datetime]) -> None:
        self._signer = signer
        self._bucket = bucket
        self._now = now

    @override
    def sign(self, key: str, size: int, sha256: str) -> SignedUpload | None:
        if not sha256 or size > _LARGEST_BYTES:
            return None
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        bound = {"ContentLength": size, "ChecksumSHA256": checksum, "Metadata": {"sha256": sha256}}
        asked = {"Bucket": self._bucket, "Key": key, **bound}
        url = self._signer.generate_presigned_url("put_object", Params=asked, ExpiresIn=_SECONDS)
        return {
            "method": "PUT",
            "url": url,
            "headers": {
                "Content-Length": str(size),
                "x-amz-checksum-sha256": checksum,
                "x-amz-meta-sha256": sha256,
            },
            "expiresAt": iso(self._now() + timedelta(seconds=_SECONDS)),
        }
