"""Hyperscan's databases, compiled once for all tests: most of an engine's start, and hundreds of tests start one."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from waybill.scanning.domain.detection import gates


def compiled_once(patched: pytest.MonkeyPatch) -> None:
    """Let databases of the same patterns be copies of one."""
    patched.setattr(gates, "_database", _copying(gates._database))


def _copying(compile_database: Callable[..., Any]) -> Callable[..., Any]:
    compiled: dict[Any, bytes] = {}

    def database(hyperscan: Any, patterns: Mapping[int, Any], flags: int = 0) -> Any:
        key = (flags, *patterns.items())
        if key not in compiled:
            compiled[key] = hyperscan.dumpb(compile_database(hyperscan, patterns, flags))
        copy = hyperscan.loadb(compiled[key], hyperscan.HS_MODE_BLOCK)
        # Each has a space of its own to work in: threads of several engines scan at a time.
        copy.scratch = hyperscan.Scratch(copy)
        return copy

    return database
