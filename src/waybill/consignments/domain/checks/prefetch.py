"""Fetches the small files of a group while others are examined: S3 takes longer to begin an answer than to give it."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import Self

from waybill.consignments.domain.checks.contents import Fetched
from waybill.consignments.domain.checks.models import FileRecord

_THREADS = 4
_DEPTH = 8
# Those that wait take disk; a large one alone keeps the line busy for long enough.
SMALL_BYTES = 8 << 20


class FilePrefetch:
    """Hands out files in the order of `records`; small ones are being fetched before they are asked for.

    Parameters
    ----------
    records : iterable of FileRecord
        The files.
    fetch_small : callable
        Fetches a file of at most so many bytes, on a thread; None if it is larger than was listed.
    fetch : callable
        Fetches any file, when it is asked for.
    """

    def __init__(
        self,
        records: Iterable[FileRecord],
        fetch_small: Callable[[FileRecord, int], Fetched | None],
        fetch: Callable[[FileRecord], Fetched],
    ) -> None:
        self._records = iter(records)
        self._fetch_small = fetch_small
        self._fetch = fetch
        self._line: deque[tuple[FileRecord, Future[Fetched | None] | None]] = deque()
        self._pool = ThreadPoolExecutor(_THREADS)

    def __enter__(self) -> Self:
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for _record, future in self._line:
            if future is not None and not future.cancelled():
                # Nobody asks for it any more; its copy has to go.
                with suppress(Exception), future.result() or nullcontext():  # an error is nobody's news any more
                    pass

    def take(self) -> Fetched:
        """Return the next file; raises what fetching it raises."""
        record, future = self._line.popleft()
        self._fill()
        fetched = None if future is None else future.result()
        return self._fetch(record) if fetched is None else fetched

    def _fill(self) -> None:
        while len(self._line) < _DEPTH:
            record = next(self._records, None)
            if record is None:
                return
            small = record.object_size is not None and record.object_size <= SMALL_BYTES
            self._line.append((record, self._pool.submit(self._fetch_small, record, SMALL_BYTES) if small else None))
