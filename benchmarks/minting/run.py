"""100,000 identifiers through the workflow: executions, history, calls, memory and what a million would cost."""

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.billing_units import (
    PriceTable,
    express_gb_seconds,
    express_memory,
    item_bytes,
    lambda_gb_seconds,
    write_units,
)
from benchmarks.costs import MILLION, Usage, bill_per_million
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.harness.report import breakdown

_COUNT = 100_000
_WITHIN_SECONDS = 1800.0
# A chunk of 100 identifiers of this size, generously.
_CHUNK_BYTES = 10_000
_LISTED_TOGETHER = 1000
_HANDLERS = "waybill.minting.handlers."
_REPORT = re.compile(r"Billed Duration: (?P<billed>\d+) ms\tMemory Size: (?P<memory>\d+) MB")
# One eventually consistent read of a key that is not there.
_READ_UNITS_OF_A_MISS = 0.5
# CloudWatch Logs bills the bytes of a message and 26 more for each (its price page, "Collect").
_LOG_EVENT_OVERHEAD = 26


@dataclass(frozen=True)
class Run:
    """An ended execution: its history, its Distributed Map's children in ms, and the objects that it has left."""

    output: Mapping[str, Any]
    seconds: float
    events: list[Mapping[str, Any]]
    children: list[float]
    objects: list[str]

    @property
    def results(self) -> int:
        """How many chunks have left their result."""
        return sum("/results/" in key for key in self.objects)

    @property
    def transitions(self) -> int:
        """How many states the execution has entered, without those of its children."""
        return sum("stateEnteredEventDetails" in event for event in self.events)


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    label = uuid.uuid4().hex[:8]
    began = int(time.time() * 1000)
    run = _run(deployment, label)
    items = list(_items(deployment, label))
    if run.output["successCount"] != _COUNT or len(items) != 2 * _COUNT:
        raise AssertionError(f"{len(items)} items, {run.output}")
    usage = _usage(deployment, run, items, began)
    bill = bill_per_million(usage, PriceTable.read())
    lab.show(
        breakdown(
            f"{_COUNT:,} identifiers through the workflow",
            ["", "Number"],
            [
                ["executions", 1 + len(run.children)],
                ["states entered by the Standard execution", run.transitions],
                ["history events of it (25,000 at most)", len(run.events)],
                ["chunks", run.results],
                ["items in the table", len(items)],
                ["objects in S3", len(run.objects)],
            ],
        )
    )
    rows = [[name, usage.quantities[name] * MILLION, usd] for name, usd in bill.usd.items()]
    lab.show(breakdown("A million identifiers through the workflow", ["", "Units", "USD"], rows))
    how = f"{_COUNT:,} new identifiers from an object, {run.results} chunks, on the embedded AWS"
    yield Figure("minting.run_history_events", len(run.events), "events", how, target="< 25,000")
    yield Figure("minting.run_executions", 1 + len(run.children), "executions", f"{how}; all but one are Express")
    peaks = _peaks(lab, label, run)
    rows = [[step, peak, deployment.functions[f"{_HANDLERS}{step}"].memory] for step, peak in peaks.items()]
    lab.show(breakdown("Peak memory of its functions, in MB", ["Function", "Peak", "Memory of the function"], rows))
    yield Figure("minting.run_peak_mb", max(peaks.values()), "MB", f"each in a new process; {how}", peaks)
    yield Figure("minting.run_seconds", round(run.seconds, 1), "s", how, {"per second": round(_COUNT / run.seconds)})
    yield Figure("minting.usd_per_million_run", round(bill.total, 2), "USD", f"{how}; list prices", bill.usd)


def _peaks(lab: Lab, label: str, run: Run) -> dict[str, float]:
    """Return the peak memory of the functions that ran, called again with what they got: they do the same again."""
    deployment, name = lab.deployment, f"bench-{label}"
    uri = f"s3://{deployment.outputs['DocumentsBucketName']}/requests/{label}.txt"
    chunk = {"sourceIdentifiers": [_identifier(label, number) for number in range(100)]}
    common = {"run": name, "executionId": name}
    events = {
        "plan_minting": common | {"request": {"identifiersUri": uri, "jobId": label}},
        "mint_chunk": common | chunk | {"index": 0, "mode": "identifiers", "jobId": label},
        "summarise_minting": common | {"chunkCount": run.results, "jobId": label},
    }
    environment = deployment.described.environment()
    return {
        step: round(lab.runtime.call(deployment.functions[f"{_HANDLERS}{step}"], event, environment).peak, 1)
        for step, event in events.items()
    }


