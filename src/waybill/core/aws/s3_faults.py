"""What S3's error codes mean, in one place for every workflow.

Sources: Amazon S3 API Reference, "Error responses", CopyObject, HeadObject; AWS KMS API Reference, "Common errors".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum, auto

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from waybill.core.aws.faults import code_of, reason_of, status_of
from waybill.core.errors import WaybillError


class S3Fault(StrEnum):
    """What came of a request to S3; those of `TRANSIENT` may succeed later."""

    OBJECT_MISSING = auto()
    BUCKET_MISSING = auto()
    UPLOAD_MISSING = auto()
    CHANGED = auto()
    DENIED = auto()
    KMS_DENIED = auto()
    ARCHIVED = auto()
    SSE_C = auto()
    REFUSED = auto()
    THROTTLED = auto()
    UNAVAILABLE = auto()


TRANSIENT = frozenset({S3Fault.THROTTLED, S3Fault.UNAVAILABLE})

_BY_CODE = {
    "NoSuchBucket": S3Fault.BUCKET_MISSING,
    "NoSuchKey": S3Fault.OBJECT_MISSING,
    "NoSuchVersion": S3Fault.OBJECT_MISSING,
    "MethodNotAllowed": S3Fault.OBJECT_MISSING,  # the version is a delete marker
    "NoSuchUpload": S3Fault.UPLOAD_MISSING,
    "AccessDenied": S3Fault.DENIED,
    "AllAccessDisabled": S3Fault.DENIED,
    "AccountProblem": S3Fault.DENIED,
    "InvalidObjectState": S3Fault.ARCHIVED,
    "PreconditionFailed": S3Fault.CHANGED,
    "SlowDown": S3Fault.THROTTLED,
    "Throttling": S3Fault.THROTTLED,
    "ThrottlingException": S3Fault.THROTTLED,
    "RequestLimitExceeded": S3Fault.THROTTLED,
    "RequestTimeout": S3Fault.UNAVAILABLE,
    "RequestTimeoutException": S3Fault.UNAVAILABLE,
    "InternalError": S3Fault.UNAVAILABLE,
    "ServiceUnavailable": S3Fault.UNAVAILABLE,
    "OperationAborted": S3Fault.UNAVAILABLE,
    "ConditionalRequestConflict": S3Fault.UNAVAILABLE,
    # S3 passes on what KMS says; the other `KMS.…` codes are refusals.
    "KMS.ThrottlingException": S3Fault.THROTTLED,
    "KMS.DependencyTimeoutException": S3Fault.UNAVAILABLE,
    "KMS.KMSInternalException": S3Fault.UNAVAILABLE,
    "KMS.KeyUnavailableException": S3Fault.UNAVAILABLE,
}
# An answer to HEAD has no body, hence no code.
_BY_STATUS = {
    403: S3Fault.DENIED,
    404: S3Fault.OBJECT_MISSING,
    405: S3Fault.OBJECT_MISSING,  # a HEAD of a delete marker by its version
    412: S3Fault.CHANGED,
    429: S3Fault.THROTTLED,
    500: S3Fault.UNAVAILABLE,
    502: S3Fault.UNAVAILABLE,
    503: S3Fault.THROTTLED,
    504: S3Fault.UNAVAILABLE,
}


class S3ReadError(Exception):
    """S3 does not give the object; `fault` says what that means, `reason` is S3's code or the kind of break."""

    def __init__(self, fault: S3Fault, reason: str) -> None:
        super().__init__(f"{fault.value}: {reason}")
        self.fault = fault
        self.reason = reason

    @property
    def is_transient(self) -> bool:
        """Whether the same read may succeed later."""
        return self.fault in TRANSIENT


class ObjectMissingError(Exception):
    """There is no such object, or no such version of it."""


class ObjectChangedError(Exception):
    """The object is not in the state that the request names, or exists where it must not."""


def s3_fault(error: ClientError | BotoCoreError) -> S3Fault:
    """Return what `error` means; what boto3 refuses to send is refused, what has no answer may pass."""
    if isinstance(error, ParamValidationError):
        return S3Fault.REFUSED
    if isinstance(error, BotoCoreError):
        return S3Fault.UNAVAILABLE
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", "")).lower()
    known = _by_message(code, message) or _BY_CODE.get(code)
    if known is None and code.startswith("KMS."):
        known = S3Fault.KMS_DENIED
    return known or _BY_STATUS.get(status_of(error), S3Fault.REFUSED)


def _by_message(code: str, message: str) -> S3Fault | None:
    """Return what only the message tells: S3 has one code for these and for much else."""
    if code == "AccessDenied" and "kms:" in message:
        return S3Fault.KMS_DENIED
    if code == "InvalidRequest" and "server side encryption" in message:
        return S3Fault.SSE_C
    if code == "InvalidRequest" and "delete marker" in message:
        return S3Fault.OBJECT_MISSING
    return None


@contextmanager
def translated(unavailable: type[WaybillError], refused: type[WaybillError], about: str) -> Iterator[None]:
    """Turn S3's errors about `about` (a bucket, or an object without what its name may tell) into ours.

    Those of the reader (`S3ReadError`) too.

    Raises
    ------
    ObjectMissingError
        There is no such object.
    ObjectChangedError
        A condition of the request is false.
    unavailable
        S3 throttles, fails or cannot be reached.
    refused
        S3 refuses for good: the bucket is missing, access is denied, the request is wrong.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _in_our_words(s3_fault(error), reason_of(error), unavailable, refused, about) from error
    except S3ReadError as error:
        raise _in_our_words(error.fault, error.reason, unavailable, refused, about) from error


def _in_our_words(
    fault: S3Fault, reason: str, unavailable: type[WaybillError], refused: type[WaybillError], about: str
) -> Exception:
    match fault:
        case S3Fault.OBJECT_MISSING:
            return ObjectMissingError(about)
        case S3Fault.CHANGED:
            return ObjectChangedError(about)
        case _ if fault in TRANSIENT:
            return unavailable(f"{reason} from S3 on {about}")
        case _:
            return refused(f"{reason} from S3 on {about}")
