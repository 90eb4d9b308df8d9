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


class ListingExpiredError(PermanentError):
    """A page of a listing that has to be gone through once more has been removed meanwhile."""

    code: ClassVar[str] = "LISTING_EXPIRED"


class InventoryBrokenError(PermanentError):
    """A file of an inventory is not the one that its manifest tells of, or cannot be read as CSV."""

    code: ClassVar[str] = "INVENTORY_BROKEN"


class WebhookRefusedError(PermanentError):
    """Nothing is sent to the webhook's address: it is not public, or not of a form that requests are sent to."""

    code: ClassVar[str] = "WEBHOOK_REFUSED"


class WebhookUnavailableError(RetryableError):
    """The webhook's receiver did not take the notification."""

    code: ClassVar[str] = "WEBHOOK_UNAVAILABLE"


class ExportUnavailableError(RetryableError):
    """The bucket of exports failed, throttled or could not be reached."""

    code: ClassVar[str] = "EXPORT_UNAVAILABLE"


class SecurityHubRefusedError(PermanentError):
    """AWS Security Hub is not enabled, or refuses the function's role."""

    code: ClassVar[str] = "SECURITY_HUB_REFUSED"


class ExportRefusedError(PermanentError):
    """The bucket of exports is missing, or refuses the function's role."""

    code: ClassVar[str] = "EXPORT_REFUSED"


class ScanStoreUnavailableError(RetryableError):
    """DynamoDB failed, throttled or could not be reached."""

    code: ClassVar[str] = "STORE_UNAVAILABLE"


class BucketUnavailableError(RetryableError):
    """S3 failed, asks to slow down, or could not be reached."""

    code: ClassVar[str] = "S3_UNAVAILABLE"


class QueueUnavailableError(RetryableError):
    """Messages could not all be sent, though those that failed were sent again."""

    code: ClassVar[str] = "QUEUE_UNAVAILABLE"


class ObjectRefusedError(PermanentError):
    """S3 does not give the object, and will not however often it is asked; `reason` goes into the outcome."""

    code: ClassVar[str] = "OBJECT_REFUSED"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        # Nothing is wrong with these: there is nothing to read, or nothing that can be read at once.
        self.skips = reason in {"GONE", "STORAGE_CLASS"}
