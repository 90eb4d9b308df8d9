"""S3's refusals in the scanner's words."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.scanning.errors import (
    BucketDeniedError,
    BucketNotFoundError,
    BucketUnavailableError,
    ListingRefusedError,
    ObjectRefusedError,
)

_REASONS = {
    "NoSuchKey": "GONE",
    "NoSuchVersion": "GONE",
    "InvalidObjectState": "STORAGE_CLASS",
    "AccessDenied": "ACCESS_DENIED",
    "NoSuchBucket": "NO_SUCH_BUCKET",
}
_BY_STATUS = {404: "GONE", 403: "ACCESS_DENIED"}


def status_of(error: ClientError) -> int:
    """Return the HTTP status of S3's answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def object_error(error: ClientError | BotoCoreError) -> Exception:
    """Return what a failed GetObject means."""
    if isinstance(error, BotoCoreError):
        return BucketUnavailableError(type(error).__name__)
    detail: Any = error.response.get("Error", {})
    code, message, status = str(detail.get("Code", "")), str(detail.get("Message", "")), status_of(error)
    if code.startswith("KMS.") or (code == "AccessDenied" and "kms:" in message.lower()):
        return ObjectRefusedError("KMS_DENIED")
    if code == "InvalidRequest" and "server side encryption" in message.lower():
        return ObjectRefusedError("SSE_C")
    reason = _REASONS.get(code) or _BY_STATUS.get(status)
    if reason:
        return ObjectRefusedError(reason)
    if status >= 500 or status == 429 or code in {"SlowDown", "RequestTimeout"}:
        return BucketUnavailableError(code)
    return ObjectRefusedError("S3_REFUSED")


def listing_error(error: ClientError | BotoCoreError, bucket: str) -> Exception:
    """Return what a failed ListObjectsV2 means."""
    if isinstance(error, BotoCoreError):
        return BucketUnavailableError(f"{type(error).__name__} while listing {bucket}")
    code, status = str(error.response.get("Error", {}).get("Code", "")), status_of(error)
    if code == "NoSuchBucket" or status == 404:
        return BucketNotFoundError(f"there is no bucket {bucket}")
    if status == 403:
        return BucketDeniedError(f"{bucket} may not be listed")
    if status >= 500 or status == 429 or code == "SlowDown":
        return BucketUnavailableError(f"{code} while listing {bucket}")
    return ListingRefusedError(f"{code} while listing {bucket}")
