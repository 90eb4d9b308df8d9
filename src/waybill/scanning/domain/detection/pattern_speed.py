"""How long a pattern of somebody else's takes on texts that are nearly its values: what counts ways sees no speed."""

import re
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from waybill.scanning.errors import DetectorError

# Of the shipped patterns, the slowest takes a tenth of it on such texts; one whose quantifiers share their signs takes
# several times as long.
_SECONDS = 200e-6
_VALUES, _HEAD, _SIGNS, _LENGTH = 5, 24, 24, 1024
_OF_CATEGORY = {"CATEGORY_DIGIT": b"0", "CATEGORY_WORD": b"a0_", "CATEGORY_SPACE": b" "}
_OTHER = ord("~")


def check_speed(pattern: re.Pattern[bytes], values: Iterable[bytes]) -> None:
    """Refuse a pattern that takes far longer than its text is long.

    Tried are texts that begin as one of `values`, which it matches, and go on with one sign of the pattern alone: there
    it must look at all ways to go on, and finds none.

    Raises
    ------
    DetectorError
        It takes too long.
    """
    signs = sorted(_signs(pattern.pattern))[:_SIGNS]
    for head in sorted({value[:length] for value in [*values][:_VALUES] for length in range(min(len(value), _HEAD))}):
        for sign in signs:
            text = head + bytes([sign]) * _LENGTH
            if _seconds(pattern, text) > _SECONDS and _seconds(pattern, text) > _SECONDS:
                raise DetectorError("a pattern that takes too long on what is nearly one of its values")


def _seconds(pattern: re.Pattern[bytes], text: bytes) -> float:
    begun = time.process_time()
    pattern.match(text)
    return time.process_time() - begun


def _signs(pattern: bytes) -> set[int]:
    """Return signs that a pattern has: of a class, its ends."""
    # The parser of the standard library is the one thing that knows what a pattern means to it.
    parser: Any = import_module("re._parser")
    return {sign for sign in _signs_of(parser.parse(pattern)) if sign < 0x80}


def _signs_of(items: Iterable[Any]) -> Iterator[int]:
    for operation, argument in items:
        match str(operation):
            case "LITERAL":
                yield argument
            case "RANGE":
                yield from argument
            case "CATEGORY":
                yield from _OF_CATEGORY.get(str(argument), b"~")
            case "IN":
                yield from _signs_of(argument)
            case "NEGATE" | "ANY" | "NOT_LITERAL":
                yield _OTHER
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                yield from _signs_of(argument[2])
            case "SUBPATTERN":
                yield from _signs_of(argument[3])
            case "BRANCH":
                for branch in argument[1]:
                    yield from _signs_of(branch)
            case "ATOMIC_GROUP":
                yield from _signs_of(argument)
