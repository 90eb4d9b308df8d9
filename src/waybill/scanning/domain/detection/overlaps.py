"""Which of the matches that claim the same bytes stay."""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import accumulate

from waybill.scanning.domain.detection.markup import is_whole_element
from waybill.scanning.domain.detection.models import Match
from waybill.scanning.domain.detection.pieces import LOOKAHEAD

# Matches that may overlap with one.
_CLAIMS = 32
# Of two shapes of one detector, the matches stand next to each other.
_NEAREST = 8


def settled(found: list[Match], yielding: Collection[str]) -> list[Match]:
    """Return the matches of a piece in order; a detector that yields has none where another claims the bytes."""
    found.sort(key=lambda match: (match.detector in yielding, -match.confidence, match.start, -match.end))
    kept: list[Match] = []
    claims: _Claims | None = None
    for match in found:
        if match.detector in yielding:
            claims = claims or _Claims(kept)
            if claims.reach(match) or _is_claimed(match, kept[-_NEAREST:], ""):
                continue
        elif _is_claimed(match, kept[-_NEAREST:], match.detector):
            # Two shapes of one detector claim the same value.
            continue
        kept.append(match)
    return sorted(kept, key=in_order)


def _is_claimed(match: Match, others: Iterable[Match], detector: str) -> bool:
    """Return whether one of the others, or of those of one detector, claims a byte of a match."""
    start, end = match.start, match.end
    # A loop: a generator for each match of a row would be dearer than the comparisons.
    for other in others:
        if other.start < end and start < other.end and (not detector or detector == other.detector):
            return True
    return False


class _Claims:
    """The bytes that some matches claim."""

    def __init__(self, matches: Iterable[Match]) -> None:
        spans = sorted((match.start, match.end) for match in matches)
        self._starts = [start for start, _ in spans]
        self._ends = [*accumulate((end for _, end in spans), max)]

    def reach(self, match: Match) -> bool:
        """Return whether one of them claims a byte of a match."""
        before = bisect_left(self._starts, match.end)
        return before > 0 and self._ends[before - 1] > match.start


def _overlap(match: Match, other: Match) -> bool:
    return match.start < other.end and other.start < match.end


def yielded(matches: list[Match], yielding: Collection[str]) -> list[Match]:
    """Return the matches in order, without those below their line that another detector claims the bytes of."""
    matches.sort(key=in_order)
    kept: list[Match] = []
    for place, match in enumerate(matches):
        near = matches[max(0, place - _CLAIMS) : place + _CLAIMS]
        others = (each for each in near if each.detector not in yielding)
        if match.detector not in yielding or not any(_overlap(match, each) for each in others):
            kept.append(match)
    return kept


def merged(text: bytes, matches: list[Match], read: Iterable[Match], yielding: Collection[str]) -> list[Match]:
    """Return `matches` and those `read` from signs of a text that are not among them, or that one is a part of.

    A detector that yields has none where another claims the bytes, wherever either is read.
    """
    starts = [match.start for match in matches]
    added, replaced = list[Match](), set[int]()
    for match in read:
        first, last = bisect_left(starts, match.start - LOOKAHEAD), bisect_left(starts, match.end)
        claims = [place for place in range(max(first, last - _CLAIMS), last) if matches[place].end > match.start]
        same = [place for place in claims if matches[place].detector == match.detector]
        if any(matches[place].start <= match.start and match.end <= matches[place].end for place in same):
            continue
        # What stands beside an element that is a value is another one.
        if any(is_whole_element(text, matches[place].start, matches[place].end) for place in same):
            continue
        # The sign at the end of a value in base64 is its own, and no soft line end.
        if any(matches[place].value.endswith(b"=") for place in same):
            continue
        others = any(matches[place].detector not in yielding for place in claims)
        if not (others and match.detector in yielding):
            added.append(match)
            replaced.update(same)
            # What only looks like a secret gives way to what it is once its signs are read.
            if match.detector not in yielding:
                replaced.update(place for place in claims if matches[place].detector in yielding)
    kept = [match for place, match in enumerate(matches) if place not in replaced]
    return sorted(kept + added, key=in_order)


def in_order(match: Match) -> tuple[int, str]:
    """Return what matches are sorted by."""
    return match.start, match.detector
