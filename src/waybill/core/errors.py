"""Base classes of Waybill's errors.

Step Functions matches the *class name* of an exception that leaves a function, exactly and without inheritance, so the
names of the classes that leave a handler are contract: `statemachine/*.asl.json` lists them, and a test holds the two
together. `code` is what people and scripts read in records, answers and notifications.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with an input: `field` is its path as the sender wrote it, such as `destinationBuckets[2]`."""

    field: str
    message: str


class WaybillError(Exception):
    """An error that Waybill names; `code` is stable, the message is for people."""

    code: ClassVar[str] = "INTERNAL"


class RetryableError(WaybillError):
    """The same call may succeed later; nothing about the input is wrong."""

    code: ClassVar[str] = "UNAVAILABLE"


class PermanentError(WaybillError):
    """The same call will fail again until somebody changes something."""


class NotificationUnavailableError(RetryableError):
    """The notification could not be handed over now."""

    code: ClassVar[str] = "NOTIFICATION_UNAVAILABLE"


class ConfigurationError(PermanentError):
    """A setting is missing or unusable; the message names its environment variable."""

    code: ClassVar[str] = "CONFIGURATION"


class ParametersError(ConfigurationError):
    """The stack was deployed with parameters that do not go together; the message names them, for whoever meets it."""


class InvalidInputError(PermanentError):
    """The input breaks its contract; `errors` names every field that does."""

    code: ClassVar[str] = "INVALID_INPUT"

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))


class NotFoundError(PermanentError):
    """What was asked for does not exist."""

    code: ClassVar[str] = "NOT_FOUND"


class TokenExpiredError(PermanentError):
    """The caller's token was good, and has expired."""

    code: ClassVar[str] = "UNAUTHORIZED"


class UnsupportedMediaTypeError(PermanentError):
    """The route does not take content of this media type."""

    code: ClassVar[str] = "UNSUPPORTED_MEDIA_TYPE"


class GoneError(PermanentError):
    """What was asked for existed, and has been taken back for good; the message says why."""

    code: ClassVar[str] = "GONE"


class ForbiddenError(PermanentError):
    """The caller may not do this."""

    code: ClassVar[str] = "FORBIDDEN"


class UnprocessableError(PermanentError):
    """What was sent is well-formed, and is not what it is said to be."""

    code: ClassVar[str] = "UNPROCESSABLE"


class ConflictError(PermanentError):
    """The state of what was asked for does not allow it."""

    code: ClassVar[str] = "CONFLICT"


class TooLargeError(PermanentError):
    """The input is over a limit of size."""

    code: ClassVar[str] = "TOO_LARGE"


class RateLimitedError(RetryableError):
    """The caller, or Waybill on its behalf, is asking too fast."""

    code: ClassVar[str] = "RATE_LIMITED"
