"""What a text says where it is written in signs: escapes, entities, percent-encoding, other digits and separators.

RFC 8259, section 7 (JSON); RFC 3986, section 2.1; HTML, section 13.5; RFC 2045, section 6.7 (quoted-printable);
Unicode, categories Nd, Zs, Pd and Cf. Of each kind those are read that may stand within a value. So are tags that
readers do not see (`markup.py`), and ends of lines that end nothing (`folding.py`).
"""

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from waybill.scanning.domain.detection.folding import (
    FOLD,
    LINE_GATES,
    SPLICE,
    SPLICE_BYTES,
    SPLICED_VALUE,
    chain_start,
    goes_on,
)
from waybill.scanning.domain.detection.markup import INVISIBLE, TAG_GATES
from waybill.scanning.domain.detection.rich_text import RTF_LINE_ENDS, RTF_SIGNS, rtf_meaning

# Names of what may stand within a value; whatever else has a name is read beside these.
_NAMED = (
    "amp|apos|ast|bsol|colon|comma|commat|dash|dollar|emsp|ensp|equals|excl|gt|hyphen|lbrack|lcub|lowbar|lpar|lrm|lsqb|lt"
    "|mdash|nbsp|ndash|num|numsp|percnt|period|plus|puncsp|quest|quot|rbrack|rcub|rlm|rpar|rsqb|semi|shy|sol|thinsp"
    "|verbar|vert|zwj|zwnj"
)
# Encoders write these, and hardly anything else is written like them.
_QUOTED = r"=(?:3D|40|2[DE](?=[0-9A-Za-z])|5F|C2=A0|(?:C[3-9]|D[01])=[89AB][0-9A-F]|E2=80=(?:8[0-F]|9[0-5]|AF)|\r?\n)"
_DIGITS = (
    r"\xef\xbc[\x90-\x99]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe0[\xa5\xa7\xa9\xab\xad\xaf\xb1\xb3\xb5][\xa6-\xaf]"
    r"|\xe0[\xb9\xbb][\x90-\x99]"
)
_SEPARATORS = r"\xc2\xa0|\xe2\x80[\x80-\x8a\x90-\x95\xaf]|\xe2\x88\x92|\xe3\x80\x80|\xef\xbc\x8d"
_NOTHING = r"\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0|\xef\xbb\xbf|\xc2\xad"
_WORD = "[0-9A-Za-z]"
_HEX = "[0-9A-Fa-f]"
# The digits of what may stand within a value, in escapes of JSON, C, Rust and Python (C17, section 6.4.4.4: octal).
_UNICODE = rf"(?:00[2-7A-Fa-f]|20[0-2]|[fF]{{2}}[0-5]){_HEX}"
_OCTAL = "(?:0[4-7]|1[0-7])[0-7]"
_SIGNS = (
    # A character of ASCII, or all bytes of another one (RFC 3986, section 2.5).
    rf"%(?:[2-7]{_HEX}|[CDcd]{_HEX}%[89ABab]{_HEX}|[Ee]{_HEX}(?:%[89ABab]{_HEX}){{2}}|[Ff][0-4](?:%[89ABab]{_HEX}){{3}})",
    r"&(?:#(?:[0-9]{2,6}|[xX][0-9A-Fa-f]{2,5})|[A-Za-z][A-Za-z0-9]{1,31});",
    rf"\\(?:u{_UNICODE}|x[2-7A-Fa-f]{_HEX}|u\{{0{{0,4}}(?:{_UNICODE}|[2-7A-Fa-f]{_HEX})\}}|U0000{_UNICODE}|{_OCTAL})",
    _QUOTED,
    _DIGITS,
    *(rf"{one}(?<={_WORD}{one})(?={_WORD})" for one in _SEPARATORS.split("|")),
    _NOTHING,
)
# Each begins with a fixed byte, and none is in a group: so `re` goes from one such byte to the next.
_SIGN, _MARKUP, _FOLDED_SIGN, _RTF_SIGN, _QUOTED_RTF_SIGN = (
    re.compile("|".join((*special, *_SIGNS, SPLICE)).encode("ascii"))
    for special in ((), INVISIBLE, (FOLD,), (*RTF_SIGNS, *RTF_LINE_ENDS), RTF_SIGNS)
)
# A line without one of these is not worth a reading.
_WORTH, _WORTH_AS_MARKUP, _WORTH_IN_RTF = (
    re.compile("|".join(signs).encode("ascii"))
    for signs in ((*_SIGNS, SPLICED_VALUE), INVISIBLE, (*RTF_SIGNS, *_SIGNS, SPLICED_VALUE))
)
# How a value is written in Unicode is no encoding of it.
_ENCODINGS = {b"%": "percent", b"&": "entity", b"\\": "escape", b"=": "quoted-printable"}

