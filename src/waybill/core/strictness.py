"""What was not understood is not taken: media types, unknown fields and parameters, values of another type.

All routes pass here, so that a route is strict because it is one, and not because of the model that it happens to use.
"""

import base64
import json
import re
from collections.abc import Iterator, MutableMapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, get_args

from aws_lambda_powertools.event_handler.openapi.params import Form
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from waybill.core.bodies import json_object, unusable_body
from waybill.core.errors import FieldError, InvalidInputError, UnsupportedMediaTypeError
from waybill.core.wire import field_errors, field_path

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.openapi.compat import ModelField
    from aws_lambda_powertools.event_handler.openapi.params import Dependant

_JSON, _FORM = "application/json", "multipart/form-data"
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^\s";]+))', re.IGNORECASE)
# As JSON writes them: Python's `int` also takes white space, a sign, underscores and digits of other scripts.
_INTEGER = re.compile(r"-?[0-9]+")
# A full-date of RFC 3339, 5.6: Pydantic also takes seconds since 1970, and a time that is midnight.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BOOLEANS = {"true", "false"}
_SHOWN_CHARACTERS = 100
# Pydantic's types of errors that mean that something is unknown, or of another type of JSON. Others come of strictness
# alone where a validator has seen the document first: a list is no tuple then, and a text no time.
_CONVERTED = frozenset(
    {"bool_type", "dict_type", "extra_forbidden", "float_type", "int_type", "list_type", "string_type"}
)


def read_content(event: MutableMapping[str, Any], raw: bytes, dependant: "Dependant") -> bool:
    """Check the media type of a request that changes something; return whether it has a body of JSON.

    Type and parameter names are compared without case, and parameters of JSON change nothing (RFC 9110, 8.3.1).

    Raises
    ------
    UnsupportedMediaTypeError
        The route takes another media type; one without a body takes JSON.
    InvalidInputError
        A form without a boundary, or whose end or boundary is missing.
    """
    headers = event.get("headers") or {}
    name = next((each for each in headers if each.lower() == "content-type"), None)
    given = str(headers[name]) if name else ""
    media_type = given.partition(";")[0].strip().lower()
    wanted = _FORM if any(isinstance(each.field_info, Form) for each in dependant.body_params) else _JSON
    if media_type != wanted and (given or wanted == _FORM):
        raise UnsupportedMediaTypeError(f"This route takes {wanted}")
    if wanted == _FORM:
        boundary = _checked_boundary(raw, given)
        # Bytes that are no text reach the form's reader as they are.
        event["body"], event["isBase64Encoded"] = base64.b64encode(raw).decode(), True
        event["headers"] = {**headers, name: f'{_FORM}; boundary="{boundary}"'}
        return False
    if name:
        event["headers"] = {**headers, name: _JSON}
    return bool(raw)


def _checked_boundary(raw: bytes, content_type: str) -> str:
    """Return the boundary of a form that has one, and an end."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise InvalidInputError(FieldError("Content-Type", "must say what the boundary of the form is"))
    boundary = match[1] or match[2]
    line = f"--{boundary}".encode()
    if line not in raw or not raw.rstrip().endswith(line + b"--"):
        raise InvalidInputError(FieldError("file", "is missing: the form is empty or cut off, or has another boundary"))
    return boundary


def check_body(text: str, dependant: "Dependant") -> None:
    """Refuse what the model of the body does not name, and what it would have to convert.

    Raises
    ------
    InvalidInputError
        Names every field with its path.
    """
    model = _body_model(dependant)
    if model is None:
        return
    document = json_object(text)
    try:
        model.model_validate_json(_whole(text, document), strict=True, extra="forbid", by_alias=True, by_name=False)
    except ValidationError as error:
        kinds = [each["type"] in _CONVERTED for each in error.errors()]
        # What the route's own validation refuses too, it names itself.
        if any(kinds) and _is_taken(model, document):
            problems = zip(field_errors(error), kinds, strict=True)
            raise InvalidInputError(*(problem for problem, refused in problems if refused)) from None
        return
    # Pydantic takes a field's own name for known, though it reads the alias alone.
    inner = tuple(_inner_names(model, document))
    if inner:
        raise InvalidInputError(*inner)


def _whole(text: str, document: dict[str, Any]) -> str:
    """Return a document as Pydantic's parser reads it, which ends at halves of surrogate pairs and at depth.

    What it did not read it did not check. A half becomes a question mark; where it belongs, the route says what is
    wrong with it (RFC 8259, 8.2, leaves open what comes of one).
    """
    try:
        from_json(text)
    except ValueError:
        text = json.dumps(document, ensure_ascii=False).encode(errors="replace").decode()
        try:
            from_json(text)
        except ValueError:
            raise unusable_body() from None
    return text


def _is_taken(model: type[BaseModel], document: object) -> bool:
    try:
        model.model_validate(document)
    except ValidationError:
        return False
    return True


def _inner_names(model: type[BaseModel], document: object, path: tuple[int | str, ...] = ()) -> Iterator[FieldError]:
    """Yield the fields of a document that have the name of the code in place of that of the contract."""
    if isinstance(document, list):
        for position, each in enumerate(document):
            yield from _inner_names(model, each, (*path, position))
    if not isinstance(document, dict):
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name, value in document.items():
        if name in fields:
            for kind in _kinds(fields[name].annotation):
                if issubclass(kind, BaseModel):
                    yield from _inner_names(kind, value, (*path, name))
        elif name in model.model_fields:
            yield FieldError(field_path((*path, name)), "Extra inputs are not permitted")


def _body_model(dependant: "Dependant") -> type[BaseModel] | None:
    """Return the model of a body that is one; None for another body."""
    if len(dependant.body_params) != 1:
        return None
    found = [each for each in _kinds(dependant.body_params[0].type_) if issubclass(each, BaseModel)]
    return found[0] if len(found) == 1 else None


def check_query(given: dict[str, list[str]], dependant: "Dependant") -> None:
    """Refuse parameters that the route does not have, and values that would have to be converted.

    Raises
    ------
    InvalidInputError
        Names every parameter.
    """
    known = {each.alias: each for each in dependant.query_params}
    problems = [problem for name, values in given.items() for problem in _query_problems(name, values, known.get(name))]
    if problems:
        raise InvalidInputError(*problems)


def _query_problems(name: str, values: Sequence[str], field: "ModelField | None") -> Iterator[FieldError]:
    if field is None:
        yield FieldError(ascii(name)[1:-1][:_SHOWN_CHARACTERS], "is not a parameter of this route")
        return
    kinds = _kinds(field.type_)
    if len(values) > 1 and not kinds & {list, tuple, set, frozenset}:
        yield FieldError(name, "must not be given more than once")
    if bool in kinds and not set(values) <= _BOOLEANS:
        yield FieldError(name, "must be true or false")
    elif int in kinds and bool not in kinds and not all(_INTEGER.fullmatch(value) for value in values):
        yield FieldError(name, "must be a whole number")
    elif date in kinds and not all(_DATE.fullmatch(value) for value in values):
        yield FieldError(name, "must be a date such as 2026-12-24")
    elif name == "cursor" and "" in values:
        yield FieldError(name, "is empty: leave it out, or use the one from the previous answer")


def _kinds(annotation: Any) -> set[type]:
    """Return the classes in an annotation: those of a union, of what is annotated, and of a list with its items."""
    found = {annotation} if isinstance(annotation, type) else set()
    origin = getattr(annotation, "__origin__", None)
    if isinstance(origin, type):
        found.add(origin)
    for part in get_args(annotation):
        found |= _kinds(part) if not isinstance(part, str | int) else set()
    return found
