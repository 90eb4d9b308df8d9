"""The log as files, each written once: entries, tiles and heads. Nothing here knows what the entries say."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from waybill.custody.domain.merkle import Edge, leaf_hash
from waybill.custody.domain.signed_heads import Checkpoint, VerifierKey, signed_note
from waybill.custody.domain.tiles import (
    HEIGHT,
    WIDTH,
    Tile,
    bundle,
    bundle_path,
    entries_in,
    grown_tiles,
    hashes_in,
    subtree,
)
from waybill.custody.errors import BadProofError, LogForkedError

CHECKPOINT, KEY, HEADS = "checkpoint", "key", "checkpoints/"


def head_path(size: int) -> str:
    """Return where the head of a log of that size is; text order is the order of sizes."""
    return f"{HEADS}{size:020}"


class Log(Protocol):
    """The files of the log; raises `CustodyUnavailableError` and `CustodyRefusedError`."""

    def read(self, path: str) -> bytes | None:
        """Return a file, None where there is none."""
        ...

    def read_oldest(self, path: str) -> bytes | None:
        """Return the first version of a file, whatever was put over it; None where there never was one."""
        ...

    def write_once(self, path: str, content: bytes) -> bytes | None:
        """Write a file that is not there yet; return what is there already, None when there was nothing."""
        ...

    def replace(self, path: str, content: bytes) -> None:
        """Write a file that always says the newest."""
        ...


class Signer(Protocol):
    """Signs as the log; raises as `Log`."""

    def key(self) -> VerifierKey:
        """Return the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature, which is the same for the same message."""
        ...


@dataclass(frozen=True)
class LogFiles:
    """Writes the log; raises `LogForkedError` where a file is there that says something else."""

    log: Log
    signer: Signer

    def append(self, edge: Edge, entries: Sequence[bytes]) -> Edge:
        """Write what a log becomes with more entries behind its edge; return the new edge."""
        self._check_head(edge)
        hashes = [leaf_hash(entry) for entry in entries]
        grown = edge.extended(hashes)
        self._write_bundles(edge, entries)
        self._write_tiles(edge, grown.size, hashes)
        note = self._head_of(grown)
        # The key first: a head that nobody can verify is none.
        self.write(KEY, f"{self.signer.key().text}\n".encode())
        self.write(head_path(grown.size), note)
        self.log.replace(CHECKPOINT, note)
        return grown

    def _head_of(self, edge: Edge) -> bytes:
        key = self.signer.key()
        head = Checkpoint(key.name, edge.size, edge.root)
        return signed_note(head, key, self.signer.sign(head.text.encode())).encode()

    def _check_head(self, edge: Edge) -> None:
        """Nothing is signed on top of an edge that another tree has than the one whose head was signed."""
        if not edge.size:
            return
        # The same text has the same signature (RFC 8032), so no head of somebody else passes.
        fits = len(edge.hashes) == edge.size.bit_count()
        if not fits or not self._was_written(head_path(edge.size), self._head_of(edge)):
            raise LogForkedError(f"the table's edge of {edge.size} entries is not what the log's head signs")

    def write(self, path: str, content: bytes) -> None:
        """Write a file once, or find that it is there and says the same."""
        there = self.log.write_once(path, content)
        if there is not None and there != content and not self._was_written(path, content):
            raise LogForkedError(f"{path} of the log is there, and says something else")

    def _was_written(self, path: str, content: bytes) -> bool:
        """Return whether a file says this, or did before somebody put another over it."""
        versions = (read(path) for read in (self.log.read, self.log.read_oldest))
        return any(there == content or _same_entries(there, content) for there in versions if there is not None)

    def _write_bundles(self, edge: Edge, entries: Sequence[bytes]) -> None:
        number, inside = divmod(edge.size, WIDTH)
        known = _begun(edge, 0)

        def leads_to_edge(packed: bytes) -> list[bytes] | None:
            found = entries_in(packed)
            return found if Edge().extended(map(leaf_hash, found)).hashes == known else None

        begun = self._existing(bundle_path(number, inside), leads_to_edge) if inside else []
        waiting = [*begun, *entries]
        for start in range(0, len(waiting), WIDTH):
            some = waiting[start : start + WIDTH]
            self.write(bundle_path(number + start // WIDTH, len(some)), bundle(some))

    def _write_tiles(self, edge: Edge, new: int, leaves: Sequence[bytes]) -> None:
        """Write the tiles that are new, a level at a time: the roots of full tiles are hashes of the level above."""
        added = leaves
        for level, tiles in groupby(grown_tiles(edge.size, new), key=lambda tile: tile.level):
            number, inside = divmod(edge.size >> 8 * level, WIDTH)
            row = [*(self._begun_row(edge, level, number, inside) if inside else ()), *added]
            roots = []
            for tile in tiles:
                start = (tile.number - number) * WIDTH
                hashes = row[start : start + tile.width]
                self.write(tile.path, b"".join(hashes))
                if tile.width == WIDTH:
                    roots.append(subtree(hashes))
            added = roots

    def _begun_row(self, edge: Edge, level: int, number: int, inside: int) -> list[bytes]:
        known = _begun(edge, level)

        def leads_to_edge(tile: bytes) -> list[bytes] | None:
            found = hashes_in(tile, inside)
            return found if Edge().extended(found).hashes == known else None

        return self._existing(Tile(level, number, inside).path, leads_to_edge)

    def _existing(self, path: str, opened: Callable[[bytes], list[bytes] | None]) -> list[bytes]:
        """Return what a file holds that the log goes on from: as it was written, whatever was put over it."""
        for read in (self.log.read, self.log.read_oldest):
            content = read(path)
            with suppress(BadProofError):
                if content is not None and (found := opened(content)) is not None:
                    return found
        raise LogForkedError(f"{path} of the log is not there any more, or is not what its head signs")


def _begun(edge: Edge, level: int) -> tuple[bytes, ...]:
    """Return the hashes of an edge that stand for the tile of a level which is not full; a tile is 8 levels high."""
    heights = [height for height in range(edge.size.bit_length() - 1, -1, -1) if edge.size >> height & 1]
    return tuple(hash_ for height, hash_ in zip(heights, edge.hashes, strict=True) if height // HEIGHT == level)


def _same_entries(one: bytes, other: bytes) -> bool:
    """Return whether two files are bundles of the same entries: another release of zlib packs them otherwise."""
    try:
        return entries_in(one) == entries_in(other)
    except BadProofError:
        return False
