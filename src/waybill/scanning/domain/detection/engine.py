"""The engine: gates over a block, then exact patterns and validators on the lines that a gate points at.

The work is cut into pieces: a line, or of a line longer than `PIECE` bytes its consecutive parts. A value belongs to
the piece that it starts in. Which pieces are looked at depends on the gates, what is found in a piece does not.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from waybill.scanning.domain.detection.columns import ColumnsOfText, NamedRows
from waybill.scanning.domain.detection.decoding import Lines, Reading, Signs, first_of_chain, readings
from waybill.scanning.domain.detection.encoded import Decoded, EncodedRuns, Run, base64_runs, hex_runs
from waybill.scanning.domain.detection.gates import INDEX_BITS, INDEX_MASK, LEAD, REACH, Gate, fastest_gate
from waybill.scanning.domain.detection.judging import Judge, Line
from waybill.scanning.domain.detection.labels import LABEL_REACH, LabelledLines, bits_of
from waybill.scanning.domain.detection.marks import TextMark
from waybill.scanning.domain.detection.models import Match
from waybill.scanning.domain.detection.overlaps import merged, settled, yielded
from waybill.scanning.domain.detection.pieces import LOOKAHEAD, PIECE, SHORTEST, Look, Piece, add_look, every_piece
from waybill.scanning.domain.detection.rules import Detector
from waybill.scanning.domain.detection.syntax import Syntax, TextParts, parts_of
from waybill.scanning.domain.detection.tasks import Task, Tasks

DECODING_DEPTH = 2

_BEFORE = 64
# The longest escape sequence.
_ESCAPE = 6


class Seen(NamedTuple):
    """What one pass over a text has shown: the events of the gate, marks, and how to read the text."""

    events: Sequence[int]
    marks: TextMark
    parts: TextParts


class Engine:
    """Finds the values of `known` detectors; `make_gate` makes the gate from their patterns.

    `regions` (ISO 3166-1, two letters) are those whose national forms of values are looked for as well.
    """

    def __init__(
        self,
        known: Sequence[Detector],
        make_gate: Callable[[Sequence[str]], Gate] = fastest_gate,
        *,
        regions: Sequence[str] = (),
    ) -> None:
        self.detectors = tuple(known)
        self.regions = tuple(regions)
        self._yielding = frozenset(detector.id for detector in known if detector.yields)
        self._word_reach = max((each.keyword_distance for each in known if each.keywords), default=0) + _BEFORE
        self._tasks = Tasks(known, make_gate, self.regions)
        self.gate = self._tasks.gate

    def seen(self, text: bytes, start: int = 0, syntax: Syntax = Syntax.NONE) -> Seen:
        """Return what one pass over a text shows, which has a syntax at `start`."""
        return self._seen(text, start, self.gate.events(text), syntax)

    def _seen(self, text: bytes, start: int, events: Sequence[int], syntax: Syntax = Syntax.NONE) -> Seen:
        marks = self._tasks.marks(events)
        return Seen(events, marks, parts_of(text, start, marks, syntax))

    def matches(
        self,
        text: bytes,
        start: int = 0,
        end: int | None = None,
        columns: ColumnsOfText | None = None,
        seen: Seen | None = None,
    ) -> list[Match]:
        """Return the values that start in `text[start:end]`, in order; what is around it is context.

        `seen` is what one pass has shown of `text`, where somebody has asked before.
        """
        return self._matches(
            text, start, len(text) if end is None else end, columns, DECODING_DEPTH, seen or self.seen(text)
        )

    def pieces(
        self, text: bytes, start: int, end: int, columns: ColumnsOfText | None, events: Sequence[int]
    ) -> dict[Piece, Look]:
        """Return the pieces of `text[start:end]` to look at, and what for."""
        found = self._named(text, start, end, columns) if columns else {}
        tasks_of, lowest, limit = self._tasks.of_gates, start - LABEL_REACH, end + REACH
        tasks = first = last = line_start = line_end = unit_end = 0
        labels = LabelledLines(text)
        for event in events:
            at = (event >> INDEX_BITS) - 1
            if at < unit_end:
                tasks |= tasks_of[event & INDEX_MASK]
                last = at
                continue
            if tasks:
                line = Piece(max(line_start, start), min(line_end, end), line_start, line_end)
                self._note(text, (start, end), found, labels, line, Look(tasks, first - LEAD, last))
                tasks = 0
            if at < lowest:
                continue
            if at >= limit:
                break
            if at >= line_end:
                line_start, line_end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
            # Events of a long line are put together by their place in it: a hostile one has an event per byte.
            unit_end = line_end if line_end - line_start <= PIECE else min(line_end, at - at % PIECE + PIECE)
            tasks, first, last = tasks_of[event & INDEX_MASK], at, at
        if tasks:
            line = Piece(max(line_start, start), min(line_end, end), line_start, line_end)
            self._note(text, (start, end), found, labels, line, Look(tasks, first - LEAD, last))
        return found

    def events_of_each(self, texts: Sequence[bytes]) -> Iterator[list[int]]:
        """Yield the events of each of some texts, seen in one pass: most are short, and a pass has a price."""
        if not texts:
            return
        events, begin, first = self.gate.events(b"\n".join(texts)), 0, 0
        for text in texts:
            end = begin + len(text)
            # What ends with its text has the line end behind it here.
            stop = bisect_left(events, (end + 2) << INDEX_BITS, first)
            of_text = ((min(event >> INDEX_BITS, end) - begin, event & INDEX_MASK) for event in events[first:stop])
            yield [place << INDEX_BITS | index for place, index in of_text if place > 0]
            # Of two texts next to each other, both have what ends in the line end between them.
            first = bisect_left(events, (end + 1) << INDEX_BITS, first)
            begin = end + 1

    def _note(
        self,
        text: bytes,
        span: tuple[int, int],
        found: dict[Piece, Look],
        labels: LabelledLines,
        line: Piece,
        look: Look,
    ) -> None:
        """Add what the events in a line say of it, and of the lines within `span` that it may be a label of."""
        tasks = look.tasks & self._tasks.need_keyword
        here = self._tasks.worded(look.tasks, text, line.line_start, line.line_end) if tasks else look.tasks
        # Of a line that is too short for a value its signs say what stands in the next one.
        if here and (line.line_end - line.start >= SHORTEST or here & self._tasks.signs):
            add_look(found, line, look if here == look.tasks else look._replace(tasks=here))
        if tasks and line.line_end <= line.end:
            for first, last in labels.below(line.line_start, line.line_end, tasks):
                # Whatever is labelled stands at the beginning of its line.
                below = Piece(max(first, span[0]), min(first + PIECE, last, span[1]), first, last)
                if below.start < below.end and (there := self._tasks.worded(tasks, text, first, last)):
                    look = Look(there, last, 0)
                    found[below] = found[below] | look if below in found else look

    def _named(self, text: bytes, start: int, end: int, columns: ColumnsOfText) -> dict[Piece, Look]:
        """Every piece, for the rules that a column's name stands in for the keyword of."""
        tasks = self._tasks.concerning(columns.detectors)
        look = Look(tasks, len(text), 0)
        return dict.fromkeys(every_piece(text, start, end), look) if tasks else {}

    def _matches(
        self, text: bytes, start: int, end: int, columns: ColumnsOfText | None, depth: int, seen: Seen
    ) -> list[Match]:
        pieces = sorted(self.pieces(text, start, end, columns, seen.events).items())
        judge = Judge(text, columns, self._tasks.words_in)
        found: list[list[Match]] = []
        runs = EncodedRuns([], [])
        written: list[Lines] = []
        for number, (piece, look) in enumerate(pieces):
            if look.tasks & self._tasks.signs:
                stop, joint = min(piece.line_end, piece.end + LOOKAHEAD), look.tasks & self._tasks.joints != 0
                written.append(Lines(piece.start, stop, joint))
            # Most lines with signs are read, and that is all.
            found.append(self._in_piece(text, piece, look, judge) if look.tasks & self._tasks.rules else [])
            if depth and look.tasks & (self._tasks.base64 | self._tasks.hex):
                self._add_runs(text, end, piece, look, number, runs)
        for number, match in self._in_runs([*runs.base64, *runs.hex], depth):
            found[number].append(match)
        matches = self._put_together(found, [piece.line_end for piece, _ in pieces])
        named = _ColumnsAsWritten(text, columns, judge.rows) if columns and judge.rows else None
        to_be_read = _to_be_read(text, (start, end), written, seen.parts) if depth else []
        for signs, parts in to_be_read:
            lines = [*readings(text, parts, LABEL_REACH, signs)]
            matches = merged(text, matches, self._in_readings(lines, end, named, depth), self._yielding)
        # What begins before has taken the place of its own end.
        return [each for each in matches if each.start >= start] if to_be_read else matches

    def _put_together(self, found: Sequence[list[Match]], line_ends: Sequence[int]) -> list[Match]:
        """Return the matches of all pieces in order, with one of those in a piece that claim the same bytes."""
        matches, below = list[Match](), False
        for line_end, those in zip(line_ends, found, strict=True):
            if those:
                matches += settled(those, self._yielding) if len(those) > 1 else those
                below |= matches[-1].start >= line_end
        return yielded(matches, self._yielding) if below else matches

    def _in_piece(self, text: bytes, piece: Piece, look: Look, judge: Judge) -> list[Match]:
        known, tasks = self._tasks, look.tasks
        begin = max(piece.start, look.first)
        from_here = piece.start if tasks & known.need_keyword else begin
        start = max(piece.line_start, from_here - self._word_reach)
        # What is said in the line, as far as it is near enough to say something of a value.
        around = text[start : min(piece.line_end, piece.end + LOOKAHEAD)]
        bits = known.narrowed_to(text, piece, tasks & known.rules, around)
        if not bits:
            return []
        may = known.spoken_of(bits, around)
        line = Line(text, piece, max(piece.line_start, begin - _ESCAPE))
        if not bits & (bits - 1):
            # The usual case, of which there is one in each line of a text of values.
            return self._of_task(known[bits], line, look, judge, may)
        found: list[Match] = []
        for bit in bits_of(bits):
            found += self._of_task(known[bit], line, look, judge, may)
        return found

    def _of_task(self, task: Task, line: Line, look: Look, judge: Judge, may: int) -> list[Match]:
        """Return what one rule finds in a line."""
        first, last = line.piece.start, line.piece.end - 1
        if not task.rule.needs_keyword:
            first, last = max(first, look.first + LEAD - task.rule.lead), min(last, look.last)
        return judge.values(line, task, first, last, may)

    def _add_runs(self, text: bytes, end: int, piece: Piece, look: Look, number: int, runs: EncodedRuns) -> None:
        """Add what is written in base64 or in digits in a piece, which has a `number`, up to `end`."""
        reach = max(piece.start, look.first), min(piece.end - 1, look.last)
        if look.tasks & self._tasks.base64:
            base64_runs(text, end, piece, number, reach, runs.base64)
        if look.tasks & self._tasks.hex:
            hex_runs(text, piece, number, reach, runs.hex)

    def _in_runs(self, runs: Sequence[Run], depth: int) -> Iterator[tuple[int, Match]]:
        """Yield what is found in what `runs` say, at its place in the text, and with the number of its piece."""
        decoded = Decoded.of(runs) if runs else None
        if decoded is None or not decoded.text:
            return
        seen = self.seen(decoded.text)
        for match in self._matches(decoded.text, 0, len(decoded.text), None, depth - 1, seen):
            placed = decoded.in_place(match, yielding=match.detector in self._yielding)
            if placed:
                yield placed

    def _in_readings(
        self,
        read: Sequence[tuple[int, Reading]],
        limit: int,
        named: "_ColumnsAsWritten | None",
        depth: int,
    ) -> Iterator[Match]:
        """Yield what is found where the signs of some lines are read, at its place in the text, before `limit`."""
        events_of_each = self.events_of_each([reading.text for _, reading in read])
        for (end, reading), events in zip(read, events_of_each, strict=True):
            if not events and named is None:
                continue
            columns, text = named.of(reading) if named else None, reading.text
            seen = self._seen(text, reading.begin, events)
            for match in self._matches(text, reading.begin, len(text), columns, depth - 1, seen):
                first, last, kinds = reading.span(match.start, match.end)
                if first < min(limit, end):
                    yield match._replace(start=first, end=last, decoded_from=(*kinds, *match.decoded_from))


