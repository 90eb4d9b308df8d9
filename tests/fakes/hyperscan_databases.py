"""Hyperscan's databases, compiled once for all tests: most of an engine's start, and hundreds of tests start one."""

import pytest

from waybill.scanning.domain.detection import gates
from waybill.scanning.domain.detection.compiling import Cache, Compiler


class MemoryCache(dict[str, bytes]):
    """A `Cache` in memory."""

    def load(self, name: str) -> bytes | None:
        """Return what is kept."""
        return self.get(name)

    def store(self, name: str, content: bytes) -> None:
        """Keep it."""
        self[name] = content


def compiled_once(patched: pytest.MonkeyPatch) -> None:
    """Let databases of the same patterns be copies of one."""
    shared = MemoryCache()

    def compiler(cache: Cache | None = None) -> Compiler:
        return Compiler(shared if cache is None else cache)

    patched.setattr(gates, "Compiler", compiler)
