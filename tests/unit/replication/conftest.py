from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.interleaving import parts_in_turn
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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """All that happens on a stage happens in the thread of the test."""
    with pytest.MonkeyPatch.context() as patched:
        parts_in_turn(patched)
        yield
