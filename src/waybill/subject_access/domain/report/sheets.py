"""Pages: a size, a header, a footer, and what is drawn between them; written out as files of some hundred pages each.

Sizes and places are in points, from the lower left corner (A4, margins 50/35/70/35).
"""

import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL.Image import Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from waybill.subject_access.domain.report.direction import leftwards
from waybill.subject_access.domain.report.errors import PartTooLargeError
from waybill.subject_access.domain.report.fonts import Fonts, TextOperators
from waybill.subject_access.domain.report.structure import Mark, Structure

type Size = tuple[float, float]

PORTRAIT: Final[Size] = (595.2756, 841.8898)
LANDSCAPE: Final[Size] = (PORTRAIT[1], PORTRAIT[0])
TOP: Final = 50.0
RIGHT: Final = 35.0
BOTTOM: Final = 70.0
LEFT: Final = 35.0
HEADER_SIZE: Final = 10.0
# The footer stands in the middle, the page number at the right of the same line.
FOOTER_HEIGHT: Final = 40.0

# What goes into one file: reportlab keeps a file in memory until it is saved.
_PAGES_PER_FILE = 500
_PIXELS_PER_FILE = 20_000_000
_HEADER_TOP = 22.0
_HEADER_LEADING = 13.0
# What `fonts.Fonts.printable` makes of a character that no font has.
_NUMBERED: Final = "[U+"
_CODE = re.compile(r"\[(U\+[0-9A-F]{4,6})\b")


@dataclass(frozen=True)
class Budget:
    """What may be drawn: so many pages, until a moment of the monotonic clock."""

    pages: int
    until: float

    def look(self, pages: int) -> None:
        """Raise `PartTooLargeError` where more is drawn already."""
        if pages >= self.pages:
            raise PartTooLargeError(f"it takes more than {self.pages:,} pages")
        if time.monotonic() > self.until:
            raise PartTooLargeError("it takes too long to be drawn")


@dataclass(frozen=True)
class HeaderAndFooter:
    """What every page of a file has: lines at its top right, one line in the middle of its foot."""

    header: Sequence[str] = ()
    footer: str = ""


class _Canvas(Canvas):  # type: ignore[misc] # reportlab has no types
    """A canvas that does not begin each page with one of PDF's built-in fonts, which are not embedded."""

    def _make_preamble(self) -> None:
        self._preamble = ""


