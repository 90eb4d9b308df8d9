"""What a scan asks of AWS for a million objects, what that costs, and what the original's design would ask."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.costs import MILLION, SECTIONS, Bill, Usage, bill_per_million
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.child import outcome_of
from benchmarks.harness.report import breakdown
from waybill.core.prices import PriceTable
from waybill.scanning.domain.costs import BYTES_PER_SECOND, SECONDS_PER_OBJECT, WORKER_GB, Workload, usage

_OBJECTS = 1010
_SIZE = 5000
_PLANTED = 0.02
# A published demonstration (Lambda, Step Functions, SQS, Fargate, Postgres): a loop of two transitions and a Lambda
# run for 10,000 keys, a message for every object, HEAD and GET. Its workers and database are not in the price table.
_ORIGINAL = Usage(
    {
        "s3_writes": 1 / 1000,
        "s3_reads": 2,
        # Sent and received ten at a time, deleted one by one.
        "sqs_requests": 0.1 + 0.1 + 1,
        "standard_transitions": 2 / 10_000,
        "lambda_requests": 1 / 10_000,
        # About 30 seconds for 10,000 objects, by its own account, at an assumed 512 MB.
        "lambda_gb_seconds": 30 * 0.5 / 10_000,
    }
)
_ORIGINALS_OWN_FIGURE = 13.0


def count_on_moto(objects: int, size: int, planted: float = _PLANTED) -> dict[str, Any]:
    """Scan so many objects of `size` bytes on moto, in a process of its own.

    Of their lines the share `planted` ends in a sensitive value.

    Returns
    -------
    dict
        `requests` by ``<service>.<operation>``, `used` by the names of the price table, and the numbers of `messages`,
        `batches` and `findings`.
    """
    job = {"objects": objects, "size": size, "planted": planted}
    counted: dict[str, Any] = outcome_of("scanning on moto", "-m", "benchmarks.scanning.on_moto", job=job)
    return counted


def _measure(lab: Lab) -> Iterator[Figure]:
    prices, counted = PriceTable.read(), count_on_moto(_OBJECTS, _SIZE)
    clean = count_on_moto(_OBJECTS, _SIZE, planted=0)
    requests: Mapping[str, int] = counted["requests"]
    _check(requests, counted["messages"])
    if clean["findings"]:
        raise AssertionError(f"{clean['findings']} findings where nothing was planted")
    model = Workload(_OBJECTS, _OBJECTS * _SIZE, counted["findings"])
    estimated = Usage({name: used / _OBJECTS for name, used in usage(model).items()})
    designs = {
        "counted": _of_an_object(counted),
        "nothing found": _of_an_object(clean),
        "as estimated before a scan": estimated,
        "the original, without workers": _ORIGINAL,
    }
    bills = {name: bill_per_million(used, prices) for name, used in designs.items()}
    rows = [[name, count, count / _OBJECTS * MILLION] for name, count in sorted(requests.items())]
    lab.show(breakdown(f"AWS requests for {_OBJECTS:,} objects", ["Operation", "Counted", "Per million"], rows))
    lab.show(_bills(designs, bills, prices))
    lab.say(f"{_SIZE / 1000:.0f} kB objects, {counted['findings'] / _OBJECTS:.1f} findings in each, nothing cached.")
    speed = BYTES_PER_SECOND / MILLION
    lab.say(f"Lambda's time is estimated: {1000 * SECONDS_PER_OBJECT:.0f} ms for an object, and {speed:.0f} MB/s.")
    lab.say(f"The original's own table says {_ORIGINALS_OWN_FIGURE:.0f} USD per million, workers included.")
    ours_usd = bills["counted"].total
    beside = {name: round(bill.total, 2) for name, bill in bills.items() if name != "counted"}
    beside |= {section: round(bills["counted"].section(section), 2) for section in SECTIONS}
    yield Figure(
        "scanning.usd_per_million_objects",
        round(ours_usd, 2),
        "USD",
        f"requests of a scan of {_OBJECTS:,} objects on moto, list prices; Lambda's time estimated",
        {name: usd for name, usd in beside.items() if usd} | {"the original, its own figure": _ORIGINALS_OWN_FIGURE},
    )


def _of_an_object(counted: Mapping[str, Any]) -> Usage:
    """Return what an object has used, and its share of what moto cannot count."""
    used, messages = counted["used"], counted["messages"]
    seconds = SECONDS_PER_OBJECT + _SIZE / BYTES_PER_SECOND
    return Usage(
        {name: quantity / _OBJECTS for name, quantity in used.items()}
        | {
            "sqs_requests": (used["sqs_requests"] + 2 * messages) / _OBJECTS,
            "standard_transitions": 2 / 10_000,
            "lambda_requests": (messages + counted["batches"]) / _OBJECTS,
            "lambda_gb_seconds": seconds * WORKER_GB,
        }
    )


def _check(requests: Mapping[str, int], messages: int) -> None:
    """One list call for 1,000 keys, a message for 50 objects at most, one GET for an object, no HEAD."""
    found = (requests["s3.ListObjectsV2"], requests["s3.GetObject"], requests.get("s3.HeadObject", 0))
    if found != (-(-_OBJECTS // 1000), _OBJECTS, 0) or messages > _OBJECTS / 50:
        raise AssertionError(f"{messages} messages, {dict(requests)}")


def _bills(designs: Mapping[str, Usage], bills: Mapping[str, Bill], prices: PriceTable) -> Any:
    rows = []
    for section, names in SECTIONS.items():
        used = [name for name in names if any(name in design.quantities for design in designs.values())]
        rows += [[prices.prices[name].unit, *(bills[design].usd.get(name, 0.0) for design in designs)] for name in used]
        if used:
            rows.append([f"= {section}", *(bill.section(section) for bill in bills.values())])
    rows.append(["= all", *(bill.total for bill in bills.values())])
    return breakdown("USD per million objects", ["Billed", *designs], rows)


BENCHMARKS = (Benchmark(("scanning.usd_per_million_objects",), _measure),)
