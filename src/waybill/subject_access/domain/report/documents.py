"""Attached texts and documents as blocks: plain text, CSV, HTML, RTF, messages and Word documents.

What is text is shown, with headings, lists and tables as far as they are marked as such; what is not shown, such as
pictures within a document, is said. Redacted values are taken out of the text before it is drawn.
"""

import csv
import email
import email.policy
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import MIMEPart
from itertools import batched, groupby
from pathlib import Path
from typing import Final

from docx import Document
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph
from striprtf.striprtf import rtf_to_text

from waybill.subject_access.domain.report.blocks import Block, Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.markup import document_blocks

TEXT, CSV, HTML, RTF, MAIL, WORD = "text", "csv", "html", "rtf", "mail", "word"
# A text is looked through as a whole.
_MOST_BYTES: Final = 20_000_000
_MOST_UNPACKED: Final = 100_000_000
_MOST_MEMBERS: Final = 5_000
_ROWS: Final = 500
_LINES: Final = 200
_PIECE: Final = 50_000
# More columns than these are too narrow on a page to be read.
_COLUMNS: Final = 10
_MOST_PARTS: Final = 50
_LEVEL: Final = 3
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
_HEADERS: Final = ("From", "To", "Cc", "Bcc", "Date", "Subject")
# What of a Word document is not among its paragraphs and tables (ECMA-376, part 1, section 11.3).
_ELSEWHERE: Final = (
    ("word/media/", "pictures"),
    ("word/embeddings/", "embedded files"),
    ("word/comments", "comments"),
    ("word/footnotes", "footnotes"),
    ("word/endnotes", "endnotes"),
    ("word/charts/", "charts"),
    ("word/diagrams/", "diagrams"),
)

type Sweep = Callable[[str], str]


class UnreadableDocument(ValueError):
    """A document that cannot be shown; the text says why."""


@dataclass
class Drawn:
    """A document as blocks; once they are all taken, `lost` names what is not among them."""

    blocks: Iterator[Block]
    lost: list[str] = field(default_factory=list)


def document_kind(begin: bytes, content_type: str, name: str) -> str | None:
    """Return what a file is by its first bytes, its declared type, or the end of its name; None for no document."""
    if begin.startswith(b"{\\rtf"):
        return RTF
    by_name = _BY_NAME.get(Path(name).suffix.lower())
    kind = _DECLARED.get(content_type.partition(";")[0].strip().lower(), by_name)
    if begin.startswith(b"PK\x03\x04"):
        return WORD if kind == WORD else None
    if kind in (WORD, RTF):
        return None
    # Plain text that is called so by a careless service.
    return by_name if kind == TEXT and by_name in (CSV, HTML, MAIL) else kind


def document(path: Path, kind: str, sweep: Sweep) -> Drawn:
    """Return a document as blocks.

    Raises
    ------
    UnreadableDocument
        It is damaged, too large, or something else than it is said to be; also while its blocks are taken.
    """
    if path.stat().st_size > _MOST_BYTES and kind != WORD:
        raise UnreadableDocument(f"it has more than {_MOST_BYTES // 1_000_000} MB of text")
    drawn = Drawn(iter(()))
    if kind == WORD:
        drawn.blocks = _word(path, sweep, drawn.lost)
    elif kind == MAIL:
        drawn.blocks = _mail(path.read_bytes(), sweep, drawn.lost)
    else:
        drawn.blocks = _text(_decoded(path.read_bytes()), kind, sweep, drawn.lost)
    return drawn


