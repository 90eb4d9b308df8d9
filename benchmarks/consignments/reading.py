"""What the function reads, counted on S3's answers, and the memory that it needs for an object of 5 GB."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
from moto import mock_aws

from benchmarks.consignments.corpus import generated, given
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.in_process import call, environment
from benchmarks.harness.report import breakdown

_UPLOADS, _RESULTS, _RULES = "uploads", "results", "rules"
_TABLE = "consignments"
_REGION = "eu-west-1"
_FILES = 120
_STREAMED = 40_000_000
_LARGE_BYTES = 20_000_000
_FIVE_GB = 5 << 30
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": _REGION,
    "CONSIGNMENTS_TABLE": _TABLE,
    "CONSIGNMENT_RESULTS_BUCKET": _RESULTS,
    "CONSIGNMENT_RULES_BUCKET": _RULES,
    "CONSIGNMENT_LARGE_FILE_BYTES": str(_LARGE_BYTES),
    "POWERTOOLS_TRACE_DISABLED": "true",
}


class _Counter:
    """Counts requests for uploaded objects, and every byte that is read of their answers."""

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0

    def note(self, parsed: dict[str, Any], **_: Any) -> None:
        """Count what is read of an answer; rules and results have other content types."""
        if parsed.get("ContentType") != "application/x-upload":
            return
        self.requests += 1
        body = parsed["Body"]
        read = body.read

        def counted(*amount: int) -> bytes:
            part: bytes = read(*amount)
            self.bytes += len(part)
            return part

        body.read = counted


def _measure_reading(lab: Lab) -> Iterator[Figure]:
    from waybill.core.aws.clients import client
    from waybill.core.settings import load

    corpus = ((f"given-{name}", content) for name, content in given())
    contents = [*generated(_FILES), *corpus, ("streamed.bin", bytes(_STREAMED))]
    counter = _Counter()
    with environment(_VARIABLES), mock_aws():
        load.cache_clear()
        client.cache_clear()
        s3: Any = boto3.client("s3", _REGION)
        dynamodb: Any = boto3.client("dynamodb", _REGION)
        for bucket in (_UPLOADS, _RESULTS, _RULES):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": _REGION})
        keys = {"pk": "HASH", "sk": "RANGE"}
        dynamodb.create_table(
            TableName=_TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        records = [_uploaded(s3, name, content) for name, content in contents]
        client("s3").meta.events.register("after-call.s3.GetObject", counter.note)
        event = {"resultKey": "runs/0.jsonl", "files": records}
        answer = call(
            "waybill.consignments.handlers.check_files", event, name="check", arn="a:b:c:d:e:f:check", memory=2048
        )
        load.cache_clear()
        client.cache_clear()
    stored = sum(len(content) for _, content in contents)
    if answer["counts"] != dict.fromkeys(("antivirus", "checksum", "fileFormat"), len(contents)):
        raise AssertionError(f"the function answers {answer}")
    rows = [
        ["Files", len(contents)],
        ["GetObject", counter.requests],
        ["Bytes stored", stored],
        ["Bytes read", counter.bytes],
    ]
    lab.show(breakdown("What is read of S3", ["", "Count"], rows))
    beside = {"requests_per_file": counter.requests / len(contents)}
    how = f"{len(contents)} files on moto, one of them as a stream; bytes counted as the handler reads them"
    yield Figure("consignments.bytes_read_ratio", counter.bytes / stored, "", how, beside, "1.0")


def _uploaded(s3: Any, name: str, content: bytes) -> dict[str, Any]:
    key = f"user/consignment/{name}"
    answer = s3.put_object(Bucket=_UPLOADS, Key=key, Body=content, ContentType="application/x-upload")
    return {
        "fileId": name,
        "originalPath": name,
        "objectSize": len(content),
        "eTag": answer["ETag"],
        "s3SourceBucket": _UPLOADS,
        "s3SourceBucketKey": key,
    }


def _measure_memory(lab: Lab) -> Iterator[Figure]:
    program = [sys.executable, "-m", "benchmarks.consignments.large_object", str(_FIVE_GB)]
    done = subprocess.run(program, capture_output=True, check=True, text=True, cwd=lab.project)
    outcome = json.loads(done.stdout.splitlines()[-1])
    reading = outcome["line"]["reading"]
    if outcome["line"]["failures"] or (reading["how"], reading["bytes"]) != ("stream", _FIVE_GB):
        raise AssertionError(f"the object was not checked: {outcome['line']}")
    peaks = {name: round(peak, 1) for name, peak in outcome["peaks"].items()}
    how = f"VmHWM of all processes; the handler on a sparse object of 5 GiB in {outcome['seconds']:.0f} s"
    yield Figure("consignments.peak_mb_5gb", round(sum(peaks.values()), 1), "MB", how, peaks, "< 512")


BENCHMARKS = (
    Benchmark(("consignments.bytes_read_ratio",), _measure_reading),
    Benchmark(("consignments.peak_mb_5gb",), _measure_memory),
)
