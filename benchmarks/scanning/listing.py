"""How long listings take: a million keys when every call takes 50 ms, and forty million through the workflow."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.scanning.handing_over import Listing
from waybill.scanning.domain.ranges import list_space

_KEYS = 1_000_000
_LATENCY = 0.05
_FAN_OUTS = (1, 16, 64)
_MANY_KEYS = 40_000_000
_LOOP_LIMIT = 1000


class _Listed(NamedTuple):
    key: str


class _Bucket:
    """Keys in order, listed after a pause as S3 lists them."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys

    def page(self, prefix: str, start_after: str, limit: int) -> tuple[list[_Listed], bool]:
        """Return up to `limit` keys behind one, and whether these are the last."""
        time.sleep(_LATENCY)
        first = max(bisect_left(self._keys, prefix), bisect_right(self._keys, start_after) if start_after else 0)
        end = bisect_left(self._keys, prefix + chr(0x10FFFF))
        return [_Listed(key) for key in self._keys[first : min(end, first + limit)]], first + limit >= end


def _keys() -> list[str]:
    """Return keys as services write them: by date, unevenly, and some that lie flat."""
    dated = [
        f"logs/2025/{number * number % 12 + 1:02}/{number % 28 + 1:02}/service-{number % 37:02}/{number:08}.log.gz"
        for number in range(_KEYS * 9 // 10)
    ]
    return sorted(dated + [f"{number:010}" for number in range(_KEYS - len(dated))])


def _measure(lab: Lab) -> Iterator[Figure]:
    bucket = _Bucket(_keys())
    seconds: dict[int, float] = {}
    rows = []
    for fan_out in _FAN_OUTS:
        started = time.perf_counter()
        listed = list_space(bucket.page, fan_out=fan_out)
        seconds[fan_out] = round(time.perf_counter() - started, 1)
        if listed.keys != _KEYS:
            raise AssertionError(f"{listed.keys} keys are listed")
        rows.append([f"fan-out {fan_out}" if fan_out > 1 else "sequential", seconds[fan_out], *listed[1:]])
    title = f"{_KEYS:,} keys, {1000 * _LATENCY:.0f} ms for each call"
    lab.show(breakdown(title, ["", "Seconds", "List calls", "Ranges"], rows))
    yield Figure(
        "scanning.list_seconds_1m_fanout64",
        seconds[64],
        "s",
        f"{title}, in threads of one process; writing and sending apart",
        {"sequential": seconds[1], "fan-out 16": seconds[16]},
    )


def _measure_hand_over(lab: Lab) -> Iterator[Figure]:
    started = time.process_time()
    listing = Listing(_MANY_KEYS, loop_limit=_LOOP_LIMIT)
    listing.run()
    seconds = time.process_time() - started
    executions = listing.ended.values()
    job = listing.jobs.stored
    if (job.total, listing.queue.objects, job.listing_done) != (_MANY_KEYS, _MANY_KEYS, True):
        raise AssertionError(f"{job.total} keys are listed, {listing.queue.objects} sent")
    rows = [
        [name, execution.entered.count("ProcessBatch"), execution.events] for name, execution in listing.ended.items()
    ]
    title = f"{_MANY_KEYS:,} keys in one range, handed over after {_LOOP_LIMIT:,} loops"
    lab.show(breakdown(title, ["Execution", "Loops", "History events"], rows))
    yield Figure(
        "scanning.history_events_40m",
        max(execution.events for execution in executions),
        "",
        "the longest history of the listing workflow as it is defined, run on a listing and a table in memory",
        {"executions": len(executions), "messages": listing.queue.messages, "seconds": round(seconds, 1)},
        "< 8000",
    )


BENCHMARKS = (
    Benchmark(("scanning.list_seconds_1m_fanout64",), _measure),
    Benchmark(("scanning.history_events_40m",), _measure_hand_over),
)
