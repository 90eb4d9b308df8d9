"""Words that make a value likelier: how people write them, and where they stand in a text."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

_WORD_LETTERS = 4
# What stands where a keyword has a blank or another joint.
_JOINT, _JOINTS = "[ ._-]?", re.compile(r"(?<=[^\W_])(?:\\[ -]|_)(?=[^\W_])")
# What stands before a short keyword: no letter and no digit, or an escape, which may end in one. It is asked for behind
# the first letter, so that `re` goes from one such letter to the next.
_WORD_START = r"(?:(?<![A-Za-z0-9].)|(?<=\\[nrtbfv].)|(?<=%[0-9A-Fa-f]{2}.))"
_LOOKED_BACK = 3


class Keywords:
    """The keywords of a detector.

    They are found in either case, by small letters in small letters: to ignore the case takes three times as long.
    """

    def __init__(self, keywords: Sequence[str]) -> None:
        alternatives = (form for word in keywords for form in _alternatives(word))
        self._pattern = re.compile("|".join(alternatives).encode("ascii"), re.DOTALL)

    def are_in(self, text: bytes) -> bool:
        """Return whether one of them stands in a text."""
        return self._pattern.search(text.lower()) is not None

    def spans(self, text: bytes, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield where each of them begins and ends in `text[first:last]`, behind which nothing is looked at."""
        begin = max(0, first - _LOOKED_BACK)
        for found in self._pattern.finditer(text[begin:last].lower(), first - begin):
            yield found.start() + begin, found.end() + begin


def _alternatives(keyword: str) -> Iterator[str]:
    """Yield patterns of a keyword, in ASCII and small letters, each of which begins with a byte."""
    word = "".join(letter.lower() if letter.isascii() else letter for letter in keyword)
    first, rest = word[0], _spelled(word)[len(_spelled(word[0])) :]
    if _is_short(word):
        yield rf"{re.escape(first)}{_WORD_START}{rest}(?![{_letters(word)}])"
    elif first.isascii():
        yield _spelled(word)
    else:
        yield from (_as_bytes(form) + rest for form in _written(first))


def hints_of(keyword: str) -> Iterable[bytes]:
    """Return what one of stands, in small letters, wherever a keyword does: a part that is written in one way alone."""
    parts = [re.split("[^\0-\x7f]", word) for word in re.split("[ _-]", keyword.lower())]
    wordy = [part for word in parts for part in word if re.search("[a-z]{3}", part)]
    # Where it has no such word, whatever the first begins with.
    if part := (wordy or parts[0])[0]:
        return (part.encode("ascii"),)
    return dict.fromkeys(written[:1].lower() for written in _written(keyword[0]))


# Letters that are no letter of ASCII with an accent, and how people write them without.
_WITHOUT_ACCENTS = {
    "ä": ("ae",),
    "ö": ("oe",),
    "ü": ("ue",),
    "ß": ("ss",),
    "ø": ("o", "oe"),
    "å": ("aa",),
    "æ": ("ae",),
}
_WITHOUT_ACCENTS |= {"ł": ("l",), "đ": ("d",), "ı": ("i",), "œ": ("oe",)}


def _written(letter: str) -> Iterable[bytes]:
    """Return how a letter is written in texts: in small or capital, also in Latin-1, in parts, and without accents."""
    forms: dict[bytes, None] = {}
    for each in (letter.lower(), letter.upper()):
        parts = unicodedata.normalize("NFD", each)
        base = parts[0] if parts[0].isascii() else ""
        for form in (each, parts, base, *_WITHOUT_ACCENTS.get(each, ())):
            if form:
                forms[form.encode()] = None
        with suppress(UnicodeEncodeError):
            forms[each.encode("latin-1")] = None
    return forms


def _spelled(keyword: str) -> str:
    """Return a pattern, in ASCII, of a keyword in UTF-8 and in whatever else people write for it."""

    def forms(letter: re.Match[str]) -> str:
        return f"(?:{'|'.join(_as_bytes(form) for form in _written(letter[0]))})"

    return re.sub("[^\0-\x7f]", forms, _JOINTS.sub(_JOINT, re.escape(keyword)))


def _as_bytes(form: bytes) -> str:
    return "".join(f"\\x{byte:02x}" if byte > 0x7F else chr(byte) for byte in form)


def _is_short(keyword: str) -> bool:
    """Return whether a keyword counts as a whole word alone; scripts beyond Latin have words of few letters."""
    return len(keyword) <= _WORD_LETTERS and keyword.isascii()


def _letters(word: str) -> str:
    """Return what does not follow a short word: its value may, but not more of a hexadecimal number."""
    return "A-Za-z0-9" if set(word.lower()) <= set("abcdef") else "A-Za-z"


def gate_of(keyword: str) -> str:
    """Return a short pattern that matches wherever a keyword does, see `Rule.gates`."""
    if not _is_short(keyword):
        return f"(?i){_spelled(keyword)}"
    return rf"(?i)(?:^|[^A-Za-z0-9]|\\[nrtbfv]|%[0-9A-F]{{2}}){_spelled(keyword)}(?:[^{_letters(keyword)}]|$)"
