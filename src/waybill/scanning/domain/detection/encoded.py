"""Text that is written in base64 or in hexadecimal digits: where it is, what it says, and where each part of it stands.

What stands in a block is put together and looked at once: a look at each by itself would take longer than the values
in it.
"""

import base64
import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from waybill.scanning.domain.detection.gates import BASE64, HEX_PAIR, QUAD, REACH
from waybill.scanning.domain.detection.labels import SEPARATOR
from waybill.scanning.domain.detection.models import Match
from waybill.scanning.domain.detection.pieces import LOOKAHEAD, PIECE, Piece

_BASE64_RUN = re.compile(f"(?:{QUAD}){{6,2040}}(?:[A-Za-z0-9+/_-]{{2,3}}(?![A-Za-z0-9+/_-]))?".encode("ascii"))
# Encoders break lines at 64 or 76 digits (RFC 2045, section 6.8; RFC 7468, section 2); values go over no more lines.
_NEXT_LINE = re.compile(rb"\r?\n[ \t]{0,16}([A-Za-z0-9+/_-]{2,128})(?![A-Za-z0-9+/_-])")
_WRAPPED_AT, _LINES_BEHIND = 60, 3
_BASE64_BYTES, _BASE64_READ = 24, 4 * 2040
_ASCII = re.compile(BASE64.encode("ascii"))
_BASE64_WORD = re.compile(f"[A-Za-z0-9+/_-]{{{_BASE64_BYTES},{PIECE + LOOKAHEAD}}}".encode("ascii"))
_NO_TEXT = bytes({*range(32)} - {*b"\t\n\r"})
# Of a letter in UTF-8 that the end of a line cuts, so many bytes stand in the next one (RFC 3629, section 3).
_LETTER_REST = re.compile(rb"[\x80-\xbf]{0,3}")
# Text in hexadecimal digits; so many printable characters by chance: one in fifty thousand, and then no value.
# Digits that go on behind what is read at once are read in parts, which end with a pair.
_HEX_READ = (PIECE + LOOKAHEAD) // 2
_HEX_RUN = re.compile(
    rf"(?<![0-9A-Za-wyz])((?:{HEX_PAIR}){{11,{_HEX_READ}}})(?:(?![0-9A-Za-z])|(?=[0-9A-Fa-f]\Z))".encode("ascii")
)
_HEX_PART = re.compile(f"(?:{HEX_PAIR}){{1,{_HEX_READ}}}".encode("ascii"))
_HEX_DIGITS, _HEX_LEAST = b"0123456789abcdefABCDEF", 22
# What stands before a value says whether it is one.
_HEX_BEFORE = 256
_NAME, _NAME_BYTES = re.compile(rb"([A-Za-z][\w.-]{1,60})[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?\Z"), 72
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


