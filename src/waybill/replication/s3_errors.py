"""What S3's error codes mean for a copy.

Sources: Amazon S3 API Reference, "Error responses", CopyObject, HeadObject; AWS KMS API Reference, "Common errors".
"""

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

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

_BY_CODE: dict[str, type[WaybillError]] = {
    "NoSuchBucket": NoSuchBucketError,
    "NoSuchKey": SourceNotFoundError,
    "NoSuchVersion": SourceNotFoundError,
    "MethodNotAllowed": SourceNotFoundError,  # the version is a delete marker
    "NoSuchUpload": UploadGoneError,
    "AccessDenied": AccessDeniedError,
    "AllAccessDisabled": AccessDeniedError,
    "AccountProblem": AccessDeniedError,
    "InvalidObjectState": SourceArchivedError,
    "PreconditionFailed": SupersededError,
    "SlowDown": ThrottledError,
    "Throttling": ThrottledError,
    "ThrottlingException": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "RequestTimeout": S3UnavailableError,
    "RequestTimeoutException": S3UnavailableError,
    "InternalError": S3UnavailableError,
    "ServiceUnavailable": S3UnavailableError,
    "OperationAborted": S3UnavailableError,
    "ConditionalRequestConflict": S3UnavailableError,
    # S3 passes on what KMS says; the other `KMS.…` codes are refusals.
    "KMS.ThrottlingException": ThrottledError,
    "KMS.DependencyTimeoutException": S3UnavailableError,
    "KMS.KMSInternalException": S3UnavailableError,
    "KMS.KeyUnavailableException": S3UnavailableError,
}
_BY_STATUS: dict[int, type[WaybillError]] = {
    403: AccessDeniedError,
    404: SourceNotFoundError,
    405: SourceNotFoundError,  # a HEAD of a delete marker by its version
    412: SupersededError,
    429: ThrottledError,
    500: S3UnavailableError,
    502: S3UnavailableError,
    503: ThrottledError,
    504: S3UnavailableError,
}


def status_of(error: ClientError) -> int:
    """Return the HTTP status of S3's answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def translate(error: ClientError | BotoCoreError, action: str, where: str) -> WaybillError:
    """Return our error for `error`, which `action` (an S3 action) met at `where` (a bucket, or bucket and key)."""
    if isinstance(error, ParamValidationError):
        return S3RefusedError(f"s3:{action} on {where}: {error}")
    if isinstance(error, BotoCoreError):
        return S3UnavailableError(f"s3:{action} on {where}: {type(error).__name__}")
    detail = error.response.get("Error", {})
    code, message = str(detail.get("Code", "")), str(detail.get("Message", ""))
    text = f"s3:{action} on {where}: {code} {message}".strip()
    known = _by_message(code, message.lower()) or _BY_CODE.get(code)
    if known is None and code.startswith("KMS."):
        known = KmsDeniedError
    return (known or _BY_STATUS.get(status_of(error)) or S3RefusedError)(text)


def _by_message(code: str, message: str) -> type[WaybillError] | None:
    """Return what only the message tells: S3 has one code for these and for much else."""
    if code == "AccessDenied" and "kms:" in message:
        return KmsDeniedError
    if code == "InvalidRequest" and "server side encryption" in message:
        return SseCUnsupportedError
    if code == "InvalidRequest" and "delete marker" in message:
        return SourceNotFoundError
    return None
