"""What can go wrong with a service. These are caught while fetching: they become the outcome of a part."""

from typing import ClassVar

from waybill.core.errors import RetryableError
from waybill.subject_access.domain.upstream.codes import Code


class ServiceError(Exception):
    """A service did not give what the contract promises; `code` says how. The message holds nothing of its answer."""

    def __init__(self, code: Code, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class TransientServiceError(ServiceError):
    """Worth asking again; `retry_after` is the wait in seconds that the service wishes, if it says so."""

    def __init__(self, code: Code, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(code, message, status)
        self.retry_after = retry_after


class CredentialsUnavailableError(RetryableError):
    """Secrets Manager throttles, fails or cannot be reached."""

    code: ClassVar[str] = "CREDENTIALS_UNAVAILABLE"
