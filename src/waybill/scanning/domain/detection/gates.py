"""Gates: short patterns that say, in one pass over a block, where something may be.

A gate is a superset: wherever a rule's pattern matches, one of its gates does, and ends in its first `LEAD` bytes;
where a rule needs a keyword, the keyword is its gate, on the same line and within `REACH` bytes of the value. What a
gate lets through is looked at by the exact patterns, so that gates decide the speed and never the result.
`HyperscanGate` is the one for work; `StandardGate` needs nothing but Python and lets the same pass.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Protocol

from waybill.scanning.domain.detection.compiling import Cache, Compiler
from waybill.scanning.domain.detection.pattern_facts import has_literal, literals

# The longest local part of an e-mail address and what follows it (RFC 5321, section 4.5.3.1); other gates are shorter.
LEAD = 80
# Keywords stand within their distance of the value, which itself is short where it needs one.
REACH = 256
INDEX_BITS = 12
INDEX_MASK = (1 << INDEX_BITS) - 1

# Base64 of ASCII text: quads whose first three characters can only come from bytes below 0x80, line ends and tabs
# included, and not from other control characters. Six of them by chance: one in a million.
QUAD = r"[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
# Fewer, twelve characters, are enough behind letters beyond ASCII: what has so few is looked at as a whole word.
BASE64 = f"(?:{QUAD}){{3}}[CDI-Za-f][A-HQ-Xg-nw-z0-3]"
# Two hexadecimal digits of a printable character of ASCII, a tab or a line end. Eleven pairs by chance: one text in
# fifty thousand, and then no value.
HEX_PAIR = "[2-7][0-9A-Fa-f]|0[9AaDd]"
_HEX = f"(?:{HEX_PAIR}){{11}}"
# What is cheap to look for, and without which there is no base64, and no text in hexadecimal digits: long words. Where
# they end so often, there may be anything.
_WORD, _WORD_BYTES, _WORD_ENDS = "[A-Za-z0-9+/_-]", 22, 256
_LONG_WORD = f"{_WORD}{{{_WORD_BYTES}}}"
_WHOLE_WORD = re.compile(f"{_WORD}{{22,4096}}".encode("ascii"))
_BASE64_BYTES, _DIGITS = 24, re.compile(rb"[0-9A-Fa-f]{22}")
# So many shapes are one automaton that a processor's cache holds; of more, each takes less time by itself.
_TOGETHER = 8
# Compiling takes as long as so many looks without it.
_WORTH_COMPILING = 2000


type Narrowing = Callable[[bytes], int]
"""Tells which bits a text may be about."""


class Gate(Protocol):
    """Finds the places that are worth a look."""

    def events(self, text: bytes) -> list[int]:
        """Return `end << INDEX_BITS | index` for the matches of pattern `index`, ascending.

        The two indices after the last pattern's stand for text in base64 and in hexadecimal digits.
        """
        ...

    def narrowing(self, patterns: Mapping[int, bytes]) -> Narrowing:
        """Return what tells which of `patterns`, by bit, may match in a short text."""
        ...

    def words(self, bits: Mapping[bytes, int]) -> Narrowing:
        """Return what tells which of some words, in small letters, stand in a text in either case, by their bits."""
        ...


class StandardGate:
    """`Gate` on the standard library."""

    def __init__(self, patterns: Sequence[str]) -> None:
        known = (*patterns, BASE64, _HEX)
        self._patterns = [(re.compile(pattern.encode("ascii")), literals(pattern)) for pattern in known]
        self._words = frozenset().union(*(words for _, words in self._patterns))

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        # Where `re` ignores case, it has no literals to skip to: looking for these first takes a sixth of the time.
        small = text.lower()
        present = {word for word in self._words if word in small}
        return sorted(
            match.end() << INDEX_BITS | index
            for index, (pattern, words) in enumerate(self._patterns)
            if not words or not words.isdisjoint(present)
            for match in pattern.finditer(text)
        )

    def narrowing(self, patterns: Mapping[int, bytes]) -> Narrowing:
        """Return what says that any may match, see `Gate`."""
        del patterns
        return lambda _: -1

    def words(self, bits: Mapping[bytes, int]) -> Narrowing:
        """Return what says that any may stand in a text, see `Gate`."""
        del bits
        return lambda _: -1


class HyperscanGate:
    """`Gate` on Hyperscan: databases of patterns, compiled once.

    Patterns that a byte or a word stands in are found by these, in one pass for all; those of classes alone, such as
    digits and what separates them, are one automaton, which reads every byte. Together both take twice as long as one
    after the other. The patterns for encoded text are the dearest, so a cheaper one, which stops at its first match in
    a block, goes before them.
    """

    def __init__(self, patterns: Sequence[str], compiler: Compiler | None = None) -> None:
        self._compiler = compiler or Compiler()
        shapes = {index: pattern for index, pattern in enumerate(patterns) if not has_literal(pattern)}
        words = {index: pattern for index, pattern in enumerate(patterns) if index not in shapes}
        together = dict([*shapes.items()][:_TOGETHER])
        apart = [{index: shapes[index]} for index in shapes if index not in together]
        self._databases = [self._compiler.database(part) for part in (words, together, *apart) if part]
        self._long_word = self._compiler.database({0: _LONG_WORD})
        self._base64, self._hex = (
            self._compiler.database({len(patterns) + number: pattern}) for number, pattern in enumerate((BASE64, _HEX))
        )
        # A database works in one scratch space, which takes one scan at a time (Hyperscan, "Scratch space").
        self._scanning = threading.Lock()

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        found: list[int] = []
        with self._scanning:
            base64, digits = _encodings(text, self._long_word)
            for database in (*self._databases, *[self._base64] * base64, *[self._hex] * digits):
                found += _scanned(database, text)
        found.sort()
        return found

    def narrowing(self, patterns: Mapping[int, bytes]) -> Narrowing:
        """Return what tells which may match, see `Gate`."""
        return _HyperscanNarrowing(patterns, self._compiler)

    def words(self, bits: Mapping[bytes, int]) -> Narrowing:
        """Return what tells which stand in a text, see `Gate`."""
        return _HyperscanWords(bits, self._compiler)


class _HyperscanNarrowing:
    """Tells which patterns may match in a text: Hyperscan takes what it does not know to match ("Prefiltering")."""

    def __init__(self, patterns: Mapping[int, bytes], compiler: Compiler) -> None:
        self._patterns = patterns
        self._compiler = compiler
        self._database: Any = None
        self._asked = 0
        self._working = threading.Lock()

    def __call__(self, text: bytes) -> int:
        """Return the bits of those that may match."""
        with self._working:
            if self._database is None:
                self._asked += 1
                if self._asked < _WORTH_COMPILING or not self._patterns:
                    return -1
                self._database = self._compiled()
            bits: list[int] = []
            self._database.scan(text, match_event_handler=_note_bit, context=(bits.append, [*self._patterns]))
        return sum(bits)

    def _compiled(self) -> Any:
        import hyperscan

        patterns = dict(enumerate(self._patterns.values()))
        return self._compiler.database(patterns, hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH)


class _HyperscanWords:
    """Tells which words stand in a text; to compile them takes as long as a few looks."""

    def __init__(self, bits: Mapping[bytes, int], compiler: Compiler) -> None:
        self._bits = bits
        self._compiler = compiler
        self._database: Any = None
        self._working = threading.Lock()

    def __call__(self, text: bytes) -> int:
        """Return the bits of the words that stand in a text."""
        import hyperscan

        if not self._bits:
            return 0
        found: list[int] = []
        with self._working:
            if self._database is None:
                flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
                self._database = self._compiler.database(dict(enumerate(self._bits)), flags)
            self._database.scan(text, match_event_handler=_note_bit, context=(found.append, [*self._bits.values()]))
        return reduce(or_, found, 0)


def _encodings(text: bytes, long_words: Any) -> tuple[bool, bool]:
    """Return whether there may be base64, and whether hexadecimal digits, in a text that has some `long_words`."""
    import hyperscan

    ends: list[int] = []
    try:
        long_words.scan(text, match_event_handler=_note_end, context=ends)
    except hyperscan.ScanTerminated:
        return True, True
    base64, digits, done = False, False, 0
    for end in ends:
        word = _WHOLE_WORD.match(text, end - _WORD_BYTES) if end > done else None
        if word:
            done = word.end()
            base64 |= done - word.start() >= _BASE64_BYTES
            digits |= _DIGITS.search(word[0]) is not None
    return base64, digits


def _note_end(_index: int, _start: int, end: int, _flags: int, ends: list[int]) -> bool:
    ends.append(end)
    return len(ends) > _WORD_ENDS


def _scanned(database: Any, text: bytes) -> list[int]:
    found: list[int] = []
    database.scan(text, match_event_handler=_note, context=found.append)
    return found


def _note(index: int, _start: int, end: int, _flags: int, append: Any) -> None:
    append(end << INDEX_BITS | index)


def _note_bit(index: int, _start: int, _end: int, _flags: int, context: Any) -> None:
    append, bits = context
    append(bits[index])


def fastest_gate(patterns: Sequence[str], cache: Cache | None = None) -> Gate:
    """Return Hyperscan's gate where Hyperscan is installed, else the standard library's; both let the same through.

    What is compiled is kept in `cache`.
    """
    try:
        return HyperscanGate(patterns, Compiler(cache))
    except ImportError:
        return StandardGate(patterns)
