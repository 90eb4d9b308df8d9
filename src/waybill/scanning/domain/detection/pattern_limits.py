"""Whether a pattern of somebody else's may be run: its quantifiers are bounded, and so is the work that it causes."""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from waybill.scanning.domain.detection.pieces import LOOKAHEAD
from waybill.scanning.errors import DetectorError

PATTERN_LENGTH = 2000
# In how many ways a pattern may go through one text: those that are no match make it try them all.
_WAYS = 1_000_000


def check_pattern(pattern: str, *, least: int = 0) -> None:
    """Refuse a pattern that is unbounded, or that may take far longer than its text is long.

    One that is looked for in a text, and not held against the whole of a value, must match at `least` a byte: there is
    nothing at each place of every text.

    Raises
    ------
    DetectorError
        Says what is wrong with it.
    """
    if len(pattern) > PATTERN_LENGTH:
        raise DetectorError(f"a pattern has at most {PATTERN_LENGTH} characters")
    # The parser of the standard library is the one thing that knows what a pattern means to it.
    parser: Any = import_module("re._parser")
    try:
        tree = parser.parse(pattern.encode("ascii").decode("ascii"))
        re.compile(pattern.encode("ascii"))
    except (re.error, UnicodeError, OverflowError, RecursionError) as error:
        raise DetectorError(f"not a pattern in ASCII: {type(error).__name__}") from None
    if _ways(tree, parser.MAXREPEAT) > _WAYS:
        raise DetectorError("a pattern that can be gone through in too many ways: its quantifiers are far or nested")
    if int(tree.getwidth()[0]) < least:
        raise DetectorError("a pattern that matches nothing at all")
    if int(tree.getwidth()[1]) > LOOKAHEAD:
        raise DetectorError(f"a pattern matches at most {LOOKAHEAD} bytes")


def _ways(items: Iterable[Any], unbounded: Any) -> int:
    """Return in how many ways a sequence of a pattern may be gone through, counted no further than the limit."""
    ways = 1
    for operation, argument in items:
        ways = min(_WAYS + 1, ways * _ways_of(str(operation), argument, unbounded))
    return ways


def _ways_of(operation: str, argument: Any, unbounded: Any) -> int:
    if operation in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, body = argument
        if most == unbounded:
            raise DetectorError("a quantifier without a bound, such as * or +")
        return _repeated(int(least), int(most), _ways(body, unbounded))
    if operation == "SUBPATTERN":
        return _ways(argument[3], unbounded)
    if operation == "BRANCH":
        return sum(_ways(branch, unbounded) for branch in argument[1])
    if operation in {"ASSERT", "ASSERT_NOT"}:
        return _ways(argument[1], unbounded)
    if operation == "ATOMIC_GROUP":
        return _ways(argument, unbounded)
    return 1


def _repeated(least: int, most: int, body: int) -> int:
    if body == 1:
        return most - least + 1
    total = 0
    for count in range(least, most + 1):
        total += body ** min(count, 64)
        if total > _WAYS:
            return _WAYS + 1
    return total
