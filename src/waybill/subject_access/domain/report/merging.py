"""Joins files of pages into one."""

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pikepdf

# Files that are open at the same time; qpdf reads pages from their files while it writes.
_OPEN: Final = 50


def concatenate(files: Sequence[Path], destination: Path) -> None:
    """Write the pages of `files` one after the other. The same files give the same bytes."""
    if len(files) == 1:
        shutil.copyfile(files[0], destination)
        return
    level, round_number = list(files), 0
    while len(level) > _OPEN:
        level = [
            _joined(level[begin : begin + _OPEN], destination.with_suffix(f".{round_number}-{begin}.pdf"))
            for begin in range(0, len(level), _OPEN)
        ]
        round_number += 1
    _joined(level, destination)


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _joined(files: Sequence[Path], destination: Path) -> Path:
    with ExitStack() as opened:
        joined = opened.enter_context(pikepdf.new())
        for file in files:
            joined.pages.extend(opened.enter_context(pikepdf.open(file)).pages)
        joined.save(destination, deterministic_id=True)
    return destination
