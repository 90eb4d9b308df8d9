"""Takes values out of an answer before anything is drawn, so that the report does not hold them at all.

A rule's path leads through lists without saying so: ``contacts.phone`` and ``contacts[].phone`` are the same.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from waybill.subject_access.domain.report.models import Json, Redaction

# A shorter text is found all over an answer by chance.
_SHORTEST: Final = 3
_ANY: Final = "*"
_ANY_DEPTH: Final = "**"
# A rule and how much of its path led here.
type _States = frozenset[tuple[int, int]]


@dataclass
class Redacted:
    """An answer without what the rules take out.

    Attributes
    ----------
    content : Json
        A new value; what was given is as it was.
    removed : int
        Values that were taken out, those of `Redaction.everywhere` among them.
    left : int
        Values that still hold the text of one that was taken out elsewhere.
    """

    content: Json = None
    removed: int = 0
    left: int = 0
    texts: dict[str, Redaction] = field(default_factory=dict)


def redact(content: Json, rules: Sequence[Redaction]) -> Redacted:
    """Return `content` with each value that a rule names replaced by ``[Redacted: reason]``."""
    if not rules:
        return Redacted(content)
    paths = [rule.path.replace("[]", "").strip(".").split(".") for rule in rules]
    result = Redacted()
    start = _closure(((index, 0) for index in range(len(rules))), paths)
    result.content = _walk(content, start, paths, rules, result)
    _sweep(result)
    return result


def marker(rule: Redaction) -> str:
    """Return what is printed instead of a value."""
    return f"[Redacted: {rule.reason}]"


def _closure(states: Iterable[tuple[int, int]], paths: Sequence[Sequence[str]]) -> _States:
    """Return `states` and those that ``**`` reaches by standing for no level."""
    found: set[tuple[int, int]] = set()
    for index, position in states:
        after = position
        while after < len(paths[index]) and paths[index][after] == _ANY_DEPTH:
            after += 1
        found.update((index, reached) for reached in range(position, after + 1))
    return frozenset(found)


def _step(states: _States, name: str, paths: Sequence[Sequence[str]]) -> _States:
    onward = []
    for index, position in states:
        if position < len(paths[index]):
            wanted = paths[index][position]
            if wanted == _ANY_DEPTH:
                onward.append((index, position))
            elif wanted in (_ANY, name):
                onward.append((index, position + 1))
    return _closure(onward, paths)


def _walk(
    value: Json, states: _States, paths: Sequence[Sequence[str]], rules: Sequence[Redaction], result: Redacted
) -> Json:
    ended = sorted(index for index, position in states if position == len(paths[index]))
    if ended:
        rule = rules[ended[0]]
        result.removed += 1
        for text in _texts(value):
            if len(text.strip()) >= _SHORTEST and not (text in result.texts and result.texts[text].everywhere):
                result.texts[text] = rule
        return marker(rule)
    if not states:
        return value
    if isinstance(value, dict):
        return {name: _walk(one, _step(states, name, paths), paths, rules, result) for name, one in value.items()}
    if isinstance(value, list):
        return [_walk(one, states, paths, rules, result) for one in value]
    return value


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _sweep(result: Redacted) -> None:
    """Take texts out of the other values too where their rule says so, and count where it does not."""
    if not result.texts:
        return
    longest_first = sorted(result.texts, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def replaced(found: re.Match[str]) -> str:
        rule = result.texts[found[0]]
        if rule.everywhere:
            result.removed += 1
            return marker(rule)
        result.left += 1
        return found[0]

    def swept(value: Json) -> Json:
        if isinstance(value, dict):
            return {pattern.sub(replaced, name): swept(one) for name, one in value.items()}
        if isinstance(value, list):
            return [swept(one) for one in value]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        new = pattern.sub(replaced, text)
        return value if new == text else new

    result.content = swept(result.content)
