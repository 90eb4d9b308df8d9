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
        self._always = self._beyond_ascii = 0
        for part, bits in parts.items():
            letters = max(part.translate(_SMALL).split(), key=len, default=b"")
            # One letter is in every text.
            if len(letters) > 1:
                known[letters] = known.get(letters, 0) | bits
            elif part.isascii():
                self._always |= bits
            else:
                self._beyond_ascii |= bits
        self._known = known
        self._of = _Words(known)

    @property
    def letters(self) -> Mapping[bytes, int]:
        """What is looked for of each word, for texts that are too long to look all their words up; with its bits."""
        return self._known

    def wordless(self, text: bytes) -> int:
        """Return the bits of what has no two letters of ASCII in a row: of other scripts, where a text has some."""
        return self._always if text.isascii() else self._always | self._beyond_ascii

    def bits(self, text: bytes) -> int:
        """Return the bits of all words that may stand in a text, also within other words."""
        bits, of = self.wordless(text), self._of
        for word in set(text.translate(_SMALL).split()).difference(of.silent):
            bits |= of[word]
        return bits


class _Words(dict[bytes, int]):
    """The bits of the parts of each word that was met lately; `silent` are those that have none, which most have."""

    def __init__(self, known: Mapping[bytes, int]) -> None:
        super().__init__()
        self.silent = set[bytes]()
        # By their first two letters: most pairs of letters begin none.
        self._begun = dict[bytes, list[tuple[bytes, int]]]()
        self._all = 0
        for part, bits in known.items():
            self._begun.setdefault(part[:2], []).append((part, bits))
            self._all |= bits

    def __missing__(self, word: bytes) -> int:
        if len(word) > _LONGEST:
            return self._all
        bits = 0
        for at in range(len(word) - 1):
            for part, its in self._begun.get(word[at : at + 2], ()):
                if word.startswith(part, at):
                    bits |= its
        if len(self) + len(self.silent) >= _KEPT:
            self.clear()
            self.silent.clear()
        if bits:
            self[word] = bits
        else:
            self.silent.add(word)
        return bits
