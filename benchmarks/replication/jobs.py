"""How many requests a backfill and a verification take, and what those of a million objects cost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from benchmarks.billing_units import PriceTable
from benchmarks.costs import MILLION, Bill, Usage, bill_per_million
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.child import outcome_of
from benchmarks.harness.report import breakdown
from benchmarks.replication.counting import on_moto

_OBJECTS, _DIFFERENT = 10_000, 100
# Of four that differ, one is missing and one has another size, which listings tell.
_TOLD = _DIFFERENT // 2
_PAGE = 1_000
# Requests in a thousand objects for the verification itself: its record, and where the buckets are.
_KEPT = 8
_LIST, _HEAD, _COPY = "s3.ListObjectsV2", "s3.HeadObject", "s3.CopyObject"

_WAYS = {"stated": "by what S3 keeps", "deep": "by reading both"}

type Counted = Mapping[str, Any]


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    job = on_moto(deployment) | {"objects": _OBJECTS, "different": _DIFFERENT}
    counted = outcome_of("working on jobs on moto", "-m", "benchmarks.replication.jobs_on_moto", job=job)
    places = 1 + len(deployment.destinations)
    lab.show(_backfill_table(counted))
    lab.say(
        f"{_OBJECTS:,} objects at {places} places; {_DIFFERENT} differ at one: a quarter each is missing, of another"
    )
    lab.say(
        "size, of other bytes, of other headers. Listings tell of neither headers nor tags: only --content-only can do"
    )
    lab.say(
        "without a HEAD of each, and with one it asks about none of those whose listed ETags differ, but starts a run,"
    )
    lab.say("which looks before it copies.")
    yield from _backfill(counted, places)
    lab.show(_verification_table(counted))
    lab.say("List prices of the requests; custody's record of each check, and the function's time, come besides.")
    yield from _verification(counted, places)


def _backfill(counted: Counted, places: int) -> Iterator[Figure]:
    comparing, contents, copying = (counted[name]["requests"] for name in ("comparing", "contents", "copying"))
    how = f"SDK event hooks on moto: {_OBJECTS:,} objects, {_DIFFERENT} differ"
    lists = comparing[_LIST] / places / (_OBJECTS / _PAGE)
    yield Figure("replication.backfill_lists_per_1000_keys", lists, "requests", f"{how}; per place", target="= 1")
    yield Figure(
        "replication.backfill_heads",
        comparing[_HEAD],
        "requests",
        f"{how}; one per object and place, but for what listings tell; beside: of contents alone",
        {"content_only": contents.get(_HEAD, 0)},
        target=f"≤ {places * _OBJECTS - _TOLD:,}",
    )
    yield Figure("replication.backfill_copies", copying[_COPY], "requests", how, target=f"= {_DIFFERENT}")


def _verification(counted: Counted, places: int) -> Iterator[Figure]:
    stated, deep = counted["stated"], counted["deep"]
    how = "SDK event hooks on moto: a thousand objects, all equal"
    for name, done, floor in (("verify", stated, 0), ("verify_deep", deep, places)):
        per_object = {operation: count / done["objects"] for operation, count in done["requests"].items()}
        yield Figure(
            f"replication.{name}_requests_per_million",
            round(sum(per_object.values()) * MILLION),
            "requests",
            f"{how}; beside: of each object",
            {operation: round(count, 3) for operation, count in per_object.items()},
            # A look at each place, a reading of each where that is asked for, a listing in a thousand, a record a copy.
            target=f"≤ {(2 * places - 1 + floor) * MILLION + places * MILLION // _PAGE + _KEPT * MILLION // _PAGE:,}",
        )
        bill = _bill(done)
        parts = {section: round(bill.section(section), 2) for section in ("S3", "DynamoDB")}
        yield Figure(f"replication.{name}_usd_per_million", round(bill.total, 2), "USD", f"{how}; list prices", parts)


def _bill(done: Counted) -> Bill:
    return bill_per_million(
        Usage({name: used / done["objects"] for name, used in done["used"].items()}), PriceTable.read()
    )


def _backfill_table(counted: Counted) -> Table:
    steps = ("contents", "comparing", "copying", "settling")
    names = ("contents alone, dry run", "comparing", f"the {_DIFFERENT} runs", "what became of them")
    return _table("A backfill", [counted[step]["requests"] for step in steps], names)


def _verification_table(counted: Counted) -> Table:
    return _table("A verification of a thousand objects", [counted[way]["requests"] for way in _WAYS], _WAYS.values())


def _table(title: str, columns: Sequence[Mapping[str, int]], names: Iterable[str]) -> Table:
    operations = sorted(set().union(*columns))
    rows = [[operation, *(requests.get(operation, "") for requests in columns)] for operation in operations]
    return breakdown(title, ["Operation", *names], rows)


_FIGURES = (
    "replication.backfill_lists_per_1000_keys",
    "replication.backfill_heads",
    "replication.backfill_copies",
    *(
        f"replication.{name}_{figure}_per_million"
        for name in ("verify", "verify_deep")
        for figure in ("requests", "usd")
    ),
)
BENCHMARKS = (Benchmark(_FIGURES, _measure),)
