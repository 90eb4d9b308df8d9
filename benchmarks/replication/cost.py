"""What replicating a million files costs, and what the design that this one replaces would."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.billing_units import PriceTable, item_bytes
from benchmarks.costs import MILLION, SECTIONS, Bill, Usage, bill_per_million
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment, Function
from benchmarks.harness.report import breakdown
from benchmarks.replication.counting import count_on_moto
from benchmarks.replication.usage import Execution, Used, original, work
from benchmarks.replication.workflow import (
    carry_out,
    created_event,
    finished,
    functions,
    indexed_attributes,
    state_machine,
    upload,
    uploads_start_nothing,
)

_RUNS = 10
_WARM_UP = 2
_BODY = b"\0" * 20_000
_WORKER = "replication_worker"
_TARGET = 30
_TARGET_OF_ALL = 20
# CloudWatch Logs bills the bytes of a message and 26 more for each (its price page, "Collect").
_LOG_EVENT_OVERHEAD = 26


@dataclass(frozen=True)
class Warm:
    """Medians over runs on the embedded AWS, one after another, without any other load of ours; logs are a mean."""

    functions: Sequence[Used]
    milliseconds: float
    log_bytes: float
    payload: int
    history: Sequence[str]

    @property
    def worker(self) -> Used:
        """The function that starts executions."""
        return next(one for one in self.functions if one.step == _WORKER)


def _measure_warm(deployment: Deployment) -> Warm:
    """Measure executions as they are, and the duration of their functions when those are invoked directly.

    The embedded AWS has no metric for the invocations that a state machine makes.
    """
    for number in range(_WARM_UP):
        _start_and_wait(deployment, f"cost/warm-up-{number}.bin")
    ours = functions(deployment)
    logged = _log_bytes(deployment, ours)
    runs = [_start_and_wait(deployment, f"cost/execution-{number}.bin") for number in range(_RUNS)]
    log_bytes = (_log_bytes(deployment, ours) - logged) / _RUNS
    # The event of an upload invokes the worker directly; the states of these runs are.
    measured = _measured(deployment, ours, lambda number: _start_and_wait(deployment, f"cost/event-{number}.bin"))
    measured |= _measured(deployment, ours, lambda number: _carry_out(deployment, f"cost/direct-{number}.bin"))
    return Warm(
        functions=list(measured.values()),
        milliseconds=median(map(_milliseconds, runs)),
        log_bytes=log_bytes,
        payload=max(map(_payload, runs)),
        history=_entered(runs[-1]["events"]),
    )


def _measured(deployment: Deployment, ours: Sequence[Function], run: Callable[[int], object]) -> dict[str, Used]:
    """Return how `run` uses each function that it invokes directly.

    The median: between two runs a process may have gone, which the embedded AWS has few of.
    """
    spent: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(_RUNS):
        before = [deployment.metric(one, "Duration") for one in ours]
        run(number)
        for one, (milliseconds, invocations) in zip(ours, before, strict=True):
            milliseconds_now, invocations_now = deployment.metric(one, "Duration")
            if new := invocations_now - invocations:
                spent[one.step].append((new, (milliseconds_now - milliseconds) / new))
    memory = {one.step: one.memory for one in ours}
    return {
        step: Used(step, memory[step], sum(new for new, _ in each) / _RUNS, median(ms for _, ms in each))
        for step, each in spent.items()
    }


def _start_and_wait(deployment: Deployment, key: str) -> dict[str, Any]:
    e_tag = upload(deployment, key, _BODY)
    event = created_event(deployment.outputs["SourceBucketName"], key, len(_BODY), e_tag, deployment.region)
    worker = next(one for one in functions(deployment) if one.step == _WORKER)
    return finished(deployment, deployment.invoke(worker.arn, event)["executionArn"])


def _carry_out(deployment: Deployment, key: str) -> None:
    upload(deployment, key, _BODY)
    source = deployment.outputs["SourceBucketName"]
    carry_out(deployment, {"sourceBucket": source, "sourceKey": key, "destinationBuckets": deployment.destinations})


def _milliseconds(run: Mapping[str, Any]) -> float:
    """Return how long the states took; the embedded AWS waits before the first one, which is not part of it."""
    moments = [event["timestamp"] for event in run["events"] if event["type"] != "ExecutionStarted"]
    return float((max(moments) - min(moments)).total_seconds() * 1000)


def _entered(events: Sequence[Mapping[str, Any]]) -> list[str]:
    return [event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("StateEntered")]


def _payload(run: Mapping[str, Any]) -> int:
    """Return the bytes of the largest input or output of a state."""
    details = [part for event in run["events"] for part in event.values() if isinstance(part, dict)]
    return max(len(str(part.get(name, "")).encode()) for part in details for name in ("input", "output"))


def _log_bytes(deployment: Deployment, ours: Sequence[Function]) -> int:
    described = deployment.client("lambda").get_function_configuration
    groups = {described(FunctionName=one.name)["LoggingConfig"]["LogGroup"] for one in ours}
    logs = deployment.client("logs").get_paginator("filter_log_events")
    pages = (page for group in groups for page in logs.paginate(logGroupName=group))
    return sum(len(event["message"].encode()) + _LOG_EVENT_OVERHEAD for page in pages for event in page["events"])


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    prices = PriceTable.read()
    destinations = len(deployment.destinations)
    _, counted = count_on_moto(deployment, [{"key": name, "size": len(_BODY)} for name in ("first.bin", "second.bin")])
    with uploads_start_nothing(deployment), deployment.without_recorder():
        warm = _measure_warm(deployment)
    _check_states(counted.entered, warm.history)
    execution = Execution(warm.milliseconds, state_machine(deployment)["bytes"], warm.payload, destinations)
    common = work(warm.functions, counted, indexed_attributes(deployment), warm.log_bytes)
    usages = {
        "express": common | execution.express(),
        "standard": common | {"standard_transitions": len(counted.entered)},
        "original": original(warm.worker, max(map(item_bytes, counted.items)), destinations),
    }
    bills = {name: bill_per_million(used, prices) for name, used in usages.items()}
    lab.show(_durations(warm))
    lab.show(_bills(usages, bills, prices))
    lab.say(
        f"Prices: waybill/core/prices.json ({prices.region}, {prices.as_of}); storage, transfer, KMS and X-Ray apart."
    )
    lab.say(
        "The embedded AWS shares this machine's cores with the functions, and is no network away: its durations are an"
    )
    lab.say(f"estimate. EXPRESS orchestration ({bills['express'].dominant} is its largest part) stays under ${_TARGET}")
    longer = _slack(_TARGET - bills["express"].section("orchestration"), warm, prices)
    longer_with_all = _slack(_TARGET_OF_ALL - bills["express"].total, warm, prices)
    lab.say(
        f"while invocations take up to {longer:,.0f} ms longer each, and everything together under ${_TARGET_OF_ALL}"
    )
    lab.say(f"while they take up to {longer_with_all:,.0f} ms longer.")
    lab.say(f"States that a file enters: {', '.join(counted.entered)}.")
    yield from _figures(usages, bills, warm)


def _figures(usages: Mapping[str, Usage], bills: Mapping[str, Bill], warm: Warm) -> Iterator[Figure]:
    how = {
        "express": f"1 request of {warm.milliseconds:.0f} ms",
        "standard": f"{usages['standard'].quantities['standard_transitions']:.0f} transitions",
        "original": f"{usages['original'].quantities['standard_transitions']:.0f} transitions",
    }
    for name, bill in bills.items():
        invocations = usages[name].quantities["lambda_requests"]
        parts = {section: round(bill.section(section), 2) for section in ("S3", "DynamoDB", "logs")}
        yield Figure(
            f"replication.usd_per_million_{name}",
            round(bill.section("orchestration"), 2),
            "USD",
            f"Step Functions ({how[name]}) + Lambda ({invocations:.0f} invocations); the rest beside",
            {part: usd for part, usd in parts.items() if usd} | {"all": round(bill.total, 2)},
            target=f"< {_TARGET}" if name == "express" else "",
        )
    sections = {section: round(bills["express"].section(section), 2) for section in SECTIONS}
    yield Figure(
        "replication.usd_per_million_express_all",
        round(bills["express"].total, 2),
        "USD",
        "everything that a small file takes with EXPRESS, but storage, transfer, KMS and X-Ray",
        {section: usd for section, usd in sections.items() if usd},
        target=f"< {_TARGET_OF_ALL}",
    )


def _check_states(counted: Sequence[str], history: Sequence[str]) -> None:
    """Compare with the history of the embedded AWS, which leaves the states inside Maps out."""
    outside = [name for name in counted if name in set(history)]
    if outside != list(history):
        raise AssertionError(f"the history of the embedded AWS shows {history}, the count has {outside}")


def _slack(usd: float, warm: Warm, prices: PriceTable) -> float:
    """Return how many ms more every invocation may take before a million files cost `usd` more.

    All invocations are billed for it, and the execution waits for one of each function but the worker.
    """
    gb = sum(one.invocations * one.memory / 1024 for one in warm.functions)
    waited = (len(warm.functions) - 1) * 64 / 1024
    per_second = prices.usd("lambda_gb_seconds", gb) + prices.usd("express_gb_seconds", waited)
    return usd / (per_second / 1000 * MILLION)


def _durations(warm: Warm) -> Table:
    rows = [[one.step, one.invocations, one.memory, one.milliseconds] for one in warm.functions]
    title = f"Functions for one file, medians of {_RUNS} warm runs on the embedded AWS"
    return breakdown(title, ["Function", "Invocations", "MB", "ms each"], rows)


def _bills(usages: Mapping[str, Usage], bills: Mapping[str, Bill], prices: PriceTable) -> Table:
    headings = ["Per file"]
    for name in bills:
        headings += [name, "USD per million"]
    rows = []
    for section, names in SECTIONS.items():
        used = [name for name in names if any(name in usage.quantities for usage in usages.values())]
        for name in used:
            row: list[str | float] = [prices.prices[name].unit]
            for design, usage in usages.items():
                row += [usage.quantities[name], bills[design].usd[name]] if name in usage.quantities else ["", ""]
            rows.append(row)
        if used:
            rows.append([f"= {section}", *(cell for bill in bills.values() for cell in ("", bill.section(section)))])
    rows.append(["= all", *(cell for bill in bills.values() for cell in ("", bill.total))])
    return breakdown("What a million files cost", headings, rows)


_BILLED = ("express", "standard", "original", "express_all")
BENCHMARKS = (Benchmark(tuple(f"replication.usd_per_million_{name}" for name in _BILLED), _measure),)
