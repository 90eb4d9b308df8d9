"""How many calls and how much time 100 identifiers take, and what a million of them cost."""

import statistics
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from benchmarks.billing_units import PriceTable, item_bytes, lambda_gb_seconds, write_units
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.harness.in_process import call, environment
from benchmarks.harness.report import breakdown
from waybill.core import settings
from waybill.core.aws import clients
from waybill.minting import runtime

_BATCH = 100
_ROUNDS = 15
_FUNCTIONS = (1, 2, 4)
# What the guide to the original says of 50 to 100 identifiers, in ms.
_GUIDE = {"the guide, at best": 15_000.0, "the guide, at worst": 30_000.0}
_PROCESSOR = "processor time of the function"
_MILLION = 1_000_000
_MODULE = "waybill.minting.handlers.id_minter"


def _new() -> dict[str, Any]:
    label = uuid.uuid4().hex[:12]
    return {"sourceIdentifiers": [f"Work[sierra-system-number/{label}{number:03}]" for number in range(_BATCH)]}


def _calls(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    request = _new()
    with deployment.without_recorder():
        _mint(deployment, _new())  # the process starts
        with deployment.recorded_calls() as new:
            _mint(deployment, request)
        with deployment.recorded_calls() as known:
            _mint(deployment, request)
    operations = sorted({*new, *known})
    rows = [[name, new.get(name, 0), known.get(name, 0)] for name in operations]
    lab.show(breakdown("AWS calls for 100 identifiers", ["Operation", "100 new", "100 known"], rows))
    how = "recorded by the embedded AWS, warm function"
    yield Figure("minting.calls_100_known", sum(known.values()), "calls", how, dict(known), target="≤ 1")
    yield Figure("minting.calls_100_new", sum(new.values()), "calls", how, dict(new), target="≤ 3")
    yield _cost(lab, deployment, request)


def _cost(lab: Lab, deployment: Deployment, request: Mapping[str, Any]) -> Figure:
    prices = PriceTable.read()
    items = _items(deployment, request["sourceIdentifiers"][0])
    writes = _counted_write_units(deployment) / _BATCH
    if writes != sum(write_units(item_bytes(item), transaction=True) for item in items):
        raise AssertionError(f"{writes} write units were counted for items of {list(map(item_bytes, items))} bytes")
    # One eventually consistent read of a key that is not there.
    reads = 0.5
    function = deployment.functions[_MODULE]
    billed, _ = _timed(deployment, _new())
    usd = {
        "writes": prices.usd("dynamodb_write_units", writes * _MILLION),
        "reads": prices.usd("dynamodb_read_units", reads * _MILLION),
        "function": prices.usd("lambda_requests", _MILLION / _BATCH)
        + prices.usd("lambda_gb_seconds", lambda_gb_seconds(function.memory, billed) * _MILLION / _BATCH),
    }
    rows = [[name, value] for name, value in usd.items()]
    lab.show(breakdown("USD per million new identifiers, minted 100 at a time", ["Part", "USD"], rows))
    sizes = " and ".join(str(item_bytes(item)) for item in items)
    how = f"{writes:g} write units as the table counts them, items of {sizes} bytes, {reads} read units; list prices"
    return Figure("minting.usd_per_million_new", round(sum(usd.values()), 3), "USD", how, usd)


@contextmanager
def _in_process(deployment: Deployment) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function that mints a request in this process, as the deployed function would."""
    function = deployment.functions[_MODULE]
    variables = {**function.environment, **deployment.described.environment(), "POWERTOOLS_TRACE_DISABLED": "true"}

    def mint(request: Mapping[str, Any]) -> None:
        answer = call(_MODULE, request, name=function.name, arn=function.arn, memory=function.memory)
        if len(answer["successes"]) != _BATCH:
            raise AssertionError(f"not all were minted: {answer['failures'][:1]}")

    with environment(variables), redirect_stdout(StringIO()):
        _forget()
        yield mint
        _forget()


def _forget() -> None:
    for cached in (clients.client, settings.load, runtime.registry):
        cached.cache_clear()


def _counted_write_units(deployment: Deployment) -> float:
    """Mint a request, and return the write units that the table says it has consumed."""
    counted: list[float] = []

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: Mapping[str, Any], **_: Any) -> None:
        counted.extend(each["CapacityUnits"] for each in parsed["ConsumedCapacity"])

    with _in_process(deployment) as mint:
        events = clients.client("dynamodb", attempts=1).meta.events
        events.register("provide-client-params.dynamodb.TransactWriteItems", ask)
        events.register("after-call.dynamodb.TransactWriteItems", note)
        mint(_new())
    return sum(counted)


def _processor_ms(deployment: Deployment, requests: Iterable[Mapping[str, Any]]) -> float:
    """Return the processor time of the median request, which other load on the machine does not change."""
    with _in_process(deployment) as mint:
        mint(_new())
        spent = []
        for request in requests:
            before = time.process_time()
            mint(request)
            spent.append((time.process_time() - before) * 1000)
    return round(statistics.median(spent), 1)


def _items(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    client, table = deployment.client("dynamodb"), deployment.outputs["IdentifiersTableName"]
    system, _, value = name.removeprefix("Work[").removesuffix("]").partition("/")
    forward = client.get_item(TableName=table, Key={"pk": {"S": f"S#Work#{system}#{value}"}})["Item"]
    reverse = client.get_item(TableName=table, Key={"pk": {"S": f"C#{forward['canonicalId']['S']}"}})["Item"]
    return [forward, reverse]


def _latency(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    request = _new()
    with deployment.without_recorder():
        _mint(deployment, request)
        known = statistics.median(_timed(deployment, request)[0] for _ in range(_ROUNDS))
        new = statistics.median(_timed(deployment, _new())[0] for _ in range(_ROUNDS))
        rates = {f"{count} functions": _rate(deployment, count) for count in _FUNCTIONS}
    rows = [[name, rate] for name, rate in rates.items()]
    lab.show(breakdown("New identifiers per second, 100 at a time", ["At once", "per second"], rows))
    how = f"median of {_ROUNDS} invocations of a warm function on the embedded AWS, seen by the caller"
    own_known = {_PROCESSOR: _processor_ms(deployment, [request] * _ROUNDS)}
    own_new = {_PROCESSOR: _processor_ms(deployment, [_new() for _ in range(_ROUNDS)])}
    yield Figure("minting.ms_100_known", round(known, 1), "ms", how, _GUIDE | own_known, target="< 100")
    yield Figure("minting.ms_100_new", round(new, 1), "ms", how, _GUIDE | own_new | rates, target="< 500")


def _rate(deployment: Deployment, functions: int) -> float:
    with ThreadPoolExecutor(functions) as threads:
        list(threads.map(lambda _: _mint(deployment, _new()), range(functions)))
        started = time.perf_counter()
        list(threads.map(lambda _: _mint(deployment, _new()), range(functions * 5)))
        return round(functions * 5 * _BATCH / (time.perf_counter() - started))


def _timed(deployment: Deployment, request: Mapping[str, Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = _mint(deployment, request)
    return (time.perf_counter() - started) * 1000, answer


def _mint(deployment: Deployment, request: Mapping[str, Any]) -> Any:
    answer = deployment.invoke(deployment.functions[_MODULE].arn, request)
    if answer["failures"] or len(answer["successes"]) != _BATCH:
        raise AssertionError(f"not all were minted: {answer['failures'][:1]}")
    return answer


BENCHMARKS = (
    Benchmark(
        ("minting.calls_100_known", "minting.calls_100_new", "minting.usd_per_million_new"),
        _calls,
    ),
    Benchmark(("minting.ms_100_known", "minting.ms_100_new"), _latency),
)
