"""The log as files, each written once: entries, tiles and heads. Nothing here knows what the entries say."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from waybill.custody.domain.merkle import Edge, leaf_hash
from waybill.custody.domain.notes import Checkpoint, VerifierKey, signed_note
from waybill.custody.domain.tiles import WIDTH, Tile, bundle, bundle_path, entries_in, grown_tiles, hashes_in, subtree
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
        self._write_bundles(edge.size, entries)
        self._write_tiles(edge.size, grown.size, hashes)
        key = self.signer.key()
        head = Checkpoint(key.name, grown.size, grown.root)
        note = signed_note(head, key, self.signer.sign(head.text.encode())).encode()
        # The key first: a head that nobody can verify is none.
        self.write(KEY, f"{key.text}\n".encode())
        self.write(head_path(grown.size), note)
        self.log.replace(CHECKPOINT, note)
        return grown

    def _check_head(self, edge: Edge) -> None:
        """Nothing is signed on top of an edge that another tree has than the one whose head was signed."""
        if edge.size:
            said = self._existing(head_path(edge.size)).split(b"\n")
            if said[1:3] != [str(edge.size).encode(), base64.b64encode(edge.root)]:
                raise LogForkedError(f"the table's edge of {edge.size} entries is not what the log's head signs")

    def write(self, path: str, content: bytes) -> None:
        """Write a file once, or find that it is there and says the same."""
        there = self.log.write_once(path, content)
        if there is not None and there != content and not _same_entries(there, content):
            raise LogForkedError(f"{path} of the log is there, and says something else")

    def _write_bundles(self, size: int, entries: Sequence[bytes]) -> None:
        number, inside = divmod(size, WIDTH)
        begun = entries_in(self._existing(bundle_path(number, inside))) if inside else []
        waiting = [*begun, *entries]
        for start in range(0, len(waiting), WIDTH):
            some = waiting[start : start + WIDTH]
            self.write(bundle_path(number + start // WIDTH, len(some)), bundle(some))

    def _write_tiles(self, old: int, new: int, leaves: Sequence[bytes]) -> None:
        """Write the tiles that are new, a level at a time: the roots of full tiles are hashes of the level above."""
        added = leaves
        for level, tiles in groupby(grown_tiles(old, new), key=lambda tile: tile.level):
            number, inside = divmod(old >> 8 * level, WIDTH)
            begun = Tile(level, number, inside)
            row = [*(hashes_in(self._existing(begun.path), inside) if inside else ()), *added]
            roots = []
            for tile in tiles:
                start = (tile.number - number) * WIDTH
                hashes = row[start : start + tile.width]
                self.write(tile.path, b"".join(hashes))
                if tile.width == WIDTH:
                    roots.append(subtree(hashes))
            added = roots

    def _existing(self, path: str) -> bytes:
        content = self.log.read(path)
        if content is None:
            raise LogForkedError(f"{path} of the log is not there any more")
        return content


def _same_entries(one: bytes, other: bytes) -> bool:
    """Return whether two files are bundles of the same entries: another release of zlib packs them otherwise."""
    try:
        return entries_in(one) == entries_in(other)
    except BadProofError:
        return False
