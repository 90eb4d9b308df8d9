"""Words that say how to read a text: statements that name columns, files that are written in text, syntaxes.

The gate looks for them with everything else: a search for each by itself takes as long as the gate.
"""

from enum import Flag, auto


class TextMark(Flag):
    """What may stand in a text."""

    NONE = 0
    COPY = auto()
    COPY_END = auto()
    INSERT = auto()
    ENCODED_FILE = auto()
    RTF = auto()
    FOLDED = auto()


MARK_GATES = {
    r"\) FROM (?:stdin|STDIN)": TextMark.COPY,
    r"\\\.\r?\n": TextMark.COPY_END,
    # Programs insert as well, and write it in either case.
    "INSERT": TextMark.INSERT,
    "[Ii]nsert [Ii]nto ": TextMark.INSERT,
    # `REPLACE` of MySQL; parts of Oracle's `INSERT ALL`, which may go over the end of a block.
    "(?:INTO|eplace into) ": TextMark.INSERT,
    "begin(?:-base64)? [0-7]{3}": TextMark.ENCODED_FILE,
    r"\{\\rtf": TextMark.RTF,
    r"\\pard": TextMark.RTF,
    # iCalendar and vCard; LDIF.
    r"BEGIN:V(?:CALENDAR|CARD|EVENT|JOURNAL|TODO)\r?\n": TextMark.FOLDED,
    r"\ndn::? [0-9A-Za-z]": TextMark.FOLDED,
}
"""Short patterns, one of which matches wherever there is what a mark stands for."""
