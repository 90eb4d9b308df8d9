"""What the signs of RTF stand for: control words and groups cut its text wherever somebody has typed.

RTF 1.9.1, "RTF Syntax" (what a control word consists of, and that ends of lines are none), "Special Characters" and
"Unicode RTF".
"""

import re

# Control words that part what stands before them from what stands behind.
_ENDS = "par|line|sect|page|column|cell|nestcell|row|nestrow|tab|lbr[0-9]|softline|softpage|trowd"
_BEHIND = r"(?:-?[0-9]{1,10})? ?"
# Control words that stand for a character.
_CHARACTERS = {
    b"emdash": b"-",
    b"endash": b"-",
    b"emspace": b" ",
    b"enspace": b" ",
    b"qmspace": b" ",
    b"lquote": b"'",
    b"rquote": b"'",
    b"ldblquote": b'"',
    b"rdblquote": b'"',
}
RTF_SIGNS = (
    # A character, and what stands for it where Unicode is not known.
    r"\\u-?[0-9]{1,6} ?(?:\\'[0-9A-Fa-f]{2}|\?)?",
    r"\\'[0-9A-Fa-f]{2}",
    rf"\\[a-z]{{1,32}}{_BEHIND}",
    r"\\[~_*:|{}\\-]",
    r"\{",
    r"\}",
)
"""Patterns of signs, each beginning with a fixed byte."""
RTF_LINE_ENDS = (r"\r", r"\n")
_WORD = re.compile(rb"\\([a-z]{1,32})")
_END = re.compile(_ENDS.encode("ascii"))
_SYMBOLS = {b"\\~": b" ", b"\\_": b"-", b"\\{": b"{", b"\\}": b"}", b"\\\\": b"\\"}
_NOTHING = frozenset({b"{", b"}", b"\r", b"\n", b"\\*", b"\\:", b"\\|", b"\\-"})


def rtf_meaning(sign: bytes) -> str | bytes | None:
    """Return what a sign stands for: bytes, a character to be read on, or None where RTF has no such sign."""
    if sign in _NOTHING:
        return b""
    if sign in _SYMBOLS:
        return _SYMBOLS[sign]
    if number := re.match(rb"\\u(-?[0-9]+)", sign):
        # Beyond 32767 they are written as negative numbers.
        return chr(int(number[1]) % 0x10000)
    if sign.startswith(b"\\'") and len(sign) == 4:
        return bytes([int(sign[2:], 16)]).decode("cp1252", "replace")
    if word := _WORD.match(sign):
        return b"\n" if _END.fullmatch(word[1]) else _CHARACTERS.get(word[1], b"")
    return None
