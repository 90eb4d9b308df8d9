"""What is shown instead of a value."""

import re
import string
from collections.abc import Callable, Iterable, Mapping
from functools import cache

CONTEXT_BYTES = 50
_LINE_FEED = 10
_FIELD = re.compile(r"\{(\w+)\}")
# Whatever is neither space nor punctuation that structures a line; in a group, so that it can be split by.
_WORD = re.compile(r"([^\s,;:=\"'(){}\[\]<>|#*…]+)")
_LETTERS = re.compile("[a-z]+")
_WORDS_KEPT = 4096
# Words that say where a value stands: names of fields and what joins them. Anything else may be a value that no
# detector knows, such as a password or a name.
_STRUCTURE = frozenset(
    re.findall(
        r"[a-z]+",
        """
        a account address amount and api app at authorization basic bearer bucket by client code config connection
        contact content customer data database date db detail email employee env error event field file first for form
        from header host http https id in info is item json key last level line log login mail message method name no
        not number of on or order path phone port primary private public request response row secret server service
        session source status string system table test text the time timestamp to token type url user username value
        version warn with
        """,
    )
)
_NO_LETTERS = bytes(set(range(256)) - set((string.ascii_letters + string.digits).encode()))
_PUBLIC_PREFIX = re.compile(rb"gh[pousr]_|github_pat_|xox[abeoprs]-|[sr]k_(?:live|test)_")


type Span = tuple[int, int, str]


class ShownWords(dict[str, str]):
    """Words that were met lately, each with what is shown of it; texts say the same again and again.

    Those that name fields are shown, `known` ones too, and `…` for any other.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__()
        self._known = _STRUCTURE | frozenset(known)

    def __missing__(self, word: str) -> str:
        # Each part of a word is one that may be shown, such as those of `customer_email`.
        plain = not any(character.isdigit() for character in word)
        shown = word if plain and all(part in self._known for part in _LETTERS.findall(word.lower())) else "…"
        if len(self) >= _WORDS_KEPT:
            self.clear()
        self[word] = shown
        return shown


def masked(template: str, value: bytes) -> str:
    """Return `template` with `{first2}`, `{first4}`, `{last2}`, `{last4}`, `{prefix}` or `{line}` filled in.

    `{line}` is for values that are public as a whole, such as the first line of a PEM block.
    """
    before, fields = _parts(template)
    return before + "".join([field(value) + behind for field, behind in fields])


@cache
def _parts(template: str) -> tuple[str, list[tuple[Callable[[bytes], str], str]]]:
    """Return what a template begins with, and its fields, each with what stands behind it."""
    before, *parts = _FIELD.split(template)
    return before, [(_FIELDS[name], behind) for name, behind in zip(parts[::2], parts[1::2], strict=True)]


def _letters(value: bytes) -> str:
    return value.translate(None, _NO_LETTERS).decode("ascii")


def _prefix(value: bytes) -> str:
    found = _PUBLIC_PREFIX.match(value)
    return found[0].decode() if found else ""


_FIELDS: Mapping[str, Callable[[bytes], str]] = {
    "first2": lambda value: _letters(value)[:2],
    "first4": lambda value: _letters(value)[:4],
    "last2": lambda value: _letters(value)[-2:],
    "last4": lambda value: _letters(value)[-4:],
    "prefix": _prefix,
    "line": lambda value: value.decode("ascii", "replace"),
}


def context(
    text: bytes, start: int, end: int, spans: Iterable[Span], encoding: str, words: ShownWords | None = None
) -> str:
    """Return what stands around `text[start:end]` on its line: its structure, with nothing in it to steal.

    Every value found there (`spans`: start, end, mask) is replaced by its mask, and every word by what `words` show of
    it. A word that the window cuts is left out: it could be the rest of a value.
    """
    words = ShownWords() if words is None else words
    first = text.rfind(b"\n", max(0, start - CONTEXT_BYTES), start) + 1 or max(0, start - CONTEXT_BYTES)
    line_end = text.find(b"\n", end, end + CONTEXT_BYTES)
    last = line_end if line_end >= 0 else min(len(text), end + CONTEXT_BYTES)
    cut = first > 0 and text[first - 1] != _LINE_FEED
    parts: list[str] = []
    at = first
    for left, right, mask in sorted(span for span in spans if span[1] > first and span[0] < last):
        if left >= at:
            parts += (_blurred(text[at:left].decode(encoding, "replace"), words, cut_left=cut and at == first), mask)
        at = max(at, right)
    if at < last:
        rest = text[at:last].decode(encoding, "replace")
        parts.append(_blurred(rest, words, cut_left=cut and at == first, cut_right=line_end < 0 and last < len(text)))
    return "".join(parts).strip("\r\n")


def _blurred(text: str, words: ShownWords, *, cut_left: bool = False, cut_right: bool = False) -> str:
    if cut_left and text and not text[0].isspace():
        text = text[len(text.split(None, 1)[0]) :]
    if cut_right and text and not text[-1].isspace():
        text = text[: -len(text.rsplit(None, 1)[-1])]
    # Every second part is a word: to split takes half the time of a function for each word.
    parts = _WORD.split(text)
    parts[1::2] = [words[word] for word in parts[1::2]]
    return "".join(parts)
