"""Records, seals and traces on moto by custody's own adapters, and counts what they send.

A process of its own: reads how many `files` as JSON from standard input and writes what was counted to standard output.
"""

import json
import os
import sys
import time
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1"}

import boto3
from moto import mock_aws

from benchmarks.custody.files import PER_FILE, happenings
from benchmarks.harness.metering import EmulatorTime, Meter
from tests.fakes.custody import NOON, LocalKeys, LocalSigner
from waybill.custody.adapters.log_bucket import S3Log
from waybill.custody.adapters.table import CustodyTable
from waybill.custody.domain.log_files import LogFiles
from waybill.custody.domain.recording import EventRecorder
from waybill.custody.domain.sealing import Sealer
from waybill.custody.domain.tracing import ByPlace, Tracer
from waybill.custody.models import FileState

_BATCH = 100
_TRACED = 50


class _Clock:
    at = NOON

    def __call__(self) -> datetime:
        return self.at


def _prepare() -> tuple[CustodyTable, S3Log]:
    place: Any = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    s3.create_bucket(Bucket="log", CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
    dynamodb.create_table(
        TableName="custody",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return CustodyTable(dynamodb, "custody"), S3Log(s3, "log")


def _measure(files: int) -> dict[str, Any]:
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    meter = Meter(session)
    table, log = _prepare()
    keys, clock = LocalKeys(), _Clock()
    recorder = EventRecorder(table, keys, clock)
    counted: dict[str, Any] = {"events": files * PER_FILE, "batches": 0}
    happened = [one for number in range(files) for one in happenings(number)]
    # As the streams tell it: a file's registration, its checks with its copy, its copies, its scan, each by itself.
    emulator = EmulatorTime()
    happened.sort(key=lambda one: (one.workflow, one.kind != "registered"))
    started = time.process_time()
    with meter.counting():
        for start in range(0, len(happened), _BATCH):
            recorder.record(happened[start : start + _BATCH], [], f"{start}")
            clock.at += timedelta(seconds=1)
            counted["batches"] += 1
    counted["seconds"] = time.process_time() - started - emulator.seconds
    counted["recording"] = {"requests": dict(meter.requests), "used": dict(meter.used)}
    clock.at += timedelta(hours=1)
    meter.requests.clear()
    meter.used.clear()
    sealer, added = Sealer(table, log, LogFiles(log, LocalSigner()), keys, clock), 0
    with meter.counting():
        while True:
            step = sealer.step()
            added += step.added
            if not step.more:
                break
    if added != counted["events"]:
        raise AssertionError(f"{added} of {counted['events']} events were sealed")
    counted["sealing"] = {"requests": dict(meter.requests), "used": dict(meter.used)}
    counted["trace"] = _trace(meter, table, keys)
    return counted


def _trace(meter: Meter, table: CustodyTable, keys: LocalKeys) -> dict[str, int]:
    """Return the requests of one trace by place, of a file with so many events, which a day has seen."""
    file = next(happenings(10**6))
    state = file.about
    if not isinstance(state, FileState):
        raise TypeError("what is registered is a file")
    at = NOON + timedelta(hours=2)
    some = [next(happenings(10**6 + number)) for number in range(_TRACED)]
    EventRecorder(table, keys, lambda: at).record([replace(one, about=state) for one in some], [], "traced")
    meter.requests.clear()
    with meter.counting():
        found = Tracer(table, keys).trace(ByPlace(state.place), limit=_TRACED, with_index=False)
    if len(found.events) != _TRACED:
        raise AssertionError(f"{len(found.events)} events were traced")
    return dict(meter.requests)


def main() -> None:
    """Read the job, measure, and write what was counted."""
    real_output = sys.stdout
    with redirect_stdout(sys.stderr), mock_aws():
        counted = _measure(json.load(sys.stdin)["files"])
    json.dump(counted, real_output)


if __name__ == "__main__":
    main()