def _to_be_read(
    text: bytes, span: tuple[int, int], lines: list[Lines], parts: TextParts
) -> list[tuple[Signs, list[Lines]]]:
    """Return which `lines` of a part of a text are to be read, and by which signs.

    Those that a line before it goes on in are among them, and all where ends of lines end nothing.
    """
    start, end = span
    first, last = max(0, start - LOOKAHEAD), min(len(text), end + LOOKAHEAD)
    if parts.rtf:
        return [(Signs.RTF, [Lines(first, last, joint=False)])]
    signs = Signs.QUOTED_RTF if parts.quoted else Signs.ANY
    line_start = text.rfind(b"\n", 0, start) + 1
    if start and (begun := first_of_chain(text, line_start, LOOKAHEAD, Signs.MARKUP)) < line_start:
        lines.insert(0, Lines(begun, line_start, joint=True))
    read = [(signs, lines)] if lines else []
    if joint := [each for each in lines if each.joint]:
        read.append((Signs.MARKUP, joint))
    if folded := [Lines(max(begin, first), min(stop, last), joint=False) for begin, stop in parts.folded]:
        read.append((Signs.FOLDED, [part for part in folded if part.start < part.end]))
    return read


class _ColumnsAsWritten:
    """The columns of a text for readings of it: where its signs are read, places and delimiters are others."""

    def __init__(self, text: bytes, columns: ColumnsOfText, rows: NamedRows, reading: Reading | None = None) -> None:
        self._text = text
        self._columns = columns
        self._rows = rows
        self._reading = reading
        self._line, self._upto = 0, 0

    def of(self, reading: Reading) -> "_ColumnsAsWritten":
        """Return the columns of a reading."""
        return _ColumnsAsWritten(self._text, self._columns, self._rows, reading)

    @property
    def detectors(self) -> Collection[str]:
        """The ids of the detectors that a column is named for."""
        return self._columns.detectors

    def rows(self, text: bytes) -> NamedRows:
        """Return the rows of the reading, whose `text` is not looked at."""
        del text
        return self

    def are_named(self, detector: str, line_start: int, at: int) -> bool:
        """Return whether the value at a place of the reading is in a column named for `detector`."""
        del line_start
        if self._reading is None or detector not in self._columns.detectors:
            return False
        written = self._reading.span(at, at + 1)[0]
        # A hostile line has a value every few bytes: what is before the last one was looked at.
        known = self._upto if written >= self._upto else 0
        found = self._text.rfind(b"\n", known, written) + 1
        self._line, self._upto = found or (self._line if known else 0), written
        return self._rows.are_named(detector, self._line, written)
