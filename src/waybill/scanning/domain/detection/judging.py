"""What a rule finds in a piece: where its pattern matches, whether a keyword is near, and what the validator says."""

import re
from collections import Counter
from collections.abc import Callable
from functools import partial

from waybill.scanning.domain.detection.beside import is_near
from waybill.scanning.domain.detection.columns import ColumnsOfText
from waybill.scanning.domain.detection.labels import LABEL_REACH, SEPARATOR, Labels
from waybill.scanning.domain.detection.models import Confidence, Match, Surroundings
from waybill.scanning.domain.detection.pieces import LOOKAHEAD, PIECE, SHORTEST, Piece
from waybill.scanning.domain.detection.rules import Detector, Rule
from waybill.scanning.domain.detection.tasks import Task

_BEFORE = 64
# So many values may ask for their label one by one.
_FEW = 64
# Labels stand within `LABEL_REACH` of a value, in a line that may begin before.
_WORDS_REACH = 8 * LABEL_REACH
# The words of so much text are looked for at once.
_PART = 2 * _WORDS_REACH
# Up to here it takes less time to look at what is behind a value than for the next one.
_NEAR_BEHIND = 512


class Judge:
    """Judges what the rules match in the pieces of one text.

    `words_in` tells the bits of the detectors that have words in some of it, see `Task`.
    """

    def __init__(self, text: bytes, columns: ColumnsOfText | None, words_in: Callable[[bytes], int]) -> None:
        self._text = text
        self.rows = columns.rows(text) if columns else None
        self._labels = Labels(text)
        self._words = _Words(text, words_in)
        # One byte is looked for in a tenth of the time.
        self._separated = SEPARATOR.strip() in text

    def values(self, line: "Line", task: Task, first: int, last: int, may: int) -> list[Match]:
        """Return the values of a rule in a line that begin from `first` to `last`.

        The words of the line `may` be about the detectors of these bits.
        """
        piece, rule, text = line.piece, task.rule, self._text
        limit = piece.end + rule.lookahead
        limit = piece.line_end if piece.line_end < limit else limit
        if limit - first < SHORTEST or first > last:
            return []
        joined = line.escaped or (
            may & task.borders and line.has_glued(task.detector, max(piece.line_start, first - _BEFORE), limit)
        )
        pattern = rule.escaped if joined else rule.pattern
        found: re.Match[bytes] | None = pattern.search(text, first, limit)
        if found is None or found.start() > last:
            return []
        hinted = bool(may & task.words) and _is_hinted(text, piece, task.detector, found.start(), limit)
        matches: list[Match] = []
        while found is not None and found.start() <= last:
            match, at = self._judged(piece, task, found, hinted=hinted)
            if match:
                matches.append(match)
            found = pattern.search(text, at, limit) if at <= last else None
        return matches

    def _judged(self, piece: Piece, task: Task, found: re.Match[bytes], *, hinted: bool) -> tuple[Match | None, int]:
        """Return the value in what a pattern has matched, if there is one, and where to look for the next.

        `hinted` is what `_is_hinted` says of the piece.
        """
        text, detector, rule = self._text, task.detector, task.rule
        start, end = found.span()
        keyword = self._keyword(piece, task, start, end, hinted=hinted)
        if rule.needs_keyword and not keyword:
            return None, end
        shape = found[0]
        before = start - _BEFORE if start - _BEFORE > piece.line_start else piece.line_start
        is_far = self._separated or rule.lookahead > _NEAR_BEHIND
        after = partial(self._behind, rule, end) if is_far else text[end : end + rule.lookahead]
        around = Surroundings(text[before:start], after, keyword=keyword, regions=task.regions)
        verdict = detector.validator(shape, around)
        if verdict is None:
            return None, start + 1
        # The value of a setting may stand in the line below its name.
        normal, sure, sample, first, last = verdict
        begin = start + first
        value = text[begin : start + (len(shape) if last is None else last)]
        sample = sample or normal in detector.samples
        confidence = Confidence.LOW if sample else sure or self._usual(rule, around)
        return Match(detector.id, begin, begin + len(value), confidence, sample, value, normal), start + len(value)

    def _keyword(self, piece: Piece, task: Task, start: int, end: int, *, hinted: bool) -> bool | Callable[[], bool]:
        """Return whether a word says what a value is, or what tells it: most values are refused without that."""
        if task.rule.needs_column:
            # A heading says what it is itself: it stands in its own column, and again where tables are joined.
            if not self._is_in_column(piece, task.detector, start):
                return False
            return not task.detector.named_by(self._text[start:end].decode("utf-8", "replace"))
        asked = partial(self._has_keyword, piece, task, start, end, hinted=hinted)
        return asked() if task.rule.needs_keyword else asked

    def _usual(self, rule: Rule, around: Surroundings) -> Confidence:
        same = rule.with_keyword == rule.confidence
        return rule.with_keyword if same or around.keyword else rule.confidence

    def _behind(self, rule: Rule, end: int) -> bytes:
        """Return what a validator may look at behind a value.

        What is far behind belongs to the next value where that has the same shape; else each of many would be followed
        by all of them.
        """
        after = self._text[end : end + rule.lookahead]
        if self._separated:
            after = after.partition(SEPARATOR)[0]
        return after[: rule.first_in(after)] if rule.lookahead > _NEAR_BEHIND else after

    def _has_keyword(self, piece: Piece, task: Task, start: int, end: int, *, hinted: bool) -> bool:
        """Return whether a value is said to be what a detector looks for: beside it, by its column, or by a label."""
        text, detector, keywords = self._text, task.detector, task.detector.keywords
        if keywords is None:
            return False
        if hinted:
            around, has_columns = _around(piece, detector, start, end), self.rows is not None
            if is_near(keywords, text, around, (start, end), piece.line_start, has_columns=has_columns):
                return True
        if self._is_in_column(piece, detector, start):
            return True
        return self._words.may_stand_above(start, task.words) and self._labels.stand_above(
            piece.line_start, start, keywords
        )

    def _is_in_column(self, piece: Piece, detector: Detector, start: int) -> bool:
        """Return whether a value stands in a column that is named for a detector."""
        return self.rows is not None and self.rows.are_named(detector.id, piece.line_start, start)


