"""Joins files of pages into one."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pikepdf

# Files that are open at the same time; qpdf reads pages from their files while it writes.
_OPEN: Final = 50
_STRUCTURE: Final = "/WaybillStructure"


def concatenate(files: Sequence[Path], destination: Path, structure: Path) -> None:
    """Write the pages of `files` one after the other, and what a screen reader is told of them.

    The same files give the same bytes.
    """
    level, round_number = list(files), 0
    while len(level) > _OPEN:
        level = [
            _joined(level[begin : begin + _OPEN], destination.with_suffix(f".{round_number}-{begin}.pdf"))
            for begin in range(0, len(level), _OPEN)
        ]
        round_number += 1
    _joined(level, destination, structure.read_bytes())


def structure_of(pdf: pikepdf.Pdf) -> bytes:
    """Return what `concatenate` wrote of the structure of a file's pages; nothing where another wrote the file."""
    found = pdf.Root.get(_STRUCTURE)
    return found.read_bytes() if isinstance(found, pikepdf.Stream) else b""


def keep_structure(pdf: pikepdf.Pdf, structure: bytes) -> None:
    """Keep the structure of a file's pages in the file, where no reader looks and no page leads to."""
    pdf.Root[_STRUCTURE] = pdf.make_stream(structure)


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _share_resources(pdf: pikepdf.Pdf) -> None:
    """Let pages that draw with the same fonts, and with nothing else, have one list of them.

    It is most of what a page takes in memory when it is joined, numbered and tagged. Who adds something to what a page
    draws with gives that page a list of its own first.
    """
    shared: dict[tuple[tuple[str, tuple[int, int]], ...], pikepdf.Object] = {}
    for page in pdf.pages:
        listed = page.obj.Resources
        if "/XObject" not in listed and not listed.is_indirect:
            fonts = tuple((name, one.objgen) for name, one in listed.get("/Font", pikepdf.Dictionary()).items())
            if fonts not in shared:
                shared[fonts] = pdf.make_indirect(listed)
            page.obj.Resources = shared[fonts]
        # What reportlab gives each page, and says what is so without.
        for key in ("/Trans", "/Rotate"):
            if key in page.obj and not page.obj[key]:
                del page.obj[key]


def _joined(files: Sequence[Path], destination: Path, structure: bytes = b"") -> Path:
    with ExitStack() as opened:
        joined = opened.enter_context(pikepdf.new())
        for file in files:
            source = opened.enter_context(pikepdf.open(file))
            _share_resources(source)
            joined.pages.extend(source.pages)
        if structure:
            keep_structure(joined, structure)
        joined.save(destination, deterministic_id=True)
    return destination
