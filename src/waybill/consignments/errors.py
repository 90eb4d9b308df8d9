"""What can go wrong with a consignment as a whole.

The class names of what leaves a handler are matched by `statemachine/consignments.asl.json`.
"""

from collections.abc import Sequence
from typing import ClassVar

from waybill.core.errors import ConflictError, ForbiddenError, NotFoundError, PermanentError, RetryableError

_NAMED = 20


class ConsignmentsUnavailableError(RetryableError):
    """DynamoDB throttles, fails or cannot be reached."""

    code: ClassVar[str] = "CONSIGNMENTS_UNAVAILABLE"


class RunBucketUnavailableError(RetryableError):
    """S3 throttles, fails or cannot be reached."""

    code: ClassVar[str] = "BUCKET_UNAVAILABLE"


class RunBucketRefusedError(PermanentError):
    """A bucket or an object of a run is missing, or refuses this role."""

    code: ClassVar[str] = "BUCKET_REFUSED"


class DocumentMissingError(PermanentError):
    """A document that an earlier step of the run has written is not there."""

    code: ClassVar[str] = "DOCUMENT_MISSING"


class ConsignmentNotFoundError(NotFoundError):
    """There is no such consignment."""

    code: ClassVar[str] = "CONSIGNMENT_NOT_FOUND"


class NotOwnerError(ForbiddenError):
    """The consignment is somebody else's, and the caller has no service role."""

    code: ClassVar[str] = "NOT_OWNER"


class OwnWaiverError(ForbiddenError):
    """Whoever has sent a consignment makes no exceptions for it."""

    code: ClassVar[str] = "OWN_CONSIGNMENT"


class NotWaivableError(ConflictError):
    """There is no such verdict on the file, or none that an exception can be made for."""

    code: ClassVar[str] = "NOT_WAIVABLE"


class FileNotFoundInConsignmentError(NotFoundError):
    """The consignment has no such file."""

    code: ClassVar[str] = "FILE_NOT_FOUND"


class AcceptedFileError(ConflictError):
    """The file is accepted, and is a record from then on."""

    code: ClassVar[str] = "FILE_ACCEPTED"


class RegistrationClosedError(ConflictError):
    """The checks were started: the register cannot be changed any more."""

    code: ClassVar[str] = "REGISTRATION_CLOSED"


class RegistrationConflictError(ConflictError):
    """A repeated registration says something else than the first."""

    code: ClassVar[str] = "REGISTRATION_CONFLICT"


class RegistrationIncompleteError(ConflictError):
    """Fewer files are registered than were announced, or none."""

    code: ClassVar[str] = "REGISTRATION_INCOMPLETE"


class RunSupersededError(PermanentError):
    """A newer run of the consignment's checks has taken over: this one may write nothing any more."""

    code: ClassVar[str] = "SUPERSEDED"


class UploadMismatchError(PermanentError):
    """What was uploaded is not what was registered; `missing` and `extra` are object names, sorted.

    The message, which logs get too, has the ids that are missing. Whoever uploads may call an object as they like:
    names that nobody expects are with the consignment alone.
    """

    code: ClassVar[str] = "UPLOAD_MISMATCH"

    def __init__(self, consignment_id: str, missing: Sequence[str], extra: Sequence[str]) -> None:
        super().__init__(
            f"Uploaded files do not match files from the API for consignment {consignment_id}: "
            f"{_counted(missing)} missing; {len(extra)} extra"
        )
        self.missing = tuple(missing)
        self.extra = tuple(extra)


def _counted(ids: Sequence[str]) -> str:
    """Return how many there are, and the first of them: an error has to fit a state and a notification."""
    more = ", …" if len(ids) > _NAMED else ""
    return f"{len(ids)} ({', '.join(ids[:_NAMED])}{more})" if ids else "0"
