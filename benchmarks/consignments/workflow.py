"""A consignment of 10,000 files through the workflow, what it costs, and a small consignment beside a large one."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from benchmarks.billing_units import PriceTable, item_bytes, lambda_gb_seconds, write_units
from benchmarks.consignments.runs import History, children, describe, ended, history, received, started, stored
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.harness.report import breakdown

_FILES = 10_000
_STATE_BYTES = 100_000
_LARGE, _SMALL = 2_000, 5
_MODULES = "waybill.consignments.handlers."
# Section 1 of the prior art, before 2026: a child per file with Parallel, three functions and the selection of their
# results, and three reads of the file. What its functions, rows and copies cost is left out: a lower bound.
_OLD_TRANSITIONS, _OLD_INVOCATIONS, _OLD_READS = 5, 3, 3


def _measure_cost(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    lab.say(f"registering and uploading {_FILES:,} files")
    consignment_id = received(deployment, _FILES)
    arn = started(deployment, consignment_id)
    ended(deployment, arn)
    run = history(deployment, arn)
    shown = _shown(deployment, consignment_id)
    if shown["status"]["S"] != "Completed":
        raise AssertionError(f"the consignment ended {shown['status']}")
    if run.largest_state >= _STATE_BYTES:
        raise AssertionError(f"a state holds {run.largest_state} bytes")
    usd = _usd(deployment, run, consignment_id)
    lab.show(_comparison(run))
    lab.show(breakdown("USD per 1,000 files", ["Part", "USD"], [[name, value] for name, value in usd.items()]))
    lab.say(
        f"{_FILES:,} files in {run.elapsed:.0f} s; the largest input or output of a state: {run.largest_state:,} bytes."
    )
    how = f"{_FILES:,} texts on the embedded AWS: transitions and invocations by its history, durations as there"
    beside = {**usd, "three_functions_without_their_time_rows_and_copies": round(_old_usd(), 4)}
    yield Figure("consignments.usd_per_thousand_files", round(sum(usd.values()), 4), "USD", how, beside)
    yield Figure("consignments.largest_state_bytes", run.largest_state, "B", f"{_FILES:,} files", {}, "< 100,000")


def _comparison(run: History) -> Any:
    thousand = _FILES / 1000
    invocations = sum(run.invocations.values())
    rows = [
        ["executions", run.executions / thousand, 1000],
        ["transitions", run.transitions / thousand, 1000 * _OLD_TRANSITIONS],
        ["invocations", invocations / thousand, 1000 * _OLD_INVOCATIONS],
        ["reads of files", 1000, 1000 * _OLD_READS],
    ]
    return breakdown("Per 1,000 small files", ["", "Waybill", "three functions per file"], rows)


def _usd(deployment: Deployment, run: History, consignment_id: str) -> dict[str, float]:
    prices = PriceTable.read()
    memory = {name.removeprefix(_MODULES): one.memory for name, one in deployment.functions.items()}
    gb_seconds = sum(
        lambda_gb_seconds(memory[_module_of(state)], 1000 * seconds) for state, seconds in run.seconds.items()
    )
    # Every file is read once (consignments.bytes_read_ratio) and copied once; every document is written and read.
    documents = stored(deployment, "results", f"runs/{consignment_id}/")
    copies = stored(deployment, "clean", f"{consignment_id}/")
    # A row is written when a file is registered, and once with its results, both in transactions of 99 that look at the
    # consignment too.
    look = write_units(1, transaction=True) / 99
    registered, checked = 1, _row_bytes(deployment, consignment_id)
    units = sum(write_units(size, transaction=True) + look for size in (registered, checked))
    parts = {
        "transitions": prices.usd("standard_transitions", run.transitions),
        "functions": prices.usd("lambda_requests", sum(run.invocations.values()))
        + prices.usd("lambda_gb_seconds", gb_seconds),
        "reading": prices.usd("s3_reads", _FILES + documents),
        "clean copies and documents": prices.usd("s3_writes", copies + documents),
        "DynamoDB": prices.usd("dynamodb_write_units", _FILES * units),
    }
    return {name: round(value / _FILES * 1000, 5) for name, value in parts.items()}


def _old_usd() -> float:
    prices = PriceTable.read()
    return (
        prices.usd("standard_transitions", 1000 * _OLD_TRANSITIONS)
        + prices.usd("lambda_requests", 1000 * _OLD_INVOCATIONS)
        + prices.usd("s3_reads", 1000 * _OLD_READS)
    )


def _module_of(state: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in state).lstrip("_")


def _shown(deployment: Deployment, consignment_id: str) -> dict[str, Any]:
    item: dict[str, Any] = deployment.client("dynamodb").get_item(
        TableName=deployment.outputs["ConsignmentsTableName"],
        Key={"pk": {"S": consignment_id}, "sk": {"S": "CONSIGNMENT"}},
    )["Item"]
    return item


def _row_bytes(deployment: Deployment, consignment_id: str) -> int:
    """Return the size of the largest of some rows of files."""
    pages = (
        deployment.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=deployment.outputs["ConsignmentsTableName"],
            KeyConditionExpression="pk = :id",
            ExpressionAttributeValues={":id": {"S": consignment_id}},
        )
    )
    rows = islice((item for page in pages for item in page["Items"] if "statuses" in item), 200)
    return max(map(item_bytes, rows))


def _measure_beside(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    alone = min(_seconds(deployment, received(deployment, _SMALL)) for _ in range(2))
    small, large = received(deployment, _SMALL), received(deployment, _LARGE)
    running = started(deployment, large)
    while not any(children(deployment, running)):
        if describe(deployment, running)["status"] != "RUNNING":
            raise AssertionError("the large one ended before it had begun to check")
    beside = _seconds(deployment, small)
    still_running = describe(deployment, running)["status"] == "RUNNING"
    whole = ended(deployment, running)
    if not still_running:
        raise AssertionError("the large one ended before the small one: nothing was beside it")
    how = f"{_SMALL} files from start to end, started while {_LARGE:,} others are checked, on the embedded AWS"
    figures = {"alone": round(alone, 1), "the_large_one": round(whole, 1)}
    yield Figure("consignments.seconds_small_beside_large", round(beside, 1), "s", how, figures)


def _seconds(deployment: Deployment, consignment_id: str) -> float:
    return ended(deployment, started(deployment, consignment_id))


BENCHMARKS = (
    Benchmark(("consignments.usd_per_thousand_files", "consignments.largest_state_bytes"), _measure_cost),
    Benchmark(("consignments.seconds_small_beside_large",), _measure_beside),
)
