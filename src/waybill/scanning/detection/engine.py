"""The engine: gates over a block, then exact patterns and validators on the lines that a gate points at.

The work is cut into pieces: a line, or of a line longer than `PIECE` bytes its consecutive parts. A value belongs to
the piece that it starts in. Which pieces are looked at depends on the gates, what is found in a piece does not.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from waybill.scanning.detection.columns import Columns
from waybill.scanning.detection.gates import INDEX_BITS, QUAD, REACH, Gate, fastest_gate
from waybill.scanning.detection.models import Confidence, Match, Surroundings
from waybill.scanning.detection.rules import Detector, Rule, detectors

PIECE = 4096
# The longest match, and the text behind it that a validator may ask for.
LOOKAHEAD = 8192
DECODING_DEPTH = 2

_INDEX_MASK = (1 << INDEX_BITS) - 1
_BEFORE = 64
_BASE64_RUN = re.compile(f"(?:{QUAD}){{6,2040}}(?:[A-Za-z0-9+/_-]{{2,3}}(?![A-Za-z0-9+/_-]))?".encode("ascii"))
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


class Piece(NamedTuple):
    """A part of a text, `start` to `end`, within its line, `line_start` to `line_end`."""

    start: int
    end: int
    line_start: int
    line_end: int


@dataclass(frozen=True)
class _Task:
    detector: Detector
    rule: Rule


class Engine:
    """Finds the values of `known` detectors; `make_gate` makes the gate from their patterns."""

    def __init__(self, known: Sequence[Detector], make_gate: Callable[[Sequence[str]], Gate] = fastest_gate) -> None:
        self.detectors = tuple(known)
        self._tasks = [_Task(detector, rule) for detector in known for rule in detector.rules]
        gates = [(gate, index) for index, task in enumerate(self._tasks) for gate in task.rule.gates]
        # Task numbers by gate; base64 is the gate behind the last, and the task behind the last.
        self._base64 = len(self._tasks)
        self._task_of = [index for _, index in gates] + [self._base64]
        self._gate = make_gate([gate for gate, _ in gates])

    def matches(
        self, text: bytes, start: int = 0, end: int | None = None, columns: Columns | None = None
    ) -> list[Match]:
        """Return the values that start in `text[start:end]`, in order; what is around it is context."""
        return self._matches(text, start, len(text) if end is None else end, columns, DECODING_DEPTH)

    def pieces(self, text: bytes, start: int, end: int, columns: Columns | None) -> dict[Piece, int]:
        """Return the pieces of `text[start:end]` to look at, each with a bit per task."""
        found = self._named(text, start, end, columns) if columns else {}
        # Up to where each task's pieces are known: a hostile line has an event per byte.
        known = [start - REACH] * (self._base64 + 1)
        task_of, limit = self._task_of, end + REACH
        for event in self._gate.events(text):
            at, task = (event >> INDEX_BITS) - 1, task_of[event & _INDEX_MASK]
            if at < known[task]:
                continue
            if at >= limit:
                break
            line_start, line_end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
            first = max(line_start, start)
            if line_end - first <= PIECE:
                parts = [Piece(first, min(line_end, end), line_start, line_end)] if first < end else []
                known[task] = line_end
            else:
                parts = list(_parts(Piece(first, line_end, line_start, line_end), at, end))
                known[task] = line_end if at + REACH >= line_end else parts[-1].end - REACH if parts else at + 1
            for piece in parts:
                found[piece] = found.get(piece, 0) | 1 << task
        return found

    def _named(self, text: bytes, start: int, end: int, columns: Columns) -> dict[Piece, int]:
        """Every piece, for the rules that a column's name stands in for the keyword of."""
        bits = sum(
            1 << index
            for index, task in enumerate(self._tasks)
            if task.rule.needs_keyword and columns.concerns(task.detector.id)
        )
        return dict.fromkeys(_every_piece(text, start, end), bits) if bits else {}

    def _matches(self, text: bytes, start: int, end: int, columns: Columns | None, depth: int) -> list[Match]:
        pieces = self.pieces(text, start, end, columns)
        return [
            match for piece in sorted(pieces) for match in self._in_piece(text, piece, pieces[piece], columns, depth)
        ]

    def _in_piece(self, text: bytes, piece: Piece, bits: int, columns: Columns | None, depth: int) -> list[Match]:
        found: list[Match] = []
        while bits:
            index = (bits & -bits).bit_length() - 1
            bits &= bits - 1
            if index == self._base64:
                found.extend(self._decoded(text, piece, depth) if depth else ())
            else:
                found.extend(_by_rule(text, piece, self._tasks[index], columns))
        return self._settled(found) if len(found) > 1 else found

    def _decoded(self, text: bytes, piece: Piece, depth: int) -> Iterator[Match]:
        """Yield what is found in base64, at the place of the quads that hold it."""
        limit = min(piece.line_end, piece.end + LOOKAHEAD)
        for run in _BASE64_RUN.finditer(text, piece.start, limit):
            if run.start() >= piece.end:
                return
            encoded = run[0].translate(_STANDARD_ALPHABET)
            if len(encoded) % 4 == 1:
                continue
            plain = base64.b64decode(encoded + b"=" * (-len(encoded) % 4))
            for match in self._matches(plain, 0, len(plain), None, depth - 1):
                first = run.start() + match.start // 3 * 4
                last = min(run.end(), run.start() + -(-match.end // 3) * 4)
                if first < piece.end:
                    yield match._replace(start=first, end=last, decoded_from=("base64", *match.decoded_from))

    def _settled(self, found: list[Match]) -> list[Match]:
        """Return the matches in order; a detector that yields has none where another claims the bytes."""
        yielding = {detector.id for detector in self.detectors if detector.yields}
        found.sort(key=lambda match: (match.detector in yielding, -match.confidence, match.start, -match.end))
        kept: list[Match] = []
        taken = 0
        for match in found:
            if match.detector in yielding:
                if any(match.start < other.end and other.start < match.end for other in kept[:taken] + kept[-8:]):
                    continue
            else:
                taken += 1
            kept.append(match)
        return sorted(kept, key=lambda match: (match.start, match.detector))


def _by_rule(text: bytes, piece: Piece, task: _Task, columns: Columns | None) -> Iterator[Match]:
    detector, rule = task.detector, task.rule
    limit = min(piece.line_end, piece.end + rule.lookahead)
    at = piece.start
    while (found := rule.pattern.search(text, at, limit)) and found.start() < piece.end:
        start, end = found.span()
        at = start + 1
        keyword = _keyword_near(text, piece, detector, start, end) or (
            columns is not None and columns.name(detector.id, text[piece.line_start : start])
        )
        if rule.needs_keyword and not keyword:
            at = end
            continue
        before = text[max(piece.line_start, start - _BEFORE) : start]
        verdict = detector.validator(found[0], Surroundings(before, text[end : end + rule.lookahead], keyword))
        if verdict is None:
            continue
        value = found[0][verdict.start : verdict.end]
        sample = verdict.sample or verdict.normal in detector.samples
        usual = rule.with_keyword if keyword else rule.confidence
        at = start + len(value)
        yield Match(
            detector=detector.id,
            start=start + verdict.start,
            end=start + verdict.start + len(value),
            confidence=Confidence.LOW if sample else verdict.confidence or usual,
            sample=sample,
            value=value,
            normal=verdict.normal,
        )


def _keyword_near(text: bytes, piece: Piece, detector: Detector, start: int, end: int) -> bool:
    if detector.keywords is None:
        return False
    first = max(piece.line_start, start - detector.keyword_distance)
    last = min(piece.line_end, end + detector.keyword_distance)
    # One byte more on each side shows whether a word ends there.
    search = detector.keywords.search
    return bool(search(text, first, start) or search(text, end, last))


def _parts(line: Piece, at: int, end: int) -> Iterator[Piece]:
    """Yield the parts of a long line within reach of the byte `at`; the parts are the same whoever asks."""
    lowest = max(at - REACH - line.start, 0) // PIECE
    highest = (min(at + REACH, line.line_end - 1, end - 1) - line.start) // PIECE
    for index in range(lowest, highest + 1):
        part = line.start + index * PIECE
        yield Piece(part, min(part + PIECE, line.line_end, end), line.line_start, line.line_end)


def _every_piece(text: bytes, start: int, end: int) -> Iterator[Piece]:
    at = start
    while at < end:
        line_start, line_end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
        size = PIECE if line_end - at > PIECE else line_end - at
        for part in range(at, min(line_end, end), size):
            yield Piece(part, min(part + size, line_end, end), line_start, line_end)
        at = line_end


def standard_engine(only: Iterable[Detector] | None = None) -> Engine:
    """Return an engine of every detector (or of `only` these), each proved on its examples.

    Raises
    ------
    DetectorError
        A detector does not do what its examples say.
    """
    from waybill.scanning.detection.proof import prove

    engine = Engine(tuple(detectors() if only is None else only))
    prove(engine)
    return engine
