"""From an effect to its entry, on the embedded AWS: the stream of a table, recording, sealing."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from statistics import median
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.replication.workflow import tracking_table, upload_and_wait
from waybill.custody.adapters.packing import unpacked_text

_FILES, _AT_ONCE = 2_000, 25
_WITHIN_SECONDS = 300.0
_KEY = "custody/first.bin"
_SEALER = "waybill.custody.handlers.seal_events"


def _measure(lab: Lab) -> Iterator[Figure]:
    with lab.fresh_deployment("custody") as deployment:
        upload_and_wait(deployment, _KEY, b"one of many")
        records = _scan(deployment, _table_of(deployment))
        copy = next(one for one in records if one["fileKey"]["S"] == _KEY and "destinationBucket" in one)
        written = _write(deployment, copy)
        events = _wait_for_events(deployment, written)
        waits = [_moment(event["recordedAt"]) - written[_run_of(event)] for event in events]
        yield Figure(
            "custody.latency_seconds",
            round(median(waits), 1),
            "s",
            f"from the write of a record to its event, the median of {_FILES:,} that are written at once, embedded AWS",
            {"the slowest": round(max(waits), 1), "to the log at most, by schedule": 180 + 60 + 300},
        )
        first, last = min(written.values()), max(_moment(event["recordedAt"]) for event in events)
        sealed, seconds = _seal(deployment, len(events))
        yield Figure(
            "custody.entries_per_second_embedded",
            round(sealed / seconds, 1),
            "",
            f"{sealed:,} entries sealed, seconds of the function's caller, embedded AWS",
            {"recorded per second": round(_FILES / (last - first), 1)},
        )


def _table_of(deployment: Deployment) -> str:
    return str(tracking_table(deployment)["TableName"])


def _scan(deployment: Deployment, table: str) -> list[Mapping[str, Any]]:
    pages = deployment.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def _write(deployment: Deployment, copy: Mapping[str, Any]) -> dict[str, float]:
    """Write records of so many copies, each of a run of its own; return when, by the runs."""
    client, table, written = deployment.client("dynamodb"), _table_of(deployment), dict[str, float]()
    machine = copy["executionId"]["S"].rpartition(":")[0]
    for start in range(0, _FILES, _AT_ONCE):
        requests = []
        for number in range(start, start + _AT_ONCE):
            run = f"bench-{number:08}"
            text = json.dumps(copy).replace(_KEY, f"custody/{number:06}.bin")
            item = {**json.loads(text), "executionId": {"S": f"{machine}:{run}"}}
            requests.append({"PutRequest": {"Item": item}})
            written[run] = time.time()
        client.batch_write_item(RequestItems={table: requests})
    return written


def _wait_for_events(deployment: Deployment, written: Mapping[str, float]) -> list[Mapping[str, Any]]:
    """Return the events of the runs, each of which has one."""
    deadline = time.monotonic() + _WITHIN_SECONDS
    while time.monotonic() < deadline:
        items = _scan(deployment, deployment.outputs["CustodyTableName"])
        events = [json.loads(unpacked_text(item["sealed"]["B"])) for item in items if "sealed" in item]
        told = [event for event in events if _run_of(event) in written]
        if len(told) >= len(written):
            return told
        time.sleep(1)
    raise TimeoutError(f"there are no {len(written)} events after {_WITHIN_SECONDS:.0f} s")


def _run_of(event: Mapping[str, Any]) -> str:
    return str(event.get("agent", {}).get("run"))


def _moment(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


def _seal(deployment: Deployment, count: int) -> tuple[int, float]:
    """Seal all that waits; return how many entries in how many seconds, those of an empty run left out."""
    sealer, client = deployment.functions[_SEALER], deployment.client("lambda")
    variables = {**sealer.environment, "CUSTODY_SETTLING_SECONDS": "0"}
    client.update_function_configuration(FunctionName=sealer.name, Environment={"Variables": variables})
    time.sleep(61 - time.time() % 60)  # a minute has to be over
    added, seconds = 0, 0.0
    while added < count:
        started = time.monotonic()
        some = deployment.invoke(sealer.arn, {})["added"]
        seconds += time.monotonic() - started
        added += some
        if not some:
            break
    return added, seconds


BENCHMARKS = (Benchmark(("custody.latency_seconds", "custody.entries_per_second_embedded"), _measure),)
