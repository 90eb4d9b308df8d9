"""The most memory that a worker's process has, on one object of 5 GB and on a thousand small ones."""

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from waybill.core.clock import iso, now
from waybill.scanning.adapters.table import ScansTable
from waybill.scanning.models import Entry, Job, Slice, Status
from waybill.scanning.request_models import ScanRequest

_MODULE = "waybill.scanning.handlers.scan_objects"
_ETAG = "9bb58f26192e4ba00f01e2e7b136bbd8"
_SLICE = 100
_CASES = {
    "one object of 5 GB": {"large.log": 5_000_000_000},
    "1,000 objects of 20 kB": {f"{number:04}.log": 20_000 for number in range(1000)},
}


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    function = deployment.functions[_MODULE]
    table = ScansTable(deployment.client("dynamodb"), deployment.outputs["ScansTableName"], now=now)
    peaks: dict[str, float] = {}
    for number, (case, sizes) in enumerate(_CASES.items()):
        job_id = f"memory-{number}"
        table.jobs.create(Job(job_id, ScanRequest(bucket="any-bucket"), Status.LISTING, iso(now()), iso(now())))
        invocation = lab.runtime.call(
            function,
            {"Records": _records(job_id, sizes)},
            deployment.described.environment(),
            before="benchmarks.scanning.fake_s3:install",
            options={"sizes": sizes},
        )
        tally = table.outcomes.tally(job_id)
        if invocation.answer["batchItemFailures"] or tally.bytes_scanned != sum(sizes.values()):
            raise AssertionError(f"{case}: {tally}")
        peaks[case] = round(invocation.peak, 1)
    lab.show(breakdown("Peak memory of a worker's process", ["Objects", "MB"], [[*peak] for peak in peaks.items()]))
    lab.say("Each in a new process with the runtime's SDK and the function's layers; S3 answers inside the process,")
    lab.say("the table and the queue are on the embedded AWS.")
    large, small = peaks.values()
    how = "largest resident set of a new process that scans 5 GB of log text in one object"
    beside = {"1,000 objects of 20 kB": small}
    yield Figure("scanning.peak_mb_5gb", large, "MB", how, beside, target="< 256")


def _records(job_id: str, sizes: dict[str, int]) -> list[dict[str, Any]]:
    entries = [Entry(key, size, _ETAG) for key, size in sizes.items()]
    slices = [
        Slice(job_id, "any-bucket", f"000#{start:09}", tuple(entries[start : start + _SLICE]))
        for start in range(0, len(entries), _SLICE)
    ]
    return [
        {
            "messageId": f"message-{number}",
            "receiptHandle": "handle",
            "body": json.dumps(work.body()),
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        for number, work in enumerate(slices)
    ]


BENCHMARKS = (Benchmark(("scanning.peak_mb_5gb",), _measure),)
