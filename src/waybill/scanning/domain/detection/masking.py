"""What is shown instead of a value."""

import re
import string
from collections.abc import Iterable
from functools import lru_cache

CONTEXT_BYTES = 50
_LINE_FEED = 10
_FIELD = re.compile(r"\{(\w+)\}")
# Whatever is neither space nor punctuation that structures a line.
_WORD = re.compile(r"[^\s,;:=\"'(){}\[\]<>|#*…]+")
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
_FIRST_WORD = re.compile(r"^\S+")
_LAST_WORD = re.compile(r"(?<!\S)\S+$")
_PUBLIC_PREFIX = re.compile(rb"gh[pousr]_|github_pat_|xox[abeoprs]-|[sr]k_(?:live|test)_")


type Span = tuple[int, int, str]


def masked(template: str, value: bytes) -> str:
    """Return `template` with `{first2}`, `{first4}`, `{last2}`, `{last4}`, `{prefix}` or `{line}` filled in.

    `{line}` is for values that are public as a whole, such as the first line of a PEM block.
    """
    if "{" not in template:
        return template
    letters = value.translate(None, _NO_LETTERS).decode("ascii")
    prefix = _PUBLIC_PREFIX.match(value)
    fields = {
        "first2": letters[:2],
        "first4": letters[:4],
        "last2": letters[-2:],
        "last4": letters[-4:],
        "prefix": prefix[0].decode() if prefix else "",
        "line": value.decode("ascii", "replace"),
    }
    return _FIELD.sub(lambda match: fields[match[1]], template)


def context(
    text: bytes, start: int, end: int, spans: Iterable[Span], encoding: str, known: frozenset[str] = frozenset()
) -> str:
    """Return what stands around `text[start:end]` on its line: its structure, with nothing in it to steal.

    Every value found there (`spans`: start, end, mask) is replaced by its mask, and every word by `…` but those that
    name fields, and `known` ones. A word that the window cuts is left out: it could be the rest of a value.
    """
    first = text.rfind(b"\n", max(0, start - CONTEXT_BYTES), start) + 1 or max(0, start - CONTEXT_BYTES)
    line_end = text.find(b"\n", end, end + CONTEXT_BYTES)
    last = line_end if line_end >= 0 else min(len(text), end + CONTEXT_BYTES)
    cut = first > 0 and text[first - 1] != _LINE_FEED
    parts: list[str] = []
    at = first
    for left, right, mask in sorted(span for span in spans if span[1] > first and span[0] < last):
        if left >= at:
            parts.append(_blurred(text[at:left].decode(encoding, "replace"), known, cut_left=cut and at == first))
            parts.append(mask)
        at = max(at, right)
    if at < last:
        rest = text[at:last].decode(encoding, "replace")
        parts.append(_blurred(rest, known, cut_left=cut and at == first, cut_right=line_end < 0 and last < len(text)))
    return "".join(parts).strip("\r\n")


def _blurred(text: str, known: frozenset[str], *, cut_left: bool = False, cut_right: bool = False) -> str:
    if cut_left and not text[:1].isspace():
        text = _FIRST_WORD.sub("", text)
    if cut_right and not text[-1:].isspace():
        text = _LAST_WORD.sub("", text)
    return _WORD.sub(lambda word: _shown(word[0], known), text)


@lru_cache(maxsize=4096)
def _shown(word: str, known: frozenset[str]) -> str:
    """Return a word, or what stands for one that may not be shown; texts say the same again and again."""
    return word if _is_shown(word.lower(), known) else "…"


def _is_shown(word: str, known: frozenset[str]) -> bool:
    """Return whether each part of a word, such as `customer_email`, is a word that may be shown."""
    parts = [part for part in re.split(r"[^a-z]+", word) if part]
    plain = not any(character.isdigit() for character in word)
    return plain and all(part in _STRUCTURE or part in known for part in parts)
