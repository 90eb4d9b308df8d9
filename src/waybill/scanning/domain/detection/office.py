"""The text of Office documents: of WordprocessingML, SpreadsheetML, PresentationML and OpenDocument, without markup.

ECMA-376, parts 1 and 2; OpenDocument 1.3, part 3.
"""

import html
import re
from collections.abc import Callable, Collection, Iterator

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
    rb"</(?:w:p|w:tr|a:p|a:tr|si|row|text:p|text:h|table:table-row|vt:lpw?str|vt:bstr|meta:user-defined|comment)>"
    rb"|<(?:w:br|w:cr|a:br|text:line-break)\b[^<>]{0,200}>"
)
_CELLS = re.compile(rb"</(?:c|w:tc|a:tc|table:table-cell)>|<(?:w:tab|text:tab)\b[^<>]{0,200}>")
# Elements of a run, which stand within a value wherever somebody has typed; everything else separates.
_WITHIN = re.compile(
    rb"</?(?:w:(?!p\b|tc\b|tr\b|tbl)[A-Za-z]{1,40}|a:(?:r|t|rPr|latin|ea|cs|solidFill|srgbClr|schemeClr|hlinkClick)"
    rb"|r|t|rPr|rFont|sz|b|i|u|color|family|scheme|charset"
    rb"|text:(?:span|a|s|meta|soft-page-break|(?:bookmark|change|reference-mark)[a-z-]{0,10}|[a-z-]{1,24}-mark(?:-start|-end)?)"
    rb"|office:annotation-end)(?:\s[^<>]{0,20000})?/?>"
)
# How a run looks, which is nothing that stands between its text and that of others.
_RUN_PROPERTIES = re.compile(rb"<(w:rPr|a:rPr|rPr)(?:\s[^<>]{0,2000})?(?<!/)>(?:[^<]|<(?!/?(?:w:|a:)?rPr\b))*+</\1>")
_HYPHEN = b"<w:noBreakHyphen/>"
_TAGS = re.compile(rb"<[^<>]{1,20000}>")
# Names of fields: properties that people add (ECMA-376, part 1, 22.3; OpenDocument, part 3, 4.3.3), content controls.
_FIELD = re.compile(
    rb"<(?:(?:\w{1,20}:)?property\b[^<>]{0,400}?\sname|meta:user-defined\b[^<>]{0,400}?\smeta:name|w:alias\s+w:val)"
    rb"=\"([^\"<>]{1,200})\"[^<>]{0,400}>"
)
_DELETED = b"<w:delText"
# OpenDocument, part 3, 9.1.4 and 19.385: cells without content, cells that are repeated, values as they are stored.
_ODF_CELL = re.compile(
    rb"<table:(?:covered-)?table-cell\b(?P<attributes>[^<>]{0,20000}?)"
    rb"(?:(?P<empty>/)>|>(?=(?:\s*<text:p\b[^<>/]{0,2000}>(?P<shown>[^<>]{0,2000})</text:p>)?))"
)
_REPEATED = re.compile(rb"table:number-columns-repeated=\"([0-9]{1,5})\"")
_STORED = re.compile(rb"office:(?:string-)?value=\"([^\"<>]{1,20000})\"")
_REPEATED_CELLS = 128
# What people write into attributes: descriptions, hints, authors, addresses, variables.
_ATTRIBUTE = re.compile(rb"\s(?!xmlns)([\w.:-]{1,80})=\"([^\"<>]{1,20000})\"")
_LONG_ATTRIBUTE = re.compile(rb"([\w.:-]{1,80})=\"([^\"<>]{6,20000})\"")
_TAG_BYTES = 20_000
_READ_WITH_CELLS = frozenset({b"office:value", b"office:string-value"})
# What programs write there: names, numbers of their own, sizes, addresses of schemas.
_PROGRAMS = re.compile(
    rb"-?[0-9]{1,8}(?:\.[0-9]{1,12})?(?:[a-z]{2}|%)?|[A-Za-z_:. -]{1,60}|#?(?:[0-9A-Fa-f]{2}){2,64}"
    rb"|\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4,12}){4}\}?"
    rb"|https?://(?:schemas|purl|www\.w3)\.\S{1,400}|urn:\S{1,400}|[A-Za-z]{1,20}[0-9]{1,4}"
)


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
    plain = _FIELD.sub(rb" \1: ", _with_deletions_behind(markup).replace(_HYPHEN, b"-"))
    plain = _RUN_PROPERTIES.sub(b"", plain)
    if b"<table:" in plain:
        plain = _ODF_CELL.sub(_odf_cell, plain)
    plain = _CELL_END.sub(b"\t", plain)
    plain = _CELLS.sub(b"\t", _LINES.sub(b"\n", plain))
    plain = _TAGS.sub(b" ", _WITHIN.sub(b"", plain))
    if b"<table:" in markup:
        # Rows end with as many empty cells as a sheet may have.
        plain = b"\n".join(line.rstrip() for line in plain.split(b"\n"))
    plain = b"\n".join([plain, *_attributes(markup)])
    return html.unescape(plain.decode("utf-8", "replace")).encode()


