"""Texts that somebody else wrote, as blocks: plain text, CSV, HTML and RTF; and what kind of a document a file is.

Redacted values are taken out of the text before it is drawn; what of a document is not shown is said in `lost`.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import batched, groupby
from pathlib import Path
from typing import Final

from striprtf.striprtf import rtf_to_text

from waybill.subject_access.domain.report.blocks import Block, Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.markup import document_blocks

TEXT, CSV, HTML, RTF, MAIL, WORD = "text", "csv", "html", "rtf", "mail", "word"
_ROWS: Final = 500
_LINES: Final = 200
_PIECE: Final = 50_000
# More columns than these are too narrow on a page to be read.
_COLUMNS: Final = 10
# Headings of a document are below that of the attachment.
LEVEL: Final = 3
_DECLARED: Final = {
    "text/plain": TEXT,
    "text/markdown": TEXT,
    "application/json": TEXT,
    "text/xml": TEXT,
    "application/xml": TEXT,
    "text/csv": CSV,
    "application/csv": CSV,
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "application/rtf": RTF,
    "text/rtf": RTF,
    "message/rfc822": MAIL,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": WORD,
}
_BY_NAME: Final = {
    ".txt": TEXT,
    ".log": TEXT,
    ".md": TEXT,
    ".json": TEXT,
    ".xml": TEXT,
    ".csv": CSV,
    ".htm": HTML,
    ".html": HTML,
    ".rtf": RTF,
    ".eml": MAIL,
    ".docx": WORD,
}
_SEPARATORS: Final = ",;\t|"
# RFC 6838, 4.2.1 and 4.2.8: what can be read without any other program.
_READABLE = re.compile(r"text/.+|.+\+(?:json|xml)")
# What of a document in RTF stands beside its text (Rich Text Format 1.9.1), which the library leaves out.
_BESIDE: Final = (
    (re.compile(r"\\(?:pict|objdata|shppict)\b"), "pictures and embedded files"),
    (re.compile(r"\\(?:header|footer)[lrf]?\b"), "headers and footers"),
    (re.compile(r"\\footnote\b"), "footnotes"),
    (re.compile(r"\\annotation\b"), "comments"),
    (re.compile(r"\\(?:deleted|shptxt|ffdeftext|ffl)\b"), "changes that are marked, fields, and text in boxes"),
)

# Where nothing is written with the characters on both sides of the cut: before a group, a word of RTF, behind a space.
# Where there is no such place up to the end of a line, all of it is passed over at once.
_LONG_LINE = re.compile(r"([^\r\n]{2000}(?:[^\r\n]*?(?:(?<!\\)(?=[{}]|\\[a-z])|(?<=\s))|[^\r\n]*))")

type Sweep = Callable[[str], str]


class UnreadableDocument(ValueError):
    """A document that cannot be shown; the text says why."""


def document_kind(begin: bytes, content_type: str, name: str) -> str | None:
    """Return what a file is by its first bytes, its declared type, or the end of its name; None for no document."""
    if begin.startswith(b"{\\rtf"):
        return RTF
    by_name = _BY_NAME.get(Path(name).suffix.lower())
    declared = content_type.partition(";")[0].strip().lower()
    kind = _DECLARED.get(declared, by_name) or (TEXT if _READABLE.fullmatch(declared) else None)
    if begin.startswith(b"PK\x03\x04"):
        return WORD if kind == WORD else None
    if kind in (WORD, RTF):
        return None
    # Plain text that is called so by a careless service.
    return by_name if kind == TEXT and by_name in (CSV, HTML, MAIL) else kind


def decoded(content: bytes) -> str:
    """Return a text in UTF-8 or UTF-16 with a mark, in UTF-8, else in the code page of Western Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:4096]:
        raise UnreadableDocument("it is no text, though it is said to be")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    return content.decode("cp1252", "replace")


def text_blocks(text: str, kind: str, sweep: Sweep, lost: list[str]) -> Iterator[Block]:
    """Return a text of a kind as blocks; once they are all taken, `lost` has more of what is not among them."""
    match kind:
        case "csv":
            yield from _csv(text, sweep)
        case "html":
            if re.search(r"<(?:img|svg|object|iframe|video|audio)\b", text, re.IGNORECASE):
                lost.append("pictures")
            yield from _swept(document_blocks(text), sweep)
        case "rtf":
            lost += [what for mark, what in _BESIDE if mark.search(text)]
            yield from _lines(_unformatted(text), sweep)
        case _:
            yield from _lines(text, sweep)


def _lines(text: str, sweep: Sweep) -> Iterator[Block]:
    # The whole text first: a name may go on in the next line.
    lines = sweep(text).splitlines()
    for filled, some in groupby(lines, key=lambda line: bool(line.strip())):
        for paragraph in batched(some, _LINES, strict=False) if filled else ():
            whole = "\n".join(paragraph)
            # Piece by piece, so that somebody can stop between them.
            yield from (Paragraph(whole[begin : begin + _PIECE]) for begin in range(0, len(whole), _PIECE))


def _unformatted(text: str) -> str:
    plain: Callable[..., str] = rtf_to_text
    return plain(in_short_lines(text), errors="ignore")


def in_short_lines(text: str) -> str:
    """Return an RTF text, in which the ends of lines mean nothing, in lines of hardly more than 2,000 characters.

    striprtf looks for links with an expression that takes up to the cube of a line's length.
    """
    return _LONG_LINE.sub(r"\1\n", text)


def _csv(text: str, sweep: Sweep) -> Iterator[Block]:
    sample = text[:20_000]
    first = sample.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        head = [sweep(cell) for cell in next(rows, [])]
        for some in batched(rows, _ROWS, strict=False):
            cells = [[sweep(cell) for cell in row] for row in some if any(row)]
            yield from table_blocks(head, cells)
        if not text[len(first) :].strip():
            yield Paragraph(", ".join(head))
    except csv.Error as error:
        raise UnreadableDocument("it is no table of values") from error


def table_blocks(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    """Return rows as a table, or, where they are too wide for one, each as a summary list."""
    width = max([len(head), *map(len, rows)], default=0)
    if not rows or not width:
        return
    if width <= _COLUMNS:
        yield Table([*head, *[""] * (width - len(head))], [[*row, *[""] * (width - len(row))] for row in rows])
        return
    for row in rows:
        for index, cell in enumerate(row):
            yield Pair(head[index] if index < len(head) else f"Column {index + 1}", cell)
        yield Paragraph("")


def _swept(blocks: Iterator[Block], sweep: Sweep) -> Iterator[Block]:
    for block in blocks:
        match block:
            case Heading(text, level):
                yield Heading(sweep(text), max(level, LEVEL))
            case Paragraph(text, mark):
                yield Paragraph(sweep(text), mark)
            case Pair(label, value):
                yield Pair(sweep(label), sweep(value))
            case Table(head, rows):
                yield Table([sweep(cell) for cell in head], [[sweep(cell) for cell in row] for row in rows])
