"""What can go wrong while a request is fulfilled; class names are matched by `statemachine/subject_access.asl.json`."""

from typing import ClassVar

from waybill.core.errors import (
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    PermanentError,
    RetryableError,
    UnprocessableError,
)


class SubjectAccessStoreUnavailableError(RetryableError):
    """DynamoDB failed, throttled or could not be reached."""

    code: ClassVar[str] = "STORE_UNAVAILABLE"


class StorageUnavailableError(RetryableError):
    """S3 failed, asks to slow down, or could not be reached."""

    code: ClassVar[str] = "STORAGE_UNAVAILABLE"


class StorageRefusedError(PermanentError):
    """The bucket is missing, or refuses this role."""

    code: ClassVar[str] = "STORAGE_REFUSED"


class ContendedError(RetryableError):
    """Others wrote to the same request each time that this write was tried; nothing was written."""

    code: ClassVar[str] = "CONTENDED"


class ClaimLostError(ConflictError):
    """The claim is not the caller's any more: another one has taken the request, or it is over. Stop at once."""

    code: ClassVar[str] = "CLAIM_LOST"


class ReportDamagedError(ConflictError):
    """What is stored is not what was rendered."""

    code: ClassVar[str] = "REPORT_DAMAGED"


class RulesChangedError(ConflictError):
    """A rule of redaction is newer than the pages that it should have been kept to."""

    code: ClassVar[str] = "RULES_CHANGED"


class UnfitReportError(UnprocessableError):
    """What a worker outside has uploaded is no report that may be handed on."""

    code: ClassVar[str] = "UNFIT_REPORT"


class PagesMovedError(ConflictError):
    """Pages are marked on a drawing that is not the one to be drawn: the marks would be on other pages."""

    code: ClassVar[str] = "PAGES_MOVED"


class AnswersGoneError(ConflictError):
    """What the report was drawn from is not there any more, or never was: only asking again helps."""

    code: ClassVar[str] = "ANSWERS_GONE"


class ApproverError(ConflictError):
    """Whoever made something wants to approve it as well: a request, what its report leaves out, a service's move."""

    code: ClassVar[str] = "SAME_PERSON"


class AddressChangeError(ConflictError):
    """Somebody agrees to an address of a service that nobody has proposed since its last change."""

    code: ClassVar[str] = "NOT_PROPOSED"


class UnseenError(ConflictError):
    """Near misses are open, or attachments were not searched, and the approver does not say that they were seen."""

    code: ClassVar[str] = "UNSEEN"


class PartsMissingError(ConflictError):
    """Not every part of the request is there, and nobody has decided to issue the report without."""

    code: ClassVar[str] = "PARTS_MISSING"


class UnknownRequestError(NotFoundError):
    """There is no such request."""

    code: ClassVar[str] = "UNKNOWN_REQUEST"


class UnknownServiceError(NotFoundError):
    """There is no such service."""

    code: ClassVar[str] = "UNKNOWN_SERVICE"


class WrongStateError(InvalidInputError):
    """The request is in a state that does not allow this; status 400, as in the first version of this API."""

    code: ClassVar[str] = "WRONG_STATE"

    def __init__(self, message: str, field: str = "status") -> None:
        super().__init__(FieldError(field, message))
