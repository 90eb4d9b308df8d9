"""The most memory that each function's process has, whatever the size of the object."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Function
from benchmarks.harness.machine import Machine
from benchmarks.harness.report import breakdown
from benchmarks.harness.runtime import Runtime
from benchmarks.replication.workflow import execution_of, functions, state_machine

_MIB = 1024**2
_GIB = 1024**3
# Part size and limits are the template's defaults: one call up to 5 GiB, one function up to 64 GiB, then batches.
_PART = 256 * _MIB
_SIZES = {"20 KB": 20_000, "64 GiB, 256 parts": 64 * _GIB, "2.4 TiB, 10,000 parts": 10_000 * _PART}
_LARGE_ONLY = frozenset({"start_multipart_copy", "copy_part_batch", "complete_multipart_copy"})
_TARGET = 256


@dataclass
class _Processes:
    """Calls functions, each in a new process with an S3 that has an object of `size` bytes, and notes their peaks."""

    runtime: Runtime
    functions: Mapping[str, Function]  # by ARN
    environment: Mapping[str, str]
    region: str
    size: int
    peaks: dict[str, float] = field(default_factory=dict)

    def __call__(self, arn: str, event: Any) -> Any:
        function = self.functions[arn]
        if function.step == "copy_part_batch" and function.step in self.peaks:
            return event["batch"]  # one batch is as large as the next
        parts = -(-self.size // _PART)
        options = {
            "size": self.size,
            "part_size": _PART,
            "region": self.region,
            "finished_parts": parts if function.step == "complete_multipart_copy" else 0,
        }
        invocation = self.runtime.call(
            function, event, self.environment, before="benchmarks.replication.fake_s3:install", options=options
        )
        self.peaks[function.step] = max(invocation.peak, self.peaks.get(function.step, 0.0))
        return invocation.answer


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    by_arn = {one.arn: one for one in functions(deployment)}
    definition = state_machine(deployment)["definition"]
    peaks: dict[str, dict[str, float]] = {}
    for case, size in _SIZES.items():
        processes = _Processes(lab.runtime, by_arn, deployment.described.environment(), deployment.region, size)
        request = _request(lab, f"memory/{size}.bin")
        output = Machine(definition, processes).run(request, execution_of(deployment, f"memory-{size}"))
        if output["status"] != "SUCCESS":
            raise AssertionError(f"{case}: {output}")
        if size == min(_SIZES.values()):
            _call_others(lab, processes)
        peaks[case] = processes.peaks
    steps = sorted(set().union(*peaks.values()))
    rows = [[step, *(one.get(step, "") for one in peaks.values())] for step in steps]
    lab.show(breakdown("Peak memory of each function's process, in MB", ["Function", *peaks], rows))
    lab.say(
        "Each call is in a new process with the runtime's SDK and the function's layers. S3 answers inside the process,"
    )
    lab.say("through botocore's hook, so requests and answers are as large as ever; the table is on the embedded AWS.")
    largest = {step: round(max(one.get(step, 0.0) for one in peaks.values()), 1) for step in steps}
    missing = {one.step for one in by_arn.values()} - set(steps)
    if missing:
        raise AssertionError(f"not measured: {sorted(missing)}")
    yield Figure(
        "replication.peak_mb",
        max(largest.values()),
        "MB",
        f"largest of {len(steps)} functions, each in a new process, objects of {', '.join(_SIZES)}",
        largest,
        target=f"< {_TARGET}",
    )


def _request(lab: Lab, key: str) -> dict[str, Any]:
    source = lab.deployment.outputs["SourceBucketName"]
    return {"sourceBucket": source, "sourceKey": key, "destinationBuckets": lab.deployment.destinations}


def _call_others(lab: Lab, processes: _Processes) -> None:
    """Call the functions that a successful run does not, with their sample events."""
    for function in processes.functions.values():
        if function.step not in processes.peaks and function.step not in _LARGE_ONLY:
            sample = lab.project / "events" / "replication" / f"{function.step}.json"
            answer = processes(function.arn, json.loads(sample.read_text("utf-8")))
            if answer.get("statusCode", 200) != 200:
                raise AssertionError(f"{function.step} answers {answer}")


BENCHMARKS = (Benchmark(("replication.peak_mb",), _measure),)