def _identifier(label: str, number: int) -> str:
    return f"Work[sierra-system-number/{label}{number:06}]"


def _run(deployment: Deployment, label: str) -> Run:
    step_functions, bucket = deployment.client("stepfunctions"), deployment.outputs["DocumentsBucketName"]
    lines = "\n".join(_identifier(label, number) for number in range(_COUNT))
    deployment.client("s3").put_object(Bucket=bucket, Key=f"requests/{label}.txt", Body=lines.encode())
    began = time.perf_counter()
    arn = step_functions.start_execution(
        stateMachineArn=deployment.outputs["IdMinterWorkflowArn"],
        name=f"bench-{label}",
        input=json.dumps({"identifiersUri": f"s3://{bucket}/requests/{label}.txt", "jobId": label}),
    )["executionArn"]
    while (execution := step_functions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        if time.perf_counter() - began > _WITHIN_SECONDS:
            raise TimeoutError(f"{arn} has not ended within {_WITHIN_SECONDS:.0f} s")
        time.sleep(1)
    seconds = time.perf_counter() - began
    if execution["status"] != "SUCCEEDED":
        raise AssertionError(f"{arn} ended {execution['status']}: {execution.get('cause')}")
    pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    objects = deployment.client("s3").get_paginator("list_objects_v2")
    keys = [
        found["Key"]
        for page in objects.paginate(Bucket=bucket, Prefix=f"minting/bench-{label}/")
        for found in page.get("Contents", [])
    ]
    return Run(json.loads(execution["output"]), seconds, events, _children(step_functions, arn), keys)


def _children(step_functions: Any, arn: str) -> list[float]:
    durations = []
    for run in step_functions.list_map_runs(executionArn=arn)["mapRuns"]:
        for page in step_functions.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"]):
            for child in page["executions"]:
                durations.append((child["stopDate"] - child["startDate"]).total_seconds() * 1000)
    return durations


def _items(deployment: Deployment, label: str) -> Iterator[Mapping[str, Any]]:
    pages = deployment.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=deployment.outputs["IdentifiersTableName"]):
        yield from (item for item in page["Items"] if f"#{label}" in item.get("owner", item["pk"])["S"])


def _logged(deployment: Deployment, began: int, pattern: str = "") -> list[str]:
    """Return messages of the functions since `began` (ms since 1970); the embedded AWS tells of 10,000 at most."""
    pages = deployment.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=deployment.resource("MintingLogGroup"), startTime=began, filterPattern=pattern)
    return [event["message"] for page in found for event in page["events"]]


def _log_bytes(deployment: Deployment, began: int) -> float:
    """Return the bytes that are logged per identifier, those of its invocation included."""
    messages = _logged(deployment, began)
    identifiers = sum("source_identifier" in message for message in messages)
    return sum(len(message.encode()) + _LOG_EVENT_OVERHEAD for message in messages) / identifiers


def _usage(deployment: Deployment, run: Run, items: list[Mapping[str, Any]], began: int) -> Usage:
    """Return what one identifier of the run has used, by the names of prices.json."""
    reports = [found for found in map(_REPORT.search, _logged(deployment, began, '"REPORT RequestId"')) if found]
    if len(reports) < run.results + 2:
        raise AssertionError(f"{len(reports)} invocations for {run.results} chunks")
    writes = sum(write_units(item_bytes(item), transaction=True) for item in items)
    machine = deployment.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployment.outputs["IdMinterWorkflowArn"]
    )
    child = express_memory(len(machine["definition"]), _CHUNK_BYTES, 1)
    total = {
        "standard_transitions": run.transitions,
        "express_requests": len(run.children),
        "express_gb_seconds": sum(express_gb_seconds(child, milliseconds) for milliseconds in run.children),
        "lambda_requests": len(reports),
        "lambda_gb_seconds": sum(lambda_gb_seconds(int(one["memory"]), float(one["billed"])) for one in reports),
        "s3_writes": len(run.objects) + ceil(run.results / _LISTED_TOGETHER),
        "s3_reads": run.results + 2,  # the identifiers, and the manifest, which Step Functions reads
        "dynamodb_write_units": writes,
        "dynamodb_read_units": _COUNT * _READ_UNITS_OF_A_MISS,
        "log_gb": _log_bytes(deployment, began) * _COUNT / 1024**3,
    }
    return Usage({name: quantity / _COUNT for name, quantity in total.items()})


BENCHMARKS = (
    Benchmark(
        (
            "minting.run_history_events",
            "minting.run_executions",
            "minting.run_peak_mb",
            "minting.run_seconds",
            "minting.usd_per_million_run",
        ),
        _measure,
    ),
)
