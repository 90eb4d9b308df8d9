"""Attached texts and documents as blocks: plain text, CSV, HTML, RTF, messages and Word documents.

What is text is shown, with headings, lists and tables as far as they are marked as such; what is not shown, such as
pictures within a document, is said. Redacted values are taken out of the text before it is drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from waybill.subject_access.domain.report.blocks import Block
from waybill.subject_access.domain.report.messages import message_blocks
from waybill.subject_access.domain.report.texts import (
    MAIL,
    WORD,
    Sweep,
    UnreadableDocument,
    decoded,
    document_kind,
    text_blocks,
)
from waybill.subject_access.domain.report.word import word_blocks

__all__ = ["Drawn", "Sweep", "UnreadableDocument", "document", "document_kind"]

# A text is looked through as a whole.
_MOST_BYTES: Final = 20_000_000


@dataclass
class Drawn:
    """A document as blocks; once they are all taken, `lost` names what is not among them."""

    blocks: Iterator[Block]
    lost: list[str] = field(default_factory=list)


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
        drawn.blocks = word_blocks(path, sweep, drawn.lost)
    elif kind == MAIL:
        drawn.blocks = message_blocks(path.read_bytes(), sweep, drawn.lost)
    else:
        drawn.blocks = text_blocks(decoded(path.read_bytes()), kind, sweep, drawn.lost)
    drawn.blocks = _readable(drawn.blocks)
    return drawn


def _readable(blocks: Iterator[Block]) -> Iterator[Block]:
    try:
        yield from blocks
    except UnreadableDocument:
        raise
    # Damaged and hostile documents come up as whatever the libraries meet in them, and are no end of a report.
    except Exception as error:
        raise UnreadableDocument("the file is damaged") from error
