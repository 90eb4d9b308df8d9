"""The source of VBA macros, which stands compressed in the streams of modules ([MS-OVBA] 2.4.1)."""

import re
from collections.abc import Iterator

# A container begins with 0x01, and its first chunk with a header whose bits 12 to 14 are 0b011 (2.4.1.1.5); the source
# of a module begins with `Attribute`, of which the first eight characters are a token sequence without copies.
_SOURCE = re.compile(rb"\x01[\x00-\xff][\xb0-\xbf]\x00Attribut")
_CHUNK_BYTES = 4096
_SOURCE_BYTES = 16 << 20
_SOURCES = 16


def macro_sources(stream: bytes) -> Iterator[bytes]:
    """Yield the sources in the stream of a module, as far as they can be unpacked."""
    for number, found in enumerate(_SOURCE.finditer(stream)):
        if number >= _SOURCES:
            return
        yield decompress(stream[found.start() :])


def decompress(packed: bytes) -> bytes:
    """Return what a compressed container holds, up to where it breaks off ([MS-OVBA] 2.4.1.3.1)."""
    plain = bytearray()
    place = 1
    while place + 2 <= len(packed) and len(plain) < _SOURCE_BYTES:
        header = int.from_bytes(packed[place : place + 2], "little")
        if header >> 12 & 0b111 != 0b011:
            break
        end = min(len(packed), place + (header & 0xFFF) + 3)
        if header >> 15:
            plain += _chunk(packed[place + 2 : end])
        else:
            plain += packed[place + 2 : place + 2 + _CHUNK_BYTES]
        place = end
    return bytes(plain)


def _chunk(packed: bytes) -> bytes:
    plain = bytearray()
    place = 0
    while place < len(packed):
        flags, place = packed[place], place + 1
        for bit in range(8):
            if place >= len(packed):
                break
            if not flags >> bit & 1:
                plain.append(packed[place])
                place += 1
                continue
            if place + 2 > len(packed) or not plain:
                return bytes(plain)
            token = int.from_bytes(packed[place : place + 2], "little")
            place += 2
            # The further one is in the chunk, the more bits say how far back to go (2.4.1.3.19.1).
            bits = max((len(plain) - 1).bit_length(), 4)
            length = (token & (0xFFFF >> bits)) + 3
            offset = (token >> (16 - bits)) + 1
            if offset > len(plain):
                return bytes(plain)
            for _ in range(length):
                plain.append(plain[-offset])
            if len(plain) > _CHUNK_BYTES:
                return bytes(plain)
    return bytes(plain)
