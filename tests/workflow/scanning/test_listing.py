"""Whole listings on the running stack: ranges, hand-overs, inventories, refusals."""

import gzip
import hashlib
import json
from urllib.parse import quote_plus

import pytest

from tests.workflow.scanning.conftest import Scanner
from tests.workflow.support.gate import BUSY, Gate, Refusal
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.polling import until
from tests.workflow.support.requests import Requests

SSN = b"ssn 219-45-6789\n"
LOOP_LIMIT = 3


@pytest.mark.long
def test_a_large_bucket_is_listed_in_ranges_or_handed_over_and_every_key_counted_once(
    scanner: Scanner, gate: Gate, label: str
) -> None:
    keys = [f"{folder}/{number:02}" for folder in ("é", "~", "A", "a", "x y") for number in range(34)]
    bucket = scanner.bucket(label, dict.fromkeys(keys, b"1"))
    with gate.refusing("SendMessageBatch", bucket, BUSY, times=3) as refused:
        # A sample of a number of objects is listed in one range.
        in_ranges, in_one = scanner.start(bucket), scanner.start(bucket, sample={"objects": 5})
        job, sampled = scanner.ended(in_ranges), scanner.ended(in_one)
    assert refused.seen == 3
    assert (job["status"], job["total"], job["succeeded"]) == ("completed", 170, 170)
    assert (sampled["status"], sampled["total"], sampled["succeeded"]) == ("completed", 170, 5)
    ranges = scanner.ranges(in_ranges)
    assert len(ranges) > 2
    assert sum(int(part["total"]) for part in ranges) == 170
    executions = scanner.executions(in_ranges) | scanner.executions(in_one)
    assert {f"scan-{in_ranges}-1", f"scan-{in_ranges}-r1-1"} <= set(executions)
    assert {f"scan-{in_one}-{generation}" for generation in (1, 2, 3)} <= set(executions)
    for arn in executions.values():
        ended = scanner.application.ended(arn)
        assert (ended.status, ended.states.count("ProcessBatch") <= LOOP_LIMIT) == ("SUCCEEDED", True)


def test_a_job_whose_messages_are_all_refused_fails_with_a_reason_and_is_resumed(
    scanner: Scanner, gate: Gate, mailbox: Mailbox, label: str
) -> None:
    bucket = scanner.bucket(label, {f"k{number:02}": SSN for number in range(45)})
    with gate.refusing("SendMessageBatch", bucket, Refusal(403, "AccessDenied")):
        job_id = scanner.start(bucket)
        failed = scanner.ended(job_id)
        for arn in scanner.executions(job_id).values():
            assert scanner.application.ended(arn).status == "FAILED"
    assert (failed["status"], failed["error"], failed["succeeded"]) == ("failed", "QueueUnavailableError", 0)
    until(lambda: mailbox.about(job_id), f"a notification about {job_id}")
    answer = scanner.ask("POST", f"/jobs/{job_id}/resume")
    assert (answer.status, answer.json["status"]) == (202, "listing")
    job = scanner.ended(job_id)
    assert (job["status"], job["total"], job["succeeded"], job["total_findings"]) == ("completed", 45, 45, 45)
    assert len(gate.calls(label, "GetObject", bucket=bucket)) == 45
    assert len(mailbox.about(job_id)) == 1


def test_an_inventory_is_scanned_in_place_of_a_listing(scanner: Scanner, requests: Requests, label: str) -> None:
    keys = ["a b", "a+b", "é/1", *(f"k{number:02}" for number in range(50))]
    bucket = scanner.bucket(label, dict.fromkeys(keys, SSN))
    etag = hashlib.md5(SSN, usedforsecurity=False).hexdigest()
    rows = [f'"{bucket}","{quote_plus(key)}","{len(SSN)}","{etag}"\n' for key in [*keys, "gone"]]
    files = {
        f"inventory/{name}.csv.gz": gzip.compress("".join(part).encode())
        for name, part in (("1", rows[:20]), ("2", rows[20:]))
    }
    manifest = {
        "sourceBucket": bucket,
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, ETag",
        "files": [
            {"key": key, "size": len(content), "MD5checksum": hashlib.md5(content, usedforsecurity=False).hexdigest()}
            for key, content in files.items()
        ],
    }
    text = json.dumps(manifest).encode()
    checksum = hashlib.md5(text, usedforsecurity=False).hexdigest().encode()
    delivered = files | {"inventory/manifest.json": text, "inventory/manifest.checksum": checksum}
    for key, content in delivered.items():
        scanner.application.s3.put_object(Bucket=bucket, Key=key, Body=content)
    job = scanner.scanned(bucket, source="inventory", manifest=f"s3://{bucket}/inventory/manifest.json")
    assert (job["status"], job["total"], job["succeeded"], job["skipped"]) == ("completed", 54, 53, 1)
    assert {finding["key"] for finding in scanner.findings(job["job_id"])} == set(keys)
    # The one that checks that the bucket may be listed at all.
    requests.were(label, ListObjectsV2=1)


def test_a_bucket_that_refuses_fails_the_job_and_people_are_told_once(
    scanner: Scanner, gate: Gate, mailbox: Mailbox, label: str
) -> None:
    bucket = scanner.bucket(label, {"a": SSN})
    state = {"job_id": label, "bucket": bucket, "prefix": "", "continuation_token": None, "objects_processed": 0}
    with gate.refusing("ListObjectsV2", label, Refusal(403, "AccessDenied")):
        ended = scanner.application.run(state, label, workflow=scanner.outputs["ScanWorkflowArn"])
    assert (ended.status, ended.error) == ("FAILED", "BucketDeniedError")
    assert scanner.ask("GET", f"/jobs/{label}").status == 404
    until(lambda: mailbox.about(label), f"a notification about {label}")


def test_a_direct_start_with_the_contracts_state_lists_and_answers_with_it(scanner: Scanner, label: str) -> None:
    bucket = scanner.bucket(label, {"a": SSN, "b": b""})
    state = {"job_id": label, "bucket": bucket, "prefix": "", "continuation_token": None, "objects_processed": 0}
    ended = scanner.application.run(state, label, workflow=scanner.outputs["ScanWorkflowArn"])
    assert ended.states == ["Begin", "ProcessBatch", "CheckIfDone", "JobComplete"]
    assert (ended.output["objects_processed"], ended.output["batch_size"], ended.output["done"]) == (2, 2, True)
    assert scanner.ended(label)["status"] == "completed"
