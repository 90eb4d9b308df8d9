"""Which detectors the name of a column says something of: texts name the same columns again and again."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from waybill.scanning.domain.detection.labels import bits_of
from waybill.scanning.domain.detection.rules import Detector
from waybill.scanning.domain.detection.vocabulary import Vocabulary

_KEPT = 16_384
# No database takes a longer one (Oracle Database, "Database Object Naming Rules").
_LONGEST = 128


class ColumnNames:
    """Tells which of some detectors a column's name is about; each name is judged once, by the words in it."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = {1 << number: detector for number, detector in enumerate(detectors)}
        words: dict[bytes, int] = {}
        self._always = 0
        for bit, detector in self._detectors.items():
            if detector.columns:
                # Names of its own, which are no words.
                self._always |= bit
                continue
            for word in detector.hints:
                words[word] = words.get(word, 0) | bit
        self._vocabulary = Vocabulary(words)
        self._known: dict[bytes, tuple[str, ...]] = {}

    def detectors(self, names: Iterable[bytes]) -> dict[str, frozenset[int]]:
        """Return the ids of detectors, each with the numbers of its columns, from 0."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            known = self._known.get(name)
            for detector in self._judged(name) if known is None else known:
                found.setdefault(detector, []).append(number)
        return {detector: frozenset(numbers) for detector, numbers in found.items()}

    def _judged(self, name: bytes) -> tuple[str, ...]:
        if not name or len(name) > _LONGEST:
            return ()
        if len(self._known) >= _KEPT:
            self._known.clear()
        text = name.decode("utf-8", "replace")
        asked = (self._detectors[bit] for bit in bits_of(self._always | self._vocabulary.bits(name)))
        self._known[name] = found = tuple(detector.id for detector in asked if detector.named_by(text))
        return found


@lru_cache(maxsize=8)
def names_of(detectors: tuple[Detector, ...]) -> ColumnNames:
    """Return what knows the names of columns for some detectors."""
    return ColumnNames(detectors)