class Sheets:
    """Pages, drawn one after the other.

    Parameters
    ----------
    fonts : Fonts
        The typefaces.
    header_and_footer : HeaderAndFooter
        Header and footer.
    folder : Path
        Where the files go, in the order of their names.
    budget : Budget or None
        Looked at when a page begins; none for what cannot be large.
    hidden : Collection of int
        Pages, counted from 1, that are taken out afterwards: nothing is drawn on them, so that no font of the file has
        their letters.

    Attributes
    ----------
    pages : int
        The number of pages that were begun.
    size : Size
        Of the page that is being drawn.
    unprintable : Counter[str]
        Characters whose numbers stand for them in what is shown, as ``U+0F40``.
    structure : Structure
        What a screen reader is told of what is drawn; whoever draws adds to it.
    """

    def __init__(
        self,
        fonts: Fonts,
        header_and_footer: HeaderAndFooter,
        folder: Path,
        budget: Budget | None = None,
        hidden: Collection[int] = (),
    ) -> None:
        self.fonts = fonts
        self.pages = 0
        self.size = PORTRAIT
        self.unprintable: Counter[str] = Counter()
        self._header_and_footer = header_and_footer
        self._budget = budget
        self._hidden = hidden
        self._folder = folder
        self.structure = Structure(folder / "structure")
        self._files: list[Path] = []
        self._marks = 0
        self._shown: list[str] = []
        self._open = False
        self._canvas: _Canvas
        self._text_operators: TextOperators
        self._operators: list[str] = []
        self._pages_in_file = 0
        self._pixels_in_file = 0

    def begin(self, size: Size = PORTRAIT) -> None:
        """Begin a page; ends the page before."""
        if self._budget is not None:
            self._budget.look(self.pages)
        self._end()
        if self._pages_in_file >= _PAGES_PER_FILE or self._pixels_in_file >= _PIXELS_PER_FILE:
            self._save()
        if not self._open:
            self._begin_file()
        self.pages += 1
        self._marks = 0
        self._pages_in_file += 1
        self.size = size
        self._canvas.setPageSize(size)
        self._draw_header_and_footer()

    def close(self) -> list[Path]:
        """End the last page and return all files; the structure is closed by then."""
        self._end()
        if self._open:
            self._save()
        return self._files

    @contextmanager
    def marked(self, tag: str) -> Iterator[Mark]:
        """Mark what is drawn meanwhile, for an element of the structure that has this tag."""
        mark = self.begin_mark(tag)
        yield mark
        self.end_mark(mark)

    def begin_mark(self, tag: str) -> Mark:
        """Mark what is drawn from here on to `end_mark`: as `marked`, for what a table has hundreds of thousands of."""
        number = self._marks
        self._marks += 1
        self._operators.append(f"/{tag} <</MCID {number}>> BDC")
        self._shown = []
        return Mark(self.pages, number)

    def end_mark(self, mark: Mark) -> None:
        """End what `begin_mark` began."""
        # What is ASCII runs rightwards, and nearly all is.
        if not all(map(str.isascii, self._shown)) and any(map(leftwards, self._shown)):
            self.structure.tell(mark, " ".join(self._shown))
        self._operators.append("EMC")

    def reserve(self) -> Mark:
        """Return a mark for what is set into the page once it is written."""
        self._marks += 1
        return Mark(self.pages, self._marks - 1)

    def text(self, x: float, y: float, line: str, size: float, bold: bool = False) -> None:
        """Draw one line of printable text from `x`, on the base line `y`, within `marked`."""
        if line and self.pages not in self._hidden:
            if _NUMBERED in line:
                self.unprintable.update(_CODE.findall(line))
            self._shown.append(line)
            self._operators.append(f"BT {x:.2f} {y:.2f} Td {self._text_operators.show(line, size, bold)} ET")

    def centred(self, y: float, line: str, size: float, bold: bool = False) -> None:
        """Draw one line of printable text in the middle of the page."""
        self.text((self.size[0] - self.fonts.width(line, size, bold)) / 2, y, line, size, bold)

    def rule(self, y: float, left: float, right: float, grey: float = 0.7) -> None:
        """Draw a thin horizontal line."""
        self._operators.append(f"/Artifact BMC {grey:g} G 0.5 w {left:.2f} {y:.2f} m {right:.2f} {y:.2f} l S EMC")

    def shade(self, x: float, y: float, width: float, height: float, grey: float = 0.93) -> None:
        """Fill a rectangle; what is drawn later is on top of it."""
        self._operators.append(f"/Artifact BMC {grey:g} g {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f 0 g EMC")

    def picture(self, image: Image, x: float, y: float, width: float, height: float) -> None:
        """Draw a picture with its lower left corner at `x`, `y`. Photographs are kept as JPEG."""
        if self.pages in self._hidden:
            return
        self._flush()
        self._pixels_in_file += image.width * image.height
        with _binary_streams():
            self._canvas.drawImage(ImageReader(_as_jpeg(image) or image), x, y, width, height)

    @contextmanager
    def artifact(self, kind: str = "") -> Iterator[None]:
        """Mark what is drawn meanwhile as something that nobody wants to have read: ``Header``, ``Footer`` or other."""
        told = f"/Artifact <</Type /Pagination /Subtype /{kind}>> BDC" if kind else "/Artifact BMC"
        self._operators.append(told)
        yield
        self._operators.append("EMC")

    def _draw_header_and_footer(self) -> None:
        with self.artifact("Header"):
            self._draw_header()
        if self._header_and_footer.footer:
            with self.artifact("Footer"):
                self.centred(FOOTER_HEIGHT, self._header_and_footer.footer, HEADER_SIZE)

    def _draw_header(self) -> None:
        for index, line in enumerate(self._header_and_footer.header):
            shown = self._fitted(line)
            x = self.size[0] - RIGHT - self.fonts.width(shown, HEADER_SIZE)
            self.text(x, self.size[1] - _HEADER_TOP - index * _HEADER_LEADING, shown, HEADER_SIZE)

    def _fitted(self, line: str) -> str:
        """Return `line`, or as much of it as the page is wide."""
        room = self.size[0] - LEFT - RIGHT
        while self.fonts.width(line, HEADER_SIZE) > room:
            line = line[: min(len(line) - 2, 200)] + "…"
        return line

    def _begin_file(self) -> None:
        self._open = True
        file = self._folder / f"{len(self._files):05}.pdf"
        self._files.append(file)
        self._canvas = _Canvas(str(file), pageCompression=1, invariant=1)
        self._text_operators = TextOperators(self.fonts, self._canvas._doc)

    def _flush(self) -> None:
        if self._operators:
            self._canvas.addLiteral("\n".join(self._operators))
        self._operators = []

    def _end(self) -> None:
        if self._open:
            self._flush()
            self._canvas.showPage()

    def _save(self) -> None:
        self._text_operators.embed()
        with _binary_streams():
            self._canvas.save()
        self._open = False
        self._pages_in_file = self._pixels_in_file = 0


def _as_jpeg(image: Image) -> BytesIO | None:
    """Return a photograph as a JPEG file, which goes into the PDF as it is; other pictures go in without loss."""
    if image.info.get("photograph") is not True:
        return None
    encoded = BytesIO()
    image.save(encoded, "JPEG", quality=85)
    return encoded


@contextmanager
def _binary_streams() -> Iterator[None]:
    """Have reportlab write compressed streams as they are: by default it adds base 85, a quarter more bytes.

    It offers this as a setting of the process alone.
    """
    before, rl_config.useA85 = rl_config.useA85, 0
    try:
        yield
    finally:
        rl_config.useA85 = before
