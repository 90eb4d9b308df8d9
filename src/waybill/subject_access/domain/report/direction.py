"""Lines of text that runs from right to left, in the order in which they are drawn (Unicode Standard Annex 9).

Rules have the annex's names. One thing is otherwise, which its section 4.3 leaves open (HL3): a number with hyphens,
such as a date, always keeps its order, for the sake of those who read no Arabic.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple, Self

from bidi.mirror import MIRRORED

_MIRRORED: Final[Mapping[str, str]] = MIRRORED
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL", "AN", "RLE", "RLO", "RLI"))
_ISOLATES: Final = frozenset(("LRI", "RLI", "FSI"))
_EMBEDDINGS: Final = {"LRE": None, "RLE": None, "LRO": "L", "RLO": "R"}
# Rule X9: these are left out of all that follows.
_REMOVED: Final = frozenset((*_EMBEDDINGS, "PDF", "BN"))
_NEUTRAL: Final = frozenset(("B", "S", "WS", "ON", "PDI", *_ISOLATES))
_WITHIN_NUMBERS: Final = frozenset((("EN", "ES"), ("EN", "CS"), ("AN", "CS")))
_DEEPEST: Final = 125
# So much of a paragraph is looked at together: what is nested without end would take the square of its length.
_LOOKED_AT: Final = 5_000
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[-+](?=\d)")
# Marks, embeddings and isolates: they move what is around them and are drawn as nothing. Overrides are no such: they
# make a text look like another one.
OBEYED: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")


class Run(NamedTuple):
    """A piece of a line, from `begin` to before `end`, that runs in one direction."""

    begin: int
    end: int
    leftwards: bool


class ParagraphLine(str):
    """A line of a paragraph that has several: the paragraph decides the levels of its characters."""

    __slots__ = ("base", "levels")

    base: int
    levels: Sequence[int]

    @classmethod
    def of(cls, paragraph: str, lines: Sequence[str]) -> Sequence[Self]:
        """Return the lines, which follow each other in the paragraph."""
        base, end, made = direction_of(paragraph), 0, []
        first, found = 0, levels(paragraph[:_LOOKED_AT], base)
        for text in lines:
            begin = paragraph.index(text, end)
            end = begin + len(text)
            if end > first + len(found):
                first, found = begin, levels(paragraph[begin : begin + max(_LOOKED_AT, len(text))], base)
            line = cls(text)
            given = [unicodedata.bidirectional(char) or "L" for char in text]
            line.base, line.levels = base, _with_trailing(given, found[begin - first : end - first], base)
            made.append(line)
        return made


def direction_of(paragraph: str) -> int:
    """Return 1 for a paragraph that runs from right to left, 0 for others (rules P2 and P3)."""
    return _first_strong([unicodedata.bidirectional(char) or "L" for char in paragraph])


def leftwards(line: str) -> bool:
    """Return whether something of a line may run from right to left."""
    return not line.isascii() and not _RIGHT_TO_LEFT.isdisjoint(map(unicodedata.bidirectional, line))


def visual(line: str) -> Sequence[Run]:
    """Return the runs of a line in the order in which they are drawn from left to right."""
    if not isinstance(line, ParagraphLine) and not leftwards(line):
        return [Run(0, len(line), leftwards=False)]
    # Each character by itself, then rule L2 for whole pieces of one level.
    pieces: list[tuple[int, int, int]] = []
    for index, level in enumerate(line.levels if isinstance(line, ParagraphLine) else levels(line)):
        if pieces and pieces[-1][2] == level:
            pieces[-1] = (pieces[-1][0], index + 1, level)
        else:
            pieces.append((index, index + 1, level))
    for level in range(max((piece[2] for piece in pieces), default=0), 0, -1):
        pieces = list(_turned(pieces, level))
    return [Run(begin, end, leftwards=bool(level % 2)) for begin, end, level in pieces]


def mirrored(text: str) -> str:
    """Return what is drawn of a piece that runs from right to left: turned round, brackets mirrored (L3, L4)."""
    clusters: list[str] = []
    for char in text:
        if clusters and unicodedata.bidirectional(char) == "NSM":
            clusters[-1] += char
        else:
            clusters.append(_MIRRORED.get(char, char))
    return "".join(reversed(clusters))


def _turned(pieces: Sequence[tuple[int, int, int]], level: int) -> Iterator[tuple[int, int, int]]:
    """Turn round what has this level or a higher one."""
    turned: list[tuple[int, int, int]] = []
    for piece in pieces:
        if piece[2] >= level:
            turned.append(piece)
            continue
        yield from reversed(turned)
        turned = []
        yield piece
    yield from reversed(turned)


def levels(line: str, base: int | None = None) -> list[int]:
    """Return the embedding level of each character of a paragraph, or of a piece of one whose direction is known."""
    given = [unicodedata.bidirectional(char) or "L" for char in line]
    for hyphen in _BETWEEN_DIGITS.finditer(line):
        given[hyphen.start()] = "CS"
    if base is None:
        base = _first_strong(given)
    kinds = list(given)
    found = _Embedding(kinds, base).levels()
    kept = [index for index, kind in enumerate(kinds) if kind not in _REMOVED]
    places = {index: place for place, index in enumerate(kept)}
    for sequence in _sequences(kept, given, found):
        own = [kinds[index] for index in sequence]
        edges = _edges(sequence, kept, places, given, found, base)
        direction = _direction(found[sequence[0]])
        _weak(own, edges[0])
        _brackets([line[index] for index in sequence], own, [given[index] for index in sequence], direction, edges[0])
        _neutral(own, direction, *edges)
        for index, kind in zip(sequence, own, strict=True):
            kinds[index] = kind
    for index in kept:
        if found[index] % 2:
            found[index] += kinds[index] in ("L", "EN", "AN")
        else:
            found[index] += {"R": 1, "AN": 2, "EN": 2}.get(kinds[index], 0)
    return _with_spaces(given, found, base)


def _first_strong(kinds: Sequence[str]) -> int:
    """Rules P2 and P3: what is isolated does not count."""
    depth = 0
    for kind in kinds:
        if kind in _ISOLATES:
            depth += 1
        elif kind == "PDI":
            depth = max(0, depth - 1)
        elif not depth and kind in ("L", "R", "AL"):
            return int(kind != "L")
    return 0


def _closings(kinds: Sequence[str]) -> dict[int, int]:
    """Where each isolate ends; those that do not end are left out (BD9)."""
    opened, found = [], {}
    for index, kind in enumerate(kinds):
        if kind in _ISOLATES:
            opened.append(index)
        elif kind == "PDI" and opened:
            found[opened.pop()] = index
    return found


class _Embedding:
    """Rules X1 to X8: levels by directional characters."""

    def __init__(self, kinds: list[str], base: int) -> None:
        self._kinds = kinds
        self._closings = _closings(kinds)
        # Level, override, and whether an isolate began it.
        self._path: list[tuple[int, str | None, bool]] = [(base, None, False)]
        self._lost_isolates = self._lost_embeddings = 0

    def levels(self) -> list[int]:
        """Return the levels; in `kinds` overrides are carried out."""
        found = []
        for index, kind in enumerate(list(self._kinds)):
            if kind == "PDI":
                self._end_isolate()
            level, override, _ = self._path[-1]
            found.append(level)
            if override and kind not in _REMOVED:
                self._kinds[index] = override
            if kind in _ISOLATES or kind in _EMBEDDINGS:
                self._begin(kind, _inner(self._kinds, index, self._closings) if kind == "FSI" else kind)
            elif kind == "PDF":
                self._end_embedding()
        return found

    def _begin(self, kind: str, inner: str) -> None:
        level = self._path[-1][0]
        deeper = (level + 1) | 1 if inner[0] == "R" else (level + 2) & ~1
        if deeper <= _DEEPEST and not self._lost_isolates and not self._lost_embeddings:
            self._path.append((deeper, _EMBEDDINGS.get(kind), kind in _ISOLATES))
        elif kind in _ISOLATES:
            self._lost_isolates += 1
        elif not self._lost_isolates:
            self._lost_embeddings += 1

    def _end_isolate(self) -> None:
        if self._lost_isolates:
            self._lost_isolates -= 1
        elif any(isolate for _, _, isolate in self._path):
            self._lost_embeddings = 0
            while not self._path.pop()[2]:
                pass

    def _end_embedding(self) -> None:
        if self._lost_isolates:
            return
        if self._lost_embeddings:
            self._lost_embeddings -= 1
        elif not self._path[-1][2] and len(self._path) > 1:
            self._path.pop()


def _inner(kinds: Sequence[str], index: int, closings: Mapping[int, int]) -> str:
    """Rule X5c: the direction of what a first strong isolate holds."""
    return "RLI" if _first_strong(kinds[index + 1 : closings.get(index, len(kinds))]) else "LRI"


def _sequences(kept: Sequence[int], given: Sequence[str], found: Sequence[int]) -> list[list[int]]:
    """Return the isolating run sequences (BD13)."""
    runs: list[list[int]] = []
    for index in kept:
        if runs and found[runs[-1][-1]] == found[index]:
            runs[-1].append(index)
        else:
            runs.append([index])
    closings = _closings(given)
    closed = set(closings.values())
    beginning = {run[0]: run for run in runs}
    sequences = []
    for run in runs:
        if run[0] in closed:
            continue
        sequence = list(run)
        while given[sequence[-1]] in _ISOLATES and closings.get(sequence[-1]) in beginning:
            sequence += beginning[closings[sequence[-1]]]
        sequences.append(sequence)
    return sequences


def _edges(
    sequence: Sequence[int],
    kept: Sequence[int],
    places: Mapping[int, int],
    given: Sequence[str],
    found: Sequence[int],
    base: int,
) -> tuple[str, str]:
    """Rule X10: the direction at both ends of a sequence."""
    own = found[sequence[0]]
    place = places[sequence[0]]
    before = found[kept[place - 1]] if place else base
    last = places[sequence[-1]]
    after = found[kept[last + 1]] if last + 1 < len(kept) and given[sequence[-1]] not in _ISOLATES else base
    return _direction(max(own, before)), _direction(max(own, after))


def _direction(level: int) -> str:
    return "R" if level % 2 else "L"


def _weak(own: list[str], before: str) -> None:
    """Rules W1 to W7."""
    previous = before
    for place, kind in enumerate(own):  # W1
        if kind == "NSM":
            own[place] = "ON" if previous in _ISOLATES or previous == "PDI" else previous
        previous = own[place]
    _after_strong(own, before, "AL", {"EN": "AN"})  # W2
    own[:] = ["R" if kind == "AL" else kind for kind in own]  # W3
    for place in range(1, len(own) - 1):  # W4
        around = own[place - 1]
        if around == own[place + 1] and (around, own[place]) in _WITHIN_NUMBERS:
            own[place] = around
    for places in (range(1, len(own)), range(len(own) - 2, -1, -1)):  # W5, from the left and from the right
        for place in places:
            beside = place - 1 if places.step > 0 else place + 1
            if own[place] == "ET" and own[beside] == "EN":
                own[place] = "EN"
    own[:] = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in own]  # W6
    _after_strong(own, before, "L", {"EN": "L"})  # W7


def _after_strong(own: list[str], before: str, wanted: str, becomes: Mapping[str, str]) -> None:
    strong = before
    for place, kind in enumerate(own):
        if kind in ("L", "R", "AL"):
            strong = kind
        elif strong == wanted:
            own[place] = becomes.get(kind, kind)


@cache
def _bracket(char: str) -> tuple[str, str] | None:
    """Whether a character opens or closes a bracket, and which (BD14 and BD15)."""
    char = unicodedata.normalize("NFC", char)
    category = unicodedata.category(char)
    if category not in ("Ps", "Pe") or char not in _MIRRORED:
        return None
    return category, char if category == "Ps" else _MIRRORED[char]


def _pairs(chars: Sequence[str], own: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of brackets (BD16)."""
    opened: list[tuple[str, int]] = []
    found = []
    for place, char in enumerate(chars):
        told = _bracket(char) if own[place] == "ON" else None
        if told is None:
            continue
        if told[0] == "Ps":
            if len(opened) == 63:
                return []
            opened.append((told[1], place))
            continue
        for depth in range(len(opened) - 1, -1, -1):
            if opened[depth][0] == told[1]:
                found.append((opened[depth][1], place))
                del opened[depth:]
                break
    return sorted(found)


