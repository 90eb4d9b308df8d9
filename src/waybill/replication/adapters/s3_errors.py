"""What S3's faults mean for a copy."""

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from waybill.core.aws.s3_faults import S3Fault, s3_fault
from waybill.core.errors import WaybillError
from waybill.replication.errors import (
    AccessDeniedError,
    KmsDeniedError,
    NoSuchBucketError,
    S3RefusedError,
    S3UnavailableError,
    SourceArchivedError,
    SourceNotFoundError,
    SseCUnsupportedError,
    SupersededError,
    ThrottledError,
    UploadGoneError,
)

_ERRORS: dict[S3Fault, type[WaybillError]] = {
    S3Fault.OBJECT_MISSING: SourceNotFoundError,
    S3Fault.BUCKET_MISSING: NoSuchBucketError,
    S3Fault.UPLOAD_MISSING: UploadGoneError,
    S3Fault.CHANGED: SupersededError,
    S3Fault.DENIED: AccessDeniedError,
    S3Fault.KMS_DENIED: KmsDeniedError,
    S3Fault.ARCHIVED: SourceArchivedError,
    S3Fault.SSE_C: SseCUnsupportedError,
    S3Fault.REFUSED: S3RefusedError,
    S3Fault.THROTTLED: ThrottledError,
    S3Fault.UNAVAILABLE: S3UnavailableError,
}


def translate(error: ClientError | BotoCoreError, action: str, where: str) -> WaybillError:
    """Return our error for `error`, which `action` (an S3 action) met at `where` (a bucket, or bucket and key)."""
    return _ERRORS[s3_fault(error)](f"s3:{action} on {where}: {_words_of(error)}")


def _words_of(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        return f"{detail.get('Code', '')} {detail.get('Message', '')}".strip()
    return str(error) if isinstance(error, ParamValidationError) else type(error).__name__
