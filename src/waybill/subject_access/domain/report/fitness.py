"""Whether a file that came from outside is a PDF that may be handed on, read to its end.

CWE-434, CWE-345; ISO 32000-1, 7.11.4 (embedded files), 12.6 (actions). A parser that is not ours may die, or take all
memory and time, on what was made for that: it runs in a process of its own.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pikepdf

# What the pages show may unfold to so much in all.
_MOST_CONTENT_BYTES: Final = 1 << 30
_MOST_PAGES: Final = 200_000
_DEPTH: Final = 50
# GoToR and GoToE open another file, which may lie on somebody's server (12.6.4.3, 12.6.4.4).
_ACTIONS: Final = frozenset(
    (
        *("/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/RichMediaExecute"),
        *("/GoToR", "/GoToE", "/Sound", "/Movie"),
    )
)
# Annotations that bring a file of their own (12.5.6.15 to 12.5.6.17).
_FILES: Final = frozenset(("/FileAttachment", "/Sound", "/Movie"))
_KEYS: Final = ("/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/AA", "/XFA", "/RichMediaContent")


def examined(file: Path) -> int | str:
    """Return the number of pages of a PDF, or what is wrong with it."""
    try:
        # What begins as something else is taken for that elsewhere: a picture and a PDF in one.
        with file.open("rb") as begin:
            if begin.read(5) != b"%PDF-":
                return "it is no PDF, or damaged"
        # Without a repair: of half a file that would leave the pages that are there.
        with pikepdf.open(file, suppress_warnings=True, attempt_recovery=False) as pdf:
            return _problem(pdf) or len(pdf.pages)
    except pikepdf.PasswordError:
        return "it needs a password"
    # Damaged objects come up as whatever they are used for.
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, MemoryError):
        return "it is no PDF, or damaged"


def _problem(pdf: pikepdf.Pdf) -> str | None:
    if pdf.is_encrypted:
        return "it is encrypted"
    if not 0 < len(pdf.pages) <= _MOST_PAGES:
        return "it has no pages, or too many"
    if any(_acts(one) for one in pdf.objects):
        return "it has scripts, actions or files in it"
    size = 0
    for page in pdf.pages:
        contents = page.obj.get("/Contents", pikepdf.Array())
        for stream in contents if isinstance(contents, pikepdf.Array) else [contents]:
            size += len(stream.read_bytes())
            if size > _MOST_CONTENT_BYTES:
                return "its pages unfold to more than a gigabyte"
    return None


def _acts(found: object, depth: int = 0) -> bool:
    """Return whether an object, or what is written within it, does something when the file is opened or read."""
    if depth > _DEPTH:
        return True
    if isinstance(found, pikepdf.Array):
        return any(_acts(one, depth + 1) for one in _within(found))
    if not isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if any(key in found for key in _KEYS) or str(found.get("/S", "")) in _ACTIONS:
        return True
    if str(found.get("/Subtype", "")) in _FILES:
        return True
    return any(_acts(one, depth + 1) for one in _within(found.get(key) for key in found.keys()))  # noqa: SIM118


def _within(values: Iterable[object]) -> Iterator[object]:
    """Yield those values that are no objects of their own: these are looked at for themselves."""
    return (one for one in values if isinstance(one, pikepdf.Object) and not one.is_indirect)
