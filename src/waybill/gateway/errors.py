"""Errors of the API's authoriser."""

from typing import ClassVar

from waybill.core.errors import PermanentError, RetryableError


class TokenRefusedError(PermanentError):
    """The token proves nothing; the message says why, for the logs, and holds no part of the token."""

    code: ClassVar[str] = "TOKEN_REFUSED"


class TokenMissingError(TokenRefusedError):
    """No token was presented."""


class KeySetError(PermanentError):
    """A JSON Web Key Set cannot be used; the message says why."""

    code: ClassVar[str] = "KEY_SET_UNUSABLE"


class KeysUnavailableError(RetryableError):
    """The issuer's keys cannot be fetched, so that no token can be judged."""

    code: ClassVar[str] = "KEYS_UNAVAILABLE"
