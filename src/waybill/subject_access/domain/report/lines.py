"""Breaks text into lines."""

from collections.abc import Iterator, Sequence

from waybill.subject_access.domain.report.fonts import Fonts


def wrap(fonts: Fonts, text: str, room: float, size: float, bold: bool = False) -> Sequence[str]:
    """Break printable `text` into lines that are at most `room` points wide; at least one, which may be empty.

    Lines break at spaces, which are not drawn there; a word that is wider than a line breaks wherever the line is
    full, as text without spaces does. A single character that is wider than `room` has a line of its own.
    """
    if "\n" not in text and fonts.width(text, size, bold) <= room:
        return (text,)
    return [line for paragraph in text.split("\n") for line in _broken(fonts, paragraph, room, size, bold)]


def _broken(fonts: Fonts, paragraph: str, room: float, size: float, bold: bool) -> Iterator[str]:
    space = fonts.width(" ", size, bold)
    line: list[str] = []
    used = 0.0
    for word in paragraph.split(" "):
        width = fonts.width(word, size, bold)
        if line and used + space + width > room:
            yield " ".join(line)
            line, used = [], 0.0
        if width > room:
            *full, rest = _cut(fonts, word, room, size, bold)
            yield from full
            line, used = [rest], fonts.width(rest, size, bold)
        else:
            used += width + (space if line else 0.0)
            line.append(word)
    yield " ".join(line)


def _cut(fonts: Fonts, word: str, room: float, size: float, bold: bool) -> Iterator[str]:
    """Cut a word into pieces that fill a line each; the last one may be shorter."""
    begin, used = 0, 0.0
    for index, char in enumerate(word):
        width = fonts.width(char, size, bold)
        if used + width > room and index > begin:
            yield word[begin:index]
            begin, used = index, 0.0
        used += width
    yield word[begin:]
