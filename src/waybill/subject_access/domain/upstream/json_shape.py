"""Reads the shape of a large JSON document without building it: 60 MB of answer cost no 400 MB of objects.

The document is checked against the grammar (RFC 8259) by regular expressions that run over it in C, one match for each
bracket. What passes can be read by Python's own reader: nesting is limited to 100 levels, numbers to 400 digits.
"""

import json
import re
from collections.abc import Buffer
from dataclasses import dataclass

DEPTH_LIMIT = 100
_WS = rb"[ \t\n\r]*+"
_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = rb"-?+(?:0|[1-9][0-9]{0,399}+)(?:\.[0-9]{1,400}+)?+(?:[eE][+-]?+[0-9]{1,4}+)?+(?![0-9.eE+-])"
_SCALAR = rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|true|false|null)"
_KEY = _WS + rb"(" + _STRING + rb")" + _WS + rb":" + _WS
_BARE_KEY = _KEY.replace(rb"(" + _STRING + rb")", _STRING)

_OPENING = re.compile(_WS + rb"([{\[])")
_EMPTY = {b"{": re.compile(_WS + rb"\}"), b"[": re.compile(_WS + rb"\]")}
# As many members with scalar values as there are, then one that opens something, or the last one with its closing
# bracket.
_MEMBERS = {
    b"{": re.compile(
        rb"(?:" + _BARE_KEY + _SCALAR + _WS + rb",)*+" + _BARE_KEY + rb"(?:([{\[])|" + _SCALAR + _WS + rb"(\}))"
    ),
    b"[": re.compile(rb"(?:" + _WS + _SCALAR + _WS + rb",)*+" + _WS + rb"(?:([{\[])|" + _SCALAR + _WS + rb"(\]))"),
}
_AFTER = {b"{": re.compile(_WS + rb"(?:(,)|\})"), b"[": re.compile(_WS + rb"(?:(,)|\])")}
_TOP_KEY = re.compile(_KEY)
_TOP_SCALAR = re.compile(_SCALAR)
_REST = re.compile(_WS + rb"\Z")


class MalformedJsonError(ValueError):
    """The document is not JSON, is no object at its top, or is outside the limits; `position` is in bytes."""

    def __init__(self, position: int, message: str = "is not JSON") -> None:
        super().__init__(f"{message} (byte {position})")
        self.position = position


@dataclass(frozen=True)
class Span:
    """Where a value stands: bytes from `start` up to `end`."""

    start: int
    end: int


def members(document: Buffer) -> dict[str, Span]:
    """Return where the values of the top object of `document` (UTF-8, no byte-order mark) stand, by name.

    Raises
    ------
    MalformedJsonError
        See there; two members of the same name count as malformed.
    """
    opened = _OPENING.match(document)
    if opened is None or opened[1] != b"{":
        raise MalformedJsonError(0, "is not a JSON object")
    found: dict[str, Span] = {}
    position = opened.end()
    empty = _EMPTY[b"{"].match(document, position)
    if empty:
        return _ended(document, empty.end(), found)
    while True:
        key = _TOP_KEY.match(document, position)
        if key is None:
            raise MalformedJsonError(position)
        name = json.loads(key[1])
        if name in found:
            raise MalformedJsonError(position, "names a member twice")
        found[name] = Span(key.end(), _end_of_value(document, key.end()))
        after = _AFTER[b"{"].match(document, found[name].end)
        if after is None:
            raise MalformedJsonError(found[name].end)
        if not after[1]:
            return _ended(document, after.end(), found)
        position = after.end()


def _ended(document: Buffer, position: int, found: dict[str, Span]) -> dict[str, Span]:
    if _REST.match(document, position) is None:
        raise MalformedJsonError(position, "has something behind its end")
    return found


def _end_of_value(document: Buffer, start: int) -> int:
    scalar = _TOP_SCALAR.match(document, start)
    if scalar:
        return scalar.end()
    opened = _OPENING.match(document, start)
    if opened is None:
        raise MalformedJsonError(start)
    stack, position = [opened[1]], opened.end()
    fresh = True
    while stack:
        closed = _EMPTY[stack[-1]].match(document, position) if fresh else None
        if closed is None:
            run = _MEMBERS[stack[-1]].match(document, position)
            if run is None:
                raise MalformedJsonError(position)
            position = run.end()
            if run[1]:
                if len(stack) >= DEPTH_LIMIT:
                    raise MalformedJsonError(position, f"is nested deeper than {DEPTH_LIMIT} levels")
                stack.append(run[1])
                fresh = True
                continue
        else:
            position = closed.end()
        position = _closed(document, position, stack)
        fresh = False
    return position


def _closed(document: Buffer, position: int, stack: list[bytes]) -> int:
    """Leave the innermost bracket, and those that end right behind it; return where a member or nothing follows."""
    stack.pop()
    while stack:
        after = _AFTER[stack[-1]].match(document, position)
        if after is None:
            raise MalformedJsonError(position)
        position = after.end()
        if after[1]:
            break
        stack.pop()
    return position
