"""Text that others have written, made fit for people to read: in notifications, tables, reports and logs.

What a name or a message holds beside its visible characters can end a line and begin a forged one, move the cursor of
a terminal, turn the direction of what stands around it, or hide in it. Sources: Unicode Standard 23 ("Special Areas
and Format Characters"); Unicode Technical Report 36, "Bidirectional Text Spoofing"; CVE-2021-42574.
"""

import json
import shlex
import unicodedata

# Control and format characters (the marks of direction, the invisible joiners and the tags among them), halves of
# surrogate pairs, private and unassigned code points, and what ends a line or a paragraph.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# These are letters or marks by their category, and fonts draw nothing for them (Unicode property
# Default_Ignorable_Code_Point, beyond the categories above).
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_CUT = "…"


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` as one line of at most `limit` characters, to be read: for notifications, tables and pages.

    White space of any kind becomes one plain space, what cannot be seen goes, and the end of a longer text is an
    ellipsis. What is left may be empty, and is no key to look anything up by: two texts can look the same.
    """
    # A line end is white space first, and only then a control character.
    spaced = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _is_unseen(char))
    line = " ".join(spaced.split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + _CUT


def escaped(text: str, *, keep: str = "") -> str:
    r"""Return `text` with everything that cannot be seen written out: `\n`, `\u202e`. One line, and nothing is lost.

    For keys and identifiers in terminals and logs, where two that differ have to look different. Characters in `keep`
    stay: `"\n\t"` for text of several lines. A backslash stays as it is: what is written out is to be read, not to be
    read back.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_unseen(char) and char not in keep else char for char in text)


def json_text(data: object, *, indent: int | None = None) -> str:
    r"""Return `data` as JSON in which everything that cannot be seen is escaped (`\u202e`): for terminals and lines.

    JSON itself leaves C1 controls, direction marks and U+2028 as they are (RFC 8259, 7), which move a terminal's cursor
    or end a line all the same. Who parses it reads the same text.
    """
    text = json.dumps(data, indent=indent, ensure_ascii=False, default=str)
    if text.isascii() and "\x7f" not in text:
        return text
    # A raw line end is one of the layout: within strings, JSON has escaped it.
    return "".join(_json_escape(char) if char != "\n" and _is_unseen(char) else char for char in text)


def _json_escape(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) > 0x7F else f"\\u{ord(char):04x}"


def shell_word(text: str) -> str:
    r"""Return `text` as one word of a line to paste into a shell: it names exactly this, and stays on its line.

    What cannot be seen is written as the octal bytes of its UTF-8 within `$'…'` (POSIX.1-2024, Shell Command Language,
    2.2.4 "Dollar-Single-Quotes").
    """
    if escaped(text) == text:
        return shlex.quote(text)
    return "$'" + "".join(_octal(char) if _is_unseen(char) or char in "\\'" else char for char in text) + "'"


def is_ignorable(char: str) -> bool:
    """Return whether nothing is drawn for `char`, or Unicode keeps it out of text for ever.

    RFC 8264, 9.13 (PrecisIgnorableProperties): Default_Ignorable_Code_Point, and Noncharacter_Code_Point.
    """
    code = ord(char)
    reserved = code == 0x2065 or 0xFFF0 <= code <= 0xFFF8 or 0xE0000 <= code <= 0xE0FFF
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return unicodedata.category(char) == "Cf" or char in _BLANK or reserved or noncharacter


def _octal(char: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in char.encode(errors="surrogatepass"))


def count(value: int, one: str, many: str | None = None) -> str:
    """Return `1 file`, `1,994 files`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def shortened(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters; of a longer one the beginning and the end, an ellipsis between.

    The end of a key tells more than its middle.
    """
    if len(text) <= limit:
        return text
    end = (limit - 1) // 2
    return text[: limit - 1 - end] + _CUT + (text[-end:] if end else "")


def _escape(char: str) -> str:
    # The halves of surrogate pairs that `unicode_escape` writes as they are read: `\ud800`.
    return char.encode("unicode_escape", "surrogatepass").decode()


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or char in _BLANK or (char.isspace() and char != " ")
