"""Pieces of a text, and what to look for in them: lines, or of long lines their consecutive parts."""

from collections.abc import Iterator
from typing import NamedTuple

from waybill.scanning.domain.detection.gates import LEAD, REACH

PIECE = 4096
LOOKAHEAD = 8192
"""The longest match, and the text behind it that a validator may ask for."""
SHORTEST = 6
"""No value has fewer bytes."""


class Piece(NamedTuple):
    """A part of a text, `start` to `end`, within its line, `line_start` to `line_end`."""

    start: int
    end: int
    line_start: int
    line_end: int


class Look(NamedTuple):
    """What to look for in a piece: a bit per task; values begin at `first` or behind it, and not behind `last`.

    For tasks that need a keyword the whole piece counts.
    """

    tasks: int
    first: int
    last: int

    def __or__(self, other: "Look") -> "Look":
        return Look(self.tasks | other.tasks, min(self.first, other.first), max(self.last, other.last))


def add_look(found: dict[Piece, Look], line: Piece, look: Look) -> None:
    """Add a look at a line, or at those parts of it that its events reach."""
    if line.line_end - line.start <= PIECE:
        if line.start < line.end:
            found[line] = found[line] | look if line in found else look
        return
    lowest = max(look.first + LEAD - REACH - line.start, 0) // PIECE
    highest = (min(look.last + REACH, line.end - 1) - line.start) // PIECE
    for index in range(lowest, highest + 1):
        start = line.start + index * PIECE
        part = line._replace(start=start, end=min(start + PIECE, line.end))
        found[part] = found[part] | look if part in found else look


def every_piece(text: bytes, start: int, end: int) -> Iterator[Piece]:
    """Yield every piece of `text[start:end]` in which a value may begin."""
    at = start
    while at < end:
        line_start, line_end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
        size = PIECE if line_end - at > PIECE else line_end - at
        for part in range(at, min(line_end, end, line_end - SHORTEST + 1), size):
            yield Piece(part, min(part + size, line_end, end), line_start, line_end)
        at = line_end
