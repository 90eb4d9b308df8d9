"""Archives that stand somewhere in other bytes: behind a picture or a page, or behind the program that unpacks them.

A ZIP archive is found from its end; these have their mark at the beginning alone. Each mark is so long that other
contents do not have it by chance.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from waybill.core.containers.archives import CHUNK, counted
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, UnopenedReason

# The signatures of 7-Zip and RAR, and that of cabinets with the reserved field behind it ([MS-CAB] 2.3).
_MARK = re.compile(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|MSCF\0\0\0\0")
_OVERLAP = 7
# Who hides an archive behind more false beginnings is told that not all was opened.
_MOST = 32


def appended_places(file: BinaryIO) -> Iterator[int]:
    """Yield where archives begin in `file`, but for its own beginning."""
    read, kept, last = 0, b"", 0
    while True:
        file.seek(read)
        chunk = file.read(CHUNK)
        if not chunk:
            return
        window = kept + chunk
        for found in _MARK.finditer(window):
            place = read - len(kept) + found.start()
            # What begins in the bytes that were kept may have been found before.
            if place > last:
                last = place
                yield place
        read += len(chunk)
        kept = window[-_OVERLAP:]


def appended_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield everything from each such beginning on, to be opened as what it is."""
    for number, place in enumerate(list(_first(file))):
        if number >= _MOST:
            raise ContainerError(UnopenedReason.MEMBERS)
        budget.enter()
        yield ContainerEntry(f"from byte {place:,}", counted(_From(file, place), budget, CHUNK))


def _first(file: BinaryIO) -> Iterator[int]:
    for number, place in enumerate(appended_places(file)):
        yield place
        if number >= _MOST:
            return


class _From:
    """The rest of a file, from a place on; others may read the file meanwhile."""

    def __init__(self, file: BinaryIO, place: int) -> None:
        self._file, self._place = file, place

    def read(self, count: int, /) -> bytes:
        self._file.seek(self._place)
        part = self._file.read(count)
        self._place += len(part)
        return part
