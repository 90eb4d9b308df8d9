"""A service's attachments on pages: pictures, PDFs, texts and documents; for all others a page that says why not.

A placeholder is no failure: the file is in the package (`packaging`), and a person looks at it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from waybill.subject_access.domain.report.blocks import Enclosed
from waybill.subject_access.domain.report.documents import Sweep, UnreadableDocument, document, document_kind
from waybill.subject_access.domain.report.flow import Flow
from waybill.subject_access.domain.report.models import Attachment, AttachmentOutcome, Bookmark
from waybill.subject_access.domain.report.pdf_pages import Placement, cleaned
from waybill.subject_access.domain.report.pdf_streams import UnreadablePdf
from waybill.subject_access.domain.report.pdf_text import texts_of
from waybill.subject_access.domain.report.pictures import UnreadablePicture, frames
from waybill.subject_access.domain.report.sheets import BOTTOM, PORTRAIT
from waybill.subject_access.domain.report.wording import one_line

type Look = Callable[[str, str], None]

# The share of the page that a picture is fitted into.
_SHARE: Final = 0.75
_MAGIC: Final = (
    (b"\xff\xd8\xff", "picture"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"GIF87a", "picture"),
    (b"GIF89a", "picture"),
    (b"II*\x00", "picture"),
    (b"MM\x00*", "picture"),
    (b"%PDF-", "pdf"),
)
# ISO/IEC 14496-12, 4.3, and 23008-12, annex B: what a box of type ftyp says first of a picture.
_HEIF: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_DECLARED: Final = {
    "image/jpeg": "picture",
    "image/jpg": "picture",
    "image/png": "picture",
    "image/gif": "picture",
    "image/tiff": "picture",
    "image/webp": "picture",
    "image/bmp": "picture",
    "image/heic": "picture",
    "image/heif": "picture",
    "application/pdf": "pdf",
}
# A PDF may have this much of something else before its header (ISO 32000-1, annex H.3.4.1).
_HEADER: Final = 1024
# What one attachment may take; the rest of it is said not to be shown.
MOST_PAGES: Final = 1_000
_SECONDS: Final = 60.0


@dataclass(frozen=True)
class _File:
    """What is drawn under a heading: an attachment, or a file within one; `number` is that of the attachment."""

    number: int
    title: str
    level: int
    lines: Sequence[str]
    filename: str
    content_type: str
    path: Path


class Attachments:
    """Draws the attachments of one part.

    Parameters
    ----------
    flow : Flow
        Where to draw.
    work : Path
        A folder for copies of PDFs.
    sweep : Sweep
        Takes redacted values out of a text that is drawn.
    look : Look or None
        Notes what a text that is shown as it came has of them, and where; None where there is nothing to look for.

    Attributes
    ----------
    placements : list[Placement]
        What is to be set into the part's pages once they are written.
    bookmarks : list[Bookmark]
        One per attachment.
    outcomes : list[AttachmentOutcome]
        How each came out.
    """

    def __init__(self, flow: Flow, work: Path, sweep: Sweep = str, look: Look | None = None) -> None:
        self._sweep = sweep
        self._look = look
        self._flow = flow
        self._work = work
        self._within = 0
        self._last, self._until = 0, 0.0
        self.placements: list[Placement] = []
        self.bookmarks: list[Bookmark] = []
        self.outcomes: list[AttachmentOutcome] = []

    def draw(self, attachments: Sequence[Attachment], hidden: Mapping[int, str]) -> None:
        """Draw `attachments` by their numbers, 2 before 10; of those `hidden`, what stands in their place."""
        for attachment in sorted(attachments, key=lambda one: one.number):
            first = self._flow.sheets.pages + 1
            # What is within an attachment shares its budget.
            self._last, self._until = first + MOST_PAGES, time.monotonic() + _SECONDS
            if attachment.number in hidden:
                self._hidden(attachment.number, hidden[attachment.number])
                continue
            self._searched = self._unread = self._taken_out = False
            problem = self._shown(attachment)
            pages = self._flow.sheets.pages - first + 1
            title = one_line(attachment.name) or one_line(attachment.filename)
            self.bookmarks.append(Bookmark(f"Attachment {attachment.number}: {title}".rstrip(": "), first, 1))
            self.outcomes.append(
                AttachmentOutcome(
                    attachment.number,
                    first,
                    pages,
                    problem,
                    searched=self._searched and not self._unread,
                    name=title,
                    swept=self._taken_out,
                )
            )

    def _hidden(self, number: int, marker: str) -> None:
        flow = self._flow
        flow.page()
        flow.heading(f"Attachment: {number}", 2)
        flow.paragraph(marker)
        self.bookmarks.append(Bookmark(f"Attachment {number}", flow.sheets.pages, 1))
        self.outcomes.append(AttachmentOutcome(number, flow.sheets.pages, 1, redacted=True))

    def _shown(self, attachment: Attachment) -> str | None:
        """Draw one attachment; return why it has a placeholder, or None."""
        names = dict.fromkeys((one_line(attachment.filename), one_line(attachment.name)))
        file = _File(
            attachment.number,
            f"Attachment: {attachment.number}",
            2,
            [*filter(None, names)],
            attachment.filename,
            attachment.content_type,
            attachment.path or Path(),
        )
        if attachment.path is None or attachment.problem:
            return self._placeholder(file, attachment.problem or "the file is missing")
        return self._drawn(file)

    def _drawn(self, file: _File) -> str | None:
        begin = _begin(file.path)
        match _kind(begin, file.content_type):
            case "picture":
                return self._picture(file)
            case "pdf":
                return self._pdf(file)
        kind = document_kind(begin, file.content_type, file.filename)
        if kind is not None:
            return self._document(file, kind)
        return self._placeholder(file, f"files of the type {_content_type(file)} cannot be printed")

    def _enclosed(self, found: Enclosed, number: int, lost: list[str]) -> None:
        """Draw a file that is within a document."""
        self._within += 1
        path = self._work / f"enclosed-{self._within:05}"
        path.write_bytes(found.content)
        file = _File(number, one_line(found.title), 3, (), found.filename, found.content_type, path)
        if problem := self._drawn(file):
            lost.append(f"{file.title} ({problem})")

    def _picture(self, file: _File) -> str | None:
        flow = self._flow
        begun, self._unread = False, True
        try:
            for number, image in enumerate(frames(file.path), start=1):
                if begun:
                    flow.page()
                else:
                    self._heading(file)
                begun = True
                page_width, page_height = PORTRAIT
                room = flow.room
                scale = min(_SHARE * page_width / image.width, min(_SHARE * page_height, room) / image.height)
                width, height = image.width * scale, image.height * scale
                with flow.sheets.marked("Figure") as mark:
                    flow.sheets.picture(image, (page_width - width) / 2, BOTTOM + (room - height) / 2, width, height)
                # Nobody knows what it shows; what it is called stands above it.
                told = {"Alt": f"Picture {number} of attachment {file.number}, without a description"}
                flow.sheets.structure.leaf("Figure", [mark], told)
        except UnreadablePicture as error:
            if not begun:
                return self._placeholder(file, str(error))
            flow.page()
            flow.paragraph(f"The rest of this attachment cannot be shown: {error}.")
            return str(error)
        # Whatever comes next has a page of its own.
        flow.at(BOTTOM)
        return None

    def _document(self, file: _File, kind: str) -> str | None:
        flow, begun = self._flow, False
        try:
            drawn = document(file.path, kind, self._swept)
            for block in drawn.blocks:
                if not begun:
                    self._heading(file)
                    begun = True
                if isinstance(block, Enclosed):
                    self._enclosed(block, file.number, drawn.lost)
                else:
                    flow.draw([block])
                if flow.sheets.pages >= self._last or time.monotonic() > self._until:
                    raise UnreadableDocument(f"it has more than {MOST_PAGES:,} pages, or takes too long to be drawn")
        except UnreadableDocument as error:
            if not begun:
                return self._placeholder(file, str(error))
            flow.paragraph(f"The rest of this attachment cannot be shown: {error}.", bold=True)
            return str(error)
        self._searched = True
        if not begun:
            self._heading(file)
            flow.paragraph("This attachment is empty.")
        if drawn.lost:
            flow.outdent()
            problem = f"not all of it is shown: {', '.join(dict.fromkeys(drawn.lost))}"
            flow.paragraph(f"Of this attachment {problem}.", bold=True)
            return problem
        return None

    def _swept(self, text: str) -> str:
        swept = self._sweep(text)
        self._taken_out = self._taken_out or swept != text
        return swept

    def _pdf(self, file: _File) -> str | None:
        self._unread = True
        try:
            clean = cleaned(file.path, self._work / f"attachment-{len(self.outcomes):05}-{self._within:05}.pdf")
        except UnreadablePdf as error:
            return self._placeholder(file, str(error))
        if self._look is not None:
            for page, text in texts_of(clean.path, time.monotonic() + _SECONDS):
                self._look(text, f"attachments[{file.number}].pages[{page}]")
        self._heading(file)
        count = len(clean.sizes)
        self._flow.paragraph(f"PDF file, {count:,} {'page' if count == 1 else 'pages'}")
        for index, size in enumerate(clean.sizes):
            sheets = self._flow.sheets
            sheets.begin(size)
            mark = sheets.reserve()
            self.placements.append(Placement(sheets.pages - 1, clean.path, index, mark.number))
            if clean.texts[index]:
                sheets.structure.leaf("P", [mark])
            else:
                told = f"Page {index + 1} of attachment {file.number}, a picture without a description"
                sheets.structure.leaf("Figure", [mark], {"Alt": told})
        self._flow.at(BOTTOM)
        return None

    def _placeholder(self, file: _File, problem: str) -> str:
        self._heading(file)
        self._flow.paragraph(f"This attachment cannot be shown: {problem}.", bold=True)
        return problem

    def _heading(self, file: _File) -> None:
        flow = self._flow
        flow.page()
        flow.heading(file.title, file.level)
        for line in file.lines:
            flow.paragraph(line)


def _content_type(file: _File) -> str:
    return one_line(file.content_type, 100) or "unknown"


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER)


def _kind(begin: bytes, content_type: str) -> str | None:
    """Return what a file is by its first bytes, or else by its declared type; None for no picture and no PDF."""
    for magic, kind in _MAGIC:
        if begin.startswith(magic):
            return kind
    if begin[4:8] == b"ftyp" and begin[8:12] in _HEIF:
        return "picture"
    if (begin[:4], begin[8:12]) == (b"RIFF", b"WEBP") or (begin[:2] == b"BM" and begin[6:10] == bytes(4)):
        return "picture"
    if b"%PDF-" in begin:
        return "pdf"
    return _DECLARED.get(content_type.partition(";")[0].strip().lower())
