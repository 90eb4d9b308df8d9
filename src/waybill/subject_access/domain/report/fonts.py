"""The typefaces: which characters can be printed, how wide they are, and the operators that show them.

Every character comes from a font that is embedded. reportlab makes subsets of up to 256 characters as they are used;
the first subset of a font holds ASCII at its own codes, so that nearly all text needs no look-up.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import groupby
from typing import Any, Final

from reportlab.pdfbase.ttfonts import TTFont

from waybill.subject_access.domain.report.direction import OBEYED, leftwards, mirrored, visual
from waybill.subject_access.domain.report.shaping import FOLDER, JOINERS, Face, Used, shaping_face

_TAB: Final = "    "
# Joiners, variation selectors, soft hyphens, byte order marks: nothing is lost where nothing is drawn. Beside letters
# that are shaped joiners stay.
_DRAWN_AS_NOTHING = frozenset("\u00ad\u034f\u200b\u200c\u200d\u2060\u20e3\ufeff") | {
    chr(code) for code in range(0xFE00, 0xFE10)
}
_WITHOUT_DIRECTIONS: Final = dict.fromkeys(map(ord, OBEYED))
# The flag of a part of a country: its letters are tags behind a black flag (Unicode Technical Standard 51, annex C).
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_BREAKS = {"\r\n": "\n", "\r": "\n", "\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\v": "\n", "\f": "\n"}


@cache
def _typeface(name: str, ascii_readable: bool = True) -> TTFont:
    """Read a font file, once: what a document uses of a font, reportlab keeps by document."""
    return TTFont(name, str(FOLDER / f"{name}.ttf"), asciiReadable=int(ascii_readable))


class _Widths(dict[str, float]):
    """The width of each character in thousandths of the size, looked up when it is first used."""

    def __init__(self, font_of: Callable[[str], TTFont]) -> None:
        super().__init__()
        self._font_of = font_of

    def __missing__(self, char: str) -> float:
        width: float = 0.0 if char in OBEYED else self._font_of(char).face.getCharWidth(ord(char))
        self[char] = width
        return width


class Fonts:
    """The typefaces for one file, and what could not be printed with them.

    Attributes
    ----------
    unprintable : Counter[str]
        Characters that no font has, as ``U+1F9D1``, as often as they were met.
    """

    def __init__(self) -> None:
        self.unprintable: Counter[str] = Counter()
        self.regular = _typeface("DejaVuSans")
        self.bold = _typeface("DejaVuSans-Bold")
        self._widths = {bold: _Widths(partial(self._font_of, bold=bold)) for bold in (False, True)}

    @property
    def fallback(self) -> TTFont:
        """The font for Chinese, Japanese and Korean: read only where it is needed, which takes 0.1 s."""
        return _typeface("DroidSansFallback", ascii_readable=False)

    def printable(self, text: str) -> str:
        """Return `text` with what can be drawn only: lines end in line feeds, tabs are spaces, the rest is as given.

        A character that no font has becomes ``[U+0F40]``, a picture ``[U+1FBC5 stick figure]``, and is counted in
        `unprintable`; so are control characters and halves of surrogate pairs. Letters with separate accents are
        composed (Unicode NFC).
        """
        if text.isascii() and text.isprintable():
            return text
        for mark, plain in _BREAKS.items():
            text = text.replace(mark, plain)
        composed = unicodedata.normalize("NFC", text.replace("\t", _TAB))
        if composed.isascii() and composed.replace("\n", "").isprintable():
            return composed
        if not leftwards(composed):
            composed = composed.translate(_WITHOUT_DIRECTIONS)
        composed = _FLAG.sub(lambda found: f"{found[0][0]}[{_letters(found[0][1:-1])}]", composed)
        return "".join(map(self._drawn, composed, f" {composed}"))

    def _drawn(self, char: str, before: str) -> str:
        if char in OBEYED:
            return char
        if char in JOINERS and self.shaped(before, bold=False):
            return char
        if char == "\n" or (char.isprintable() and self.has(char)):
            return char
        category = unicodedata.category(char)
        if char in _DRAWN_AS_NOTHING:
            return ""
        if category == "Zs":
            return " "
        # Bold letters of mathematics, for one, which people write messages in.
        plain = unicodedata.normalize("NFKC", char)
        if plain != char and plain.isprintable() and all(map(self.has, plain)):
            return plain
        code = f"U+{ord(char):04X}"
        self.unprintable[code] += 1
        # A picture is best told by its name, a letter by its number.
        return f"[{code} {unicodedata.name(char, '').lower()}]" if category == "So" else f"[{code}]"

    def has(self, char: str) -> bool:
        """Return whether a font has `char`."""
        # reportlab writes no valid code for text extraction beyond U+FFFF.
        return self.shaped(char, bold=False) is not None or (
            char <= "\uffff"
            and (ord(char) in self.regular.face.charToGlyph or ord(char) in self.fallback.face.charToGlyph)
        )

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Return how wide a line of printable `text` is, in points."""
        if text.isascii():
            return sum(map(self._widths[bold].__getitem__, text)) * size / 1000
        return (
            size
            / 1000
            * sum(
                shaped.width(piece) if shaped else sum(map(self._widths[bold].__getitem__, piece))
                for shaped, piece in self.pieces(text, bold)
            )
        )

    def shaped(self, char: str, bold: bool) -> Face | None:
        """Return the typeface of a character whose script needs one of its own."""
        return shaping_face(char, bold)

    def pieces(self, text: str, bold: bool) -> Iterator[tuple[Face | None, str]]:
        """Split printable `text` into pieces of one such typeface each, or of none."""
        begin, current = 0, None
        for index, char in enumerate(text):
            found = self.shaped(char, bold)
            # Marks and joiners stay with the letter that they stand on.
            if found is None and current and (char in JOINERS or (current.has(char) and unicodedata.combining(char))):
                continue
            if found is not current:
                if index > begin:
                    yield current, text[begin:index]
                begin, current = index, found
        if begin < len(text):
            yield current, text[begin:]

    def runs(self, text: str, bold: bool) -> Iterator[tuple[TTFont, str]]:
        """Split printable `text` that needs no such typeface into pieces of one font each."""
        for font, chars in groupby(text, partial(self._font_of, bold=bold)):
            yield font, "".join(chars)

    def _font_of(self, char: str, bold: bool) -> TTFont:
        for font in (self.bold, self.regular) if bold else (self.regular,):
            if ord(char) in font.face.charToGlyph:
                return font
        return self.fallback


