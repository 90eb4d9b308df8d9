"""Which parts of a text have a syntax of their own, whose ends of lines end nothing.

RTF has it from its beginning to its end. Objects of iCalendar and vCard and records of LDIF have it, which may be parts
of any text.
"""

from enum import Flag, auto
from typing import NamedTuple

from waybill.scanning.domain.detection.folding import folded_parts
from waybill.scanning.domain.detection.marks import TextMark

_RTF_BEGINS = b"{\\rtf"
# What writers of RTF begin paragraphs with: in other texts, where RTF is quoted, its lines are lines.
_RTF_MARKS = (_RTF_BEGINS, b"\\pard")


class Syntax(Flag):
    """What holds where a text, or a part of it, begins."""

    NONE = 0
    RTF = auto()
    FOLDED = auto()


class TextParts(NamedTuple):
    """The parts of a text by how they are read; `quoted` says whether RTF may stand in lines of the others."""

    rtf: list[tuple[int, int]]
    folded: list[tuple[int, int]]
    quoted: bool

    def at(self, place: int) -> Syntax:
        """Return what holds at a place."""
        rtf, folded = (any(first < place < last for first, last in parts) for parts in (self.rtf, self.folded))
        return (Syntax.RTF if rtf else Syntax.NONE) | (Syntax.FOLDED if folded else Syntax.NONE)


def parts_of(text: bytes, start: int, marks: TextMark, before: Syntax) -> TextParts:
    """Return the parts of a text, which has `marks`; `before` holds at `start`."""
    if Syntax.RTF in before or text.startswith(_RTF_BEGINS):
        return TextParts([(0, len(text))], [], quoted=False)
    folded = list[tuple[int, int]]()
    if before or TextMark.FOLDED in marks or text.startswith(b"dn:"):
        folded = folded_parts(text, start, within=Syntax.FOLDED in before)
    quoted = TextMark.RTF in marks and any(mark in text for mark in _RTF_MARKS)
    return TextParts([], folded, quoted=quoted)
