"""Hyperscan's databases of patterns: compiled, or as an earlier process on the same machine has compiled them."""

import hashlib
from collections.abc import Mapping
from importlib import metadata
from typing import Any, Protocol


class Cache(Protocol):
    """Keeps bytes by name for later processes, as long as it likes; nobody else can have changed what it gives."""

    def load(self, name: str) -> bytes | None:
        """Return what is kept, None where nothing is."""
        ...

    def store(self, name: str, content: bytes) -> None:
        """Keep something, where that is possible."""
        ...


class Compiler:
    """Makes databases, of which a `cache` spares the second process the time to compile them."""

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache

    def database(self, patterns: Mapping[int, str] | Mapping[int, bytes], flags: int = 0) -> Any:
        """Return a database of patterns, by the index that it reports."""
        import hyperscan

        written = [each.encode("ascii") if isinstance(each, str) else each for each in patterns.values()]
        if self._cache is None:
            return _compiled(hyperscan, written, [*patterns], flags)
        # Hyperscan itself refuses what another version or another kind of processor has compiled.
        asked = repr((metadata.version("hyperscan"), flags, [*patterns], written))
        name = f"patterns-{hashlib.sha256(asked.encode()).hexdigest()}"
        database = _loaded(hyperscan, self._cache.load(name))
        if database is None:
            database = _compiled(hyperscan, written, [*patterns], flags)
            self._cache.store(name, hyperscan.dumpb(database))
        return database


def _compiled(hyperscan: Any, patterns: list[bytes], indices: list[int], flags: int) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=patterns, ids=indices, flags=[flags] * len(patterns))
    return database


def _loaded(hyperscan: Any, content: bytes | None) -> Any | None:
    if content is None:
        return None
    try:
        database = hyperscan.loadb(content, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except hyperscan.HyperscanError:
        return None
    return database