JOINT_GATES = (*TAG_GATES, *LINE_GATES)
"""Short patterns, one of which matches wherever there is a sign that may go over the end of a line."""
SIGN_GATES = (
    *JOINT_GATES,
    "%[2-7A-Fa-f][0-9A-Fa-f]",
    "&#[0-9xX]",
    f"&(?:{_NAMED});",
    r"\\(?:u(?:00[2-7]|20[0-2]|[fF]{2}[0-5])|x[2-7]|')[0-9A-Fa-f]",
    rf"\\(?:u\{{0{{0,4}}(?:[2-7A-Fa-f]|20[0-2]|[fF]{{2}}[0-5]){_HEX}\}}|U0000(?:00[2-7]|20|[fF]{{2}})|{_OCTAL})",
    # Letters with accents by themselves are no part of a value; tables of characters and binary data are full of them.
    rf"(?:[^x0]{_WORD}|[^0-9A-Za-z]){_WORD}\\(?:u00|x)[A-Fa-f]{_HEX}",
    rf"\\(?:u00|x)[A-Fa-f]{_HEX}[0-9A-Za-z@]",
    r"=(?:3D|40|2[DE]|5F|C2=|C[3-9]=|D[01]=|E2=80=)",
    _DIGITS,
    rf"[0-9A-Za-z](?:{_SEPARATORS})[0-9A-Za-z]",
    _NOTHING,
)
"""Short patterns, one of which matches wherever there is a sign that may be part of a value."""


class _Meanings(dict[bytes, bytes]):
    """What each sign stands for; a text may have more different signs than are worth keeping."""

    def __init__(self, read: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, sign: bytes) -> bytes:
        meaning = self._read(sign)
        if len(self) < _MEANINGS_KEPT:
            self[sign] = meaning
        return meaning


_MEANINGS_KEPT = 4096


class Signs(Enum):
    """Which signs a part of a text has: those of any text, or beside them those of a syntax of its own.

    As markup, a line is read without its tags. What is written in these is read by the signs of any text.
    """

    ANY = auto()
    MARKUP = auto()
    FOLDED = auto()
    RTF = auto()
    QUOTED_RTF = auto()

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """What matches one of them."""
        return _PATTERNS[self]

    @property
    def worth(self) -> re.Pattern[bytes]:
        """What a line has that is worth a reading."""
        return _WORTHS.get(self, self.pattern)

    @property
    def meanings(self) -> _Meanings:
        """What they stand for."""
        return _RTF_MEANINGS if self in {Signs.RTF, Signs.QUOTED_RTF} else _MEANINGS


class Reading:
    """A text with its signs read, and where each part of it stands in the text.

    What it is about begins at `begin` of the text, a line of it, and at `begin` of the reading; labels stand before.
    """

    def __init__(self, text: bytes, start: int, begin: int, end: int, signs: Signs = Signs.ANY) -> None:
        self._start = start
        self._sign, self._meanings = signs.pattern, signs.meanings
        self._parts = text[start:begin], text[begin:end]
        above, about = (self._sign.sub(self._meant, part) for part in self._parts)
        self.text, self.begin = above + about, len(above)

    def _meant(self, sign: re.Match[bytes]) -> bytes:
        return self._meanings[sign[0]]

    @cached_property
    def _signs(self) -> list[tuple[int, int, str, int]]:
        """Where each sign begins and ends in the text, its kind, and its length in the reading."""
        return [
            (
                at + sign.start(),
                at + sign.end(),
                _ENCODINGS.get(sign[0][:1], ""),
                len(self._meanings[sign[0]]),
            )
            for at, part in zip((self._start, self._start + len(self._parts[0])), self._parts, strict=True)
            for sign in self._sign.finditer(part)
        ]

    @cached_property
    def _at(self) -> list[int]:
        """Where each sign is in the reading."""
        places, ahead = list[int](), self._start
        for first, last, _, length in self._signs:
            places.append(first - ahead)
            ahead += last - first - length
        return places

    def span(self, start: int, end: int) -> tuple[int, int, tuple[str, ...]]:
        """Return where `text[start:end]` of the reading stands in the text, and how it is encoded there."""
        first, last = bisect_right(self._at, start) - 1, bisect_right(self._at, end - 1) - 1
        kinds = dict.fromkeys(
            kind for _, _, kind, _ in self._signs[first + (not self._within(first, start)) : last + 1]
        )
        return self._raw(first, start)[0], self._raw(last, end - 1)[1], tuple(kind for kind in kinds if kind)

    def _within(self, index: int, place: int) -> bool:
        return index >= 0 and place < self._at[index] + self._signs[index][3]

    def _raw(self, index: int, place: int) -> tuple[int, int]:
        """Return where the byte at `place` begins and ends in the text, which is in or behind a sign."""
        if index < 0:
            return self._start + place, self._start + place + 1
        first, last, _, length = self._signs[index]
        if self._within(index, place):
            return first, last
        raw = last + place - self._at[index] - length
        return raw, raw + 1


