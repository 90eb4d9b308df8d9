"""What pages of several workflows have in common."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from waybill.console.domain.web import Form
from waybill.console.errors import ApiError, PageError

ROWS = 50

type Errors = list[dict[str, str]]
"""What is wrong with a form: text, and a link to its field."""

_TELLING = frozenset({400, 404, 409, 410, 413, 415, 422})


def error(field: str, text: str) -> dict[str, str]:
    """Return one thing that is wrong, at its field."""
    return {"text": text, "href": f"#{field}"}


def errors_of(problem: ApiError, fields: Mapping[str, str], default: str) -> Errors:
    """Return what the API finds wrong, at the form's fields (by the API's names of them).

    Raises
    ------
    ApiError
        It says nothing about what was sent.
    """
    if problem.status not in _TELLING:
        raise problem
    found = [
        error(fields.get(name.split("[")[0].removeprefix("body."), default), text) for name, text in problem.fields
    ]
    return found or [error(default, problem.detail or "The API does not take this.")]


def required(form: Form, fields: Mapping[str, str]) -> Errors:
    """Return which fields are empty; `fields` says what to enter."""
    return [error(name, text) for name, text in fields.items() if not form[name]]


def uuid_of(text: str) -> str:
    """Return an id as it is; raises PageError where it cannot be one."""
    try:
        return str(UUID(text))
    except ValueError:
        raise PageError(404, "Page not found", "If you typed the address, check that it is right.") from None


def rows(answer: Any, name: str) -> list[dict[str, Any]]:
    """Return a list of an answer, empty where the API could not be asked."""
    return [] if isinstance(answer, ApiError) else list(answer[name])
