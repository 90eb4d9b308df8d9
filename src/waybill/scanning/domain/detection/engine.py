"""The engine: gates over a block, then exact patterns and validators on the lines that a gate points at.

The work is cut into pieces: a line, or of a line longer than `PIECE` bytes its consecutive parts. A value belongs to
the piece that it starts in. Which pieces are looked at depends on the gates, what is found in a piece does not.
"""

import base64
import re
import string
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from waybill.scanning.domain.detection.beside import is_near
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.decoding import SIGN_GATES, readings
from waybill.scanning.domain.detection.gates import HEX_PAIR, INDEX_BITS, LEAD, QUAD, REACH, Gate, fastest_gate
from waybill.scanning.domain.detection.labels import LABEL_REACH, LabelledLines, bits_of, is_labelled
from waybill.scanning.domain.detection.models import Confidence, Match, Surroundings
from waybill.scanning.domain.detection.pattern_facts import always_has, has_only, shortest
from waybill.scanning.domain.detection.rules import Detector, Rule
from waybill.scanning.domain.detection.validators.telephone import REGIONS
from waybill.scanning.domain.detection.vocabulary import Vocabulary

PIECE = 4096
# The longest match, and the text behind it that a validator may ask for.
LOOKAHEAD = 8192
DECODING_DEPTH = 2

_INDEX_MASK = (1 << INDEX_BITS) - 1
_BEFORE = 64
# Matches that may overlap with one that was read from signs.
_CLAIMS = 32
# No value has fewer bytes.
_SHORTEST = 6
# To ask which rules and keywords there may be in a piece pays where a gate is shared by so many detectors.
_MANY_DETECTORS = 3
# Whether a line has a digit, or letters and digits in a row, is asked where that takes less time than the rules do.
_SHORT_LINE = 512
_DIGITS, _DIGIT = frozenset(b"0123456789"), re.compile(rb"[0-9]")
_RUN_BYTES = frozenset(b"+/=_.~-" + string.ascii_letters.encode() + string.digits.encode())
_LONG_RUN_BYTES, _LONG_RUN = 14, re.compile(rb"[A-Za-z0-9+/=_.~-]{14}")
# The longest escape sequence.
_ESCAPE = 6
_BASE64_RUN = re.compile(f"(?:{QUAD}){{6,2040}}(?:[A-Za-z0-9+/_-]{{2,3}}(?![A-Za-z0-9+/_-]))?".encode("ascii"))
# Encoders break lines at 64 or 76 digits (RFC 2045, section 6.8; RFC 7468, section 2); values go over no more lines.
_NEXT_LINE = re.compile(rb"\r?\n[ \t]{0,16}([A-Za-z0-9+/_-]{2,128})(?![A-Za-z0-9+/_-])")
_WRAPPED_AT, _LINES_BEHIND = 60, 3
# Text in hexadecimal digits; so many printable characters by chance: one in fifty thousand, and then no value.
_HEX_RUN = re.compile(f"(?<![0-9A-Za-wyz])((?:{HEX_PAIR}){{11,4096}})(?![0-9A-Za-z])".encode("ascii"))
_NAME, _NAME_BYTES = re.compile(rb"([A-Za-z][\w.-]{1,60})[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?\Z"), 72
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


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


@dataclass(frozen=True)
class _Task:
    """A rule to apply; `words` and `borders` are its detector's bits in the vocabulary, none where it has none."""

    detector: Detector
    rule: Rule
    regions: tuple[str, ...]
    words: int
    borders: int


def _regions_of(rule: Rule, regions: Sequence[str]) -> tuple[str, ...]:
    meant = REGIONS.get(rule.needs_region)
    return tuple(region for region in regions if meant and meant(region))


def _bits_of_words(number: int, detector: Detector) -> tuple[int, int]:
    """Return the bits of the detector that has a number, for its keywords and for what a value may stand behind."""
    first = 1 << 2 * number
    return first if detector.keywords else 0, first << 1 if detector.glued else 0


