"""Whole consignments on a deployment, from outside."""

import hashlib
import json
import random
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import Any

from benchmarks.harness.deployment import Deployment
from waybill.consignments.adapters.table import ConsignmentsTable
from waybill.consignments.domain.registration import Registrar
from waybill.consignments.domain.requests import FILES_PER_PAGE, ConsignmentRequest
from waybill.core.clock import now

_UPLOADS_AT_ONCE = 8
_POLL_SECONDS = 0.2
_WITHIN_SECONDS = 3600.0


@dataclass(frozen=True)
class History:
    """What a run came to: executions with children, states entered, functions invoked, bytes of the largest state."""

    executions: int
    transitions: int
    invocations: Mapping[str, int]
    seconds: Mapping[str, float]  # in functions, by state, as the history has it
    largest_state: int
    elapsed: float


def received(deployment: Deployment, count: int) -> str:
    """Register and upload `count` small texts; return the consignment's id."""
    chance = random.Random(count)
    consignment_id = str(uuid.uuid4())
    table = ConsignmentsTable(deployment.client("dynamodb"), deployment.outputs["ConsignmentsTableName"])
    registrar = Registrar(table, now, lambda: consignment_id)
    s3, bucket = deployment.client("s3"), deployment.outputs["ConsignmentUploadBucketName"]
    contents = {f"folder-{number // 100}/{number}.txt": _text(chance, number) for number in range(count)}
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        for page in batched(contents.items(), FILES_PER_PAGE, strict=False):
            files = registrar.take(_request(consignment_id, count, dict(page)), "bench")["files"]
            uploads = [(file["uploadKey"], contents[file["path"]]) for file in files]
            list(pool.map(lambda one: s3.put_object(Bucket=bucket, Key=one[0], Body=one[1]), uploads))
    return consignment_id


def started(deployment: Deployment, consignment_id: str) -> str:
    """Start the checks; return the execution's ARN."""
    answer = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.outputs["ConsignmentChecksWorkflowArn"],
        name=f"{consignment_id}-1",
        input=json.dumps({"consignmentId": consignment_id}),
    )
    return str(answer["executionArn"])


def ended(deployment: Deployment, arn: str) -> float:
    """Wait until an execution has ended well; return its seconds.

    Raises
    ------
    AssertionError
        It has ended otherwise.
    TimeoutError
        It has not ended within an hour.
    """
    deadline = time.monotonic() + _WITHIN_SECONDS
    while (found := describe(deployment, arn))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{arn} runs for ever")
        time.sleep(_POLL_SECONDS)
    if found["status"] != "SUCCEEDED":
        raise AssertionError(f"{arn}: {found}")
    return float((found["stopDate"] - found["startDate"]).total_seconds())


def stored(deployment: Deployment, bucket: str, prefix: str) -> int:
    """Return the number of objects below `prefix` in the `results` or `clean` bucket."""
    s3 = deployment.client("s3")
    names = [each["Name"] for each in s3.list_buckets()["Buckets"] if f"consignment{bucket}bucket" in each["Name"]]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=names[0], Prefix=prefix)
    return sum(len(page.get("Contents", [])) for page in pages)


def describe(deployment: Deployment, arn: str) -> dict[str, Any]:
    """Return what Step Functions says of an execution."""
    described: dict[str, Any] = deployment.client("stepfunctions").describe_execution(executionArn=arn)
    return described


def children(deployment: Deployment, arn: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the child executions of a run, as they are listed, each with the label of its map."""
    client = deployment.client("stepfunctions")
    for run in client.list_map_runs(executionArn=arn)["mapRuns"]:
        label = run["mapRunArn"].rpartition("/")[2].partition(":")[0]
        pages = client.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"])
        yield from ((label, execution) for page in pages for execution in page["executions"])


def history(deployment: Deployment, arn: str) -> History:
    """Return what a run that has ended came to.

    The embedded AWS keeps no history of children: their states are those of the deployed definition, and the one
    function that each of them invokes is taken to have run as long as the child.
    """
    run = _Run({}, {})
    for state, duration, is_function, size in _states(deployment, arn):
        run.enter(state if is_function else None, duration, 1, size)
    maps = _maps(deployment)
    for label, child in children(deployment, arn):
        described = describe(deployment, child["executionArn"])
        size = max(len(described.get(side, "").encode()) for side in ("input", "output"))
        duration = (child["stopDate"] - child["startDate"]).total_seconds()
        run.executions += 1
        run.enter(maps[label][0], duration, len(maps[label]), size)
    found = describe(deployment, arn)
    elapsed = (found["stopDate"] - found["startDate"]).total_seconds()
    return History(run.executions, run.transitions, run.invocations, run.seconds, run.largest, elapsed)


@dataclass
class _Run:
    invocations: dict[str, int]
    seconds: dict[str, float]
    executions: int = 1
    transitions: int = 0
    largest: int = 0

    def enter(self, function: str | None, seconds: float, transitions: int, size: int) -> None:
        self.transitions += transitions
        self.largest = max(self.largest, size)
        if function is not None:
            self.invocations[function] = self.invocations.get(function, 0) + 1
            self.seconds[function] = self.seconds.get(function, 0.0) + seconds


def _maps(deployment: Deployment) -> dict[str, list[str]]:
    """Return the states that a child of each map enters when nothing fails, the one that invokes a function first."""
    described = deployment.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployment.outputs["ConsignmentChecksWorkflowArn"]
    )
    found = {}
    for name, state in json.loads(described["definition"])["States"].items():
        if state["Type"] == "Map":
            processor = state["ItemProcessor"]
            path, entered = [], processor["StartAt"]
            while entered:
                path.append(entered)
                entered = processor["States"][entered].get("Next")
            found[state.get("Label", name)] = path
    return found


def _states(deployment: Deployment, arn: str) -> Iterator[tuple[str, float, bool, int]]:
    """Yield each state that an execution has entered: name, seconds, whether a function ran, bytes in or out."""
    pages = deployment.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    entered: tuple[str, Any, int] | None = None
    is_function = False
    for event in (event for page in pages for event in page["events"]):
        kind = event["type"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            entered, is_function = (details["name"], event["timestamp"], len(details.get("input", "").encode())), False
        elif kind in {"TaskScheduled", "LambdaFunctionScheduled"}:
            is_function = is_function or "lambda" in json.dumps(event, default=str).lower()
        elif kind.endswith("StateExited") and entered is not None:
            name, since, size = entered
            out = len(event["stateExitedEventDetails"].get("output", "").encode())
            yield name, (event["timestamp"] - since).total_seconds(), is_function, max(size, out)
            entered = None


def _request(consignment_id: str, total: int, contents: Mapping[str, bytes]) -> ConsignmentRequest:
    files = [
        {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in contents.items()
    ]
    head = {"type": "standard", "reference": "BENCH", "transferringBody": "Bench", "consignmentId": consignment_id}
    return ConsignmentRequest.parse({**head, "totalFiles": total, "files": files})


def _text(chance: random.Random, number: int) -> bytes:
    words = ("minutes", "meeting", "agreed", "coal", "paper", "committee")
    return f"{number} {' '.join(chance.choices(words, k=chance.randint(20, 300)))}\n".encode()
