"""Breaks text into lines."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from waybill.subject_access.domain.report.direction import ParagraphLine, leftwards
from waybill.subject_access.domain.report.fonts import Fonts
from waybill.subject_access.domain.report.shaping import JOINERS

_JOINER: Final = "\u200d"
# The combining class of signs that join the next letter to the one before, as in Devanagari.
_VIRAMA: Final = 9
# Vowels of Thai and Lao that are written before the letter that they follow.
_LEADING: Final = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")


def wrap(fonts: Fonts, text: str, room: float, size: float, bold: bool = False) -> Sequence[str]:
    """Break printable `text` into lines that are at most `room` points wide; at least one, which may be empty.

    Lines break at spaces, which are not drawn there; a word that is wider than a line breaks wherever the line is
    full, as text without spaces does. A single character that is wider than `room` has a line of its own.
    """
    if "\n" not in text and fonts.width(text, size, bold) <= room:
        return (text,)
    return [line for paragraph in text.split("\n") for line in _lines(fonts, paragraph, room, size, bold)]


def _lines(fonts: Fonts, paragraph: str, room: float, size: float, bold: bool) -> Sequence[str]:
    lines = list(_broken(fonts, paragraph, room, size, bold))
    return ParagraphLine.of(paragraph, lines) if len(lines) > 1 and leftwards(paragraph) else lines


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
    begin, at, used = 0, 0, 0.0
    for cluster in _clusters(word):
        width = fonts.width(cluster, size, bold)
        if used + width > room and at > begin:
            yield word[begin:at]
            begin, used = at, 0.0
        used += width
        at += len(cluster)
    yield word[begin:]


def _clusters(word: str) -> Iterator[str]:
    """Yield what stays together where a word is cut: letters with their marks, and what is joined to them."""
    if word.isascii():
        yield from word
        return
    begin = 0
    for index in range(1, len(word)):
        before, char = word[index - 1], word[index]
        joined = before == _JOINER or unicodedata.combining(before) == _VIRAMA or before in _LEADING
        if not joined and char not in JOINERS and unicodedata.category(char)[0] != "M":
            yield word[begin:index]
            begin = index
    yield word[begin:]
