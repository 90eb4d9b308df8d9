"""Reads the members of a large JSON document without building it: 60 MB of answer cost no 400 MB of objects.

msgspec checks the grammar (RFC 8259) and leaves each member as the bytes that stand in the document. It has no limits
of its own, so nesting is limited here to 100 levels and numbers to 400 characters: what passes can be read by Python's
own reader.
"""

import mmap
import re
from collections.abc import Iterator, Mapping

import msgspec

DEPTH_LIMIT = 100
_TWICE = "names a member twice"
_DEEP = f"is nested deeper than {DEPTH_LIMIT} levels"
_CHUNK_BYTES = 4 * 1024**2
_BACKSLASHES = re.compile(rb"\\*")
_QUOTED = re.compile(rb'"[^"]*"')
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LONG_NUMBER = rb"[\s:,\[]-?[0-9](?:[0-9.eE+-]{400}|[0-9.]*[eE][+-]?[0-9]{5})"
_PERHAPS_LONG = re.compile(_LONG_NUMBER)
_LONG_OR_STRING = re.compile(_STRING + rb"|(" + _LONG_NUMBER + rb")", re.DOTALL)
# RFC 8259, section 8.2: half of a surrogate pair is within the grammar, which msgspec does not accept. Whole pairs and
# every other escape are passed over, so that nothing else is taken for a half.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# Unicode 17, section 3.9: what is ill-formed is shown as U+FFFD.
_REPLACEMENT = rb"\ufffd"
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NEITHER_BRACKET_NOR_QUOTE = bytes(set(range(256)) - set(b'[]{}"'))


class MalformedJsonError(ValueError):
    """The document is not JSON, is no object at its top, or is outside the limits."""


class _Name(str):
    """The name of a member: a type of its own, so that msgspec hands over each one, also one that comes twice."""


def members(document: bytes | mmap.mmap) -> Mapping[str, msgspec.Raw]:
    """Return the values of the top object of `document` (UTF-8, no byte-order mark) as they stand in it, by name.

    They are views: a document that is a file in memory can be closed when none of them is left. Half of a surrogate
    pair is read as U+FFFD.

    Raises
    ------
    MalformedJsonError
        See there; two members of the same name count as malformed.
    """
    try:
        found = _decoded(document)
    except msgspec.DecodeError as error:
        if not any(escape["half"] for escape in _ESCAPE.finditer(document)):
            raise _malformed(error) from None
        try:
            found = _decoded(_ESCAPE.sub(lambda escape: _REPLACEMENT if escape["half"] else escape[0], document))
        except msgspec.DecodeError as error:
            raise _malformed(error) from None
    if _has_long_number(document):
        raise MalformedJsonError("has a number of more than 400 digits, or an exponent of more than 4")
    if _is_deep(document):
        raise MalformedJsonError(_DEEP)
    return found


def _decoded(document: bytes | mmap.mmap) -> Mapping[str, msgspec.Raw]:
    names: list[str] = []

    def noted(kind: type[_Name], name: str) -> _Name:
        names.append(name)
        return kind(name)

    try:
        found = msgspec.json.decode(document, type=dict[_Name, msgspec.Raw], dec_hook=noted)
    except msgspec.ValidationError:
        raise MalformedJsonError("is not a JSON object") from None
    except RecursionError:
        raise MalformedJsonError(_DEEP) from None
    if len(names) > len(found):
        raise MalformedJsonError(_TWICE)
    return {str(name): value for name, value in found.items()}


def _malformed(error: msgspec.DecodeError) -> MalformedJsonError:
    return MalformedJsonError(f"is not JSON: {str(error).removeprefix('JSON is malformed: ')}")


def _has_long_number(document: bytes | mmap.mmap) -> bool:
    if not _PERHAPS_LONG.search(document):
        return False
    return any(found[1] for found in _LONG_OR_STRING.finditer(document))


def _is_deep(document: bytes | mmap.mmap) -> bool:
    """Return whether brackets of a document that keeps the grammar are nested too deep.

    What is left of it are brackets and quotes, then brackets alone, of which each round removes the innermost pairs.
    """
    brackets = b"".join(_brackets_and_quotes(document)).replace(b'""', b"")
    if b'"' in brackets:
        brackets = _QUOTED.sub(b"", brackets)
    for _ in range(DEPTH_LIMIT + 1):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _brackets_and_quotes(document: bytes | mmap.mmap) -> Iterator[bytes]:
    position = 0
    while position < len(document):
        end = min(position + _CHUNK_BYTES, len(document))
        # Not between a backslash and what it escapes.
        if document[end - 1 : end] == b"\\":
            behind = _BACKSLASHES.match(document, end)
            end = (behind.end() if behind else end) + 1
        chunk = document[position:end]
        if b"\\" in chunk:
            chunk = chunk.replace(b"\\\\", b"").replace(b'\\"', b"")
        yield chunk.translate(_ONE_KIND, _NEITHER_BRACKET_NOR_QUOTE)
        position = end
