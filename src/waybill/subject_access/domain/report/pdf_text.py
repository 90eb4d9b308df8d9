"""What the pages of an attached PDF say, for a search: the pages themselves are shown as they came.

A page may also be a picture of text, or draw letters that its fonts do not name: what is read here is never all.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pypdfium2

# PDFium's sign for a hyphen at the end of a line that belongs to no word.
_HYPHEN: Final = "\ufffe"
# A page of this many characters is none that a person reads.
_MOST_CHARACTERS: Final = 200_000


def texts_of(path: Path, until: float) -> Iterator[tuple[int, str]]:
    """Yield the text of each page with its number from 1, until a time of the monotonic clock.

    Pages that cannot be read are left out.
    """
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return
    try:
        for number in range(len(document)):
            if time.monotonic() > until:
                return
            yield number + 1, _text(document, number)
    finally:
        document.close()


def _text(document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        try:
            text = page.get_textpage()
            try:
                count = min(text.count_chars(), _MOST_CHARACTERS)
                return str(text.get_text_range(0, count, errors="replace")).replace(_HYPHEN, "") if count else ""
            finally:
                text.close()
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        return ""
