"""Calls that a command repeats while somebody waits for it at a terminal."""

import threading
from collections.abc import Callable, Iterator

from waybill.core.clock import Clock
from waybill.core.retry import Retry, looks


def command_retry(stopping: threading.Event | None = None) -> Retry:
    """Return how a command repeats a call that may succeed later; once `stopping` is set, no more."""
    event = stopping or threading.Event()
    return Retry(tries=8, first_pause=0.5, longest_pause=20.0, clock=Clock(sleep=event.wait), stopped=event.is_set)


def watch[T](look: Callable[[], T]) -> Iterator[T]:
    """Yield what `look` returns, again and again, with pauses that grow to 3 seconds.

    Raises
    ------
    RetryableError
        Eight looks in a row failed.
    """
    retry = command_retry()
    return looks(lambda: retry.call(look), clock=Clock())
