"""A space of keys cut into ranges that share no key and leave none out, so that they can be listed at once.

S3 lists keys in the order of their UTF-8 bytes (Amazon S3 API Reference, ListObjectsV2), which for text without
surrogates is the order of its code points, and Python's. A range is bounded by keys, never by guessed letters: wherever
the cuts lie, the ranges are disjoint and complete. Where they lie only decides how even the ranges are.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import pairwise
from typing import NamedTuple, Protocol

LAST = "\U0010ffff"
"""The last character: no key behind `prefix + LAST` begins with `prefix`, unless it holds this one."""

_PROBES_AT_ONCE = 16
_KEYS_PER_CALL = 1000
_PIECES_LATER = 8

type Listed[Found: Keyed] = tuple[Sequence[Found], bool]
type ListPage[Found: Keyed] = Callable[[str, str, int], Listed[Found]]
"""Takes prefix, the key to begin behind, and a limit; returns objects in order, and whether these are the last."""
type FirstKey = Callable[[str, str], str | None]
"""Takes a prefix and a key; returns the first key behind that key which begins with the prefix."""


class Keyed(Protocol):
    """Anything with a key."""

    @property
    def key(self) -> str:
        """The key."""
        ...


class KeyRange(NamedTuple):
    """The keys behind `after` up to `upto`, that one included; an empty `upto` is no bound."""

    after: str = ""
    upto: str = ""

    def ends_before(self, key: str) -> bool:
        """Return whether `key` lies behind this range."""
        return bool(self.upto) and key > self.upto


def cut(whole: KeyRange, at: Iterable[str]) -> list[KeyRange]:
    """Return `whole` cut at those of the keys `at` that lie inside it, in order; each key ends a range."""
    inside = sorted({key for key in at if key > whole.after and (not whole.upto or key < whole.upto)})
    bounds = [whole.after, *inside, whole.upto]
    return [KeyRange(after, upto) for after, upto in pairwise(bounds)]


def even_cuts(whole: KeyRange, prefix: str, parts: int, first_key: FirstKey) -> list[str]:
    """Return up to `parts - 1` keys to cut `whole` at, found by asking for first keys, about two for each part.

    The keys are a tree of common beginnings. It is opened level by level until it has a branch for every part; then
    neighbouring branches are put together. `first_key` is called from several threads.
    """
    if parts < 2:
        return []
    branches = [prefix]
    with ThreadPoolExecutor(_PROBES_AT_ONCE) as threads:
        while len(branches) < parts:
            opened = list(threads.map(lambda branch: _opened(branch, whole, 2 * parts, first_key), branches))
            below = [branch for found in opened for branch in found]
            if not below or below == branches:
                break
            branches = below
    # A branch ends behind everything that begins with it, so before the next branch's first possible key.
    ends = [_end_of(branch) for branch in branches[:-1]]
    step = max(1.0, len(branches) / parts)
    chosen = {round(number * step) - 1 for number in range(1, parts)}
    return [end for index, end in enumerate(ends) if index in chosen]


def _opened(branch: str, whole: KeyRange, most: int, first_key: FirstKey) -> list[str]:
    """Return the branches below `branch`, the first `most` of them; itself when it holds a single key."""

    def first(behind: str, beginning: str) -> str | None:
        found = first_key(beginning, max(behind, whole.after))
        return None if found is None or whole.ends_before(found) else found

    key = first("", branch)
    if key is None:
        return []
    stem = _stem(key, branch, lambda beginning: first(_end_of(beginning), branch) is None)
    if key == stem:
        key = first(key, stem)
    found: list[str] = []
    # Behind the end of a branch there is only more of it where keys hold the last character: enough is known then.
    while key is not None and len(found) < most and key[: len(stem) + 1] not in found[-1:]:
        found.append(key[: len(stem) + 1])
        key = first(_end_of(found[-1]), stem)
    return found or [branch]


def _stem(key: str, branch: str, holds_all: Callable[[str], bool]) -> str:
    """Return the longest beginning of `key` that all keys of the branch have, by halving."""
    low, high = len(branch), len(key)
    while low < high:
        middle = (low + high + 1) // 2
        if holds_all(key[:middle]):
            low = middle
        else:
            high = middle - 1
    return key[:low]


def _end_of(beginning: str) -> str:
    return beginning + LAST


class Listing(NamedTuple):
    """What `list_space` has found: the objects' number, and how many calls and ranges that took."""

    keys: int
    calls: int
    ranges: int


class _Counted[Found: Keyed]:
    """Counts the calls of `page`."""

    def __init__(self, page: ListPage[Found]) -> None:
        self.calls = 0
        self._page = page
        self._lock = threading.Lock()

    def __call__(self, prefix: str, after: str, limit: int) -> Listed[Found]:
        with self._lock:
            self.calls += 1
        return self._page(prefix, after, limit)

    def first_key(self, prefix: str, after: str) -> str | None:
        found, _ = self(prefix, after, 1)
        return found[0].key if found else None


def list_space[Found: Keyed](
    page: ListPage[Found],
    *,
    prefix: str = "",
    fan_out: int = 64,
    batch_keys: int = 10_000,
    each: Callable[[Sequence[Found]], object] = len,
) -> Listing:
    """List all keys as the listing workflow does, in this process: batches in up to `fan_out` ranges at a time.

    Parameters
    ----------
    page : ListPage
        Lists; called from several threads.
    prefix : str
        What all keys begin with.
    fan_out : int
        Ranges that are open at a time at most; 1 lists one page after the other.
    batch_keys : int
        Keys after which a range is asked whether it should be cut.
    each : Callable
        Gets every page's objects, from several threads.
    """
    counted = _Counted(page)
    keys, ranges = 0, 1
    cutting = threading.Lock()
    with ThreadPoolExecutor(fan_out) as threads:

        def batch(part: KeyRange, pieces: int) -> tuple[int, list[KeyRange]]:
            found = 0
            while found < batch_keys:
                listed, final = counted(prefix, part.after, min(_KEYS_PER_CALL, batch_keys - found))
                inside = [entry for entry in listed if not part.ends_before(entry.key)]
                found += len(inside)
                each(inside)
                if final or len(inside) < len(listed):
                    return found, []
                part = part._replace(after=listed[-1].key)
            # One at a time cuts: in the workflow the others find the number of ranges changed.
            if not cutting.acquire(blocking=False):
                return found, [part]
            try:
                return found, cut(part, even_cuts(part, prefix, pieces, counted.first_key))
            finally:
                cutting.release()

        running = {threads.submit(batch, KeyRange(), pieces_for(1, fan_out, first=True))}
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for one in ended:
                found, parts = one.result()
                keys += found
                ranges += max(0, len(parts) - 1)
                for part in parts:
                    pieces = pieces_for(len(running) + 1, fan_out, first=ranges == 1)
                    running.add(threads.submit(batch, part, pieces))
    return Listing(keys, counted.calls, ranges)


def pieces_for(open_ranges: int, limit: int, *, first: bool) -> int:
    """Return into how many pieces one of the open ranges is cut: 1 unless less than half of `limit` is used.

    What is left of a space that was cut before (not `first`) is cut into few pieces: it may be little.
    """
    if 2 * open_ranges > limit:
        return 1
    return min(limit - open_ranges + 1, limit if first else _PIECES_LATER)
