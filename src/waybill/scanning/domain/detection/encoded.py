"""Text that is written in base64 or in hexadecimal digits: where it is, what it says, and where each part of it stands.

What stands in a block is put together and looked at once: a look at each by itself would take longer than the values
in it.
"""

import base64
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from waybill.scanning.domain.detection.gates import HEX_PAIR, QUAD
from waybill.scanning.domain.detection.labels import SEPARATOR
from waybill.scanning.domain.detection.models import Match
from waybill.scanning.domain.detection.pieces import LOOKAHEAD, Piece

_BASE64_RUN = re.compile(f"(?:{QUAD}){{6,2040}}(?:[A-Za-z0-9+/_-]{{2,3}}(?![A-Za-z0-9+/_-]))?".encode("ascii"))
# Encoders break lines at 64 or 76 digits (RFC 2045, section 6.8; RFC 7468, section 2); values go over no more lines.
_NEXT_LINE = re.compile(rb"\r?\n[ \t]{0,16}([A-Za-z0-9+/_-]{2,128})(?![A-Za-z0-9+/_-])")
_WRAPPED_AT, _LINES_BEHIND = 60, 3
# Text in hexadecimal digits; so many printable characters by chance: one in fifty thousand, and then no value.
_HEX_RUN = re.compile(f"(?<![0-9A-Za-wyz])((?:{HEX_PAIR}){{11,4096}})(?![0-9A-Za-z])".encode("ascii"))
_NAME, _NAME_BYTES = re.compile(rb"([A-Za-z][\w.-]{1,60})[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?\Z"), 72
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class Run:
    """Digits that are text: `lines` are they and where they stand, `label` the name that the text is given.

    `piece` is the number of the piece that they begin in, which ends at `piece_end`.
    """

    kind: str
    lines: Sequence[tuple[int, bytes]]
    label: bytes
    piece: int
    piece_end: int

    @property
    def end(self) -> int:
        """Where the first line of the digits ends."""
        start, digits = self.lines[0]
        return start + len(digits)

    def plain(self) -> bytes:
        """Return what the digits say; nothing where they say nothing."""
        digits = b"".join(part for _, part in self.lines)
        if self.kind == "hex":
            return bytes.fromhex(digits.decode("ascii"))
        if len(digits) % 4 == 1:
            return b""
        return base64.b64decode(digits.translate(_STANDARD_ALPHABET) + b"=" * (-len(digits) % 4))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the digits stand that `plain()[start:end]` is written in."""
        if self.kind == "hex":
            return self._place(2 * start), self._place(2 * end - 1) + 1
        size = sum(len(digits) for _, digits in self.lines)
        return self._place(start // 3 * 4), self._place(min(size, -(-end // 3) * 4) - 1) + 1

    def _place(self, offset: int) -> int:
        for start, digits in self.lines:
            if offset < len(digits):
                return start + offset
            offset -= len(digits)
        return self.lines[-1][0] + len(self.lines[-1][1])


def base64_runs(text: bytes, piece: Piece, number: int, first: int, last: int) -> Iterator[Run]:
    """Yield the text in base64 that begins from `first` to `last` in a piece, which has a `number`."""
    limit = min(piece.line_end, piece.end + LOOKAHEAD)
    for run in _BASE64_RUN.finditer(text, first, limit):
        if run.start() > last:
            return
        # The name that it is assigned to says what it is, as it would of the plain value.
        label = _label_of(text[max(piece.line_start, run.start() - _NAME_BYTES) : run.start()])
        yield Run("base64", _wrapped(text, run), label, number, piece.end)


def hex_runs(text: bytes, piece: Piece, number: int, first: int, last: int) -> Iterator[Run]:
    """Yield the text in hexadecimal digits that begins from `first` to `last` in a piece, which has a `number`."""
    limit = min(piece.line_end, piece.end + LOOKAHEAD)
    for run in _HEX_RUN.finditer(text, first, limit):
        if run.start() > last:
            return
        yield Run("hex", [(run.start(1), run[1])], b"", number, piece.end)


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
        if begin >= min(run.piece_end, run.end) or (run.label and match.start == at and yielding):
            return None
        return run.piece, match._replace(start=begin, end=end, decoded_from=(run.kind, *match.decoded_from))


def _wrapped(text: bytes, run: re.Match[bytes]) -> list[tuple[int, bytes]]:
    """Return the digits of base64 that begin with `run`, and of the next lines where it goes on, with their places."""
    lines, end = [(run.start(), run[0])], run.end()
    while len(lines) <= _LINES_BEHIND and len(lines[-1][1]) >= _WRAPPED_AT and len(lines[-1][1]) % 4 == 0:
        below = _NEXT_LINE.match(text, end)
        if below is None:
            break
        lines.append((below.start(1), below[1]))
        end = below.end()
    return lines


def _label_of(before: bytes) -> bytes:
    """Return the name that something is assigned to which stands behind `before`, as a label; nothing without one."""
    if before.rstrip(b" \t\"'")[-1:] not in {b":", b"="}:
        return b""
    name = _NAME.search(before)
    return name[1] + b": " if name else b""
