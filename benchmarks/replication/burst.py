"""Many uploads at once, on an embedded AWS of their own, beside `rclone copy` of the same files."""

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.harness.report import breakdown
from benchmarks.replication import rclone
from benchmarks.replication.workflow import upload_and_wait
from waybill.replication.adapters.table import STATUS_INDEX
from waybill.replication.domain.records import RecordStatus

_FILES = 500
_UPLOADERS = 16
_WITHIN_SECONDS = 240.0
_PREFIX = "burst/"
_PEER_PREFIX = "rclone/"


@dataclass(frozen=True)
class File:
    """The file of one number: 4 to 64 KB that depend on nothing else."""

    number: int

    @property
    def key(self) -> str:
        """Its key."""
        return f"{_PREFIX}{self.number:04}.bin"

    @property
    def body(self) -> bytes:
        """Its bytes."""
        seed = hashlib.sha256(str(self.number).encode()).digest()
        size = 4096 + int.from_bytes(seed[:4]) % (60 * 1024)
        return (seed * (size // len(seed) + 1))[:size]


@dataclass(frozen=True)
class Burst:
    """When the first upload began and all had been taken, and when each was, in seconds since 1970."""

    began: float
    uploaded: float
    taken: Mapping[str, float]


def _measure(lab: Lab) -> Iterator[Figure]:
    with lab.fresh_deployment("burst") as deployment:
        _keep_versions(deployment)
        upload_and_wait(deployment, "warm-up.bin", b"warm up")
        files = [File(number) for number in range(_FILES)]
        burst = _upload(deployment, files)
        _wait_for_records(deployment)
        records = _records(deployment)
        completed = [one for one in records[""] if one["status"]["S"] == "COMPLETED"]
        lab.show(_progress(records, burst))
        lab.say(
            f"Invocations throttled: {_throttled(deployment)}. Events in the retry queue now: {_waiting(deployment)}."
        )
        yield Figure(
            "replication.burst_completed",
            len(completed),
            "files",
            f"records COMPLETED of {_FILES} uploads at once, 4 to 64 KB, 2 destinations, new embedded AWS",
            target=f"= {_FILES}",
        )
        _check(deployment, files, records)
        lab.say("Each file: one execution, one record, no second run, one version at each destination, with its bytes.")
        seconds = max(_moment(one["completedAt"]["S"]) for one in completed) - burst.began
        peer = _peer(lab, deployment, files)
        yield Figure(
            "replication.burst_seconds",
            round(seconds, 1),
            "s",
            "first upload to last COMPLETED; rclone copies the same files from bucket to buckets, and keeps no records",
            {"uploads": round(burst.uploaded - burst.began, 1), **peer},
        )
        yield from _latencies(records["dest"], burst, peer)


def _latencies(copies: list[dict[str, Any]], burst: Burst, peer: Mapping[str, float]) -> Iterator[Figure]:
    took = sorted(_moment(one["timestamp"]["S"]) - burst.taken[one["fileKey"]["S"]] for one in copies)
    for share in (50, 99):
        yield Figure(
            f"replication.latency_p{share}_seconds",
            round(took[math.ceil(share / 100 * len(took)) - 1], 1),
            "s",
            f"of {len(took)} copies of {_FILES} uploads at once: from the upload's answer to the copy",
            peer,
        )


def _peer(lab: Lab, deployment: Deployment, files: list[File]) -> dict[str, float]:
    """Return how long rclone takes for the bytes, where it is installed."""
    if not rclone.installed():
        lab.say("rclone is not installed (Debian package rclone): there is no figure beside this one.")
        return {}
    copied = rclone.copy_to_all(deployment, _PREFIX, _PEER_PREFIX)
    for bucket in deployment.destinations:
        _check_bytes(deployment, bucket, files, lambda file: file.key.replace(_PREFIX, _PEER_PREFIX, 1))
    lab.say("rclone copy ran from the source bucket to both destinations at once; it was checked by bytes as well.")
    return {"rclone_copy": round(copied, 1)}


def _keep_versions(deployment: Deployment) -> None:
    """Turn versioning on at the destinations, so that a second copy of a file would show."""
    for bucket in deployment.destinations:
        deployment.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def _upload(deployment: Deployment, files: Iterable[File]) -> Burst:
    s3, source = deployment.client("s3"), deployment.outputs["SourceBucketName"]
    bodies = [(file.key, file.body) for file in files]
    taken: dict[str, float] = {}

    def put(one: tuple[str, bytes]) -> None:
        s3.put_object(Bucket=source, Key=one[0], Body=one[1])
        taken[one[0]] = time.time()

    began = time.time()
    _in_parallel(put, bodies)
    return Burst(began, time.time(), taken)


def _wait_for_records(deployment: Deployment) -> None:
    """Return when every file has its record and its destinations, and no run is under way, or when time is up."""
    table, client = deployment.outputs["FileCopyTrackingTableName"], deployment.client("dynamodb")
    wanted = (_FILES + 1) * (1 + len(deployment.destinations))
    open_runs = {
        "TableName": table,
        "IndexName": STATUS_INDEX,
        "Select": "COUNT",
        "KeyConditionExpression": "statusPartition = :open",
        "ExpressionAttributeValues": {":open": {"S": RecordStatus.IN_PROGRESS.value}},
    }
    deadline = time.monotonic() + _WITHIN_SECONDS
    while time.monotonic() < deadline:
        written = client.describe_table(TableName=table)["Table"]["ItemCount"]
        if written >= wanted and not client.query(**open_runs)["Count"]:
            return
        time.sleep(0.5)


def _records(deployment: Deployment) -> dict[str, list[dict[str, Any]]]:
    """Return the items of the files by kind: the records under "", `dest` and `exec`."""
    pages = (
        deployment.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployment.outputs["FileCopyTrackingTableName"], ConsistentRead=True)
    )
    found: dict[str, list[dict[str, Any]]] = {"": [], "dest": [], "exec": []}
    for item in (item for page in pages for item in page["Items"]):
        if item["fileKey"]["S"].startswith(_PREFIX):
            found[item["sourceBucket"]["S"].partition("#")[2].partition("#")[0]].append(item)
    return found


def _check(deployment: Deployment, files: list[File], records: dict[str, list[dict[str, Any]]]) -> None:
    """Compare everything with what was uploaded.

    Raises
    ------
    AssertionError
        Something is missing, there twice, or different.
    """
    keys = Counter(file.key for file in files)
    copies = Counter({(file.key, bucket): 1 for file in files for bucket in deployment.destinations})
    _same("records", Counter(one["fileKey"]["S"] for one in records[""]), keys)
    _same("statuses", Counter(one["status"]["S"] for one in records[""]), Counter(COMPLETED=len(files)))
    # The record of a first run that went well is its history too.
    _same("history items", Counter(one["fileKey"]["S"] for one in records["exec"]), Counter())
    _same("executions", _executions(deployment), Counter(SUCCEEDED=len(files) + 1))
    placed = Counter((one["fileKey"]["S"], one["destinationBucket"]["S"]) for one in records["dest"])
    _same("destination items", placed, copies)
    _same(
        "versions",
        Counter({(key, bucket): n for bucket in deployment.destinations for key, n in _versions(deployment, bucket)}),
        copies,
    )
    for bucket in deployment.destinations:
        _check_bytes(deployment, bucket, files, lambda file: file.key)


def _same(what: str, found: Counter[Any], wanted: Counter[Any]) -> None:
    if found != wanted:
        raise AssertionError(
            f"{what}: too many {list((found - wanted).items())[:5]}, too few {list((wanted - found).items())[:5]}"
        )


def _executions(deployment: Deployment) -> Counter[str]:
    pages = (
        deployment.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=deployment.outputs["FileCopyWorkflowArn"])
    )
    return Counter(one["status"] for page in pages for one in page["executions"])


