"""What S3's faults mean for a scan."""

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import reason_of
from waybill.core.aws.s3_faults import TRANSIENT, S3Fault, s3_fault
from waybill.scanning.errors import (
    BucketDeniedError,
    BucketNotFoundError,
    BucketUnavailableError,
    ListingRefusedError,
    ObjectRefusedError,
)

_REASONS = {
    S3Fault.OBJECT_MISSING: "GONE",
    S3Fault.ARCHIVED: "STORAGE_CLASS",
    S3Fault.DENIED: "ACCESS_DENIED",
    S3Fault.BUCKET_MISSING: "NO_SUCH_BUCKET",
    S3Fault.KMS_DENIED: "KMS_DENIED",
    S3Fault.SSE_C: "SSE_C",
}


def object_error(error: ClientError | BotoCoreError) -> Exception:
    """Return what a failed GetObject means."""
    fault = s3_fault(error)
    if fault in TRANSIENT:
        return BucketUnavailableError(reason_of(error))
    return ObjectRefusedError(_REASONS.get(fault, "S3_REFUSED"))


def listing_error(error: ClientError | BotoCoreError, bucket: str) -> Exception:
    """Return what a failed ListObjectsV2 means."""
    match s3_fault(error):
        case S3Fault.BUCKET_MISSING | S3Fault.OBJECT_MISSING:
            return BucketNotFoundError(f"there is no bucket {bucket}")
        case S3Fault.DENIED:
            return BucketDeniedError(f"{bucket} may not be listed")
        case fault if fault in TRANSIENT:
            return BucketUnavailableError(f"{reason_of(error)} while listing {bucket}")
        case _:
            return ListingRefusedError(f"{reason_of(error)} while listing {bucket}")