def _decoded(content: bytes) -> str:
    """Return a text in UTF-8 or UTF-16 with a mark, in UTF-8, else in the code page of Western Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:4096]:
        raise UnreadableDocument("it is no text, though it is said to be")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    return content.decode("cp1252", "replace")


def _text(text: str, kind: str, sweep: Sweep, lost: list[str]) -> Iterator[Block]:
    match kind:
        case "csv":
            yield from _csv(text, sweep)
        case "html":
            if re.search(r"<(?:img|svg|object|iframe|video|audio)\b", text, re.IGNORECASE):
                lost.append("pictures")
            yield from _swept(document_blocks(text), sweep)
        case "rtf":
            if r"\pict" in text or r"\objdata" in text:
                lost.append("pictures and embedded files")
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
    return plain(text, errors="ignore")


def _csv(text: str, sweep: Sweep) -> Iterator[Block]:
    sample = text[:20_000]
    first = sample.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        head = [sweep(cell) for cell in next(rows, [])]
        for some in batched(rows, _ROWS, strict=False):
            cells = [[sweep(cell) for cell in row] for row in some if any(row)]
            yield from _table(head, cells)
        if not text[len(first) :].strip():
            yield Paragraph(", ".join(head))
    except csv.Error as error:
        raise UnreadableDocument("it is no table of values") from error


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Block]:
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
                yield Heading(sweep(text), max(level, _LEVEL))
            case Paragraph(text, mark):
                yield Paragraph(sweep(text), mark)
            case Pair(label, value):
                yield Pair(sweep(label), sweep(value))
            case Table(head, rows):
                yield Table([sweep(cell) for cell in head], [[sweep(cell) for cell in row] for row in rows])


def _mail(content: bytes, sweep: Sweep, lost: list[str], depth: int = 0) -> Iterator[Block]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    if not any(message.get(name) for name in ("From", "Date", "Subject", "To")):
        raise UnreadableDocument("it is no message")
    for name in _HEADERS:
        for value in message.get_all(name, []):
            yield Pair(name, sweep(str(value)))
    body = message.get_body(("plain", "html"))
    if body is not None:
        kind = HTML if body.get_content_type() == "text/html" else TEXT
        yield from _text(_payload_text(body), kind, sweep, lost)
    parts = [part for part in message.walk() if part is not body and not part.is_multipart()]
    for part in parts[:_MOST_PARTS]:
        yield from _part(part, body, sweep, lost, depth)
    if len(parts) > _MOST_PARTS:
        lost.append("further attachments")


def _part(part: MIMEPart, body: MIMEPart | None, sweep: Sweep, lost: list[str], depth: int) -> Iterator[Block]:
    """Draw what hangs on a message; the same text as HTML is not drawn again."""
    kind = part.get_content_type()
    name = part.get_filename()
    if name is None and body is not None and kind in ("text/plain", "text/html"):
        return
    shown = document_kind(b"", kind, name or "")
    yield Heading(sweep(f"Attached: {name or kind}"), _LEVEL)
    if shown in (TEXT, CSV, HTML):
        yield from _text(_payload_text(part), shown, sweep, lost)
    elif shown == MAIL and depth < _LEVEL:
        payload = part.get_payload(decode=True)
        yield from _mail(payload if isinstance(payload, bytes) else b"", sweep, lost, depth + 1)
    else:
        lost.append(f"an attachment of type {kind}")
        yield Paragraph("Not shown here.")


def _payload_text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset()
    if charset:
        with suppress(LookupError, UnicodeDecodeError):
            return content.decode(charset)
    return _decoded(content)


def _word(path: Path, sweep: Sweep, lost: list[str]) -> Iterator[Block]:
    names = _members(path)
    lost += [what for begin, what in _ELSEWHERE if any(name.startswith(begin) for name in names)]
    try:
        found = Document(str(path))
        for section in found.sections:
            for text in dict.fromkeys(one.text for one in (*section.header.paragraphs, *section.footer.paragraphs)):
                if text.strip():
                    yield Paragraph(sweep(text))
        for block in found.iter_inner_content():
            if isinstance(block, WordParagraph):
                yield from _word_paragraph(block, sweep)
            elif isinstance(block, WordTable):
                rows = [[sweep(cell.text) for cell in row.cells] for row in block.rows]
                yield from _table(rows[0], rows[1:]) if len(rows) > 1 else (Paragraph(" ".join(row)) for row in rows)
        if found.element.xpath("//w:del | //w:txbxContent"):
            lost.append("changes that are marked, and text in boxes")
    except UnreadableDocument:
        raise
    # Damaged documents come up as whatever they are used for.
    except Exception as error:
        raise UnreadableDocument("the file is damaged") from error


def _word_paragraph(found: WordParagraph, sweep: Sweep) -> Iterator[Block]:
    if not found.text.strip():
        return
    style = (found.style.name if found.style is not None else "") or ""
    text = sweep(found.text)
    if style.startswith(("Heading", "Title")):
        yield Heading(text, _LEVEL)
    else:
        yield Paragraph(text, "•" if style.startswith("List") else "")


def _members(path: Path) -> list[str]:
    """Return the names in a package, after a look at what it would unfold to."""
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableDocument("the file is damaged") from error
    if len(members) > _MOST_MEMBERS or sum(one.file_size for one in members) > _MOST_UNPACKED:
        raise UnreadableDocument("it unfolds to more than 100 MB")
    return [one.filename for one in members]
