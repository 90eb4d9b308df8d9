"""What can go wrong while a bucket is scanned; class names are matched by `statemachine/scanning.asl.json`."""

from typing import ClassVar

from waybill.core.errors import ForbiddenError, NotFoundError, PermanentError, RetryableError


class DetectorError(PermanentError):
    """A detector is not of the form that rules.py describes, or does not do what its examples say."""

    code: ClassVar[str] = "DETECTOR_INVALID"


class BucketNotFoundError(NotFoundError):
    """The bucket does not exist."""

    code: ClassVar[str] = "NO_SUCH_BUCKET"


class BucketDeniedError(ForbiddenError):
    """The bucket may not be listed: by the allow-list, or by S3."""

    code: ClassVar[str] = "ACCESS_DENIED"


class ListingRefusedError(PermanentError):
    """S3 refuses to list for a reason that trying again does not mend."""

    code: ClassVar[str] = "LISTING_REFUSED"


class ScanStoreUnavailableError(RetryableError):
    """DynamoDB failed, throttled or could not be reached."""

    code: ClassVar[str] = "STORE_UNAVAILABLE"


class BucketUnavailableError(RetryableError):
    """S3 failed, asks to slow down, or could not be reached."""

    code: ClassVar[str] = "S3_UNAVAILABLE"


class QueueUnavailableError(RetryableError):
    """Messages could not all be sent, though those that failed were sent again."""

    code: ClassVar[str] = "QUEUE_UNAVAILABLE"


class CheckpointMovedError(RetryableError):
    """Another run of the listing has moved the checkpoint meanwhile; the next attempt goes on from there."""

    code: ClassVar[str] = "CHECKPOINT_MOVED"


class ObjectRefusedError(PermanentError):
    """S3 does not give the object, and will not however often it is asked; `reason` goes into the outcome."""

    code: ClassVar[str] = "OBJECT_REFUSED"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        # Nothing is wrong with these: there is nothing to read, or nothing that can be read at once.
        self.skips = reason in {"GONE", "STORAGE_CLASS"}
