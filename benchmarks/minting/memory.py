"""The most memory that each function's process has, with 100 identifiers of the longest legal size."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown

_BATCH = 100
# With the key's prefix for an identifier without a system, 2,048 bytes: the most that DynamoDB takes.
_LONGEST = 2040
_TARGET = 256
_HANDLERS = "waybill.minting.handlers."


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    peaks: dict[str, float] = {}
    for step, event in _events(lab).items():
        function = deployment.functions[f"{_HANDLERS}{step}"]
        invocation = lab.runtime.call(function, event, deployment.described.environment())
        _check(step, invocation.answer)
        peaks[step] = round(invocation.peak, 1)
    rows = [[step, peak, deployment.functions[f"{_HANDLERS}{step}"].memory] for step, peak in peaks.items()]
    title = f"Peak memory with {_BATCH} new identifiers of {_LONGEST:,} bytes, in MB"
    lab.show(breakdown(title, ["Function", "Peak", "Memory of the function"], rows))
    how = f"largest of {len(peaks)} functions, each in a new process, {_BATCH} new identifiers of {_LONGEST:,} bytes"
    yield Figure("minting.peak_mb", max(peaks.values()), "MB", how, peaks, target=f"< {_TARGET}")


def _events(lab: Lab) -> Mapping[str, Any]:
    """Return an event for every function that mints, each with identifiers of its own."""
    api, queue = (
        json.loads((lab.project / "events" / "minting" / f"{name}.json").read_text("utf-8"))
        for name in ("minting_api", "minting_queue")
    )
    queue["Records"] = [queue["Records"][0] | {"body": json.dumps(_request())}]
    chunk = {"run": f"memory-{uuid.uuid4().hex}", "executionId": "memory", "index": 0, "mode": "identifiers"}
    return {
        "id_minter": _request(),
        "minting_api": api | {"body": json.dumps(_request())},
        "minting_queue": queue,
        "mint_chunk": chunk | _request(),
    }


def _request() -> dict[str, Any]:
    label = uuid.uuid4().hex
    return {"sourceIdentifiers": [f"{label}{number:03}".ljust(_LONGEST, "x") for number in range(_BATCH)]}


def _check(step: str, answer: Mapping[str, Any]) -> None:
    """Raise unless everything was minted."""
    counts: dict[str, Callable[[], int]] = {
        "id_minter": lambda: len(answer["successes"]),
        "minting_api": lambda: len(json.loads(answer["body"])["successes"]),
        "minting_queue": lambda: _BATCH if answer == {"batchItemFailures": []} else 0,
        "mint_chunk": lambda: answer["successCount"],
    }
    minted = counts[step]()
    if minted != _BATCH:
        raise AssertionError(f"{step} has minted {minted}: {str(answer)[:500]}")


BENCHMARKS = (Benchmark(("minting.peak_mb",), _measure),)
