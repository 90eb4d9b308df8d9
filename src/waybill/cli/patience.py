"""Calls that are made again: after a fault that passes, or until what they tell has come to its end."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import repeat

from waybill.core.errors import RetryableError

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 20.0
_FIRST_LOOK_SECONDS = 0.2
_LONGEST_LOOK_SECONDS = 3.0


class Patience:
    """Repeats calls that may succeed later, until it is told to stop.

    Parameters
    ----------
    attempts : int
        Calls before the error is raised.
    """

    def __init__(self, attempts: int = 8) -> None:
        self._attempts = attempts
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let no call be repeated from now on."""
        self._stopped.set()

    def call[R](self, work: Callable[[], R]) -> R:
        """Return the result of `work`, with pauses of full jitter between its attempts.

        Raises
        ------
        RetryableError
            The last attempt failed too.
        """
        for pause in pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, self._attempts - 1):
            try:
                return work()
            except RetryableError:
                if self._stopped.wait(random.uniform(0, pause)):  # noqa: S311
                    raise
        return work()


def pauses(first: float, longest: float, count: int | None = None) -> Iterator[float]:
    """Yield `count` pauses in seconds (None: without end), each half as long again as the last, up to `longest`."""
    pause = first
    for _ in repeat(None) if count is None else repeat(None, count):
        yield pause
        pause = min(pause * 1.5, longest)


def looks[R](look: Callable[[], R]) -> Iterator[R]:
    """Yield what `look` returns, without end, with pauses that grow from 0.2 to 3 seconds between.

    Raises
    ------
    RetryableError
        A look failed again and again.
    """
    patience = Patience()
    for pause in pauses(_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS):
        yield patience.call(look)
        time.sleep(pause)