class Lines(NamedTuple):
    """A part of a text that begins with a line; `joint` says whether a sign may go over the end of it."""

    start: int
    end: int
    joint: bool


def readings(text: bytes, lines: Sequence[Lines], reach: int, signs: Signs) -> Iterator[tuple[int, Reading]]:
    """Yield readings of those of `lines` that have `signs`, each with the end of the part of the text that it is about.

    A reading begins up to `reach` bytes before that, at the beginning of a line: labels stand there. Lines that are no
    further apart are read together.
    """
    for start, end in _joined(text, lines, reach, signs):
        first = text.rfind(b"\n", 0, max(0, start - reach)) + 1 if start > reach else 0
        yield end, Reading(text, first, text.rfind(b"\n", first, start) + 1 or first, end, signs)


def first_of_chain(text: bytes, line_start: int, reach: int, signs: Signs) -> int:
    """Return where the first of the lines begins that go on with one that begins at `line_start`, see `chain_start`."""
    return chain_start(text, line_start, reach, signs.pattern)


def _joined(text: bytes, lines: Iterable[Lines], reach: int, signs: Signs) -> Iterator[tuple[int, int]]:
    start, end, seen, sign, worth = -1, -1, -1, signs.pattern, signs.worth
    for line_start, stop, joint in lines:
        if stop <= seen:
            continue
        line_end = stop
        while joint and line_end < len(text) and goes_on(text, line_start, line_end, sign):
            line_end = text.find(b"\n", line_end) + 1 or len(text)
        seen = line_end
        if not worth.search(text, line_start, line_end):
            continue
        if start >= 0 and line_start - end <= reach:
            end = line_end
            continue
        if start >= 0:
            yield start, end
        start, end = line_start, line_end
    if start >= 0:
        yield start, end


def _read(sign: bytes) -> bytes:
    """Return what a sign stands for."""
    match sign[:1]:
        case b"%":
            octets = bytes.fromhex(sign.replace(b"%", b"").decode("ascii"))
            return octets if len(octets) == 1 else _plain(octets.decode("utf-8", "replace"))
        case b"&":
            return _plain(html.unescape(sign.decode("ascii")))
        case b"\\":
            if sign[1:2] in SPLICE_BYTES:
                return b""
            octal = sign[1:2].isdigit()
            return _plain(chr(int(sign[1:] if octal else sign.strip(b"\\uUx'{}"), 8 if octal else 16)))
        case b"=":
            octets = bytes.fromhex(sign.decode("ascii").replace("=", "")) if not sign.endswith(b"\n") else b""
            return _plain(octets.decode("utf-8", "replace"))
        case b"<" | b"\r" | b"\n":
            # What nobody sees, and line ends that end nothing.
            return b""
    return _plain(sign.decode("utf-8"))


def _plain(text: str) -> bytes:
    """Return a character as ASCII writes it, where it is a digit or separates."""
    category = unicodedata.category(text) if len(text) == 1 else ""
    if category == "Nd":
        return str(unicodedata.digit(text)).encode()
    return {"Zs": b" ", "Pd": b"-", "Cf": b""}.get(category, text.encode("utf-8", "replace"))


def _read_rtf(sign: bytes) -> bytes:
    """Return what a sign stands for in RTF."""
    meaning = rtf_meaning(sign)
    if meaning is None:
        return _read(sign)
    return _plain(meaning) if isinstance(meaning, str) else meaning


_MEANINGS, _RTF_MEANINGS = _Meanings(_read), _Meanings(_read_rtf)
_PATTERNS = {
    Signs.ANY: _SIGN,
    Signs.MARKUP: _MARKUP,
    Signs.FOLDED: _FOLDED_SIGN,
    Signs.RTF: _RTF_SIGN,
    Signs.QUOTED_RTF: _QUOTED_RTF_SIGN,
}
_WORTHS = {Signs.ANY: _WORTH, Signs.MARKUP: _WORTH_AS_MARKUP, Signs.QUOTED_RTF: _WORTH_IN_RTF}
