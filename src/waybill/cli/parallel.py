"""Many calls at a time, in bounded memory, and waiting between calls."""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import repeat

from waybill.core.errors import RetryableError

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 20.0


def prefetched[T](pages: Iterator[list[T]], pool: Executor) -> Iterator[T]:
    """Return the elements of `pages`; while one page is used, `pool` reads the next, the first one from now on."""
    return _flattened(pages, pool, pool.submit(next, pages, None))


def _flattened[T](pages: Iterator[list[T]], pool: Executor, upcoming: Future[list[T] | None]) -> Iterator[T]:
    while (page := upcoming.result()) is not None:
        upcoming = pool.submit(next, pages, None)
        yield from page


def in_order[T, R](
    items: Iterable[T], work: Callable[[T], R], pool: Executor, *, window: int, trivial: Callable[[T], R | None]
) -> Iterator[R]:
    """Yield the results of `work` in the order of `items`, at most `window` of which are under way or waiting.

    An item that `trivial` has a result for never gets to the pool.
    """
    pending: deque[R | Future[R]] = deque()
    for item in items:
        known = trivial(item)
        pending.append(pool.submit(work, item) if known is None else known)
        while len(pending) >= window or (pending and _is_done(pending[0])):
            yield _result(pending.popleft())
    while pending:
        yield _result(pending.popleft())


def _is_done[R](pending: R | Future[R]) -> bool:
    return not isinstance(pending, Future) or pending.done()


def _result[R](pending: R | Future[R]) -> R:
    return pending.result() if isinstance(pending, Future) else pending


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
