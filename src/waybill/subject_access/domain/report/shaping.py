"""Scripts whose letters change with their neighbours, such as Arabic, Devanagari or Thai, and emoji.

HarfBuzz says which glyphs stand for a piece of text and where; a font goes into a file with the glyphs that the file
uses. Readers find the text by what each glyph stands for, and where glyphs come in another order than letters, by the
text that is written beside them (ISO 32000-1, 14.9.4).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import manimgx_fonts
import uharfbuzz as hb
import waybill_typefaces
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFStreamFilterZCompress, PDFString

from waybill.subject_access.domain.report.direction import leftwards

FOLDER: Final = Path(waybill_typefaces.__file__).parent
_NOTO: Final = Path(manimgx_fonts.__file__).parent
_EMOJI: Final = "NotoEmoji"
# Its letters are whole: those of Noto are put together of shapes that several letters share, which no search finds.
_ARABIC: Final = "DejaVuSans"
_FALLBACK: Final = {_ARABIC: "NotoSansArabic"}
# Blocks of Unicode, and the typeface that has their script.
_BLOCKS: Final[Sequence[tuple[int, int, str]]] = (
    (0x0590, 0x05FF, "NotoSansHebrew"),
    (0x0600, 0x06FF, _ARABIC),
    (0x0750, 0x077F, _ARABIC),
    (0x0870, 0x08FF, _ARABIC),
    (0x0900, 0x097F, "NotoSansDevanagari"),
    (0x0980, 0x09FF, "NotoSansBengali"),
    (0x0A00, 0x0A7F, "NotoSansGurmukhi"),
    (0x0A80, 0x0AFF, "NotoSansGujarati"),
    (0x0B00, 0x0B7F, "NotoSansOriya"),
    (0x0B80, 0x0BFF, "NotoSansTamil"),
    (0x0C00, 0x0C7F, "NotoSansTelugu"),
    (0x0C80, 0x0CFF, "NotoSansKannada"),
    (0x0D00, 0x0D7F, "NotoSansMalayalam"),
    (0x0D80, 0x0DFF, "NotoSansSinhala"),
    (0x0E00, 0x0E7F, "NotoSansThai"),
    (0x0E80, 0x0EFF, "NotoSansLao"),
    (0x1000, 0x109F, "NotoSansMyanmar"),
    (0x1200, 0x139F, "NotoSansEthiopic"),
    (0x1780, 0x17FF, "NotoSansKhmer"),
    (0x19E0, 0x19FF, "NotoSansKhmer"),
    (0x1C90, 0x1CBF, "NotoSansGeorgian"),
    (0x2D80, 0x2DDF, "NotoSansEthiopic"),
    (0xA8E0, 0xA8FF, "NotoSansDevanagari"),
    (0xA9E0, 0xA9FF, "NotoSansMyanmar"),
    (0xAA60, 0xAA7F, "NotoSansMyanmar"),
    (0xAB00, 0xAB2F, "NotoSansEthiopic"),
    (0xFB1D, 0xFB4F, "NotoSansHebrew"),
    (0xFB50, 0xFDFF, _ARABIC),
    (0xFE70, 0xFEFC, _ARABIC),
    (0x1F000, 0x1FAFF, _EMOJI),
)
# Scripts that one living language is written in, or by far the most people who are written to.
_LANGUAGES: Final = {
    "NotoSansHebrew": "he",
    "NotoSansGurmukhi": "pa",
    "NotoSansGujarati": "gu",
    "NotoSansOriya": "or",
    "NotoSansTamil": "ta",
    "NotoSansTelugu": "te",
    "NotoSansKannada": "kn",
    "NotoSansMalayalam": "ml",
    "NotoSansSinhala": "si",
    "NotoSansThai": "th",
    "NotoSansLao": "lo",
    "NotoSansMyanmar": "my",
    "NotoSansKhmer": "km",
    "NotoSansGeorgian": "ka",
}
# Joiners and variation selectors belong to the letters around them.
JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f\u20e3")
_WEIGHTS: Final = {False: 400.0, True: 700.0}
_REMEMBERED: Final = 20_000
_UNITS: Final = 1000
# What shaping needs of a font, and showing does not.
_UNUSED_TABLES: Final = (b"GSUB", b"GPOS", b"GDEF", b"STAT", b"MVAR")
# What stands for no character has to stand for one.
_NOTHING: Final = "\u200b"


class Glyph(NamedTuple):
    """A glyph in thousandths of the size: how far it moves on, and where it stands beside that."""

    id: int
    advance: int
    x: int
    y: int


class Cluster(NamedTuple):
    """Glyphs that stand for a piece of text together, in the order in which they are drawn."""

    text: str
    glyphs: Sequence[Glyph]


@cache
def shaping_face(char: str, bold: bool) -> "Face | None":
    """Return the typeface of a character whose script needs one of its own, where one has the character."""
    code = ord(char)
    name = next((name for first, last, name in _BLOCKS if first <= code <= last), None)
    while name is not None:
        found = _face(name, bold)
        if found.has(char):
            return found
        name = _FALLBACK.get(name)
    return None


@cache
def _face(name: str, bold: bool) -> "Face":
    """Return a typeface, which is read once."""
    return Face(name, bold)


class Face:
    """A typeface in one weight."""

    def __init__(self, name: str, bold: bool) -> None:
        self.name = name
        self.bold = bold
        self.language = _LANGUAGES.get(name)
        own = FOLDER / f"{name}{'-Bold' if bold else ''}.ttf"
        file = own if own.exists() else _NOTO / f"{name}[wght].ttf"
        # One file has every weight of Noto.
        self._varies = file != own
        self._face = hb.Face(hb.Blob(file.read_bytes()))
        self._font = hb.Font(self._face)
        if self._varies:
            self._font.set_variations({"wght": _WEIGHTS[bold]})
        self._scale = _UNITS / self._face.upem
        self.shape = lru_cache(_REMEMBERED)(self._shape)

    def has(self, char: str) -> bool:
        """Return whether the typeface has `char`."""
        return self.nominal(char) is not None

    def nominal(self, char: str) -> int | None:
        """Return the glyph of a letter that stands alone."""
        found: int | None = self._font.get_nominal_glyph(ord(char))
        return found

    def width(self, text: str) -> int:
        """Return how wide a piece of text is, in thousandths of the size."""
        shown = self.shape(text, leftwards=leftwards(text))
        return sum(glyph.advance for cluster in shown for glyph in cluster.glyphs)

    def _shape(self, text: str, *, leftwards: bool) -> Sequence[Cluster]:
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if leftwards else "ltr"
        hb.shape(self._font, buffer)
        begins = sorted({info.cluster for info in buffer.glyph_infos})
        ends = dict(zip(begins, [*begins[1:], len(text)], strict=True))
        clusters: list[tuple[int, list[Glyph]]] = []
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            if not clusters or clusters[-1][0] != info.cluster:
                clusters.append((info.cluster, []))
            numbers = (round(one * self._scale) for one in (place.x_advance, place.x_offset, place.y_offset))
            clusters[-1][1].append(Glyph(info.codepoint, *numbers))
        return tuple(Cluster(text[begin : ends[begin]], tuple(glyphs)) for begin, glyphs in clusters)

    @cached_property
    def letters(self) -> Mapping[int, str]:
        """The letter that each glyph is, of those that are letters by themselves."""
        found = {self.nominal(chr(code)): chr(code) for code in sorted(self._face.unicodes, reverse=True)}
        return {glyph: letter for glyph, letter in found.items() if glyph is not None}

    def advance(self, glyph: int) -> int:
        """Return how far a glyph moves on by itself."""
        moved: int = round(self._font.get_glyph_h_advance(glyph) * self._scale)
        return moved

    def subset(self, glyphs: Sequence[int]) -> bytes:
        """Return the font with these glyphs alone, under the numbers that they have."""
        wanted = hb.SubsetInput()
        wanted.glyph_set.update(glyphs)
        wanted.flags = hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.NOTDEF_OUTLINE
        wanted.drop_table_tag_set.update(
            int.from_bytes(table) for table in (b"GSUB", b"GPOS", b"GDEF", b"STAT", b"MVAR")
        )
        if self._varies:
            wanted.pin_axis_location(self._face, "wght", _WEIGHTS[self.bold])
        made: bytes = hb.subset(self._face, wanted).blob.data
        return made

    @property
    def extents(self) -> tuple[int, int]:
        """Height above and depth below the base line, in thousandths of the size."""
        found = self._font.get_font_extents("ltr")
        return round(found.ascender * self._scale), round(found.descender * self._scale)


@dataclass
class Used:
    """What a file uses of a typeface: a code for each glyph and what it stands for, which may be several texts."""

    face: Face
    name: str
    codes: dict[tuple[int, str], int] = field(default_factory=dict)

    def show(self, text: str, size: float, *, leftwards: bool) -> Iterator[str]:
        """Yield the operators that show a piece of text."""
        language = self.face.language
        if language:
            yield f"/Span <</Lang ({language})>> BDC"
        yield f"/{self.name} {size:g} Tf"
        for cluster in self.face.shape(text, leftwards=leftwards):
            texts = _turned_texts(cluster) if leftwards else self._texts(cluster)
            # Readers turn round what runs from right to left by themselves, also where it is written beside.
            replaced = not leftwards and len(texts) > 1
            if replaced:
                yield f"/Span <</ActualText <FEFF{cluster.text.encode('utf-16-be').hex().upper()}>>> BDC"
            yield from self._glyphs(cluster.glyphs, texts, size)
            if replaced:
                yield "EMC"
        if language:
            yield "EMC"

    def _texts(self, cluster: Cluster) -> Sequence[str]:
        """Return what each glyph stands for."""
        if len(cluster.glyphs) == 1:
            return (cluster.text,)
        return tuple(self.face.letters.get(glyph.id, cluster.text) for glyph in cluster.glyphs)

    def _glyphs(self, glyphs: Sequence[Glyph], texts: Sequence[str], size: float) -> Iterator[str]:
        rise, shown = 0, list[str]()
        for glyph, text in zip(glyphs, texts, strict=True):
            code = self.codes.setdefault((glyph.id, text), len(self.codes) + 1)
            behind = self.face.advance(glyph.id) + glyph.x - glyph.advance
            if glyph.y != rise:
                yield f"[{' '.join(shown)}] TJ {glyph.y * size / _UNITS:g} Ts"
                rise, shown = glyph.y, []
            shown.append(f"{-glyph.x or ''}<{code:04X}>{behind or ''}")
        yield f"[{' '.join(shown)}] TJ{' 0 Ts' if rise else ''}"

    def embed(self, document: Any) -> Any:
        """Put the font into a file, and return what refers to it (ISO 32000-1, 9.7)."""
        name = PDFName(f"WAYBIL+{self.face.name}{'-Bold' if self.face.bold else ''}")
        glyphs = [glyph for glyph, _ in self.codes]
        height, depth = self.face.extents
        program = self.face.subset(glyphs)
        descriptor = {
            "Type": PDFName("FontDescriptor"),
            "FontName": name,
            "Flags": 4,
            "FontBBox": PDFArray([-_UNITS, depth, 3 * _UNITS, height]),
            "ItalicAngle": 0,
            "Ascent": height,
            "Descent": depth,
            "CapHeight": height,
            "StemV": 80,
            "FontFile2": document.Reference(_stream(program, Length1=len(program))),
        }
        numbers = b"".join(glyph.to_bytes(2) for glyph in (0, *glyphs))
        system = {"Registry": PDFString("Adobe"), "Ordering": PDFString("Identity"), "Supplement": 0}
        descendant = {
            "Type": PDFName("Font"),
            "Subtype": PDFName("CIDFontType2"),
            "BaseFont": name,
            "CIDSystemInfo": PDFDictionary(system),
            "CIDToGIDMap": document.Reference(_stream(numbers)),
            "FontDescriptor": document.Reference(PDFDictionary(descriptor)),
            "W": PDFArray([1, PDFArray([self.face.advance(glyph) for glyph in glyphs])]),
        }
        font = {
            "Type": PDFName("Font"),
            "Subtype": PDFName("Type0"),
            "BaseFont": name,
            "Encoding": PDFName("Identity-H"),
            "DescendantFonts": PDFArray([document.Reference(PDFDictionary(descendant))]),
            "ToUnicode": document.Reference(_stream(_to_unicode([text for _, text in self.codes]).encode("ascii"))),
        }
        return document.Reference(PDFDictionary(font))


def _stream(content: bytes, **told: int) -> Any:
    return PDFStream(PDFDictionary(dict(told)), content, filters=[PDFStreamFilterZCompress()])


def _turned_texts(cluster: Cluster) -> Sequence[str]:
    """Return what each glyph of a cluster that runs from right to left stands for: the last one is its letter."""
    marks = len(cluster.glyphs) - 1
    letter, behind = (
        cluster.text[: max(1, len(cluster.text) - marks)],
        cluster.text[max(1, len(cluster.text) - marks) :],
    )
    return (*(_NOTHING,) * (marks - len(behind)), *reversed(behind), letter)


def _to_unicode(texts: Sequence[str]) -> str:
    """Return the map from codes, which count from 1, to text (ISO 32000-1, 9.10.3)."""
    lines = [f"<{code:04X}> <{text.encode('utf-16-be').hex().upper()}>" for code, text in enumerate(texts, start=1)]
    blocks = [lines[begin : begin + 100] for begin in range(0, len(lines), 100)]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
            *("\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"]) for block in blocks),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )
