"""Request bodies: what API Gateway hands over becomes text, and text becomes one JSON object."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from waybill.core.errors import FieldError, InvalidInputError


def body_bytes(event: Mapping[str, Any]) -> bytes:
    """Return the body of a proxy event, decoded where `isBase64Encoded` says so; empty without a body.

    Raises
    ------
    InvalidInputError
        It is not base64.
    """
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise _bad_body("must be text")
    if not event.get("isBase64Encoded"):
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        raise _bad_body("is not valid base64") from None


def body_text(raw: bytes) -> str:
    """Return `raw` as text.

    Raises
    ------
    InvalidInputError
        It is not UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _bad_body("is not UTF-8 text") from None


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that `text` holds.

    Raises
    ------
    InvalidInputError
        It is not JSON, not an object, nested too deeply, or has a number that JSON does not know.
    """
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad_body(f"is not valid JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError):
        raise _bad_body("is not usable JSON: nested too deeply, or a number out of range") from None
    # Powertools takes the first element of a list where a model is declared; the others would be lost.
    if not isinstance(document, dict):
        raise _bad_body("must be a JSON object")
    return document


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _bad_body(message: str) -> InvalidInputError:
    return InvalidInputError(FieldError("body", message))
