from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    """Buckets without versions, which keep checksums."""
    return World()


@pytest.fixture
def world_with() -> Callable[..., World]:
    """A world with buckets of other kinds: `versioned`, `encryption`, `checksum`; the source, and all others."""

    def make(source: dict[str, Any] | None = None, others: dict[str, Any] | None = None) -> World:
        made = World()
        made.s3.create_bucket(SOURCE, **(source or {}))
        for name in DESTINATIONS:
            made.s3.create_bucket(name, **(others or {}))
        return made

    return make
