"""What a million events cost, by what recording and sealing them asks of moto; and what a log of a billion comes to."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.costs import MILLION, SECTIONS, Usage, bill_per_million
from benchmarks.custody.files import PER_FILE
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.child import outcome_of
from benchmarks.harness.report import breakdown
from waybill.core.prices import PriceTable
from waybill.custody.domain.tiles import WIDTH, grown_tiles

_FILES = 200
_BILLION = 1_000_000_000
_MEMORY_GB = 0.5
# Of a warm function in one Region, to DynamoDB; of moto, requests are counted and not timed.
_REQUEST_SECONDS = 0.004
_CHECKPOINTS_A_DAY = 288


def _count(files: int) -> dict[str, Any]:
    counted: dict[str, Any] = outcome_of("recording on moto", "-m", "benchmarks.custody.on_moto", job={"files": files})
    return counted


def _measure(lab: Lab) -> Iterable[Figure]:
    counted, prices = _count(_FILES), PriceTable.read()
    events = counted["events"]
    recording, sealing = counted["recording"], counted["sealing"]
    recording["used"] |= _functions(counted["batches"], recording["requests"], counted["seconds"])
    sealing["used"] |= _functions(1, sealing["requests"], 0)
    bills = {name: _bill(part["used"], events, prices) for name, part in counted.items() if name.endswith("ing")}
    requests = {name: sum(counted[name]["requests"].values()) for name in bills}
    rows = [
        [name, operation, count, round(count / events * MILLION)]
        for name in bills
        for operation, count in sorted(counted[name]["requests"].items())
    ]
    lab.show(breakdown(f"Requests for {events:,} events", ["While", "Operation", "Counted", "Per million"], rows))
    usd = {name: round(bill.total, 2) for name, bill in bills.items()}
    how = f"{_FILES} files with {PER_FILE} events each, on moto, list prices; Lambda's time estimated, KMS left out"
    sections = {
        section: round(sum(bill.section(section) for bill in bills.values()), 2)
        for section in SECTIONS
        if any(bill.section(section) for bill in bills.values())
    }
    total = sum(bill.total for bill in bills.values())
    yield Figure("custody.usd_per_million_events", round(total, 2), "USD", how, usd | sections)
    yield Figure(
        "custody.usd_per_million_files", round(total * PER_FILE, 2), "USD", how, usd | sections, target="at most 11"
    )
    yield Figure(
        "custody.requests_per_million_events",
        round(sum(requests.values()) / events * MILLION),
        "",
        "requests to DynamoDB and S3, recording and sealing",
        {name: round(count / events * MILLION) for name, count in requests.items()},
    )
    units = {name: round(counted[name]["used"]["dynamodb_write_units"] / events, 2) for name in bills}
    yield Figure(
        "custody.dynamodb_writes_per_event",
        round(sum(units.values()), 2),
        "write units",
        how,
        units,
        target="at most 1.8",
    )
    trace: Mapping[str, int] = counted["trace"]
    told = "by place, 50 events of one file, sealed in one minute"
    yield Figure("custody.trace_calls", sum(trace.values()), "", told, trace, target="3")


def _functions(batches: int, requests: Mapping[str, int], seconds: float) -> dict[str, float]:
    waited = sum(requests.values()) * _REQUEST_SECONDS
    return {"lambda_requests": batches, "lambda_gb_seconds": (seconds + waited) * _MEMORY_GB}


def _bill(used: Mapping[str, float], events: int, prices: PriceTable) -> Any:
    return bill_per_million(Usage({name: quantity / events for name, quantity in used.items()}), prices)


def _measure_a_billion(lab: Lab) -> Iterable[Figure]:
    """Tiles, bundles and dollars of a log of a billion entries, by arithmetic alone."""
    del lab
    prices = PriceTable.read()
    full = sum(1 for _ in grown_tiles(0, WIDTH**2))  # of 65,536 entries: 256 tiles of hashes, and one of theirs
    tiles, level = 0, _BILLION
    while level:
        tiles += -(-level // WIDTH)
        level //= WIDTH
    bundles = -(-_BILLION // WIDTH)
    if full != WIDTH + 1 + 1 or tiles < bundles:
        raise AssertionError(f"{full} tiles for 65,536 entries, {tiles} for a billion")
    writes = tiles + bundles
    reading = prices.usd("s3_reads", bundles)
    beside = {
        "tiles of hashes": tiles,
        "bundles of entries": bundles,
        "USD to write them": round(prices.usd("s3_writes", writes), 2),
        "USD to read all entries": round(reading, 2),
        "USD to read all hashes": round(prices.usd("s3_reads", -(-_BILLION // WIDTH)), 2),
        "USD of heads a month": round(prices.usd("s3_writes", _CHECKPOINTS_A_DAY * 30 * 5), 2),
    }
    yield Figure("custody.log_files_1b", writes, "files", "a billion entries, by the arithmetic of tiles", beside)


BENCHMARKS = (
    Benchmark(
        (
            "custody.usd_per_million_events",
            "custody.usd_per_million_files",
            "custody.requests_per_million_events",
            "custody.dynamodb_writes_per_event",
            "custody.trace_calls",
        ),
        _measure,
    ),
    Benchmark(("custody.log_files_1b",), _measure_a_billion),
)
