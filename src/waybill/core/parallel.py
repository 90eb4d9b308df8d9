"""Many calls at a time, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future


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
