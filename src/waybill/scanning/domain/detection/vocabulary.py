"""Which detectors the words of a text may be about: texts say the same again and again, so each word is judged once."""

from collections.abc import Mapping

_KEPT = 8192
# What nobody calls a word is judged by others: every part of it would be looked up.
_LONGEST = 64
_SMALL = bytes(byte if byte in b"abcdefghijklmnopqrstuvwxyz" else 0x20 for byte in bytes(range(256)).lower())


class Vocabulary:
    """Tells of a text which bits it may be about.

    Parameters
    ----------
    parts
        The bits of words; of a word with other bytes in it, the most letters in a row count.
    """

    def __init__(self, parts: Mapping[bytes, int]) -> None:
        known: dict[bytes, int] = {}
        self._always = 0
        for part, bits in parts.items():
            letters = max(part.translate(_SMALL).split(), key=len, default=b"")
            # One letter is in every text.
            if len(letters) > 1:
                known[letters] = known.get(letters, 0) | bits
            else:
                self._always |= bits
        self._of = _Words(known)

    def bits(self, text: bytes) -> int:
        """Return the bits of all words that may stand in a text, also within other words."""
        bits, of = self._always, self._of
        for word in set(text.translate(_SMALL).split()).difference(of.silent):
            bits |= of[word]
        return bits


class _Words(dict[bytes, int]):
    """The bits of the parts of each word that was met lately; `silent` are those that have none, which most have."""

    def __init__(self, known: Mapping[bytes, int]) -> None:
        super().__init__()
        self.silent = set[bytes]()
        self._known = known
        self._lengths = sorted({len(part) for part in known})
        self._all = 0
        for bits in known.values():
            self._all |= bits

    def __missing__(self, word: bytes) -> int:
        if len(word) > _LONGEST:
            return self._all
        bits = 0
        for length in self._lengths:
            for at in range(len(word) - length + 1):
                bits |= self._known.get(word[at : at + length], 0)
        if len(self) + len(self.silent) >= _KEPT:
            self.clear()
            self.silent.clear()
        if bits:
            self[word] = bits
        else:
            self.silent.add(word)
        return bits
