"""A space of keys cut into ranges that share no key and leave none out, so that they can be listed at once.

S3 lists keys in the order of their UTF-8 bytes (Amazon S3 API Reference, ListObjectsV2), which for text without
surrogates is the order of its code points, and Python's. A range is bounded by keys, never by guessed letters: wherever
the cuts lie, the ranges are disjoint and complete. Where they lie only decides how even the ranges are.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import NamedTuple, Protocol

from waybill.scanning.keys import KeyRange

LAST = "\U0010ffff"
"""The last character: no key behind `prefix + LAST` begins with `prefix`, unless it holds this one."""

_BRANCHES_AT_ONCE = 32
# Of a branch. Each look that needs the answer to another one before it takes as long as a page; these need none.
_LOOKS_AT_ONCE = 4
PAGE_KEYS = 1000
"""Keys that S3 lists in a call at most."""
_PIECES_LATER = 8
# A key to begin behind has at most 1,024 bytes, of which the last characters take eight.
_STEM_BYTES = 1016
# What a branch of at most a page weighs beside a large one.
_SMALL = 0.05

type Listed[Found: Keyed] = tuple[Sequence[Found], bool]
type ListPage[Found: Keyed] = Callable[[str, str, int], Listed[Found]]
"""Takes prefix, the key to begin behind, and a limit; returns objects in order, and whether these are the last."""


class Keyed(Protocol):
    """Anything with a key."""

    @property
    def key(self) -> str:
        """The key."""
        ...


def cut(whole: KeyRange, at: Iterable[str]) -> list[KeyRange]:
    """Return `whole` cut at those of the keys `at` that lie inside it, in order; each key ends a range."""
    inside = sorted({key for key in at if key > whole.after and (not whole.upto or key < whole.upto)})
    bounds = [whole.after, *inside, whole.upto]
    return [KeyRange(after, upto) for after, upto in pairwise(bounds)]


def even_cuts[Found: Keyed](
    whole: KeyRange, prefix: str, parts: int, page: ListPage[Found], page_keys: int = PAGE_KEYS
) -> list[str]:
    """Return up to `parts - 1` keys to cut `whole` at, found by listing little at many places.

    The keys are a tree of common beginnings. A branch of more than `page_keys` keys is large; large ones are opened,
    until there is one for every part. Then neighbours are put together. `page` is called from several threads.
    """
    if parts < 2:
        return []
    with ThreadPoolExecutor(_BRANCHES_AT_ONCE) as threads, ThreadPoolExecutor(2 * _BRANCHES_AT_ONCE) as looks:
        tree = _Tree(whole, parts, page, page_keys, looks)
        branches = [tree.branch(prefix)]
        while sum(branch.large for branch in branches) < parts:
            opened = list(threads.map(tree.opened, branches))
            below = list(threads.map(tree.known, (each for found in opened for each in found)))
            if [branch.beginning for branch in below] == [branch.beginning for branch in branches]:
                break
            branches = below
    return _between(branches, parts)


def _between(branches: Sequence["_Branch"], parts: int) -> list[str]:
    """Return where to cut so that every part has about as many large branches; small ones count little."""
    weights = [1.0 if branch.large else _SMALL for branch in branches]
    share, found, so_far = sum(weights) / parts, list[str](), 0.0
    for branch, weight in zip(branches[:-1], weights, strict=False):
        so_far += weight
        if so_far >= share * (len(found) + 1) - 1e-9:
            # A branch ends behind everything that begins with it, so before the next one's first possible key.
            found.append(_end_of(branch.beginning))
    return found[: parts - 1]


class _Branch(NamedTuple):
    """Keys with a common beginning: the first of them, and whether there are more than those."""

    beginning: str
    keys: tuple[str, ...]
    large: bool


@dataclass(frozen=True)
class _Tree[Found: Keyed]:
    whole: KeyRange
    parts: int
    page: ListPage[Found]
    page_keys: int
    looks: Executor

    def branch(self, beginning: str) -> _Branch:
        """Return the branch of a beginning."""
        listed, final = self.page(beginning, self.whole.after, self.page_keys)
        keys = tuple(entry.key for entry in listed if not self.whole.ends_before(entry.key))
        return _Branch(beginning, keys, not final and len(keys) == len(listed))

    def known(self, below: "str | _Branch") -> _Branch:
        """Return the branch of a beginning, where it is not known yet."""
        return self.branch(below) if isinstance(below, str) else below

    def opened(self, branch: _Branch) -> "list[str | _Branch]":
        """Return the beginnings below a large branch; itself when it is small, or cannot be opened."""
        if not branch.large or len(branch.beginning.encode()) > _STEM_BYTES:
            return [branch]
        stem = self._stem(branch)
        found = list(dict.fromkeys(key[: len(stem) + 1] for key in branch.keys if key != stem))
        known: dict[str, str | None] = {}
        key = self._behind(found[-1], stem, known) if found else None
        # Behind the end of a branch there is only more of it where keys hold the last character: enough is known then.
        while key is not None and len(found) < 2 * self.parts and key[: len(stem) + 1] != found[-1]:
            found.append(key[: len(stem) + 1])
            key = self._behind(found[-1], stem, known)
        return [*found] if found and found != [branch.beginning] else [branch]

    def _stem(self, branch: _Branch) -> str:
        """Return the longest beginning that all keys of a branch have: no key lies behind what begins with it."""
        common = _common(branch.keys[0], branch.keys[-1]).encode()[:_STEM_BYTES].decode(errors="ignore")
        low, high = len(branch.beginning), len(common)
        while low < high:
            share = -(-(high - low) // _LOOKS_AT_ONCE)
            lengths = [*range(low + share, high, share), high]
            behind = self._looked(branch.beginning, [common[:length] for length in lengths])
            holding = behind.count(None)  # the shorter ones: what lies behind a beginning lies behind longer ones too
            low, high = [low, *lengths][holding], [*(length - 1 for length in lengths), high][holding]
        return common[:low]

    def _behind(self, beginning: str, stem: str, known: dict[str, str | None]) -> str | None:
        """Return the first key behind a branch; if it is not known yet, ask with it what lies behind the next ones."""
        if beginning not in known:
            asked = [beginning, *_likely_after(beginning)]
            known.update(zip(asked, self._looked(stem, asked), strict=True))
        return known[beginning]

    def _looked(self, stem: str, beginnings: Sequence[str]) -> list[str | None]:
        return list(self.looks.map(lambda each: self._first(_end_of(each), stem), beginnings))

    def _first(self, behind: str, beginning: str) -> str | None:
        listed, _ = self.page(beginning, max(behind, self.whole.after), 1)
        return listed[0].key if listed and not self.whole.ends_before(listed[0].key) else None


def _likely_after(beginning: str) -> list[str]:
    """Return the beginnings that follow where the last characters are digits, or letters, in a row."""
    last = ord(beginning[-1])
    following = [chr(last + step) for step in range(1, _LOOKS_AT_ONCE)] if beginning[-1].isalnum() else []
    return [beginning[:-1] + each for each in following if each.isascii() and each.isalnum()]


def _common(one: str, other: str) -> str:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(character for character, _ in same)


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
                listed, final = counted(prefix, part.after, min(PAGE_KEYS, batch_keys - found))
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
                return found, cut(part, even_cuts(part, prefix, pieces, counted, min(PAGE_KEYS, batch_keys)))
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
