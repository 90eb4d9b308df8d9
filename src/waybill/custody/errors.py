"""What can go wrong in custody."""

from typing import ClassVar

from waybill.core.errors import PermanentError, RetryableError


class CustodyUnavailableError(RetryableError):
    """The table, the log or the keys throttle, fail or cannot be reached."""

    code: ClassVar[str] = "CUSTODY_UNAVAILABLE"


class CustodyRefusedError(PermanentError):
    """The log or the keys are missing, or refuse this role."""

    code: ClassVar[str] = "CUSTODY_REFUSED"


class UnknownRecordError(PermanentError):
    """A record is of a shape that custody does not know; names table and key, nothing of its content."""

    code: ClassVar[str] = "UNKNOWN_RECORD"


class BadKeyPatternError(PermanentError):
    """The pattern that says where in a key its identifier is cannot be used."""

    code: ClassVar[str] = "BAD_KEY_PATTERN"


class LogForkedError(PermanentError):
    """The log holds something else than what is to be written there: nothing more is sealed."""

    code: ClassVar[str] = "LOG_FORKED"


class BadProofError(PermanentError):
    """A proof, a signature or an export does not hold; says which."""

    code: ClassVar[str] = "BAD_PROOF"


class CustodyBrokenError(PermanentError):
    """Log and table do not hold; `waybill custody verify` names every finding."""

    code: ClassVar[str] = "CUSTODY_BROKEN"
