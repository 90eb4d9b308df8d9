"""Waiting without sleeping longer than needed."""

import time
from collections.abc import Callable

_INTERVAL = 0.05


def until[Found](probe: Callable[[], Found | None], what: str, within: float = 30) -> Found:
    """Return what `probe` finds as soon as it finds anything; fails with `what` after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        if found := probe():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(_INTERVAL)
