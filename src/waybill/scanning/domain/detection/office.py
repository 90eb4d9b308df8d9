"""The text of Office documents: of WordprocessingML, SpreadsheetML, PresentationML and OpenDocument, without markup.

ECMA-376, parts 1 and 2; OpenDocument 1.3, part 3.
"""

import html
import re
from collections.abc import Callable, Collection

from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.budget import CHUNK, UnreadableError

_PART_BYTES = 32 << 20
_OPC_MARK = "[Content_Types].xml"
_OPC_TEXT = re.compile(r"(?:word|xl|ppt)/(?!_rels/)(?:[^/]+/)*[^/]+\.xml|docProps/[^/]+\.xml")
_ODF_TEXT = frozenset({"content.xml", "styles.xml", "meta.xml"})

# A cell of a table ends with the end of its last paragraph.
_CELL_END = re.compile(
    rb"</(?:w:p|a:p|text:p)>\s*(?:</a:txBody>\s*(?:<a:tcPr\b[^<>]{0,2000}>)?)?\s*</(?:w:tc|a:tc|table:table-cell)>"
)
_LINES = re.compile(
    rb"</(?:w:p|w:tr|a:p|a:tr|si|row|text:p|text:h|table:table-row|vt:lpstr|comment)>"
    rb"|<(?:w:br|w:cr|a:br|text:line-break)\b[^<>]{0,200}>"
)
_CELLS = re.compile(rb"</(?:c|w:tc|a:tc|table:table-cell)>|<(?:w:tab|text:tab)\b[^<>]{0,200}>")
# Elements of a run, which stand within a value wherever somebody has typed; everything else separates.
_WITHIN = re.compile(
    rb"</?(?:w:(?!p\b|tc\b|tr\b|tbl)[A-Za-z]{1,40}|a:(?:r|t|rPr|latin|ea|cs|solidFill|srgbClr|schemeClr|hlinkClick)"
    rb"|r|t|rPr|rFont|sz|b|i|u|color|family|scheme|charset|text:span|text:a|text:s|text:bookmark[a-z-]{0,10})(?:\s[^<>]{0,20000})?/?>"
)
_TAGS = re.compile(rb"<[^<>]{1,20000}>")


def office_parts(names: Collection[str]) -> dict[str, Callable[[Read], Read]]:
    """Return what makes text of those of a package's members that are text of an Office document, by their names.

    Any archive may hold a member that makes it a package: every other member is a member like any other.
    """
    if _OPC_MARK in names:
        return {name: office_text for name in names if _OPC_TEXT.fullmatch(name)}
    if "mimetype" in names and "content.xml" in names:
        return {name: office_text for name in names if name in _ODF_TEXT}
    return {}


def office_text(read: Read) -> Read:
    """Return a reader of the text of a part: a line per paragraph or row, tabs between cells.

    Word cuts a paragraph into runs wherever somebody has typed, so a value may stand in several elements.
    """
    text: bytes | None = None
    fault: UnreadableError | None = None

    def read_text(count: int) -> bytes:
        nonlocal text, fault
        if text is None:
            markup, fault = _whole(read)
            text = plain_text(markup)
        part, text = text[:count], text[count:]
        if not part and fault:
            raise fault
        return part

    return read_text


def _whole(read: Read) -> tuple[bytes, UnreadableError | None]:
    """Return what `read` gives, and what it ends with."""
    parts, size = list[bytes](), 0
    try:
        while chunk := read(CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if size > _PART_BYTES:
                return b"".join(parts), UnreadableError("ARCHIVE_TOO_LARGE")
    except UnreadableError as error:
        return b"".join(parts), error
    return b"".join(parts), None


def plain_text(markup: bytes) -> bytes:
    """Return the text of a part, in UTF-8."""
    if markup.startswith((b"\xff\xfe", b"\xfe\xff")):
        markup = markup.decode("utf-16", "replace").encode()
    plain = _CELL_END.sub(b"\t", markup)
    plain = _CELLS.sub(b"\t", _LINES.sub(b"\n", plain))
    plain = _TAGS.sub(b" ", _WITHIN.sub(b"", plain))
    return html.unescape(plain.decode("utf-8", "replace")).encode()