class Run:
    """Digits that are text: `lines` are they and where they stand, `label` the name that the text is given.

    Digits go on over the ends of lines and of pieces. What begins in a part of them belongs to the piece of that part.
    """

    def __init__(self, kind: str, lines: Sequence[tuple[int, bytes]], label: bytes = b"") -> None:
        self.kind = kind
        self.label = label
        # So many digits are a whole number of bytes.
        self._unit = 2 if kind == "hex" else 4
        self._lines = [*lines]
        # Where each part begins, where it ends, and the number of its piece.
        self._parts: list[tuple[int, int, int]] = []

    def own(self, start: int, end: int, piece: int) -> None:
        """Take what begins from `start` to `end` for a part of a piece, which has a number."""
        self._parts.append((start, end, piece))

    def piece_of(self, at: int) -> int | None:
        """Return the number of the piece that digits at a place belong to, None where it is another's to look there."""
        part = bisect_right(self._parts, at, key=lambda part: part[0]) - 1
        _, end, piece = self._parts[max(0, part)]
        return piece if part >= 0 and at < end else None

    def goes_on(self, start: int, lines: Sequence[tuple[int, bytes]]) -> bool:
        """Return whether these are digits of the run from `start` on, as far as they were known; now they are known.

        What stands behind digits that are no ASCII text is a run of its own: no part has what begins in those.
        """
        for index in range(len(self._lines) - 1, max(-1, len(self._lines) - 2 - _LINES_BEHIND), -1):
            first, digits = self._lines[index]
            if first <= start < first + len(digits):
                if (start - first) % self._unit or start > max(first, self._parts[-1][1]):
                    return False
                known = digits[: start - first] + lines[0][1]
                if len(known) < len(digits):
                    return False
                self._lines[index:] = [(first, known), *lines[1:]]
                return True
        return False

    def begin_in(self, at: int) -> int | None:
        """Return where the bytes begin that the digit at a place is of; None where the run does not reach it."""
        first, digits = self._lines[-1]
        return at - (at - first) % self._unit if first <= at < first + len(digits) else None

    @cached_property
    def _offsets(self) -> list[int]:
        """How many digits stand before each line, and how many there are."""
        return [0, *accumulate(len(digits) for _, digits in self._lines)]

    def plain(self) -> bytes:
        """Return what the digits say; nothing where they say nothing."""
        digits = b"".join(part for _, part in self._lines)
        if self.kind == "hex":
            return bytes.fromhex(digits.decode("ascii"))
        if len(digits) % 4 == 1:
            # Such a digit says nothing, nor does a word that ends with it; lines before it do.
            digits = digits[:-1] if len(self._lines) > 1 else b""
        return base64.b64decode(digits.translate(_STANDARD_ALPHABET) + b"=" * (-len(digits) % 4))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the digits stand that `plain()[start:end]` is written in."""
        if self.kind == "hex":
            return self._place(2 * start), self._place(2 * end - 1) + 1
        return self._place(start // 3 * 4), self._place(min(self._offsets[-1], -(-end // 3) * 4) - 1) + 1

    def _place(self, offset: int) -> int:
        index = min(bisect_right(self._offsets, offset), len(self._lines)) - 1
        return self._lines[index][0] + offset - self._offsets[index]


class EncodedRuns(NamedTuple):
    """The runs of a text by how they are written: the same digits may be read in both ways."""

    base64: list[Run]
    hex: list[Run]


def base64_runs(text: bytes, end: int, piece: Piece, number: int, reach: tuple[int, int], runs: list[Run]) -> None:
    """Add to `runs` of base64 the text that begins within `reach` in a piece, which has a `number`.

    Pieces ascend, up to `end`: what the last run goes on with is a part of it.
    """
    first, last = reach
    limit = min(piece.line_end, piece.end + LOOKAHEAD)
    begun = runs[-1].begin_in(piece.start) if runs else None
    begin = piece.start if begun is None else begun
    for start, digits in _base64_texts(text, (begin, first, limit), piece.end + REACH):
        if start > last:
            return
        lines = _wrapped(text, start, digits)
        if not (runs and runs[-1].goes_on(start, lines)):
            # The name that it is assigned to says what it is, as it would of the plain value.
            runs.append(Run("base64", lines, _label_of(text[max(piece.line_start, start - _NAME_BYTES) : start])))
        runs[-1].own(max(start, piece.start), min(piece.end, start + len(digits)), number)
        if len(lines) > 1 and len(lines[1][1]) < _BASE64_BYTES and lines[1][0] < end:
            # The last line may be too short to be told by itself.
            runs[-1].own(lines[1][0], lines[1][0] + len(lines[1][1]), number)


def _base64_texts(text: bytes, span: tuple[int, int, int], reach: int) -> Iterator[tuple[int, bytes]]:
    """Yield what base64 may say, and where it stands; words begin, it begins, and all ends where `span` says.

    It is a whole word where that says UTF-8, some of it ASCII up to `reach`, which the gate tells; of any other word it
    is what says ASCII. No digit is in two of them.
    """
    begin, first, limit = span
    for word in _BASE64_WORD.finditer(text, begin, limit):
        if word.end() < first:
            continue
        start, read = word.start(), min(word.end(), word.start() + _BASE64_READ)
        if _is_beyond_ascii(text, start, read, reach):
            yield start, text[start:read]
        else:
            yield from ((run.start(), run[0]) for run in _BASE64_RUN.finditer(text, max(first, start), word.end()))


def hex_runs(text: bytes, piece: Piece, number: int, reach: tuple[int, int], runs: list[Run]) -> None:
    """Add to `runs` of digits the text that begins within `reach` in a piece, which has a `number`."""
    first, last = reach
    limit = min(piece.line_end, piece.end + LOOKAHEAD)
    begin = runs[-1].begin_in(piece.start) if runs else None
    part = _begun_before(text, piece, limit) if begin is None else _HEX_PART.match(text, begin, limit)
    if part:
        if begin is None or not runs[-1].goes_on(part.start(), [(part.start(), part[0])]):
            runs.append(Run("hex", [(part.start(), part[0])]))
        runs[-1].own(part.start() if begin is not None else piece.start, min(piece.end, part.end()), number)
        first = max(first, part.end())
    for run in _HEX_RUN.finditer(text, first, limit):
        if run.start() > last:
            return
        runs.append(Run("hex", [(run.start(1), run[1])]))
        runs[-1].own(run.start(1), min(piece.end, run.end(1)), number)


def _begun_before(text: bytes, piece: Piece, limit: int) -> re.Match[bytes] | None:
    """Return the text in digits that a piece begins within, where their beginning is in another block."""
    before = text[max(piece.line_start, piece.start - _HEX_BEFORE) : piece.start]
    digits = len(before) - len(before.rstrip(_HEX_DIGITS))
    if not digits:
        return None
    for begin in (piece.start - digits, piece.start - digits + 1):
        part = _HEX_PART.match(text, begin, limit)
        if part and part.end() - max(piece.start, begin) >= _HEX_LEAST:
            return part
    return None


@dataclass(frozen=True)
class Decoded:
    """What some runs say, as one text, in which none stands beside another."""

    text: bytes
    _runs: Sequence[tuple[int, int, Run]]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Decoded":
        """Return what `runs` say."""
        parts, at, placed = list[bytes](), 0, list[tuple[int, int, Run]]()
        for run in runs:
            plain = run.plain()
            if plain:
                placed.append((at + len(run.label), at + len(run.label) + len(plain), run))
                parts.append(run.label + plain)
                at += len(parts[-1]) + len(SEPARATOR)
        return cls(SEPARATOR.join(parts), placed)

    def in_place(self, match: Match, *, yielding: bool) -> tuple[int, Match] | None:
        """Return a match of this text at the place of the digits that hold it, with the number of its piece.

        None where it belongs to another piece, or is no more than the digits are for a detector that gives way.
        """
        index = bisect_right(self._runs, match.start, key=lambda placed: placed[0]) - 1
        at, stop, run = self._runs[max(0, index)]
        if not at <= match.start < stop:
            return None
        begin, end = run.span(match.start - at, match.end - at)
        piece = run.piece_of(begin)
        if piece is None or (run.label and match.start == at and yielding):
            return None
        return piece, match._replace(start=begin, end=end, decoded_from=(run.kind, *match.decoded_from))


def _wrapped(text: bytes, start: int, digits: bytes) -> list[tuple[int, bytes]]:
    """Return `digits` of base64 at `start`, and those of the next lines where they go on, with their places."""
    lines, end = [(start, digits)], start + len(digits)
    while len(lines) <= _LINES_BEHIND and len(lines[-1][1]) >= _WRAPPED_AT and len(lines[-1][1]) % 4 == 0:
        below = _NEXT_LINE.match(text, end)
        if below is None:
            break
        lines.append((below.start(1), below[1]))
        end = below.end()
    return lines


def _is_beyond_ascii(text: bytes, start: int, end: int, reach: int) -> bool:
    """Return whether a word in base64 says a text in UTF-8 that has letters beyond ASCII.

    Of a long one the first digits tell; what says ASCII alone is not decoded for the question.
    """
    head = min(end, start + PIECE)
    ascii_run = _BASE64_RUN.match(text, start, head)
    if (ascii_run and ascii_run.end() >= head - 1) or (end - start) % 4 == 1:
        return False
    if not _ASCII.search(text, start, min(head, reach)):
        # Nothing has called for a look at it.
        return False
    plain = base64.b64decode(text[start : start + (head - start) // 4 * 4].translate(_STANDARD_ALPHABET))
    if plain.isascii() or plain.translate(None, _NO_TEXT) != plain:
        return False
    try:
        # A letter may be cut at both ends of a line.
        codecs.getincrementaldecoder("utf-8")().decode(_LETTER_REST.sub(b"", plain, count=1))
    except UnicodeDecodeError:
        return False
    return True


def _label_of(before: bytes) -> bytes:
    """Return the name that something is assigned to which stands behind `before`, as a label; nothing without one."""
    if before.rstrip(b" \t\"'")[-1:] not in {b":", b"="}:
        return b""
    name = _NAME.search(before)
    return name[1] + b": " if name else b""