class TextOperators:
    """The text operators of one document.

    Parameters
    ----------
    fonts : Fonts
        The typefaces.
    document : PDFDocument
        reportlab's document, which gets the subsets of the fonts that are used.
    """

    def __init__(self, fonts: Fonts, document: Any) -> None:
        self._fonts = fonts
        self._document = document
        self._shaped: dict[Face, Used] = {}
        # Both are always there, in this order: `assembly` writes page numbers with the first.
        self._ascii = {False: self._begun(fonts.regular), True: self._begun(fonts.bold)}

    def _begun(self, font: TTFont) -> str:
        font.splitString(" ", self._document)
        name: str = font.getSubsetInternalName(0, self._document)
        return name

    def show(self, text: str, size: float, bold: bool = False) -> str:
        """Return the operators that show a line of printable `text` at the current place, within BT and ET."""
        if text.isascii():
            return f"{self._ascii[bold]} {size:g} Tf ({_escaped(text)}) Tj"
        return " ".join(
            operator
            for run in visual(text)
            for operator in self._run(
                text[run.begin : run.end].translate(_WITHOUT_DIRECTIONS), size, bold, leftwards=run.leftwards
            )
        )

    def _run(self, text: str, size: float, bold: bool, *, leftwards: bool) -> Iterator[str]:
        """Yield the operators that show a piece of text that runs in one direction."""
        pieces = list(self._fonts.pieces(text, bold))
        for shaped, piece in reversed(pieces) if leftwards else pieces:
            if shaped:
                yield from self._used(shaped).show(piece, size, leftwards=leftwards)
                continue
            for font, run in self._fonts.runs(mirrored(piece) if leftwards else piece, bold):
                for subset, codes in font.splitString(run, self._document):
                    yield f"{font.getSubsetInternalName(subset, self._document)} {size:g} Tf <{codes.hex()}> Tj"

    def _used(self, shaped: Face) -> Used:
        if shaped not in self._shaped:
            self._shaped[shaped] = Used(shaped, f"N{len(self._shaped)}")
        return self._shaped[shaped]

    def embed(self) -> None:
        """Put the typefaces that were used into the file, which reportlab does for its own."""
        for used in self._shaped.values():
            self._document.idToObject["BasicFonts"].dict[used.name] = used.embed(self._document)


def _letters(tags: str) -> str:
    return "".join(chr(ord(tag) - 0xE0000) for tag in tags)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
