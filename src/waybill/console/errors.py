"""What ends a request with a page of its own."""

from typing import Any, ClassVar

from waybill.core.errors import PermanentError, RetryableError


class PageError(PermanentError):
    """A page that says what is wrong: a status, a heading and a sentence."""

    code: ClassVar[str] = "PAGE"

    def __init__(self, status: int, heading: str, *paragraphs: str) -> None:
        super().__init__(heading)
        self.status, self.heading, self.paragraphs = status, heading, paragraphs


class SignInNeededError(PermanentError):
    """There is no session, or it has ended."""

    code: ClassVar[str] = "SIGN_IN"


class SignInFailedError(PermanentError):
    """The provider's answer is not one to go on with; the message is for the person who signs in."""

    code: ClassVar[str] = "SIGN_IN_FAILED"


class SessionsUnavailableError(RetryableError):
    """The table of sessions does not answer now."""

    code: ClassVar[str] = "SESSIONS_UNAVAILABLE"


class ApiError(PermanentError):
    """The API has answered with problem details."""

    code: ClassVar[str] = "API"

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"the API answered {status}")
        self.status, self.problem = status, problem

    @property
    def detail(self) -> str:
        """What the API says of it."""
        return str(self.problem.get("detail", ""))

    @property
    def request_id(self) -> str:
        """What finds the API's request in its logs."""
        return str(self.problem.get("requestId", ""))

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Which fields are wrong, and what of them."""
        errors = self.problem.get("errors") or []
        return [(str(each.get("field", "")), str(each.get("message", ""))) for each in errors if isinstance(each, dict)]
