"""Request bodies: what API Gateway hands over becomes text, and text becomes one JSON object."""

import base64
import json
from collections import Counter
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
    """Return `raw` as text, without a byte order mark at its beginning (RFC 8259, 8.1; Unicode Standard, 23.8).

    Raises
    ------
    InvalidInputError
        It is not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_body("is not UTF-8 text") from None


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that `text` holds.

    Raises
    ------
    InvalidInputError
        It is not JSON, not an object, nested too deeply, names a field twice, or has a number that JSON does not know.
    """
    try:
        document = strict_json(text)
    except RepeatedNameError as error:
        raise InvalidInputError(FieldError(error.name, "is given twice in one object")) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad_body(f"is not valid JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError):
        raise unusable_body() from None
    # Powertools takes the first element of a list where a model is declared; the others would be lost.
    if not isinstance(document, dict):
        raise _bad_body("must be a JSON object")
    return document


class RepeatedNameError(ValueError):
    """A JSON object has two members of one name, of which a reader would lose one (RFC 8259, section 4)."""

    def __init__(self, name: str) -> None:
        self.name = ascii(name)[1:-1]
        super().__init__(f"{self.name} is given twice in one object")


def strict_json(text: str) -> Any:
    """Return what JSON `text` holds; `ValueError` for numbers that JSON does not know and for a name given twice."""
    return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_members)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        raise RepeatedNameError(next(name for name, times in counted.items() if times > 1))
    return members


def _no_constant(name: str) -> float:
    raise ValueError(name)


def unusable_body() -> InvalidInputError:
    """Return what the sender of JSON is told that is none by its letters, and no program of ours can use."""
    return _bad_body("is not usable JSON: nested too deeply, or a number out of range")


def _bad_body(message: str) -> InvalidInputError:
    return InvalidInputError(FieldError("body", message))
