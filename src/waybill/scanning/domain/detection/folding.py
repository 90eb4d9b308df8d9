"""Ends of lines that end nothing: what stands behind them goes on with what stands before.

RFC 5545, section 3.1 (iCalendar), RFC 6350, section 3.2 (vCard) and RFC 2849, note 2 (LDIF): a line goes on with the
next one where that begins with a blank, which is no part of it. RFC 2045, section 6.7, rule 5: soft line ends of
quoted-printable. A backslash at the end of a line: POSIX.1-2017, "Shell Command Language", 2.2.1; C17, section 5.1.1.2;
Java SE, `Properties.load`; YAML 1.2, section 7.3.1; the last two leave out the blanks that the next line begins with.
"""

import re

SPLICE = r"\\(?<!\\\\)\r?\n[ \t]{0,64}"
FOLD = r"\r\n[ \t]|\n[ \t]"
SPLICE_BYTES = (b"\r", b"\n")

# Most statements that go on end with a sign, and no value is cut there.
_BEFORE, _BEHIND = "[0-9A-Za-z@.+_/=:-]", "[0-9A-Za-z@.+_/=-]"
SPLICED_VALUE = rf"\\(?:(?<={_BEFORE}\\)|(?<={_BEFORE} \\))\r?\n[ \t]{{0,64}}(?={_BEHIND})"

LINE_GATES = (
    # Encoders end lines that would be longer than 76 characters, none behind a few.
    r"[^\n]{8}=\r?\n",
    rf"{_BEFORE} ?\\\r?\n",
)
"""Short patterns, one of which matches wherever a line may go on with the next one in any text."""

_OPENING_BYTES = 4096
_LINE_FEED = 10
# What such signs have before the end of a line, and behind it.
_JOINTS, _BLANKS = frozenset({b"=", b"\\"}), frozenset({b" ", b"\t"})
# What begins an object of iCalendar or vCard, or a record of LDIF, and lines as they have them.
_LINES = rb"(?:(?:[ \t]|[A-Za-z][\w.-]{0,80}[:;]|[-#])[^\n]*+(?:\n|\Z))*+"
_FOLDED = re.compile(
    rb"(?m)^(?:BEGIN:V(?:CALENDAR|CARD|EVENT|JOURNAL|TODO)\r?$|dn::? (?=[0-9A-Za-z]))[^\n]*+(?:\n|\Z)" + _LINES
)
_GOING_ON = re.compile(_LINES)


def folded_parts(text: bytes, start: int, *, within: bool) -> list[tuple[int, int]]:
    """Return where a line goes on with the next one where that begins with a blank; `start` may be `within` such lines.

    They are the lines of an object or a record, as far as they look like some.
    """
    parts, end = list[tuple[int, int]](), 0
    if within and (first := _GOING_ON.match(text, start)) and first[0]:
        # A value may have begun before.
        parts, end = [(0, first.end())], first.end()
    while found := _FOLDED.search(text, end):
        parts.append(found.span())
        end = found.end()
    return parts


def goes_on(text: bytes, start: int, end: int, sign: re.Pattern[bytes]) -> bool:
    """Return whether one of the signs of `text` goes over the end of a line from `start` to `end`, or ends with it."""
    if text[end - 1] != _LINE_FEED:
        return False
    before = text[end - 3 : end].rstrip(b"\r\n")[-1:] if start < end - 1 else b""
    begins = [text.rfind(before, start, end)] if before in _JOINTS else []
    if text[end : end + 1] in _BLANKS:
        begins.append(end - 1 - text.endswith(b"\r\n", start, end))
    opening = text.rfind(b"<", max(start, end - _OPENING_BYTES), end)
    if opening >= 0:
        begins += [opening, text.rfind(b"<!--", max(start, end - _OPENING_BYTES), end)]
    # A loop: most lines have no place to ask at.
    for at in begins:  # noqa: SIM110
        if at >= 0 and (found := sign.match(text, at)) and found.end() >= end:
            return True
    return False


def chain_start(text: bytes, line_start: int, reach: int, sign: re.Pattern[bytes]) -> int:
    """Return where the first of the lines begins that one at `line_start` goes on, up to `reach` before it."""
    lowest = max(0, line_start - reach)
    while line_start > lowest:
        before = text.rfind(b"\n", 0, line_start - 1) + 1
        if not goes_on(text, before, line_start, sign):
            break
        line_start = before
    return line_start
