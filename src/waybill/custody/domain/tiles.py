"""The layout of a log as files: tiles of 256 hashes and bundles of 256 entries (https://c2sp.org/tlog-tiles)."""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from waybill.custody.domain.merkle import Node, node_hash
from waybill.custody.errors import BadProofError

WIDTH = 256
HEIGHT = 8
_HASH_BYTES = 32
# A bundle of 256 entries of at most 65,535 bytes each; what is larger is not ours.
_MOST_BUNDLE_BYTES = WIDTH * (65_535 + 2)


class Tile(NamedTuple):
    """A tile, by its level and number; `width` is how many hashes it has, 256 when it is full."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Where it is, below the root of the log."""
        return f"tile/{self.level}/{_numbered(self.number, self.width)}"


def bundle_path(number: int, width: int) -> str:
    """Return where a bundle of entries is."""
    return f"tile/entries/{_numbered(number, width)}"


def _numbered(number: int, width: int) -> str:
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.insert(0, f"x{number % 1000:03}")
    return "/".join(parts) + (f".p/{width}" if width < WIDTH else "")


def width_of(level: int, number: int, size: int) -> int:
    """Return how many hashes a tile has in a log of that size; 0 when there is no such tile."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - number * WIDTH))


def grown_tiles(old: int, new: int) -> Iterator[Tile]:
    """Yield the tiles that are new when a log grows from one size to another, the lowest level first."""
    level = 0
    while new >> HEIGHT * level:
        before, after = old >> HEIGHT * level, new >> HEIGHT * level
        for number in range(before // WIDTH, -(-after // WIDTH)):
            width = width_of(level, number, new)
            if width > width_of(level, number, old):
                yield Tile(level, number, width)
        level += 1


def subtree(hashes: Sequence[bytes]) -> bytes:
    """Return the hash above a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def hashes_in(tile: bytes, width: int) -> list[bytes]:
    """Return the hashes of a tile.

    Raises
    ------
    BadProofError
        It has another length.
    """
    if len(tile) != width * _HASH_BYTES:
        raise BadProofError(f"a tile of {width} hashes has {len(tile)} bytes")
    return [tile[start : start + _HASH_BYTES] for start in range(0, len(tile), _HASH_BYTES)]


def bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as the file that holds them, compressed; the same bytes for the same entries."""
    written = b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)
    return gzip.compress(written, mtime=0)


def entries_in(packed: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises
    ------
    BadProofError
        It is damaged, or larger than a bundle can be.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        written = unpacker.decompress(packed, _MOST_BUNDLE_BYTES)
    except zlib.error:
        raise BadProofError("a bundle of entries is damaged") from None
    if not unpacker.eof:
        raise BadProofError("a bundle of entries is cut off, or too large")
    entries, at = [], 0
    while at < len(written):
        end = at + 2 + int.from_bytes(written[at : at + 2], "big")
        if end > len(written) or at + 2 > len(written):
            raise BadProofError("a bundle of entries is damaged")
        entries.append(written[at + 2 : end])
        at = end
    return entries


@dataclass(frozen=True)
class TileNodes:
    """Gives nodes out of tiles; `read` gets the bytes of a tile. Reads each tile that a proof needs once."""

    read: Callable[[Tile], bytes]
    size: int

    def node(self) -> Node:
        """Return what gives the nodes of the log."""
        known: dict[tuple[int, int], list[bytes]] = {}

        def node(level: int, index: int) -> bytes:
            tile_level, height = divmod(level, HEIGHT)
            first = index << height
            number = first // WIDTH
            if (tile_level, number) not in known:
                width = width_of(tile_level, number, self.size)
                known[tile_level, number] = hashes_in(self.read(Tile(tile_level, number, width)), width)
            at = first % WIDTH
            return subtree(known[tile_level, number][at : at + (1 << height)])

        return node