class _Words:
    """In which parts of a text the words of detectors stand; for those that few values ask for it is not worth a look.

    A look finds the words of all of them: to search for each by itself would take thirty times as long.
    """

    def __init__(self, text: bytes, words_in: Callable[[bytes], int]) -> None:
        self._text = text
        self._words_in = words_in
        self._asked: Counter[int] = Counter()
        self._parts: dict[int, int] = {}

    def may_stand_above(self, at: int, words: int) -> bool:
        """Return whether one of a detector's words, which have a bit, may stand so near above a place to label it."""
        self._asked[words] += 1
        if self._asked[words] <= _FEW:
            return True
        part = at // _PART
        known = self._parts.get(part)
        if known is None:
            begin = part * _PART
            known = self._words_in(self._text[max(0, begin - _WORDS_REACH) : begin + _PART])
            self._parts[part] = known
        return known & words != 0


class Line:
    """What is asked of the line of a piece, as far as the piece reaches, by one rule after the other."""

    def __init__(self, text: bytes, piece: Piece, start: int) -> None:
        # A hostile line has many pieces, each of which asks.
        end = min(piece.line_end, start + PIECE + LOOKAHEAD)
        self.escaped = text.find(b"\\", start, end) >= 0 or text.find(b"%", start, end) >= 0
        self.text, self.piece = text, piece
        self._start, self._small = 0, b""

    def has_glued(self, detector: Detector, start: int, end: int) -> bool:
        """Return whether a value may stand right behind a word, from `start` to `end`."""
        if detector.glued is None:
            return False
        if not self._small:
            # Small letters, once for all: to ignore the case would take five times as long.
            self._start = max(self.piece.line_start, self.piece.start - _BEFORE)
            self._small = self.text[self._start : min(self.piece.line_end, self.piece.end + LOOKAHEAD)].lower()
        return detector.glued.search(self._small, start - self._start, end - self._start) is not None


def _is_hinted(text: bytes, piece: Piece, detector: Detector, start: int, end: int) -> bool:
    """Return whether there may be keywords for values from `start` to `end`, looked for once for all of them."""
    first, last = _around(piece, detector, start, end)
    around = text[first:last].lower()
    # A loop: a generator for each piece would be dearer than the search.
    for hint in detector.hints:  # noqa: SIM110
        if hint in around:
            return True
    return False


def _around(piece: Piece, detector: Detector, start: int, end: int) -> tuple[int, int]:
    distance = detector.keyword_distance
    return max(piece.line_start, start - distance), min(piece.line_end, end + distance)
