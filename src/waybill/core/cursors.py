"""Opaque cursors of lists: where the next page starts, as text that fits a query parameter.

A cursor is the URL-safe base64 of a JSON object. It is readable and not signed: whoever decodes one treats its content
as input. One of `list_cursor` says which list it is of, with which filters, so that no other list takes it. A sealed
one is `<base64>.<signature>` (base64 has no full stop): it holds for one list, with the filters that it was made with,
and nobody else can make one.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from pydantic import JsonValue

from waybill.core.errors import FieldError, InvalidInputError

# Room for a DynamoDB key (3 KiB before base64); API Gateway takes 10,240 bytes of request line and headers.
CURSOR_LIMIT = 8192
_LIST = "of"
_NOT_OURS = "is not a cursor of this list: use the one from the previous answer, unchanged"


def encode_cursor(position: Mapping[str, JsonValue]) -> str:
    """Return `position` (JSON-ready, such as a DynamoDB `LastEvaluatedKey` of strings) as a cursor."""
    document = json.dumps(dict(position), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()


def list_cursor(position: Mapping[str, JsonValue], *about: object) -> str:
    """Return `position` as a cursor of the list that `about` names: which one, of what, with which filters."""
    return encode_cursor({**position, _LIST: _list_mark(about)})


def list_position(cursor: str, *about: object, field: str = "cursor") -> dict[str, JsonValue]:
    """Return the position in a cursor that `list_cursor` has made with the same `about`; it is still to be checked.

    Raises
    ------
    InvalidInputError
        It is another list's, or the same list's with other filters; names `field`.
    """
    position = decode_cursor(cursor, field)
    if position.pop(_LIST, None) != _list_mark(about):
        raise InvalidInputError(FieldError(field, _NOT_OURS))
    return position


def _list_mark(about: tuple[object, ...]) -> str:
    named = [None if each is None else str(each) for each in about]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def seal_cursor(position: Mapping[str, JsonValue], key: bytes, about: str) -> str:
    """Return `position` as a cursor of the list `about`, signed with `key`."""
    cursor = encode_cursor(position)
    return f"{cursor}.{_signature(cursor, key, about)}"


def open_cursor(cursor: str, key: bytes, about: str, field: str = "cursor") -> dict[str, JsonValue]:
    """Return the position in a cursor that `seal_cursor` has made with the same `key` and `about`.

    Raises
    ------
    InvalidInputError
        It is not such a text; names `field`.
    """
    position, _, signature = cursor.partition(".")
    if not cursor.isascii() or not hmac.compare_digest(signature, _signature(position, key, about)):
        raise InvalidInputError(FieldError(field, _NOT_OURS))
    return decode_cursor(position, field)


def _signature(cursor: str, key: bytes, about: str) -> str:
    return hmac.digest(key, json.dumps(["cursor", about, cursor]).encode(), "sha256").hex()[:32]


def decode_cursor(cursor: str, field: str = "cursor") -> dict[str, JsonValue]:
    """Return the position in `cursor`; its keys and values are still to be checked.

    Raises
    ------
    InvalidInputError
        It is not such a text; names `field`.
    """
    try:
        if len(cursor) > CURSOR_LIMIT:
            raise ValueError
        # Python's decoder would skip foreign characters; `altchars` with `validate` refuses them.
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(position, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise InvalidInputError(FieldError(field, _NOT_OURS)) from None
    return position
