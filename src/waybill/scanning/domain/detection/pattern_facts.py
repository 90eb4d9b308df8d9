"""What can be said of a pattern without asking it: which bytes it can begin with, which it has, how long it is.

`re` asks for the first byte in a tenth of the time that its borders take; what a line has not got, no rule finds there.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

_ALL = frozenset(range(256))
_CATEGORIES = {"DIGIT": rb"\d", "SPACE": rb"\s", "WORD": rb"\w"}


def first_bytes(pattern: str) -> frozenset[int] | None:
    """Return the bytes that whatever a pattern matches begins with one of; None where that is any, or nothing.

    What it says may be too many, and never too few: a look-around is left out of account.
    """
    tree = _parsed(pattern)
    found, empty = _of_sequence(tree, ignore_case=bool(tree.state.flags & re.IGNORECASE))
    return None if empty or found == _ALL else found


def fewest(pattern: str, wanted: frozenset[int]) -> int:
    """Return how many of some bytes whatever a pattern matches has at least; not for patterns that ignore case."""
    return _fewest(_parsed(pattern), wanted)


def has_only(pattern: str, allowed: frozenset[int]) -> bool:
    """Return whether whatever a pattern matches is made of some bytes alone."""
    tree = _parsed(pattern)
    return _has_only(tree, allowed, ignore_case=bool(tree.state.flags & re.IGNORECASE))


def has_literal(pattern: str) -> bool:
    """Return whether a pattern has a byte by itself in it, and not only classes of bytes."""
    return _has_literal(_parsed(pattern))


def literals(pattern: str) -> frozenset[bytes]:
    """Return texts in small letters, one of which whatever a pattern matches has in it; none where none is known."""
    return _literals(_parsed(pattern))


def shortest(pattern: str) -> int:
    """Return how many bytes whatever a pattern matches has at least."""
    return int(_parsed(pattern).getwidth()[0])


def _parsed(pattern: str) -> Any:
    parser: Any = import_module("re._parser")
    return parser.parse(pattern.encode("ascii"))


def _fewest(items: Iterable[Any], wanted: frozenset[int]) -> int:
    count = 0
    for operation, argument in items:
        match str(operation):
            case "LITERAL" | "IN":
                count += _of_item(str(operation), argument, ignore_case=False)[0] <= wanted
            case "BRANCH":
                count += min(_fewest(part, wanted) for part in argument[1])
            case "MAX_REPEAT" | "MIN_REPEAT":
                count += argument[0] * _fewest(argument[2], wanted)
            case "SUBPATTERN":
                count += _fewest(argument[3], wanted)
    return count


def _has_only(items: Iterable[Any], allowed: frozenset[int], *, ignore_case: bool) -> bool:
    for operation, argument in items:
        match str(operation):
            case "BRANCH":
                only = all(_has_only(part, allowed, ignore_case=ignore_case) for part in argument[1])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                only = _has_only(argument[2], allowed, ignore_case=ignore_case)
            case "SUBPATTERN":
                only = _has_only(argument[3], allowed, ignore_case=True)
            case "ASSERT" | "ASSERT_NOT" | "AT":
                only = True
            case _:
                only = _of_item(str(operation), argument, ignore_case=ignore_case)[0] <= allowed
        if not only:
            return False
    return True


def _has_literal(items: Iterable[Any]) -> bool:
    for operation, argument in items:
        match str(operation):
            case "LITERAL":
                has = True
            case "BRANCH":
                has = any(_has_literal(part) for part in argument[1])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                has = _has_literal(argument[2])
            case "SUBPATTERN":
                has = _has_literal(argument[3])
            case _:
                has = False
        if has:
            return True
    return False


def _literals(items: Iterable[Any]) -> frozenset[bytes]:
    known: list[frozenset[bytes]] = []
    run = b""
    for operation, argument in (*items, (None, None)):
        if str(operation) == "LITERAL":
            run += bytes([argument]).lower()
            continue
        known.append(frozenset({run}))
        run = b""
        match str(operation):
            case "BRANCH":
                parts = [_literals(part) for part in argument[1]]
                known.append(frozenset().union(*parts) if all(parts) else frozenset())
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" if argument[0]:
                known.append(_literals(argument[2]))
            case "SUBPATTERN":
                known.append(_literals(argument[3]))
    # The longer and the fewer they are, the fewer texts have one.
    best = max(known, key=lambda some: (min(map(len, some), default=0), -len(some)))
    return frozenset() if b"" in best else best


def as_class(found: Iterable[int]) -> str:
    """Return bytes as a class of a pattern."""
    return "[" + "".join(rf"\x{byte:02x}" for byte in sorted(found)) + "]"


def _of_sequence(items: Iterable[Any], *, ignore_case: bool) -> tuple[frozenset[int], bool]:
    """Return what a sequence can begin with, and whether it can be empty."""
    found: frozenset[int] = frozenset()
    for operation, argument in items:
        first, empty = _of_item(str(operation), argument, ignore_case=ignore_case)
        found |= first
        if not empty:
            return found, False
    return found, True


def _of_item(operation: str, argument: Any, *, ignore_case: bool) -> tuple[frozenset[int], bool]:
    match operation:
        case "LITERAL":
            return _cased({argument}, ignore_case=ignore_case), False
        case "NOT_LITERAL":
            return _ALL - {argument}, False
        case "IN":
            return _of_class(argument, ignore_case=ignore_case), False
        case "BRANCH":
            parts = [_of_sequence(part, ignore_case=ignore_case) for part in argument[1]]
            return frozenset().union(*(first for first, _ in parts)), any(empty for _, empty in parts)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            first, empty = _of_sequence(argument[2], ignore_case=ignore_case)
            return first, empty or argument[0] == 0
        case "SUBPATTERN":
            ignores = (ignore_case or bool(argument[1] & re.IGNORECASE)) and not argument[2] & re.IGNORECASE
            return _of_sequence(argument[3], ignore_case=ignores)
        case "ASSERT" | "ASSERT_NOT" | "AT":
            return frozenset(), True
    return _ALL, True


def _of_class(items: Iterable[Any], *, ignore_case: bool) -> frozenset[int]:
    found, negated = set[int](), False
    for operation, argument in items:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found.add(argument)
            case "RANGE":
                found.update(range(argument[0], argument[1] + 1))
            case "CATEGORY":
                found |= _of_category(str(argument).removeprefix("CATEGORY_"))
            case _:
                return _ALL
    if not negated:
        return _cased(found, ignore_case=ignore_case)
    # Of a letter that is left out the other case is as well; to keep both would be too many, and no fault.
    return _ALL - frozenset(byte for byte in found if not ignore_case or not chr(byte).isalpha())


def _of_category(name: str) -> set[int]:
    pattern = re.compile(_CATEGORIES[name.removeprefix("NOT_")])
    inside = {byte for byte in range(256) if pattern.match(bytes([byte]))}
    return set(_ALL) - inside if name.startswith("NOT_") else inside


def _cased(found: Iterable[int], *, ignore_case: bool) -> frozenset[int]:
    letters = bytes(found)
    return frozenset(letters + letters.lower() + letters.upper() if ignore_case else letters)
