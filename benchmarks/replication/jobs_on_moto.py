"""Works on a backfill and on verifications on moto, as the deployed functions do, and counts what boto3 sends.

A process of its own: reads a job as JSON from standard input and writes the counts to standard output.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import Any, TextIO, cast

# First, for it says what boto3 signs with.
from benchmarks.replication.on_moto import Application  # isort: skip

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from benchmarks.harness.in_process import Context, environment
from benchmarks.harness.metering import Meter
from waybill.core.clock import iso, now
from waybill.core.retry import looks
from waybill.replication import runtime
from waybill.replication.domain.backfill import BackfillVerdict
from waybill.replication.domain.backfill_comparing import Range, compared
from waybill.replication.domain.backfill_engine import BackfillEngine
from waybill.replication.domain.backfill_job import BackfillJob, JobStatus
from waybill.replication.domain.backfill_progress import JobProgress

_CONTEXT = Context("WorkOnJob", 512, "arn:aws:lambda:eu-west-1:123456789012:function:WorkOnJob")

type Counts = dict[str, Any]


class Jobs(Application):
    """Buckets of so many `objects`, of which every `every`th is another one at the first destination."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__(job)
        self._different: int = job["different"]
        self._every = job["objects"] // self._different
        self._stack = {
            "fileCopyWorkflow": self.state_machine,
            "sourceBucket": self.source,
            "destinationBuckets": ",".join(self.destinations),
        }
        self._meter = Meter(cast("boto3.Session", boto3.DEFAULT_SESSION))
        for number in range(job["objects"]):
            self._put(number)

    def _put(self, number: int) -> None:
        key, body = f"archive/{number:05}.bin", f"object {number:05}".encode()
        store = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object
        for bucket in (self.source, *self.destinations[1:]):
            store(bucket, key, body)
        first = self.destinations[0]
        match number // self._every % 4 if number % self._every == 0 else None:
            case None:
                store(first, key, body)
            case 0:
                pass  # missing
            case 1:
                store(first, key, body + b" of another size")
            case 2:
                store(first, key, body[::-1])
            case 3:
                boto3.client("s3").put_object(Bucket=first, Key=key, Body=body, ContentType="text/plain")

    def count(self, work: Callable[[], object]) -> Counts:
        """Return what `work` has sent, as `requests` by operation and as `used` by the names of the price table."""
        self._meter.requests.clear()
        self._meter.used.clear()
        with self._meter.counting():
            work()
        return {"requests": dict(self._meter.requests), "used": dict(self._meter.used)}

    def rehearse(self) -> Counts:
        """Return what comparing contents alone took, of which nothing is started."""
        what = Range(self.source, "", tuple(self.destinations), content_only=True)

        def compare() -> None:
            with compared(runtime.backfill_tools(self._stack), what, start=False) as items:
                needed = sum(item.verdict is BackfillVerdict.NEEDED for item in items)
            if needed != self._different * 3 // 4:
                raise AssertionError(f"{needed} objects are needed")

        return self.count(compare)

    def backfill(self) -> dict[str, Counts]:
        """Return what comparing took, then the runs that it has started, then looking what became of them."""
        moment = iso(now())
        jobs = runtime.backfills()
        job = jobs.create(
            BackfillJob(
                backfill_id="backfill",
                status=JobStatus.RUNNING,
                source_bucket=self.source,
                destination_buckets=tuple(self.destinations),
                start_time=moment,
                updated_at=moment,
                created_by="bench",
                worked_by="bench",
            )
        )
        progress, tools = JobProgress(jobs, job), runtime.backfill_tools(self._stack)

        def engine(stop: Callable[[], bool]) -> BackfillEngine:
            return BackfillEngine(tools, progress, now, time.monotonic, looks, stop)

        comparing = self.count(lambda: engine(lambda: progress.job.compared_all).go(wait=True))
        runs = [self.started(arn) for arn in self._executions()]
        if len(runs) != self._different:
            raise AssertionError(f"{len(runs)} runs were started")
        copying = self.count(lambda: [self.carry_out(run) for run in runs])
        settling = self.count(lambda: engine(lambda: False).go(wait=True))
        if progress.job.status is not JobStatus.COMPLETED:
            raise AssertionError(str(progress.job))
        return {"comparing": comparing, "copying": copying, "settling": settling}

    def _executions(self) -> set[str]:
        pages = boto3.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.state_machine)
        return {one["executionArn"] for page in found for one in page["executions"]}

    def verify(self, *, deep: bool) -> Counts:
        """Return what a verification of a tenth of the objects took, which finds all of them equal."""
        execution = {"Name": f"verification-{deep}", "StartTime": iso(now())}
        asked = {"sourceBucket": self.source, "prefix": "archive/00", "deep": deep}
        payload = asked | {"destinationBuckets": self.destinations}
        counted = self.count(lambda: runtime.verify(payload, execution, self._stack, _CONTEXT))
        counts = runtime.verification_table().read(execution["Name"]).counts
        if counts.findings or not counts.compared:
            raise AssertionError(str(counts))
        return {**counted, "objects": counts.compared}


def _work(job: dict[str, Any]) -> Mapping[str, object]:
    jobs = Jobs(job)
    return {
        "contents": jobs.rehearse(),
        **jobs.backfill(),
        "stated": jobs.verify(deep=False),
        "deep": jobs.verify(deep=True),
    }


def main(answers: TextIO) -> None:
    """Read the job, work on it, and write what was counted."""
    job = json.load(sys.stdin)
    with environment(job["environment"]), mock_aws():
        counted = _work(job)
    json.dump(counted, answers)


if __name__ == "__main__":
    real_output = sys.stdout
    with redirect_stdout(sys.stderr):
        main(real_output)
