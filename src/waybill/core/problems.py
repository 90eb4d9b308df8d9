"""Problem details (RFC 9457): what a client of the API is told when a request fails.

`type` is always `about:blank`, so `title` is the status phrase (RFC 9457, section 4.2.1). Waybill adds
`code`, stable and for programs; `requestId`, which finds the request in the logs; and for status 400
`errors`, one entry per field. A fault of ours tells nothing about its cause, which is in the logs. Parameters of the
stack that do not go together are told: somebody has to deploy it with others.
"""

from dataclasses import dataclass
from http import HTTPStatus

from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from pydantic import JsonValue

from waybill.core.errors import (
    ConfigurationError,
    ConflictError,
    FieldError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    ParametersError,
    RateLimitedError,
    RetryableError,
    TokenExpiredError,
    TooLargeError,
    UnprocessableError,
    UnsupportedMediaTypeError,
    WaybillError,
)
from waybill.core.text import escaped, shortened
from waybill.core.wire import field_path, said

PROBLEM_JSON = "application/problem+json"

_STATUS: dict[type[Exception], HTTPStatus] = {
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    TokenExpiredError: HTTPStatus.UNAUTHORIZED,
    UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotFoundError: HTTPStatus.NOT_FOUND,
    GoneError: HTTPStatus.GONE,
    ConflictError: HTTPStatus.CONFLICT,
    UnprocessableError: HTTPStatus.UNPROCESSABLE_CONTENT,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    RetryableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_UNAVAILABLE = "Something that this request needs is not available now. Try again."
_FAULT = "The request failed through no fault of its own."
# Lambda hands over 6 MB: of a body that is wrong in more places than these, or names fields at greater length, nobody
# would hear anything. JSON writes a character with up to twelve.
_MOST_ERRORS, _FIELD_LENGTH, _MESSAGE_LENGTH, _DETAIL_LENGTH = 200, 200, 500, 4000
# Where a Powertools field error was found; clients know their fields without these.
_LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})


@dataclass(frozen=True)
class ProblemDetails:
    """One failed request, without anything that only we may know."""

    status: HTTPStatus
    detail: str
    code: str
    errors: tuple[FieldError, ...] = ()
    invalid_token: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the status: how to authenticate, when to come back."""
        if self.status == HTTPStatus.UNAUTHORIZED:
            # RFC 6750, 3.1: an error where a token was presented, and none where there was not.
            error = f' error="invalid_token", error_description="{self.detail}"' if self.invalid_token else ""
            return {"WWW-Authenticate": f"Bearer{error}"}
        if self.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return {"Retry-After": "1"}
        return {}

    def document(self, instance: str, request_id: str) -> dict[str, JsonValue]:
        """Return the JSON document; `instance` is the request's path without its query."""
        document: dict[str, JsonValue] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "requestId": request_id,
        }
        if self.status == HTTPStatus.BAD_REQUEST:
            document["errors"] = [{"field": error.field, "message": error.message} for error in self.errors]
        return document


def problem_of(error: Exception) -> ProblemDetails:
    """Return what the client of the request that `error` ended is told."""
    match error:
        case RequestValidationError():
            return _invalid(_field_errors(error))
        case RequestUnsupportedContentType():
            return ProblemDetails(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json", "UNSUPPORTED_MEDIA_TYPE"
            )
        case ParametersError():
            return ProblemDetails(
                HTTPStatus.INTERNAL_SERVER_ERROR, _told(str(error), _DETAIL_LENGTH), ConfigurationError.code
            )
        case InvalidInputError():
            return _invalid(error.errors)
        case WaybillError():
            return _named(error)
        case ServiceError(status_code=int(status)) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return ProblemDetails(HTTPStatus(status), str(error.msg), HTTPStatus(status).name)
    return _internal()


def _named(error: WaybillError) -> ProblemDetails:
    status = next((_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS), None)
    if status is None:
        return _internal()
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return ProblemDetails(status, _UNAVAILABLE, error.code)
    detail = _told(str(error), _DETAIL_LENGTH) or status.phrase
    return ProblemDetails(status, detail, error.code, invalid_token=isinstance(error, TokenExpiredError))


def _invalid(errors: tuple[FieldError, ...]) -> ProblemDetails:
    told = tuple(
        FieldError(_told(error.field, _FIELD_LENGTH), _told(error.message, _MESSAGE_LENGTH))
        for error in errors[:_MOST_ERRORS]
    )
    parts = [f"{error.field}: {error.message}" for error in told]
    if len(errors) > len(told):
        parts.append(f"and {len(errors) - len(told):,} more")
    return ProblemDetails(HTTPStatus.BAD_REQUEST, "; ".join(parts), InvalidInputError.code, told)


def _told(text: str, limit: int) -> str:
    """Return what somebody has sent as people and terminals can be shown it: one line, of no great length."""
    return shortened(escaped(text), limit)


def _internal() -> ProblemDetails:
    return ProblemDetails(HTTPStatus.INTERNAL_SERVER_ERROR, _FAULT, WaybillError.code)


def _field_errors(error: RequestValidationError) -> tuple[FieldError, ...]:
    return tuple(_field_error(tuple(problem["loc"]), said(problem)) for problem in error.errors())


def _field_error(location: tuple[int | str, ...], message: str) -> FieldError:
    inside = location[1:] if len(location) > 1 and location[0] in _LOCATIONS else location
    return FieldError(field_path(inside), message.removeprefix("Value error, "))
