import json

import pytest
from aws_lambda_powertools.event_handler.exceptions import InternalServerError, ServiceError, UnauthorizedError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from waybill.core.errors import (
    ConfigurationError,
    ConflictError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ParametersError,
    PermanentError,
    RateLimitedError,
    RetryableError,
    TooLargeError,
)
from waybill.core.problems import problem_of


class UnknownThingError(NotFoundError):
    """A workflow's own error keeps the status of its base class, and has its own code."""

    code = "UNKNOWN_THING"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInputError(FieldError("limit", "too small")), 400, "INVALID_INPUT"),
        (UnauthorizedError("who?"), 401, "UNAUTHORIZED"),
        (ForbiddenError("no"), 403, "FORBIDDEN"),
        (NotFoundError("no such file"), 404, "NOT_FOUND"),
        (UnknownThingError("no such thing"), 404, "UNKNOWN_THING"),
        (ConflictError("already claimed"), 409, "CONFLICT"),
        (TooLargeError("1,000 destinations"), 413, "TOO_LARGE"),
        (RateLimitedError("slow down"), 429, "RATE_LIMITED"),
        (ServiceError(418, "tea"), 418, "IM_A_TEAPOT"),
    ],
)
def test_a_clients_mistake_has_its_status_and_tells_why(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert problem.detail == str(getattr(error, "msg", error))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RetryableError("bucket-with-a-secret-name is down"), 503),
        (PermanentError("bucket-with-a-secret-name"), 500),
        (ConfigurationError("SECRET_TABLE: missing"), 500),
        (KeyError("secret"), 500),
        (RuntimeError("secret"), 500),
        (InternalServerError("secret"), 500),
    ],
)
def test_a_fault_of_ours_tells_nothing(error: Exception, status: int) -> None:
    problem = problem_of(error)
    document = json.dumps(problem.document("/path", "request-1"))
    assert problem.status == status
    assert "secret" not in document.lower()


def test_parameters_that_do_not_go_together_are_named() -> None:
    problem = problem_of(ParametersError("ThisOne and ThatOne do not go together"))
    assert (problem.status, problem.code) == (500, "CONFIGURATION")
    assert problem.detail == "ThisOne and ThatOne do not go together"


def test_the_document_is_a_problem_as_in_rfc_9457() -> None:
    error = InvalidInputError(FieldError("limit", "is too small"), FieldError("a[2].b", "is missing"))
    assert problem_of(error).document("/replications", "request-1") == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "limit: is too small; a[2].b: is missing",
        "instance": "/replications",
        "code": "INVALID_INPUT",
        "requestId": "request-1",
        "errors": [
            {"field": "limit", "message": "is too small"},
            {"field": "a[2].b", "message": "is missing"},
        ],
    }


@pytest.mark.parametrize(
    ("location", "field"),
    [
        (("body", "destinationBuckets", 2), "destinationBuckets[2]"),
        (("query", "limit"), "limit"),
        (("path", "job_id"), "job_id"),
        (("body",), "body"),
    ],
)
def test_a_field_is_named_as_the_sender_knows_it(location: tuple[str | int, ...], field: str) -> None:
    error = RequestValidationError([{"type": "x", "loc": location, "msg": "Value error, is wrong"}])
    assert problem_of(error).errors == (FieldError(field, "is wrong"),)


def test_statuses_bring_the_headers_that_belong_to_them() -> None:
    assert problem_of(UnauthorizedError("who?")).headers == {"WWW-Authenticate": "Bearer"}
    assert problem_of(RateLimitedError("slow down")).headers == {"Retry-After": "1"}
    assert problem_of(NotFoundError("gone")).headers == {}
