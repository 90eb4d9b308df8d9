"""Lines of Hebrew and Arabic as they are drawn: from left to right, letters of Arabic joined.

A line at a time, by the rules of Unicode Standard Annex 9 for text without directional controls, but for one: a number
with separators, such as a date, always keeps its order, for the sake of those who read no Arabic. Letters are joined by
the presentation forms that Unicode has for them, and so are lam and alef, which Arabic is not written without.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

_RIGHT_TO_LEFT: Final = frozenset(("R", "AL"))
_NUMBER: Final = frozenset(("EN", "AN"))
_SEPARATOR: Final = frozenset(("ES", "CS"))
_MIRRORED: Final = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
_LAM: Final = "\u0644"
_FORMS: Final = ("<isolated>", "<initial>", "<medial>", "<final>")
_ISOLATED, _INITIAL, _MEDIAL, _FINAL = _FORMS


class _Cluster(NamedTuple):
    """A letter with the marks that stand on it."""

    text: str
    kind: str


def visual(line: str, printable: Callable[[str], bool]) -> str:
    """Return the characters of a line in the order in which they are drawn from left to right.

    Letters that have no `printable` form for where they stand keep the one they have.
    """
    kinds = [unicodedata.bidirectional(char) for char in line]
    if _RIGHT_TO_LEFT.isdisjoint(kinds):
        return line
    clusters = list(_clusters(_joined(line, printable)))
    levels = _levels([cluster.kind for cluster in clusters])
    drawn = [
        cluster.text.translate(_MIRRORED) if level % 2 else cluster.text
        for cluster, level in zip(clusters, levels, strict=True)
    ]
    for lowest in range(max(levels), 0, -1):
        drawn, levels = _reversed_from(lowest, drawn, levels)
    return "".join(drawn)


def _clusters(line: str) -> Iterator[_Cluster]:
    text = ""
    for char in line:
        if text and unicodedata.bidirectional(char) == "NSM":
            text += char
            continue
        if text:
            yield _Cluster(text, unicodedata.bidirectional(text[0]))
        text = char
    if text:
        yield _Cluster(text, unicodedata.bidirectional(text[0]))


def _levels(kinds: Sequence[str]) -> list[int]:
    """Return the level of each cluster: even ones are drawn as they come, odd ones reversed."""
    strong = next((kind for kind in kinds if kind == "L" or kind in _RIGHT_TO_LEFT), "L")
    base = 0 if strong == "L" else 1
    kinds = [_in_number(kinds, index) for index in range(len(kinds))]
    return [
        (2 if kind in _NUMBER else 1) if side == 1 else 2 * base
        for kind, side in zip(kinds, _sides(kinds, base), strict=True)
    ]


def _in_number(kinds: Sequence[str], index: int) -> str:
    """Return the kind of a cluster, for a separator between two digits that of digits."""
    between = 0 < index < len(kinds) - 1 and {kinds[index - 1], kinds[index + 1]} <= _NUMBER
    return "EN" if between and kinds[index] in _SEPARATOR else kinds[index]


def _sides(kinds: Sequence[str], base: int) -> list[int]:
    """Return 1 for what belongs to text from right to left, 0 for the rest; what has no side takes that around it."""
    known: list[int | None] = []
    before = base
    for kind in kinds:
        if kind == "L":
            before = 0
        elif kind in _RIGHT_TO_LEFT:
            before = 1
        elif kind not in _NUMBER:
            known.append(None)
            continue
        known.append(before)
    sides: list[int] = []
    position = 0
    for side, run in groupby(known):
        length = len(list(run))
        if side is None:
            left = known[position - 1] if position else base
            right = known[position + length] if position + length < len(known) else base
            side = left if left == right else base  # noqa: PLW2901 — the side of the whole run
        sides.extend([side or 0] * length)
        position += length
    return sides


def _reversed_from(lowest: int, drawn: Sequence[str], levels: Sequence[int]) -> tuple[list[str], list[int]]:
    """Reverse each run of what has this level or a higher one."""
    pairs: list[tuple[str, int]] = []
    for high, run in groupby(zip(drawn, levels, strict=True), lambda pair: pair[1] >= lowest):
        found = list(run)
        pairs.extend(reversed(found) if high else found)
    return [text for text, _ in pairs], [level for _, level in pairs]


@cache
def _presentation_forms() -> dict[str, dict[str, str]]:
    """Return the forms of each letter, and of lam with alef, as Unicode's own data has them."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFBB2), *range(0xFBD3, 0xFC00), *range(0xFE80, 0xFEFD)):
        form, *codes = unicodedata.decomposition(chr(code)).split(" ")
        if form in _FORMS and codes:
            letters = "".join(chr(int(one, 16)) for one in codes)
            found.setdefault(letters, {}).setdefault(form, chr(code))
    return found


def _joined(line: str, printable: Callable[[str], bool]) -> str:
    """Return `line` with the letters of Arabic in the forms that they have between their neighbours."""
    forms = _presentation_forms()
    letters = list(_letters(line))
    shapes = [forms.get(letter, {}) for letter, _ in letters]
    out = []
    for index, (letter, marks) in enumerate(letters):
        shape = shapes[index]
        before = index > 0 and _INITIAL in shapes[index - 1]
        after = index + 1 < len(letters) and bool(shapes[index + 1]) and _INITIAL in shape
        joined_before = before and _FINAL in shape
        wanted = _MEDIAL if joined_before and after else _FINAL if joined_before else _INITIAL if after else _ISOLATED
        formed = shape.get(wanted, letter)
        out.append((formed if all(map(printable, formed)) else letter) + marks)
    return "".join(out)


def _letters(line: str) -> Iterator[tuple[str, str]]:
    """Return each letter with the marks on it; lam and a following alef are one."""
    forms = _presentation_forms()
    letter, marks = "", ""
    for char in line:
        if letter and unicodedata.category(char) == "Mn":
            marks += char
        elif letter == _LAM and not marks and letter + char in forms:
            letter += char
        else:
            if letter:
                yield letter, marks
            letter, marks = char, ""
    if letter:
        yield letter, marks