def _strong(kind: str) -> str:
    return "R" if kind in ("EN", "AN", "R") else kind if kind == "L" else ""


def _brackets(chars: Sequence[str], own: list[str], given: Sequence[str], direction: str, before: str) -> None:
    """Rule N0."""
    for begin, end in _pairs(chars, own):
        inside = {_strong(kind) for kind in own[begin + 1 : end]} - {""}
        if not inside:
            continue
        taken = direction
        if direction not in inside:
            context = next((_strong(kind) for kind in reversed(own[:begin]) if _strong(kind)), before)
            taken = context if context != direction else direction
        for place in (begin, end):
            own[place] = taken
            for behind in range(place + 1, len(own)):
                if given[behind] != "NSM":
                    break
                own[behind] = taken


def _neutral(own: list[str], direction: str, before: str, after: str) -> None:
    """Rules N1 and N2."""
    place = 0
    while place < len(own):
        end = place
        while end < len(own) and own[end] in _NEUTRAL:
            end += 1
        if end > place:
            left = _strong(own[place - 1]) if place else before
            right = _strong(own[end]) if end < len(own) else after
            own[place:end] = [left if left == right else direction] * (end - place)
        place = end + 1


def _with_spaces(given: Sequence[str], found: list[int], base: int) -> list[int]:
    """Rule L1, and the levels of what rule X9 left out: those of what is before it."""
    for index, kind in enumerate(given):
        if kind in _REMOVED:
            found[index] = found[index - 1] if index else base
    return _with_trailing(given, found, base)


def _with_trailing(given: Sequence[str], found: list[int], base: int) -> list[int]:
    """Rule L1: what separates, and the spaces before it and at the end, have the level of the paragraph."""
    trailing = True
    for index in range(len(given) - 1, -1, -1):
        if given[index] in ("B", "S"):
            found[index], trailing = base, True
        elif given[index] in ("WS", "PDI", *_ISOLATES) or given[index] in _REMOVED:
            if trailing:
                found[index] = base
        else:
            trailing = False
    return found