def _with_deletions_behind(markup: bytes) -> bytes:
    """Return a part as it reads now, and behind it those of its paragraphs that have had other words before.

    ECMA-376, part 1, 17.13.5: what is deleted stays in its paragraph, most often beside what is written in its place.
    """
    if _DELETED not in markup:
        return markup
    now, before = list[bytes](), list[bytes]()
    for paragraph in markup.split(b"</w:p>"):
        if _DELETED in paragraph:
            before.append(_without(paragraph, b"w:ins"))
            now.append(_without(paragraph, b"w:del"))
        else:
            now.append(paragraph)
    return b"</w:p>".join((*now, *before, b""))


def _without(markup: bytes, element: bytes) -> bytes:
    """Return markup without the elements of a name; an insertion that was deleted again has been there before."""
    parts, place, closing = list[bytes](), 0, b"</" + element + b">"
    for start in re.finditer(b"<" + element + rb"(?:\s[^<>]{0,2000})?(?<!/)>", markup):
        if start.start() < place:
            continue
        end = markup.find(closing, start.end())
        if end < 0:
            break
        if element == b"w:del" or _DELETED not in markup[start.end() : end]:
            parts.append(markup[place : start.start()])
            place = end + len(closing)
    return b"".join((*parts, markup[place:]))


def _odf_cell(cell: re.Match[bytes]) -> bytes:
    """Return what stands for the tag of a cell: cells that it repeats, and its value where it is shown otherwise."""
    repeated = _REPEATED.search(cell["attributes"])
    count = min(int(repeated[1]), _REPEATED_CELLS) if repeated else 1
    if cell["empty"]:
        return b"\t" * count
    stored = _STORED.search(cell["attributes"])
    shown = _without_signs(cell["shown"] or b"")
    differs = stored is not None and _without_signs(stored[1]) != shown
    return b"\t" * (count - 1) + (stored[1] + b" " if stored and differs else b"")


def _without_signs(text: bytes) -> bytes:
    return text.translate(None, b" .,-'")


def _attributes(markup: bytes) -> Iterator[bytes]:
    """Yield what people may have written into attributes, a line for each element with some of it."""
    lines, end = set[bytes](), 0
    for found in _LONG_ATTRIBUTE.finditer(markup):
        if found.start() < end or found[1] in _READ_WITH_CELLS or _PROGRAMS.fullmatch(found[2]):
            continue
        start, end = markup.rfind(b"<", end, found.start()), markup.find(b">", found.end(), found.end() + _TAG_BYTES)
        if start < 0 or end < 0 or markup.startswith(b"<?", start):
            # No tag: what comes next is looked at from here on.
            end = found.end()
            continue
        line = b"  ".join(
            value for name, value in _ATTRIBUTE.findall(markup, start, end) if name not in _READ_WITH_CELLS
        )
        if line not in lines:
            lines.add(line)
            yield line
