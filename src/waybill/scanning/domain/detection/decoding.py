"""What a text says where it is written in signs: escapes, entities, percent-encoding, other digits and separators.

RFC 8259, section 7 (JSON); RFC 3986, section 2.1; HTML, section 13.5; RFC 2045, section 6.7 (quoted-printable);
RTF 1.9.1, "Special Characters"; Unicode, categories Nd, Zs, Pd and Cf. Of each kind those are read that may stand
within a value.
"""

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

_NAMED = "amp|apos|colon|comma|commat|dash|equals|gt|hyphen|lowbar|lt|nbsp|num|period|plus|quot|sol"
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
    rf"&(?:#(?:[0-9]{{2,6}}|[xX][0-9A-Fa-f]{{2,5}})|{_NAMED});",
    rf"\\(?:u{_UNICODE}|x[2-7A-Fa-f]{_HEX}|u\{{0{{0,4}}(?:{_UNICODE}|[2-7A-Fa-f]{_HEX})\}}|U0000{_UNICODE}|{_OCTAL})",
    _QUOTED,
    _DIGITS,
    *(rf"{one}(?<={_WORD}{one})(?={_WORD})" for one in _SEPARATORS.split("|")),
    _NOTHING,
)
# Each begins with a fixed byte, and none is in a group: so `re` goes from one such byte to the next.
_SIGN = re.compile("|".join(_SIGNS).encode("ascii"))
# In programs this is a quote within quotes, and what it quotes.
_RTF_SIGN = re.compile("|".join((*_SIGNS, r"\\'[0-9A-Fa-f]{2}")).encode("ascii"))
# RTF begins with the one, and writers of it begin paragraphs with the other.
_RTF_MARKS = (b"{\\rtf", b"\\pard")
# How a value is written in Unicode is no encoding of it.
_ENCODINGS = {b"%": "percent", b"&": "entity", b"\\": "escape", b"=": "quoted-printable"}

SIGN_GATES = (
    "%[2-7A-Fa-f][0-9A-Fa-f]",
    "&#[0-9xX]",
    f"&(?:{_NAMED});",
    r"\\(?:u(?:00[2-7]|20[0-2]|[fF]{2}[0-5])|x[2-7]|')[0-9A-Fa-f]",
    rf"\\(?:u\{{0{{0,4}}(?:[2-7A-Fa-f]|20[0-2]|[fF]{{2}}[0-5]){_HEX}\}}|U0000(?:00[2-7]|20|[fF]{{2}})|{_OCTAL})",
    # Letters with accents by themselves are no part of a value; tables of characters and binary data are full of them.
    rf"(?:[^x0]{_WORD}|[^0-9A-Za-z]){_WORD}\\(?:u00|x)[A-Fa-f]{_HEX}",
    rf"\\(?:u00|x)[A-Fa-f]{_HEX}[0-9A-Za-z@]",
    r"=(?:3D|40|2[DE]|5F|C2=|C[3-9]=|D[01]=|E2=80=)",
    # Encoders end lines that would be longer than 76 characters (RFC 2045, section 6.7, rule 5), none behind a few.
    r"[^\n]{8}=\r?\n",
    _DIGITS,
    rf"[0-9A-Za-z](?:{_SEPARATORS})[0-9A-Za-z]",
    _NOTHING,
)
"""Short patterns, one of which matches wherever there is a sign that may be part of a value."""


class _Meanings(dict[bytes, bytes]):
    """What each sign stands for; a text may have more different signs than are worth keeping."""

    def __missing__(self, sign: bytes) -> bytes:
        meaning = _read(sign)
        if len(self) < _MEANINGS_KEPT:
            self[sign] = meaning
        return meaning


_MEANINGS_KEPT = 4096
_MEANING = _Meanings()


def _meant(sign: re.Match[bytes]) -> bytes:
    return _MEANING[sign[0]]


class Reading:
    """A text with its signs read, and where each part of it stands in the text.

    What it is about begins at `begin` of the text, a line of it, and at `begin` of the reading; labels stand before.
    """

    def __init__(self, text: bytes, start: int, begin: int, end: int, sign: re.Pattern[bytes] = _SIGN) -> None:
        self._start = start
        self._sign = sign
        self._written = text[start:end]
        above, about = (sign.sub(_meant, part) for part in (text[start:begin], text[begin:end]))
        self.text, self.begin = above + about, len(above)

    @cached_property
    def _signs(self) -> list[tuple[int, int, str, int]]:
        """Where each sign begins and ends in the text, its kind, and its length in the reading."""
        return [
            (
                self._start + sign.start(),
                self._start + sign.end(),
                _ENCODINGS.get(sign[0][:1], ""),
                len(_MEANING[sign[0]]),
            )
            for sign in self._sign.finditer(self._written)
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


def readings(text: bytes, lines: Sequence[tuple[int, int]], reach: int, *, rtf: bool) -> Iterator[tuple[int, Reading]]:
    """Yield readings of those of `lines` that have signs, each with the end of the part of the text that it is about.

    A reading begins up to `reach` bytes before that, at the beginning of a line: labels stand there. Lines that are no
    further apart are read together. `rtf` says whether there may be RTF in the text, whose own signs are read then.
    """
    sign = _RTF_SIGN if rtf and any(mark in text for mark in _RTF_MARKS) else _SIGN
    for start, end in _joined(text, lines, reach, sign):
        first = text.rfind(b"\n", 0, max(0, start - reach)) + 1 if start > reach else 0
        yield end, Reading(text, first, text.rfind(b"\n", first, start) + 1 or first, end, sign)


def _joined(
    text: bytes, lines: Iterable[tuple[int, int]], reach: int, sign: re.Pattern[bytes]
) -> Iterator[tuple[int, int]]:
    start, end = -1, -1
    for line_start, stop in lines:
        line_end = stop
        if line_end <= end or not sign.search(text, line_start, line_end):
            continue
        # Behind a soft line end a value goes on (RFC 2045, section 6.7, rule 5).
        while line_end < len(text) and text.endswith((b"=\n", b"=\r\n"), line_start, line_end):
            line_end = text.find(b"\n", line_end) + 1 or len(text)
        if start >= 0 and line_start - end <= reach:
            end = max(end, line_end)
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
            octal = sign[1:2].isdigit()
            return _plain(chr(int(sign[1:] if octal else sign.strip(b"\\uUx'{}"), 8 if octal else 16)))
        case b"=":
            octets = bytes.fromhex(sign.decode("ascii").replace("=", "")) if not sign.endswith(b"\n") else b""
            return _plain(octets.decode("utf-8", "replace"))
    return _plain(sign.decode("utf-8"))


def _plain(text: str) -> bytes:
    """Return a character as ASCII writes it, where it is a digit or separates."""
    category = unicodedata.category(text) if len(text) == 1 else ""
    if category == "Nd":
        return str(unicodedata.digit(text)).encode()
    return {"Zs": b" ", "Pd": b"-", "Cf": b""}.get(category, text.encode("utf-8", "replace"))
