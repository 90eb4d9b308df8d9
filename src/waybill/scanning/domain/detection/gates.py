"""Gates: short patterns that say, in one pass over a block, where something may be.

A gate is a superset: wherever a rule's pattern matches, one of its gates does, and ends in its first `LEAD` bytes;
where a rule needs a keyword, the keyword is its gate, on the same line and within `REACH` bytes of the value. What a
gate lets through is looked at by the exact patterns, so that gates decide the speed and never the result.
`HyperscanGate` is the one for work; `StandardGate` needs nothing but Python and lets the same pass.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

# The longest local part of an e-mail address and what follows it (RFC 5321, section 4.5.3.1); other gates are shorter.
LEAD = 80
# Keywords stand within their distance of the value, which itself is short where it needs one.
REACH = 256
INDEX_BITS = 12

# Base64 of ASCII text: quads whose first three characters can only come from bytes below 0x80, line ends and tabs
# included, and not from other control characters. Six of them by chance: one in a million.
QUAD = r"[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_BASE64 = f"(?:{QUAD}){{6}}"
_INDEX_MASK = (1 << INDEX_BITS) - 1
# Two hexadecimal digits of a printable character of ASCII, a tab or a line end. Eleven pairs by chance: one text in
# fifty thousand, and then no value.
HEX_PAIR = "[2-7][0-9A-Fa-f]|0[9AaDd]"
_HEX = f"(?:{HEX_PAIR}){{11}}"
# What is cheap to look for, and without which there is no base64, and no text in hexadecimal digits.
# Compiling takes as long as so many looks without it.
_WORTH_COMPILING = 2000
_LONG_WORD, _DIGITS = "[A-Za-z0-9+/_-]{24}", "[0-9A-Fa-f]{22}"


type Narrowing = Callable[[bytes], int]


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


class StandardGate:
    """`Gate` on the standard library."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [re.compile(pattern.encode("ascii")) for pattern in (*patterns, _BASE64, _HEX)]

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        return sorted(
            match.end() << INDEX_BITS | index
            for index, pattern in enumerate(self._patterns)
            for match in pattern.finditer(text)
        )

    def narrowing(self, patterns: Mapping[int, bytes]) -> Narrowing:
        """Return what says that any may match, see `Gate`."""
        del patterns
        return lambda _: -1


class HyperscanGate:
    """`Gate` on Hyperscan: one database of all patterns, compiled once.

    The patterns for encoded text are the dearest, so a cheaper one, which stops at its first match in a block, goes
    before them.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        import hyperscan

        once = hyperscan.HS_FLAG_SINGLEMATCH
        self._base64_index = len(patterns)
        self._all = _database(hyperscan, [*patterns, _LONG_WORD], {len(patterns): once})
        # Apart, since together they would take longer than one after the other.
        self._digits = _database(hyperscan, [_DIGITS], {0: once})
        self._base64, self._hex = (_database(hyperscan, [pattern], {}) for pattern in (_BASE64, _HEX))
        # A database works in one scratch space, which takes one scan at a time (Hyperscan, "Scratch space").
        self._scanning = threading.Lock()

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        with self._scanning:
            return self._events(text)

    def _events(self, text: bytes) -> list[int]:
        found = _scanned(self._all, text)
        long_words = [event for event in found if event & _INDEX_MASK == self._base64_index]
        if long_words:
            found.remove(long_words[0])
            found += [event | self._base64_index for event in _scanned(self._base64, text)]
        if _scanned(self._digits, text):
            found += [event | self._base64_index + 1 for event in _scanned(self._hex, text)]
        found.sort()
        return found

    def narrowing(self, patterns: Mapping[int, bytes]) -> Narrowing:
        """Return what tells which may match, see `Gate`."""
        return _HyperscanNarrowing(patterns)


class _HyperscanNarrowing:
    """Tells which patterns may match in a text: Hyperscan takes what it does not know to match ("Prefiltering")."""

    def __init__(self, patterns: Mapping[int, bytes]) -> None:
        self._patterns = patterns
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

        flags = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH
        return _database(hyperscan, [*self._patterns.values()], dict.fromkeys(range(len(self._patterns)), flags))


def _scanned(database: Any, text: bytes) -> list[int]:
    found: list[int] = []
    database.scan(text, match_event_handler=_note, context=found.append)
    return found


def _note(index: int, _start: int, end: int, _flags: int, append: Any) -> None:
    append(end << INDEX_BITS | index)


def _note_bit(index: int, _start: int, _end: int, _flags: int, context: Any) -> None:
    append, bits = context
    append(bits[index])


def _database(hyperscan: Any, patterns: Sequence[str | bytes], flags: dict[int, int]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern.encode("ascii") if isinstance(pattern, str) else pattern for pattern in patterns],
        ids=list(range(len(patterns))),
        flags=[flags.get(index, 0) for index in range(len(patterns))],
    )
    return database


def fastest_gate(patterns: Sequence[str]) -> Gate:
    """Return Hyperscan's gate where Hyperscan is installed, else the standard library's; both let the same through."""
    try:
        return HyperscanGate(patterns)
    except ImportError:
        return StandardGate(patterns)
