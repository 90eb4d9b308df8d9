"""Lines of Hebrew and Arabic as they are drawn: from left to right, letters of Arabic joined.

The order is that of Unicode Standard Annex 9 (python-bidi), a line at a time, but for one thing, which its section 4.3
leaves open (HL3): a number with hyphens, such as a date, always keeps its order, for the sake of those who read no
Arabic. Letters are joined by the presentation forms that Unicode has for them, and so are lam and alef, which Arabic is
not written without.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from bidi import get_display
from bidi.mirror import MIRRORED

_RIGHT_TO_LEFT: Final = frozenset(("R", "AL"))
_LAM: Final = "\u0644"
_FORMS: Final = ("<isolated>", "<initial>", "<medial>", "<final>")
_ISOLATED, _INITIAL, _MEDIAL, _FINAL = _FORMS
# A hyphen or plus between two digits, and what stands for it while a line is put in order: separators that Annex 9
# keeps within a number whatever is around it (class CS, rule W4).
_WITHIN_NUMBERS: Final = {"-": "\uff0f", "+": "\uff1a"}
_MIRRORED: Final[Mapping[str, str]] = MIRRORED
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[-+](?=\d)")


def visual(line: str, printable: Callable[[str], bool]) -> str:
    """Return the characters of a line in the order in which they are drawn from left to right.

    Letters that have no `printable` form for where they stand keep the one they have.
    """
    if _RIGHT_TO_LEFT.isdisjoint(map(unicodedata.bidirectional, line)):
        return line
    clusters = list(_clusters(_joined(line, printable)))
    tags = _tags(clusters)
    tagged = "".join(cluster[:1] + tags[cluster] if cluster in tags else cluster for cluster in clusters)
    drawn = get_display(_BETWEEN_DIGITS.sub(lambda found: _WITHIN_NUMBERS[found[0]], tagged))
    restored = {stand_in: char for char, stand_in in _WITHIN_NUMBERS.items() if stand_in not in line}
    return "".join(restored.get(text, text) for text in _untagged(drawn, tags))


def _clusters(line: str) -> Iterator[str]:
    """Yield each character with the marks that stand on it."""
    text = ""
    for char in line:
        if text and unicodedata.bidirectional(char) == "NSM":
            text += char
            continue
        if text:
            yield text
        text = char
    if text:
        yield text


def _tags(clusters: Sequence[str]) -> Mapping[str, str]:
    """Return a mark for each character that has marks or is mirrored, and for all that look like it.

    A mark has the direction of what it stands on (rules W1 and N0), so it comes out behind it where text runs from left
    to right, and before it where text runs from right to left. The mark says which of several clusters it was, too.
    """
    bases = {cluster[0] for cluster in clusters if len(cluster) > 1 or unicodedata.mirrored(cluster[0])}
    tagged = sorted({one for one in clusters if one[0] in bases and unicodedata.bidirectional(one[0]) != "NSM"})
    used = set().union(*clusters)
    return dict(zip(tagged, (mark for mark in _marks() if mark not in used), strict=False))


@cache
def _marks() -> str:
    return "".join(char for char in map(chr, range(0x300, 0x11FFF)) if unicodedata.bidirectional(char) == "NSM")


def _untagged(drawn: str, tags: Mapping[str, str]) -> Iterator[str]:
    """Yield the clusters in the order in which they are drawn, those that run from right to left mirrored."""
    meant = {tag: cluster for cluster, tag in tags.items()}
    bases, chars = {cluster[0] for cluster in tags}, iter(drawn)
    for char in chars:
        if char in meant:
            cluster = meant[char]
            next(chars)
            yield _MIRRORED.get(cluster[0], cluster[0]) + cluster[1:]
        else:
            yield meant[next(chars)] if char in bases else char


@cache
def _presentation_forms() -> dict[str, dict[str, str]]:
    """Return the forms of each letter, and of lam with alef, as Unicode's own data has them."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFBB2), *range(0xFBD3, 0xFC00), *range(0xFE80, 0xFEFD)):
        form, *codes = unicodedata.decomposition(chr(code)).split(" ")
        if form in _FORMS and codes:
            letters = "".join(chr(int(one, 16)) for one in codes)
            found.setdefault(letters, {}).setdefault(form, chr(code))
    return found


def _joined(line: str, printable: Callable[[str], bool]) -> str:
    """Return `line` with the letters of Arabic in the forms that they have between their neighbours."""
    forms = _presentation_forms()
    letters = list(_letters(line))
    shapes = [forms.get(letter, {}) for letter, _ in letters]
    out = []
    for index, (letter, marks) in enumerate(letters):
        shape = shapes[index]
        before = index > 0 and _INITIAL in shapes[index - 1]
        after = index + 1 < len(letters) and bool(shapes[index + 1]) and _INITIAL in shape
        joined_before = before and _FINAL in shape
        wanted = _MEDIAL if joined_before and after else _FINAL if joined_before else _INITIAL if after else _ISOLATED
        formed = shape.get(wanted, letter)
        out.append((formed if all(map(printable, formed)) else letter) + marks)
    return "".join(out)


def _letters(line: str) -> Iterator[tuple[str, str]]:
    """Return each letter with the marks on it; lam and a following alef are one."""
    forms = _presentation_forms()
    letter, marks = "", ""
    for char in line:
        if letter and unicodedata.category(char) == "Mn":
            marks += char
        elif letter == _LAM and not marks and letter + char in forms:
            letter += char
        else:
            if letter:
                yield letter, marks
            letter, marks = char, ""
    if letter:
        yield letter, marks
