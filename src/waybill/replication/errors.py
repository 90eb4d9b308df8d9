"""What can go wrong while a file is replicated.

The class names are matched by `statemachine/replication.asl.json`; the codes are what records, notifications and the
API show. Retryable are the faults that S3 documents as transient; everything else fails on the first attempt.
"""

from typing import ClassVar

from waybill.core.errors import InvalidInputError, PermanentError, RetryableError, WaybillError


class EventNotHandledError(RetryableError):
    """Some records of an event could not be started; the event comes back, and those that did start are no-ops then.

    Records that no service sends count too: after the retries they lie in the dead-letter queue, for a person to read.
    """

    code: ClassVar[str] = "EVENT_NOT_HANDLED"


class RunsNotClosedError(RetryableError):
    """Some abandoned runs could not be closed; the next round tries them again."""

    code: ClassVar[str] = "RUNS_NOT_CLOSED"


class SourceNotFoundError(PermanentError):
    """The source object or version is not there, or no longer."""

    code: ClassVar[str] = "SOURCE_NOT_FOUND"


class SourceRefusedError(InvalidInputError):
    """A request by hand names a source that is not there or cannot be read; `errors` names the field."""

    code: ClassVar[str] = "SOURCE_REFUSED"


class SourceArchivedError(PermanentError):
    """The source object lies in an archive tier and has to be restored before anybody can read it."""

    code: ClassVar[str] = "SOURCE_ARCHIVED"


class SseCUnsupportedError(PermanentError):
    """The source object is encrypted with a key that only its owner has (SSE-C)."""

    code: ClassVar[str] = "SSE_C_UNSUPPORTED"


class SupersededError(PermanentError):
    """The source object changed after the event; the run of the newer event brings the newer content."""

    code: ClassVar[str] = "SUPERSEDED"


class NoSuchBucketError(PermanentError):
    """A bucket does not exist."""

    code: ClassVar[str] = "NO_SUCH_BUCKET"


class DestinationNotVersionedError(PermanentError):
    """A removal is to be replicated to a bucket without versions, where it could not be taken back."""

    code: ClassVar[str] = "DESTINATION_NOT_VERSIONED"


class AccessDeniedError(PermanentError):
    """S3 refuses the action to Waybill's role."""

    code: ClassVar[str] = "ACCESS_DENIED"


class KmsDeniedError(PermanentError):
    """The KMS key of the source or the destination is disabled, missing, or refuses Waybill's role."""

    code: ClassVar[str] = "KMS_DENIED"


class S3RefusedError(PermanentError):
    """S3 refuses the request for a reason that has no code of its own here; the message carries S3's."""

    code: ClassVar[str] = "S3_REFUSED"


class ThrottledError(RetryableError):
    """S3 asks to slow down."""

    code: ClassVar[str] = "THROTTLED"


class S3UnavailableError(RetryableError):
    """S3 failed, timed out or could not be reached."""

    code: ClassVar[str] = "S3_UNAVAILABLE"


class TrackingUnavailableError(RetryableError):
    """DynamoDB failed, throttled or could not be reached."""

    code: ClassVar[str] = "TRACKING_UNAVAILABLE"


class VerificationFailedError(RetryableError):
    """The copy is not what the source is; worth exactly one more attempt."""

    code: ClassVar[str] = "VERIFICATION_FAILED"


class DestinationUnsettledError(RetryableError):
    """What lies at the destination was written a moment ago: whether it is newer than the source is looked at again."""

    code: ClassVar[str] = "DESTINATION_UNSETTLED"


class DestinationBusyError(RetryableError):
    """Another run is bringing versions of the file there; the next attempt brings what is left, if anything."""

    code: ClassVar[str] = "DESTINATION_BUSY"


class VersionNotCopiedError(PermanentError):
    """Versions could not be copied in their places, and later ones have been: they can no longer be put under those."""

    code: ClassVar[str] = "VERSION_NOT_COPIED"


class UploadGoneError(RetryableError):
    """The multipart upload no longer exists; the next attempt looks whether it was completed, or starts another."""

    code: ClassVar[str] = "UPLOAD_GONE"


class ReadUnfinishedError(PermanentError):
    """The function's time ends before the last byte of an object that it reads."""

    code: ClassVar[str] = "READ_UNFINISHED"


class CopyUnfinishedError(RetryableError):
    """The function's time ends before the last part; the next attempt goes on from there."""

    code: ClassVar[str] = "COPY_UNFINISHED"


# What Step Functions itself reports when a function ended without an error of ours, and what the state machine calls it
# where it may not pass on a name that is Step Functions' own.
_PLATFORM_CODES = {
    "States.Timeout": "TIMED_OUT",
    "BatchTimedOut": "TIMED_OUT",
    "Sandbox.Timedout": "TIMED_OUT",
    "Lambda.TooManyRequestsException": "THROTTLED",
}


def error_class(error_name: str) -> type[WaybillError] | None:
    """Return Waybill's error class of that name."""
    classes: list[type[WaybillError]] = [WaybillError]
    for known in classes:
        if known.__name__ == error_name:
            return known
        classes.extend(known.__subclasses__())
    return None


def code_of(error_name: str) -> str:
    """Return the code of the error that Step Functions reports as `error_name`; unknown names are `FUNCTION_FAILED`."""
    known = error_class(error_name)
    return known.code if known else _PLATFORM_CODES.get(error_name, "FUNCTION_FAILED")


def is_retryable(error_name: str) -> bool:
    """Return whether trying again without a change may help; faults of the platform are of this kind."""
    known = error_class(error_name)
    return known is None or issubclass(known, RetryableError)
