"""The rules that an engine applies, each a bit: which gates they wait for, and which may find something in a line."""

import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from waybill.scanning.domain.detection.decoding import JOINT_GATES, SIGN_GATES
from waybill.scanning.domain.detection.gates import INDEX_MASK, Gate
from waybill.scanning.domain.detection.labels import bits_of
from waybill.scanning.domain.detection.marks import MARK_GATES, TextMark
from waybill.scanning.domain.detection.pattern_facts import fewest, has_only, shortest
from waybill.scanning.domain.detection.pieces import Piece
from waybill.scanning.domain.detection.rules import Detector, Rule
from waybill.scanning.domain.detection.validators.telephone import REGIONS
from waybill.scanning.domain.detection.vocabulary import Vocabulary

# To ask which rules and keywords there may be in a piece pays where a gate is shared by so many detectors.
_MANY_DETECTORS = 3
# Whether a line has a digit, or letters and digits in a row, is asked where that takes less time than the rules do.
_SHORT_LINE = 512
_DIGITS, _DIGIT, _NO_DIGITS = b"0123456789", re.compile(rb"[0-9]"), bytes({*range(256)} - {*b"0123456789"})
# No number that needs a keyword has fewer, but for one or two kinds; most lines of programs have.
_MANY_DIGITS = 6
_RUN_BYTES = frozenset(b"+/=_.~-" + string.ascii_letters.encode() + string.digits.encode())
_LONG_RUN_BYTES, _LONG_RUN = 14, re.compile(rb"[A-Za-z0-9+/=_.~-]{14}")


@dataclass(frozen=True)
class Task:
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


class Tasks:
    """The tasks of `known` detectors for `regions`, and the gate that they stand behind."""

    def __init__(
        self, known: Sequence[Detector], make_gate: Callable[[Sequence[str]], Gate], regions: Sequence[str]
    ) -> None:
        self._vocabulary = Vocabulary(_parts(known))
        self._tasks = [
            Task(detector, rule, meant, *_bits_of_words(number, detector))
            for number, detector in enumerate(known)
            for rule in detector.rules
            if (meant := _regions_of(rule, regions)) or not rule.needs_region
        ]
        self.rules = (1 << len(self._tasks)) - 1
        self.need_keyword = sum(1 << index for index, task in enumerate(self._tasks) if task.rule.needs_keyword)
        self._worded_of: dict[str, int] = {}
        for index, task in enumerate(self._tasks):
            if task.rule.needs_keyword:
                self._worded_of[task.detector.id] = self._worded_of.get(task.detector.id, 0) | 1 << index
        gates: dict[str, int] = {}
        # Those of regions last: they are the dearest.
        for index, task in sorted(enumerate(self._tasks), key=lambda numbered: bool(numbered[1].rule.needs_region)):
            for gate in task.rule.gates:
                gates[gate] = gates.get(gate, 0) | 1 << index
        # Behind the last task come text in base64, in hexadecimal digits, signs to be read, and those that may go over
        # the end of a line; see `Gate.events`.
        self.base64, self.hex, self.signs, self.joints = (1 << len(self._tasks) + number for number in range(4))
        gates |= dict.fromkeys(SIGN_GATES, self.signs) | dict.fromkeys(JOINT_GATES, self.signs | self.joints)
        # Nothing is to be done in the line of a mark.
        self.of_gates = [*gates.values(), *[0] * len(MARK_GATES), self.base64, self.hex]
        self._marks = dict(enumerate(MARK_GATES.values(), len(gates)))
        self.gate = make_gate([*gates, *MARK_GATES])
        self._worded = sum(1 << index for index, task in enumerate(self._tasks) if task.words or task.borders)
        self._narrow(gates)

    def _narrow(self, gates: Mapping[str, int]) -> None:
        """Prepare what tells which tasks may find something."""
        words = [index for index, task in enumerate(self._tasks) if task.rule.needs_keyword]
        digits = {
            index: max(fewest(self._core(index), frozenset(_DIGITS)), self._tasks[index].rule.digits) for index in words
        }
        self._digital = sum(1 << index for index in words if digits[index])
        self._numeric = sum(1 << index for index in words if digits[index] >= _MANY_DIGITS)
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
        self._narrowed_by_word = self.gate.narrowing(
            {bit: core for bit, core in cores.items() if bit & self.need_keyword}
        )
        self._words_in = self.gate.words(self._vocabulary.letters)
        self._narrowed = self.gate.narrowing({bit: core for bit, core in cores.items() if not bit & self.need_keyword})

    def __getitem__(self, bit: int) -> Task:
        """Return the task that a bit stands for."""
        return self._tasks[bit.bit_length() - 1]

    def marks(self, events: Iterable[int]) -> TextMark:
        """Return the marks among the events of a text."""
        found = {event & INDEX_MASK for event in events}
        return reduce(or_, (mark for index, mark in self._marks.items() if index in found), TextMark.NONE)

    def concerning(self, detectors: Iterable[str]) -> int:
        """Return the tasks of these detectors that need a keyword."""
        bits = 0
        for detector in detectors:
            bits |= self._worded_of.get(detector, 0)
        return bits

    def _core(self, index: int) -> str:
        return self._tasks[index].rule.core.decode("ascii")

    def _is_long(self, core: str) -> bool:
        return shortest(core) >= _LONG_RUN_BYTES and has_only(core, _RUN_BYTES)

    def _is_vague(self, task: Task, gates: Mapping[str, int]) -> bool:
        """Return whether the gates of a task are keywords, or shared by so many that they say little of each."""
        if task.rule.needs_column:
            return False
        asked = (gates[gate] for gate in task.rule.gates)
        others = {self[bit].detector.id for tasks in asked for bit in bits_of(tasks)}
        return task.rule.needs_keyword or len(others) >= _MANY_DETECTORS

    def worded(self, tasks: int, text: bytes, start: int, end: int) -> int:
        """Return `tasks` without those that need a keyword and more digits than a line from `start` to `end` has."""
        if not tasks & self._numeric or end - start > _SHORT_LINE:
            return tasks
        many = len(text[start:end].translate(None, _NO_DIGITS)) >= _MANY_DIGITS
        return tasks if many else tasks & ~self._numeric

    def spoken_of(self, bits: int, around: bytes) -> int:
        """Return the bits of the words in a text that tasks `bits` ask for.

        What is long, such as data in base64, has a thousand words.
        """
        if not bits & self._worded:
            return 0
        if len(around) <= _SHORT_LINE:
            return self._vocabulary.bits(around)
        return self.words_in(around)

    def words_in(self, text: bytes) -> int:
        """Return the bits of the words in a text of any length."""
        return self._vocabulary.wordless(text) | self._words_in(text)

    def narrowed_to(self, text: bytes, piece: Piece, bits: int, around: bytes) -> int:
        """Return those of some tasks that may find something in a piece, as far as that is asked in less time.

        `around` is what is said in the line near enough to a value of the piece.
        """
        if bits & self.need_keyword and piece.line_end - piece.start <= _SHORT_LINE:
            # Of most lines with a keyword this is all there is to ask.
            if bits & self._digital and not _DIGIT.search(text, piece.start, piece.line_end):
                bits &= ~self._digital
            if bits & self._long and not _LONG_RUN.search(text, piece.start, piece.line_end):
                bits &= ~self._long
        if not bits & self._vague:
            return bits
        may = self._narrowed(around) if bits & self._vague & ~self.need_keyword else 0
        if bits & self.need_keyword:
            may |= self._narrowed_by_word(around)
        return bits & (~self._vague | may)