def _versions(deployment: Deployment, bucket: str) -> list[tuple[str, int]]:
    pages = deployment.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=_PREFIX)
    return list(Counter(one["Key"] for page in pages for one in page.get("Versions", [])).items())


def _check_bytes(deployment: Deployment, bucket: str, files: list[File], key_of: Callable[[File], str]) -> None:
    s3 = deployment.client("s3")

    def check(file: File) -> None:
        if s3.get_object(Bucket=bucket, Key=key_of(file))["Body"].read() != file.body:
            raise AssertionError(f"{bucket}/{key_of(file)} has other bytes than were uploaded")

    _in_parallel(check, files)


def _in_parallel[T](action: Callable[[T], Any], items: Iterable[T]) -> None:
    with ThreadPoolExecutor(_UPLOADERS) as pool:
        for _ in pool.map(action, items):
            pass


def _progress(records: dict[str, list[dict[str, Any]]], burst: Burst) -> Table:
    """Return when how many files were done."""
    ended = sorted(_moment(one["completedAt"]["S"]) - burst.began for one in records[""] if "completedAt" in one)
    rows = [["all uploaded", burst.uploaded - burst.began]]
    rows += [[f"{share:.0%} of them completed", ended[int(share * len(ended)) - 1]] for share in (0.5, 0.9, 1) if ended]
    return breakdown(f"{_FILES} uploads at once", ["Seconds after the first", ""], rows)


def _throttled(deployment: Deployment) -> int:
    return int(sum(deployment.metric(one, "Throttles")[0] for one in deployment.functions.values()))


def _waiting(deployment: Deployment) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.outputs["ReplicationRetryQueueUrl"], AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


_FIGURES = (
    "replication.burst_completed",
    "replication.burst_seconds",
    "replication.latency_p50_seconds",
    "replication.latency_p99_seconds",
)
BENCHMARKS = (Benchmark(_FIGURES, _measure),)
