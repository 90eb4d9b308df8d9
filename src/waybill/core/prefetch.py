"""Reading ahead: the only place that does. In order, in parallel, and of bounded depth."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Self


def _always(_item: object) -> bool:
    return True


def _leave(_result: object) -> None:
    """Leave a result to the garbage collector."""


class Prefetch[T, R]:
    """Does `work` on `items` before the results are asked for, in their order; a context.

    `with Prefetch(files, fetch, threads=4, depth=8) as fetched:` and then `fetched.take()` for each file, or
    `for file, content in fetched:`.

    Parameters
    ----------
    items : Iterable[T]
        Read on the caller's thread, `depth` items ahead of what is taken. What it raises comes in its place, behind the
        results of the items before.
    work : Callable[[T], R | None]
        Runs on a thread. What it raises is raised by the `take` of its own item and of no other.
    threads : int
        How many run at a time.
    depth : int
        How many items are under way or wait to be taken: what bounds memory, disk and lost work.
    ahead : Callable[[T], bool]
        Whether an item is worked on ahead; where not, `take` returns None, and the caller does the work when it gets
        there: a large file, or one that needs no work.
    discard : Callable[[R], object]
        Gets what nobody has taken at the end of the context: closes a connection, removes a file.
    """

    def __init__(
        self,
        items: Iterable[T],
        work: Callable[[T], R | None],
        *,
        threads: int,
        depth: int,
        ahead: Callable[[T], bool] = _always,
        discard: Callable[[R], object] = _leave,
    ) -> None:
        if threads < 1 or depth < 1:
            raise ValueError("there is at least one thread, and one item ahead")
        self._items = iter(items)
        self._work = work
        self._depth = depth
        self._ahead = ahead
        self._discard = discard
        self._line: deque[tuple[T, Future[R | None] | None]] = deque()
        self._ended = False
        self._failure: Exception | None = None
        self._threads = ThreadPoolExecutor(threads)

    def __enter__(self) -> Self:
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for _item, future in self._line:
            # What became of it is nobody's news any more.
            with suppress(Exception):
                if future is not None and not future.cancelled() and (result := future.result()) is not None:
                    self._discard(result)
        self._line.clear()

    def take(self, expected: T | None = None) -> R | None:
        """Return the result for the next item, or None where it was not worked on ahead or `work` returned None.

        Raises
        ------
        ValueError
            The next item is not the `expected` one: its result would be taken for another's.
        IndexError
            There are no more items.
        Exception
            What `work` has raised for this item.
        """
        return self._next(expected)[1]

    def __iter__(self) -> Iterator[tuple[T, R | None]]:
        while self._line:
            yield self._next(None)
        if self._failure is not None:
            raise self._failure

    def _next(self, expected: T | None) -> tuple[T, R | None]:
        if not self._line:
            raise self._failure or IndexError("there are no more items")
        item, future = self._line[0]
        if expected is not None and item != expected:
            raise ValueError("another item is next")
        # It leaves the line when its work has ended: a wait that is interrupted leaves it to be discarded.
        error = None if future is None else future.exception()
        self._line.popleft()
        self._fill()
        if error is not None:
            raise error
        return item, None if future is None else future.result()

    def _fill(self) -> None:
        while not self._ended and len(self._line) < self._depth:
            try:
                item = next(self._items)
                ahead = self._ahead(item)
            except StopIteration:
                self._ended = True
            except Exception as error:  # it is raised in its place
                self._ended, self._failure = True, error
            else:
                self._line.append((item, self._threads.submit(self._work, item) if ahead else None))


def prefetched[T](pages: Iterator[list[T]], pool: Executor) -> Iterator[T]:
    """Return the elements of `pages`; while one page is used, `pool` reads the next, the first one from now on.

    For listings, where only the page before tells where the next begins. Many share a pool, which whoever made it ends.
    """
    return _flattened(pages, pool, pool.submit(next, pages, None))


def _flattened[T](pages: Iterator[list[T]], pool: Executor, upcoming: Future[list[T] | None]) -> Iterator[T]:
    while (page := upcoming.result()) is not None:
        upcoming = pool.submit(next, pages, None)
        yield from page


def in_order[T, R](
    items: Iterable[T], work: Callable[[T], R], pool: Executor, *, window: int, trivial: Callable[[T], R | None]
) -> Iterator[R]:
    """Yield the results of `work` in the order of `items`, at most `window` of which are under way or waiting.

    For work whose pool, and what stops it, are the caller's: a result is given as soon as it is known, before another
    item is read. An item that `trivial` has a result for never gets to the pool.
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
