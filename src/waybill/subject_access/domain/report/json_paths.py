"""Paths to values of an answer, from its content down: ``contacts[].phone``, ``notes[3].author``, ``$["odd name"]``.

The forms of JSONPath (RFC 9535) that name one value: ``$``, ``.name``, ``['name']`` and ``[3]``; and those of rules,
for values wherever they are: ``*`` for every name, ``**`` for any number of levels. Lists are walked through with or
without ``[]``.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.models import Json

_STEP = re.compile(
    r"""(?P<all>\[\])|\[(?P<index>[0-9]{1,9})\]|\['(?P<single>(?:[^'\\]|\\.)*)'\]|\["(?P<double>(?:[^"\\]|\\.)*)"\]"""
    r"""|(?P<name>[^.\[\]]+)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\W\d][\w\-]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Wild(Enum):
    """A step that is not one name."""

    NAME = "*"
    DEPTH = "**"


# A name, a place in a list that counts from 0, or whatever is there.
type Step = str | int | Wild
ROOT: Final = "$"


def steps_of(path: str) -> tuple[Step, ...]:
    """Return the steps of a path.

    Raises
    ------
    ValueError
        It can name nothing: a rule with it would leave in the report what somebody wanted out of it.
    """
    rest = path.removeprefix(ROOT) if path.startswith((f"{ROOT}.", f"{ROOT}[")) or path == ROOT else path
    if not rest and path != ROOT:
        raise ValueError("must be names joined by dots, such as contacts[].phone or notes[3].author")
    found: list[Step] = []
    position, begun = 0, path != rest
    while position < len(rest):
        dot = rest[position] == "."
        step = _STEP.match(rest, position + dot)
        named = step is not None and step["name"] is not None
        # Names are parted by dots; a list may follow one without.
        if step is None or (named and dot != begun) or (dot and not begun):
            raise ValueError("must be names joined by dots, such as contacts[].phone or notes[3].author")
        begun, position = True, step.end()
        found.extend(_step(step))
    return tuple(found)


def _step(found: re.Match[str]) -> Iterator[Step]:
    if found["index"] is not None:
        yield int(found["index"])
    elif found["name"] is not None:
        yield Wild(found["name"]) if found["name"] in ("*", "**") else found["name"]
    elif found["all"] is None:
        quoted = found["single"] if found["single"] is not None else found["double"]
        yield _ESCAPED.sub(r"\1", quoted)


def child(path: str, step: str | int) -> str:
    """Return the path of what lies in the value of `path` under a name or at a place."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if _PLAIN.fullmatch(step):
        return f"{path}.{step}" if path else step
    quoted = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path or ROOT}['{quoted}']"


def values_of(content: Json) -> Iterator[tuple[str, Json]]:
    """Yield the path and value of every simple value, and of every empty list and object."""
    waiting: list[tuple[str, Json]] = [("", content)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting.extend((child(path, name), one) for name, one in reversed(value.items()))
        elif isinstance(value, LISTS) and value:
            waiting.extend((child(path, index), value[index]) for index in range(len(value) - 1, -1, -1))
        else:
            yield path or ROOT, value
