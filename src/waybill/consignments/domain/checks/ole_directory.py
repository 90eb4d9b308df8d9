"""The names in the directory of an OLE2 compound file.

Source: [MS-CFB] sections 2.2 (header), 2.3 to 2.5 (allocation tables), 2.6 (directory). An encrypted Office document is
such a file with a stream `EncryptedPackage` ([MS-OFFCRYPTO] section 2.3.4.4).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA
_HEADER_TABLES = 109
_ENTRY_LENGTH = 128
# A chain that is longer than any real directory is a ring, or meant to be read for ever.
_DIRECTORY_SECTORS = 4096


def stream_names(file: BinaryIO) -> Iterator[str]:
    """Yield the names of storages and streams; as far as the directory can be read."""
    header = file.read(512)
    if len(header) < 512 or not header.startswith(MARK):
        return
    (shift,) = struct.unpack_from("<H", header, 30)
    if shift not in {9, 12}:
        return
    size = 1 << shift
    tables = struct.unpack_from(f"<{_HEADER_TABLES}L", header, 76)
    (sector,) = struct.unpack_from("<L", header, 48)
    for _ in range(_DIRECTORY_SECTORS):
        if sector >= _LAST_SECTOR:
            return
        yield from _names(_sector(file, sector, size))
        sector = _next(file, tables, sector, size)


def _names(sector: bytes) -> Iterator[str]:
    for place in range(0, len(sector) - _ENTRY_LENGTH + 1, _ENTRY_LENGTH):
        length, kind = struct.unpack_from("<HB", sector, place + 64)
        if kind and 2 <= length <= 64:
            yield sector[place : place + length - 2].decode("utf-16-le", "replace")


def _sector(file: BinaryIO, number: int, size: int) -> bytes:
    file.seek((number + 1) * size)
    return file.read(size)


def _next(file: BinaryIO, tables: tuple[int, ...], sector: int, size: int) -> int:
    """Return the sector behind `sector`; the last one's mark when the table is not one of the header's."""
    table, place = divmod(sector, size // 4)
    if table >= len(tables) or tables[table] >= _LAST_SECTOR:
        return _LAST_SECTOR
    entries = _sector(file, tables[table], size)
    return struct.unpack_from("<L", entries, place * 4)[0] if len(entries) >= place * 4 + 4 else _LAST_SECTOR
