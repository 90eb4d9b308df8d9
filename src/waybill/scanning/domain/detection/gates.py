"""Gates: short patterns that say, in one pass over a block, where something may be.

A gate is a superset: wherever a rule's pattern matches, one of its gates does, and ends in its first `LEAD` bytes;
where a rule needs a keyword, the keyword is its gate, on the same line and within `REACH` bytes of the value. What a
gate lets through is looked at by the exact patterns, so that gates decide the speed and never the result.
`HyperscanGate` is the one for work; `StandardGate` needs nothing but Python and lets the same pass.
"""

import re
import threading
from collections.abc import Sequence
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
_LONG_WORD = "[A-Za-z0-9+/_-]{24}"


class Gate(Protocol):
    """Finds the places that are worth a look."""

    def events(self, text: bytes) -> list[int]:
        """Return `end << INDEX_BITS | index` for the matches of pattern `index`, ascending.

        The index after the last pattern's stands for text in base64.
        """
        ...


class StandardGate:
    """`Gate` on the standard library."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [re.compile(pattern.encode("ascii")) for pattern in (*patterns, _BASE64)]

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        return sorted(
            match.end() << INDEX_BITS | index
            for index, pattern in enumerate(self._patterns)
            for match in pattern.finditer(text)
        )


class HyperscanGate:
    """`Gate` on Hyperscan: one database of all patterns, compiled once.

    The pattern for base64 is the dearest, so a cheaper one, which stops at its first match in a block, goes before it.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        import hyperscan

        self._base64_index = len(patterns)
        self._all = _database(hyperscan, [*patterns, _LONG_WORD], {len(patterns): hyperscan.HS_FLAG_SINGLEMATCH})
        self._base64 = _database(hyperscan, [_BASE64], {})
        # A database works in one scratch space, which takes one scan at a time (Hyperscan, "Scratch space").
        self._scanning = threading.Lock()

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        with self._scanning:
            return self._events(text)

    def _events(self, text: bytes) -> list[int]:
        found: list[int] = []
        self._all.scan(text, match_event_handler=_note, context=found.append)
        long_words = [event for event in found if event & _INDEX_MASK == self._base64_index]
        if long_words:
            found.remove(long_words[0])
            decodable: list[int] = []
            self._base64.scan(text, match_event_handler=_note, context=decodable.append)
            found += [event | self._base64_index for event in decodable]
        found.sort()
        return found


def _note(index: int, _start: int, end: int, _flags: int, append: Any) -> None:
    append(end << INDEX_BITS | index)


def _database(hyperscan: Any, patterns: Sequence[str], flags: dict[int, int]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern.encode("ascii") for pattern in patterns],
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
