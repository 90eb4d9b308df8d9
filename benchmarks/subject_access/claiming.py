"""How many calls of DynamoDB a claim takes when a hundred workers want a hundred requests at the same moment."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.subject_access.requests import bench_request
from scripts.template import properties_of
from waybill.core.clock import now
from waybill.subject_access.adapters.lists import SubjectAccessLists
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.claim_taking import Claimer

_WORKERS = 100
_TABLE = "bench-claims"
_OPERATIONS = ("Query", "GetItem", "TransactWriteItems")


def _claims(lab: Lab) -> Iterator[Figure]:
    client = lab.deployment.client("dynamodb")
    properties = properties_of("SubjectAccessTable")
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    client.create_table(TableName=_TABLE, **{name: properties[name] for name in kept})
    try:
        alone = _measure(client, workers=1, requests=1)
        together = _measure(client, workers=_WORKERS, requests=_WORKERS)
    finally:
        client.delete_table(TableName=_TABLE)
    rows = [[name, alone[name], round(together[name] / _WORKERS, 2)] for name in _OPERATIONS]
    rows.append(["all", alone.total(), round(together.total() / _WORKERS, 2)])
    columns = ["Operation", "one worker, one request", f"{_WORKERS} workers, {_WORKERS} requests, each"]
    lab.show(breakdown("DynamoDB calls per claim", columns, rows))
    how = f"{_WORKERS} threads at once on the embedded AWS, each request claimed exactly once"
    beside = {name: together[name] / _WORKERS for name in _OPERATIONS} | {"one worker alone": float(alone.total())}
    yield Figure("disclosure.calls_per_claim", together.total() / _WORKERS, "calls", how, beside)


def _measure(client: Any, *, workers: int, requests: int) -> Counter[str]:
    """Return the calls of so many workers that claim so many requests.

    Raises
    ------
    AssertionError
        A request was claimed twice, or not at all.
    """
    store, lists = SubjectAccessTable(client, _TABLE, now=now), SubjectAccessLists(client, _TABLE)
    begin = datetime.now(UTC) - timedelta(hours=1)
    for number in range(requests):
        request = bench_request(f"{workers}-{number:03}", begin + timedelta(seconds=number))
        store.create(request, [], Action("bench", "CREATED", {}))
    counted: Counter[str] = Counter()
    start = threading.Barrier(workers)

    def work(number: int) -> str | None:
        claimer = Claimer(store, lists, now, random.Random(number).randrange)
        start.wait()
        taken = claimer.claim_oldest(f"worker-{number}")
        return taken.request_id if taken else None

    def count(request: Any, event_name: str, **_: Any) -> None:
        counted[event_name.rpartition(".")[2]] += 1

    client.meta.events.register("before-send.dynamodb", count)
    try:
        with ThreadPoolExecutor(workers) as threads:
            taken = list(threads.map(work, range(workers)))
    finally:
        client.meta.events.unregister("before-send.dynamodb", count)
    assert len({one for one in taken if one}) == requests, "a request was claimed twice, or not at all"
    return counted


BENCHMARKS = (Benchmark(("disclosure.calls_per_claim",), _claims),)