def _parts(known: Sequence[Detector]) -> dict[bytes, int]:
    """Return the words of detectors, with the bits of those that they say something of."""
    parts: dict[bytes, int] = {}
    for number, detector in enumerate(known):
        words, borders = _bits_of_words(number, detector)
        for word in detector.hints:
            parts[word] = parts.get(word, 0) | words
        for word in detector.borders:
            parts[word] = parts.get(word, 0) | borders
    return parts


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
        self._vocabulary = Vocabulary(_parts(known))
        self._tasks = [
            _Task(detector, rule, meant, *_bits_of_words(number, detector))
            for number, detector in enumerate(known)
            for rule in detector.rules
            if (meant := _regions_of(rule, self.regions)) or not rule.needs_region
        ]
        self._need_keyword = sum(1 << index for index, task in enumerate(self._tasks) if task.rule.needs_keyword)
        gates: dict[str, int] = {}
        # Those of regions last: they are the dearest.
        for index, task in sorted(enumerate(self._tasks), key=lambda numbered: bool(numbered[1].rule.needs_region)):
            for gate in task.rule.gates:
                gates[gate] = gates.get(gate, 0) | 1 << index
        # Behind the last task come text in base64, in hexadecimal digits, and signs to be read; see `Gate.events`.
        self._base64, self._hex, self._signs = (1 << len(self._tasks) + number for number in range(3))
        gates |= dict.fromkeys(SIGN_GATES, self._signs)
        self._tasks_of = [*gates.values(), self._base64, self._hex]
        self._gate = make_gate([*gates])
        self._worded = sum(1 << index for index, task in enumerate(self._tasks) if task.words or task.borders)
        self._word_reach = max((each.keyword_distance for each in known if each.keywords), default=0) + _BEFORE
        words = [index for index, task in enumerate(self._tasks) if task.rule.needs_keyword]
        self._digital = sum(1 << index for index in words if always_has(self._core(index), _DIGITS))
        self._long = sum(
            1 << index for index in words if self._is_long(self._core(index)) and not 1 << index & self._digital
        )
        # Of numbers that need a keyword, a digit in the line says enough: so many shapes of digits together
        # would take seconds to compile.
        vague = [
            index
            for index, task in enumerate(self._tasks)
            if self._is_vague(task, gates) and not 1 << index & self._digital
        ]
        self._vague = sum(1 << index for index in vague)
        cores = {1 << index: self._tasks[index].rule.core for index in vague}
        # Apart: a column of numbers has the shape of many rules that need a keyword, which few lines have.
        self._narrowed_by_word = self._gate.narrowing(
            {bit: core for bit, core in cores.items() if bit & self._need_keyword}
        )
        self._spoken = self._gate.narrowing(self._vocabulary.patterns())
        self._narrowed = self._gate.narrowing(
            {bit: core for bit, core in cores.items() if not bit & self._need_keyword}
        )

    def _core(self, index: int) -> str:
        return self._tasks[index].rule.core.decode("ascii")

    def _is_long(self, core: str) -> bool:
        return shortest(core) >= _LONG_RUN_BYTES and has_only(core, _RUN_BYTES)

    def _is_vague(self, task: _Task, gates: Mapping[str, int]) -> bool:
        """Return whether the gates of a task are keywords, or shared by so many that they say little of each."""
        asked = (gates[gate] for gate in task.rule.gates)
        others = {self._tasks[bit.bit_length() - 1].detector.id for tasks in asked for bit in bits_of(tasks)}
        return task.rule.needs_keyword or len(others) >= _MANY_DETECTORS

    def matches(
        self, text: bytes, start: int = 0, end: int | None = None, columns: Columns | None = None
    ) -> list[Match]:
        """Return the values that start in `text[start:end]`, in order; what is around it is context."""
        return self._matches(text, start, len(text) if end is None else end, columns, DECODING_DEPTH)

    def pieces(self, text: bytes, start: int, end: int, columns: Columns | None) -> dict[Piece, Look]:
        """Return the pieces of `text[start:end]` to look at, and what for."""
        found = self._named(text, start, end, columns) if columns else {}
        tasks_of, lowest, limit = self._tasks_of, start - LABEL_REACH, end + REACH
        tasks = first = last = line_start = line_end = unit_end = 0
        labels = LabelledLines(text)
        for event in self._gate.events(text):
            at = (event >> INDEX_BITS) - 1
            if at < unit_end:
                tasks |= tasks_of[event & _INDEX_MASK]
                last = at
                continue
            if tasks:
                line = Piece(max(line_start, start), min(line_end, end), line_start, line_end)
                self._note(found, labels, line, Look(tasks, first - LEAD, last))
                tasks = 0
            if at < lowest:
                continue
            if at >= limit:
                break
            if at >= line_end:
                line_start, line_end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
            # Events of a long line are put together by their place in it: a hostile one has an event per byte.
            unit_end = line_end if line_end - line_start <= PIECE else min(line_end, at - at % PIECE + PIECE)
            tasks, first, last = tasks_of[event & _INDEX_MASK], at, at
        if tasks:
            line = Piece(max(line_start, start), min(line_end, end), line_start, line_end)
            self._note(found, labels, line, Look(tasks, first - LEAD, last))
        return found

    def _note(self, found: dict[Piece, Look], labels: LabelledLines, line: Piece, look: Look) -> None:
        """Add what the events in a line say of it, and of the lines that it may be a label of."""
        _add(found, line, look)
        tasks = look.tasks & self._need_keyword
        if tasks and line.line_end <= line.end:
            for first, last in labels.below(line.line_start, line.line_end, tasks):
                # Whatever is labelled stands at the beginning of its line.
                below = Piece(first, min(first + PIECE, last), first, last)
                look = Look(tasks, last, 0)
                found[below] = found[below] | look if below in found else look

    def _named(self, text: bytes, start: int, end: int, columns: Columns) -> dict[Piece, Look]:
        """Every piece, for the rules that a column's name stands in for the keyword of."""
        tasks = sum(
            1 << index
            for index, task in enumerate(self._tasks)
            if task.rule.needs_keyword and columns.concerns(task.detector.id)
        )
        look = Look(tasks, len(text), 0)
        return dict.fromkeys(_every_piece(text, start, end), look) if tasks else {}

    def _matches(self, text: bytes, start: int, end: int, columns: Columns | None, depth: int) -> list[Match]:
        pieces = self.pieces(text, start, end, columns)
        matches: list[Match] = []
        written: list[tuple[int, int]] = []
        below = False
        for piece in sorted(pieces):
            look = pieces[piece]
            if look.tasks & self._signs:
                written.append((piece.start, min(piece.line_end, piece.end + LOOKAHEAD)))
            found = self._in_piece(text, piece, look, columns, depth)
            if found:
                below |= found[-1].start >= piece.line_end
                matches += found
        if below:
            matches = self._yielded(matches)
        if written and depth:
            matches = self._with(matches, self._in_readings(text, (start, end), written, columns, depth))
        return matches

    def _yielded(self, matches: list[Match]) -> list[Match]:
        """Return the matches in order, without those below their line that another detector claims the bytes of."""
        matches.sort(key=lambda match: (match.start, match.detector))
        kept: list[Match] = []
        for place, match in enumerate(matches):
            near = matches[max(0, place - _CLAIMS) : place + _CLAIMS]
            others = (each for each in near if each.detector not in self._yielding)
            if match.detector not in self._yielding or not any(
                each.start < match.end and match.start < each.end for each in others
            ):
                kept.append(match)
        return kept

    def _in_readings(
        self, text: bytes, span: tuple[int, int], lines: list[tuple[int, int]], columns: Columns | None, depth: int
    ) -> Iterator[Match]:
        """Yield what is found where the signs of some lines are read, at the place that it has in the text."""
        for _, end, reading in readings(text, lines, LABEL_REACH):
            for match in self._matches(reading.text, 0, len(reading.text), columns, depth - 1):
                first, last, kinds = reading.span(match.start, match.end)
                if span[0] <= first < min(span[1], end):
                    yield match._replace(start=first, end=last, decoded_from=(*kinds, *match.decoded_from))

    def _with(self, matches: list[Match], read: Iterator[Match]) -> list[Match]:
        """Return `matches` and those `read` from signs that are not among them, or that one of them is a part of."""
        starts = [match.start for match in matches]
        added, replaced = list[Match](), set[int]()
        for match in read:
            first, last = bisect_left(starts, match.start - LOOKAHEAD), bisect_left(starts, match.end)
            claims = [place for place in range(max(first, last - _CLAIMS), last) if matches[place].end > match.start]
            same = [place for place in claims if matches[place].detector == match.detector]
            if any(matches[place].start <= match.start and match.end <= matches[place].end for place in same):
                continue
            # The sign at the end of a value in base64 is its own, and no soft line end.
            if any(matches[place].value.endswith(b"=") for place in same):
                continue
            others = any(matches[place].detector not in self._yielding for place in claims)
            if not (others and match.detector in self._yielding):
                added.append(match)
                replaced.update(same)
        kept = [match for place, match in enumerate(matches) if place not in replaced]
        return sorted(kept + added, key=lambda match: (match.start, match.detector))

    def _in_piece(self, text: bytes, piece: Piece, look: Look, columns: Columns | None, depth: int) -> list[Match]:
        begin = max(piece.start, look.first)
        start = max(piece.line_start, (piece.start if look.tasks & self._need_keyword else begin) - self._word_reach)
        # What is said in the line, as far as it is near enough to say something of a value.
        around = text[start : min(piece.line_end, piece.end + LOOKAHEAD)]
        bits = self._narrowed_to(text, piece, look.tasks & ~self._signs, around)
        if not bits:
            return []
        may = self._spoken_of(around) if bits & self._worded else 0
        line = _Line(text, piece, max(piece.line_start, begin - _ESCAPE))
        found: list[Match] = []
        for bit in bits_of(bits):
            if bit in {self._base64, self._hex}:
                decoded = self._decoded if bit == self._base64 else self._from_digits
                found += decoded(text, piece, begin, min(piece.end - 1, look.last), depth) if depth else ()
            else:
                found += self._by_task(line, look, self._tasks[bit.bit_length() - 1], may, columns)
        return self._settled(found) if len(found) > 1 else found

    def _spoken_of(self, around: bytes) -> int:
        """Return the bits of the words in a text; what is long, such as data in base64, has a thousand others."""
        if len(around) <= _SHORT_LINE:
            return self._vocabulary.bits(around)
        return self._vocabulary.always | self._spoken(around)

    def _narrowed_to(self, text: bytes, piece: Piece, bits: int, around: bytes) -> int:
        """Return those of some tasks that may find something in a piece, as far as that is asked in less time."""
        if bits & self._need_keyword and piece.line_end - piece.start <= _SHORT_LINE:
            # Of most lines with a keyword this is all there is to ask.
            if bits & self._digital and not _DIGIT.search(text, piece.start, piece.line_end):
                bits &= ~self._digital
            if bits & self._long and not _LONG_RUN.search(text, piece.start, piece.line_end):
                bits &= ~self._long
        if not bits & self._vague:
            return bits
        may = self._narrowed(around) if bits & self._vague & ~self._need_keyword else 0
        if bits & self._need_keyword:
            may |= self._narrowed_by_word(around)
        return bits & (~self._vague | may)

    def _by_task(self, line: "_Line", look: Look, task: _Task, may: int, columns: Columns | None) -> list[Match]:
        """Return the values that a rule finds in a line, whose words `may` be about some detectors."""
        piece = line.piece
        at, last = piece.start, piece.end - 1
        if not task.rule.needs_keyword:
            at, last = max(at, look.first + LEAD - task.rule.lead), min(last, look.last)
        limit = min(piece.line_end, piece.end + task.rule.lookahead)
        if limit - at < _SHORTEST or at > last:
            return []
        joined = line.escaped or (
            may & task.borders and line.has_glued(task.detector, max(piece.line_start, at - _BEFORE), limit)
        )
        first = (task.rule.escaped if joined else task.rule.pattern).search(line.text, at, limit)
        if not first or first.start() > last:
            return []
        hinted = bool(may & task.words) and _hinted(line.text, piece, task.detector, first.start(), limit)
        return _by_rule(line.text, piece, task, columns, first, last, hinted=hinted)

    def _decoded(self, text: bytes, piece: Piece, first: int, last: int, depth: int) -> Iterator[Match]:
        """Yield what is found in base64 that begins from `first` to `last`, at the place of the quads that hold it."""
        limit = min(piece.line_end, piece.end + LOOKAHEAD)
        for run in _BASE64_RUN.finditer(text, first, limit):
            if run.start() > last:
                return
            lines = _wrapped(text, run)
            encoded = b"".join(digits for _, digits in lines).translate(_STANDARD_ALPHABET)
            if len(encoded) % 4 == 1:
                continue
            plain = base64.b64decode(encoded + b"=" * (-len(encoded) % 4))
            # The name that it is assigned to says what it is, as it would of the plain value.
            label = _label_of(text[max(piece.line_start, run.start() - _NAME_BYTES) : run.start()])
            for match in self._matches(label + plain, len(label), len(label) + len(plain), None, depth - 1):
                begin = _place_in(lines, (match.start - len(label)) // 3 * 4)
                end = _place_in(lines, min(len(encoded), -(-(match.end - len(label)) // 3) * 4) - 1) + 1
                named = label and match.start == len(label) and match.detector in self._yielding
                if begin < min(piece.end, run.end()) and not named:
                    yield match._replace(start=begin, end=end, decoded_from=("base64", *match.decoded_from))

    def _from_digits(self, text: bytes, piece: Piece, first: int, last: int, depth: int) -> Iterator[Match]:
        """Yield what is found in text that is written in hexadecimal digits, from `first` to `last`."""
        limit = min(piece.line_end, piece.end + LOOKAHEAD)
        runs, places, at = list[bytes](), list[tuple[int, int]](), 0
        for run in _HEX_RUN.finditer(text, first, limit):
            if run.start() > last:
                break
            places.append((at, run.start()))
            runs.append(bytes.fromhex(run[1].decode("ascii")))
            at += len(runs[-1]) + 1
        # As one text: a look at each by itself would take longer than the values in it.
        plain = b"\n".join(runs)
        for match in self._matches(plain, 0, len(plain), None, depth - 1) if runs else ():
            offset, raw = places[bisect_right(places, (match.start, len(text))) - 1]
            begin, end = raw + 2 * (match.start - offset), raw + 2 * (match.end - offset)
            if begin < piece.end and b"\n" not in plain[match.start : match.end]:
                yield match._replace(start=begin, end=end, decoded_from=("hex", *match.decoded_from))

    def _settled(self, found: list[Match]) -> list[Match]:
        """Return the matches in order; a detector that yields has none where another claims the bytes."""
        yielding = self._yielding
        found.sort(key=lambda match: (match.detector in yielding, -match.confidence, match.start, -match.end))
        kept: list[Match] = []
        taken = 0
        for match in found:
            if match.detector in yielding:
                if any(match.start < other.end and other.start < match.end for other in kept[:taken] + kept[-8:]):
                    continue
            elif any(
                match.detector == other.detector and match.start < other.end and other.start < match.end
                for other in kept[-8:]
            ):
                # Two shapes of one detector claim the same value.
                continue
            else:
                taken += 1
            kept.append(match)
        return sorted(kept, key=lambda match: (match.start, match.detector))


def _wrapped(text: bytes, run: re.Match[bytes]) -> list[tuple[int, bytes]]:
    """Return the digits of base64 that begin with `run`, and of the next lines where it goes on, with their places."""
    lines, end = [(run.start(), run[0])], run.end()
    while len(lines) <= _LINES_BEHIND and len(lines[-1][1]) >= _WRAPPED_AT and len(lines[-1][1]) % 4 == 0:
        below = _NEXT_LINE.match(text, end)
        if below is None:
            break
        lines.append((below.start(1), below[1]))
        end = below.end()
    return lines


def _label_of(before: bytes) -> bytes:
    """Return the name that something is assigned to which stands behind `before`, as a label; nothing without one."""
    if before.rstrip(b" \t\"'")[-1:] not in {b":", b"="}:
        return b""
    name = _NAME.search(before)
    return name[1] + b": " if name else b""


def _place_in(lines: Sequence[tuple[int, bytes]], offset: int) -> int:
    """Return where in the text the digit `offset` of lines stands."""
    for start, digits in lines:
        if offset < len(digits):
            return start + offset
        offset -= len(digits)
    return lines[-1][0] + len(lines[-1][1])


def _by_rule(
    text: bytes, piece: Piece, task: _Task, columns: Columns | None, first: re.Match[bytes], last: int, *, hinted: bool
) -> list[Match]:
    """Return the values of a rule from `first` on, where its pattern matches first, that begin up to `last`."""
    limit = min(piece.line_end, piece.end + task.rule.lookahead)
    matches: list[Match] = []
    found: re.Match[bytes] | None = first
    while found and found.start() <= last:
        match, at = _judged(text, piece, task, columns, found, hinted=hinted)
        if match:
            matches.append(match)
        found = first.re.search(text, at, limit) if at <= last else None
    return matches


class _Line:
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


def _judged(
    text: bytes, piece: Piece, task: _Task, columns: Columns | None, found: re.Match[bytes], *, hinted: bool
) -> tuple[Match | None, int]:
    """Return the value in what a rule's pattern has matched, if there is one, and where to look for the next.

    `hinted` is what `_hinted` says of the piece.
    """
    detector, rule = task.detector, task.rule
    start, end = found.span()
    keyword = (
        (hinted and _keyword_near(text, piece, detector, start, end))
        or (columns is not None and columns.name(detector.id, text, piece.line_start, start))
        or (detector.keywords is not None and is_labelled(text, piece.line_start, start, detector.keywords))
    )
    if rule.needs_keyword and not keyword:
        return None, end
    shape = found[0]
    before = text[max(piece.line_start, start - _BEFORE) : start]
    verdict = detector.validator(shape, Surroundings(before, text[end : end + rule.lookahead], keyword, task.regions))
    if verdict is None:
        return None, start + 1
    # The value of a setting may stand in the line below its name.
    value = text[start + verdict.start : start + (len(shape) if verdict.end is None else verdict.end)]
    sample = verdict.sample or verdict.normal in detector.samples
    usual = rule.with_keyword if keyword else rule.confidence
    confidence = Confidence.LOW if sample else verdict.confidence or usual
    begin = start + verdict.start
    match = Match(detector.id, begin, begin + len(value), confidence, sample, value, verdict.normal)
    return match, start + len(value)


def _hinted(text: bytes, piece: Piece, detector: Detector, start: int, end: int) -> bool:
    """Return whether there may be keywords for values from `start` to `end`, looked for once for all of them."""
    if detector.keywords is None:
        return False
    first, last = _around(piece, detector, start, end)
    around = text[first:last].lower()
    # A loop: a generator for each piece would be dearer than the search.
    for hint in detector.hints:  # noqa: SIM110
        if hint in around:
            return True
    return False


def _keyword_near(text: bytes, piece: Piece, detector: Detector, start: int, end: int) -> bool:
    if detector.keywords is None:
        return False
    return is_near(detector.keywords, text, _around(piece, detector, start, end), (start, end), piece.line_start)


def _around(piece: Piece, detector: Detector, start: int, end: int) -> tuple[int, int]:
    distance = detector.keyword_distance
    return max(piece.line_start, start - distance), min(piece.line_end, end + distance)


def _add(found: dict[Piece, Look], line: Piece, look: Look) -> None:
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


def _every_piece(text: bytes, start: int, end: int) -> Iterator[Piece]:
    at = start
    while at < end:
        line_start, line_end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
        size = PIECE if line_end - at > PIECE else line_end - at
        for part in range(at, min(line_end, end), size):
            yield Piece(part, min(part + size, line_end, end), line_start, line_end)
        at = line_end
