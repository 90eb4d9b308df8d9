"""What a picture or a sound holds besides itself: what stands behind its end, and texts that PNG compresses.

Sources: JPEG (ITU T.81, annex B), PNG (third edition, 5.2, 11.3.3), GIF89a (its grammar, appendix B), RIFF ("Multimedia
Programming Interface and Data Specifications 1.0": a size of everything behind it).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from waybill.core.containers.archives import CHUNK, From, counted, place_of, refused
from waybill.core.containers.models import ContainerBudget, ContainerEntry, UnopenedReason

_PNG, _JPEG, _GIF, _RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF"
BEGINNINGS = (_PNG, _JPEG, _GIF, _RIFF)
_STUFFING = b"\0 \t\r\n"
_TEXT_BYTES = 16 << 20
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, b"\xff\xd9"
_UNKNOWN_SIZE = 0xFFFFFFFF
_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C


def picture_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the compressed texts of a PNG, and what stands behind the end of a picture or a sound, where it is any."""
    file.seek(0)
    if file.read(len(_PNG)) == _PNG:
        yield from _compressed_texts(file, budget)
    size = file.seek(0, io.SEEK_END)
    place = _end_of(file, budget)
    if place is None or place >= size:
        return
    file.seek(place)
    while block := file.read(CHUNK):
        if rest := block.lstrip(_STUFFING):
            budget.enter()
            place = file.tell() - len(rest)
            yield ContainerEntry("behind the end", counted(From(file, place), budget, size - place))
            return
        budget.check_time()


def _end_of(file: BinaryIO, budget: ContainerBudget) -> int | None:
    """Return where the picture ends by its own account, or the last of several in a row; None where it is unknown."""
    end: int | None = 0
    while end is not None:
        budget.check_time()
        file.seek(end)
        head = file.read(12)
        # Cameras put further pictures behind the first (CIPA DC-007), and long films are several of RIFF's.
        if end and not head.startswith((_JPEG, _RIFF)):
            return end
        try:
            end = _end_of_one(file, end, head, budget)
        except (struct.error, IndexError):
            return None
    return None


def _end_of_one(file: BinaryIO, start: int, head: bytes, budget: ContainerBudget) -> int | None:
    if head.startswith(_PNG):
        return max((place + length for _, place, length in _chunks(file, budget)), default=None)
    if head.startswith(_JPEG):
        return _end_of_jpeg(file, start)
    if head.startswith(_GIF):
        return _end_of_gif(file, budget)
    size = int(struct.unpack_from("<L", head, 4)[0])
    # Who writes into a pipe does not know it.
    return start + 8 + size + size % 2 if 0 < size < _UNKNOWN_SIZE else None


def _chunks(file: BinaryIO, budget: ContainerBudget) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, place and length (with the checksum behind it) of the chunks of a PNG up to its last."""
    place = len(_PNG)
    while True:
        budget.check_time()
        file.seek(place)
        lead = file.read(8)
        if len(lead) < 8:
            return
        length, kind = struct.unpack(">L4s", lead)
        yield kind, place + 8, length + 4
        if kind == b"IEND":
            return
        place += 12 + length


def _compressed_texts(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    for kind, place, length in _chunks(file, budget):
        if kind not in {b"zTXt", b"iTXt", b"iCCP"}:
            continue
        budget.enter()
        name = f"{kind.decode()} at byte {place:,}"
        if length > _TEXT_BYTES:
            yield refused(name, UnopenedReason.MEMBER_BYTES)
            continue
        file.seek(place)
        _, _, rest = file.read(length - 4).partition(b"\0")
        packed, compressed = rest[1:], True
        if kind == b"iTXt":
            compressed = rest[:1] == b"\1"
            packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        try:
            plain = zlib.decompressobj().decompress(packed, _TEXT_BYTES) if compressed else packed
        except zlib.error:
            yield refused(name, UnopenedReason.BROKEN)
            continue
        yield ContainerEntry(name, counted(io.BytesIO(plain), budget, length))


def _end_of_jpeg(file: BinaryIO, start: int) -> int | None:
    """Return where the first picture ends: no marker but those of restarts stands in what a scan has encoded."""
    place = start + 2
    while True:
        file.seek(place)
        lead = file.read(4)
        if lead[0] != 0xFF:
            return None
        place += 2 + struct.unpack_from(">H", lead, 2)[0]
        if lead[1] == _START_OF_SCAN:
            found = place_of(file, _END_OF_IMAGE, place)
            return found + 2 if found >= 0 else None


def _end_of_gif(file: BinaryIO, budget: ContainerBudget) -> int | None:
    file.seek(10)
    place = 13 + _colours(file.read(1)[0])
    while True:
        budget.check_time()
        file.seek(place)
        lead = file.read(10)
        if lead[0] == _TRAILER:
            return place + 1
        if lead[0] == _EXTENSION:
            place += 2
        elif lead[0] == _IMAGE:
            place += 11 + _colours(lead[9])
        else:
            return None
        place = _behind_blocks(file, place)


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(file: BinaryIO, place: int) -> int:
    file.seek(place)
    while size := file.read(1)[0]:
        file.seek(size, io.SEEK_CUR)
    return file.tell()
