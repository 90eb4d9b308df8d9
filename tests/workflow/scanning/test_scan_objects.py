"""Workers on the running stack: what they find, count and leave behind, however often they are asked."""

import gzip
import json
from dataclasses import replace
from typing import Any

from tests.workflow.scanning.conftest import Scans
from tests.workflow.support.gate import BUSY, Gate
from waybill.scanning.models import Status

SSN = b"ssn 219-45-6789\n"
CANARIES = [f"219-45-{number}" for number in range(6700, 6725)] + [
    f"AKIAQ7RLWKZT4XMN{letters}" for letters in ("B2PD", "C3QE", "D4RF", "E5SG", "F6TH")
]
CANARY_TEXT = "\n".join(f"user {number}: {canary} {CANARIES[-1]}" for number, canary in enumerate(CANARIES))
OBJECTS = {
    "plain.txt": CANARY_TEXT.encode(),
    "packed.gz": gzip.compress(CANARY_TEXT.encode()),
    "wide.txt": CANARY_TEXT.encode("utf-16"),
    "folder/": b"",
    "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "a new 😀/a+b%2F.txt": SSN,
}


def everything(scans: Scans, job_id: str) -> str:
    """Return all that the scanner has written anywhere: table, logs, executions, and what people are told."""
    application = scans.application
    client = application.stack.client
    items = client("dynamodb").get_paginator("scan").paginate(TableName=scans.outputs["ScansTableName"])
    group = application.resources["ScanningLogGroup"]
    logs = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    history = [
        event
        for arn in application.executions(job_id, scans.outputs["ScanWorkflowArn"])
        for event in application.sfn.get_execution_history(executionArn=arn)["events"]
    ]
    written: list[Any] = [page["Items"] for page in items]
    written += [event["message"] for page in logs for event in page["events"]]
    return repr(written + history + application.mailbox.all())


def test_a_bucket_is_scanned_and_no_value_is_left_anywhere(scans: Scans, label: str) -> None:
    bucket = scans.bucket(label, OBJECTS)
    assert scans.run(bucket, label).status == "SUCCEEDED"
    job, tally = scans.ended(label)
    assert tally.reasons == {"UNSUPPORTED_TYPE": 1}
    assert (tally.succeeded, tally.skipped, tally.failed) == (5, 1, 0)
    assert (job.status, job.total) == (Status.COMPLETED, len(OBJECTS))
    found = scans.findings(label)
    assert len(found) == tally.findings == 3 * 2 * len(CANARIES) + 1
    assert {finding["key"] for finding in found} == {*OBJECTS} - {"folder/", "picture.txt"}
    written = everything(scans, label)
    assert label in written
    assert [canary for canary in CANARIES if canary in written or canary[4:] in written] == []


def test_slices_that_come_five_times_count_once(scans: Scans, label: str) -> None:
    bucket = scans.bucket(label, {f"k{number:03}": SSN * 2 for number in range(9)})
    slices = scans.listed(bucket, label)
    assert [len(work.entries) for work in slices] == [9]
    scans.queue.send(slices * 5)
    job, tally = scans.ended(label)
    scans.drained(scans.outputs["ScanQueueUrl"])
    assert (job.status, job.total) == (Status.COMPLETED, 9)
    assert scans.store.tally(label) == tally
    assert (tally.succeeded, tally.findings, tally.taken) == (9, 18, 9)
    assert len(scans.findings(label)) == 18


def test_objects_of_a_slice_that_was_given_up_on_are_failed_and_the_job_ends(scans: Scans, label: str) -> None:
    bucket = scans.bucket(label, {f"k{number:03}": SSN for number in range(9)})
    [listed] = scans.listed(bucket, label)
    good, poisoned = (replace(listed, entries=entries) for entries in (listed.entries[:4], listed.entries[4:]))
    scans.queue.send([good])
    # Where SQS moves it after five deliveries.
    scans.application.sqs.send_message(
        QueueUrl=scans.application.resources["ScanDeadLetterQueue"], MessageBody=json.dumps(poisoned.body())
    )
    job, tally = scans.ended(label)
    assert job.status == Status.COMPLETED_WITH_ERRORS
    assert (tally.succeeded, tally.failed, tally.reasons) == (4, 5, {"WORKER_FAILED": 5})
    assert len(scans.findings(label)) == 4
    [letter] = scans.application.mailbox.about(label)
    assert "219-45" not in repr(letter)


def test_a_slice_that_meets_a_fault_comes_again(scans: Scans, gate: Gate, label: str) -> None:
    bucket = scans.bucket(label, {"a": SSN, "b": SSN})
    slices = scans.listed(bucket, label)
    with gate.refusing("BatchGetItem", label, BUSY, times=1) as fault:
        scans.queue.send(slices)
        job, tally = scans.ended(label)
    assert fault.seen == 1
    assert (job.status, tally.succeeded, tally.findings) == (Status.COMPLETED, 2, 2)
