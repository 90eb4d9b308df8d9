"""Workers on the running stack: what they find, count and leave behind, however often they are asked."""

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.workflow.scanning.backstage import Backstage
from tests.workflow.scanning.conftest import Scanner
from tests.workflow.support.gate import BUSY, Gate
from waybill.scanning.models import Status

SSN = b"ssn 219-45-6789\n"
CANARIES = [f"219-45-{number}" for number in range(6700, 6725)] + [
    f"AKIAQ7RLWKZT4XMN{letters}" for letters in ("B2PD", "C3QE", "D4RF", "E5SG", "F6TH")
]
CANARY_TEXT = "\n".join(f"user {number}: {canary} {CANARIES[-1]}" for number, canary in enumerate(CANARIES))
KEYS = ("a new\nline 😀/a+b%2F.txt", "./x", "../y", "//", "<&>")
OBJECTS = {
    "plain.txt": CANARY_TEXT.encode(),
    "packed.gz": gzip.compress(CANARY_TEXT.encode()),
    "wide.txt": CANARY_TEXT.encode("utf-16"),
    "folder/": b"",
    "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(200),
    **dict.fromkeys(KEYS, SSN),
}


@pytest.fixture(scope="module")
def backstage(scanner: Scanner) -> Backstage:
    return Backstage(scanner.application)


def everything(scans: Backstage, job_id: str) -> str:
    """Return all that the scanner has written anywhere: table, logs, executions, and what people are told."""
    application = scans.application
    client = application.stack.client
    items = client("dynamodb").get_paginator("scan").paginate(TableName=scans.outputs["ScansTableName"])
    group = application.resources["ScanningLogGroup"]
    logs = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    history = [
        event
        for arn in application.executions(f"scan-{job_id}", scans.outputs["ScanWorkflowArn"])
        for event in application.sfn.get_execution_history(executionArn=arn)["events"]
    ]
    written: list[Any] = [page["Items"] for page in items]
    written += [event["message"] for page in logs for event in page["events"]]
    return repr(written + history + application.mailbox.all())


def test_a_bucket_is_scanned_and_no_value_is_left_anywhere(scanner: Scanner, backstage: Backstage, label: str) -> None:
    job_id = scanner.start(scanner.bucket(label, OBJECTS))
    job, tally = backstage.ended(job_id)
    assert tally.reasons == {"UNSUPPORTED_TYPE": 1}
    assert (tally.succeeded, tally.skipped, tally.failed) == (len(OBJECTS) - 1, 1, 0)
    assert (job.status, job.total) == (Status.COMPLETED, len(OBJECTS))
    found = backstage.findings(job_id)
    assert len(found) == tally.findings == 3 * 2 * len(CANARIES) + len(KEYS)
    assert {finding["key"] for finding in found} == {*OBJECTS} - {"folder/", "picture.txt"}
    written = everything(backstage, job_id)
    assert job_id in written
    assert [canary for canary in CANARIES if canary in written or canary[4:] in written] == []


def test_slices_that_come_five_times_count_once(scanner: Scanner, backstage: Backstage, label: str) -> None:
    bucket = scanner.bucket(label, {f"k{number:03}": SSN * 2 for number in range(9)})
    slices = backstage.listed(bucket, label)
    assert [len(work.entries) for work in slices] == [9]
    backstage.queue.send(slices * 5)
    job, tally = backstage.ended(label)
    backstage.drained(backstage.outputs["ScanQueueUrl"])
    assert (job.status, job.total) == (Status.COMPLETED, 9)
    assert backstage.table.outcomes.tally(label) == tally
    assert (tally.succeeded, tally.findings, tally.taken) == (9, 18, 9)
    assert len(backstage.findings(label)) == 18


def test_objects_of_a_slice_that_was_given_up_on_are_failed_and_the_job_ends(
    scanner: Scanner, backstage: Backstage, label: str
) -> None:
    bucket = scanner.bucket(label, {f"k{number:03}": SSN for number in range(9)})
    [listed] = backstage.listed(bucket, label)
    good, poisoned = (replace(listed, entries=entries) for entries in (listed.entries[:4], listed.entries[4:]))
    backstage.queue.send([good])
    # Where SQS moves it after five deliveries.
    backstage.application.sqs.send_message(
        QueueUrl=backstage.application.resources["ScanDeadLetterQueue"], MessageBody=json.dumps(poisoned.body())
    )
    job, tally = backstage.ended(label)
    assert job.status == Status.COMPLETED_WITH_ERRORS
    assert (tally.succeeded, tally.failed, tally.reasons) == (4, 5, {"WORKER_FAILED": 5})
    assert len(backstage.findings(label)) == 4
    letter = backstage.application.mailbox.one_about(label)
    assert "219-45" not in repr(letter)


def test_a_slice_that_meets_a_fault_comes_again(scanner: Scanner, backstage: Backstage, gate: Gate, label: str) -> None:
    bucket = scanner.bucket(label, {"a": SSN, "b": SSN})
    slices = backstage.listed(bucket, label)
    with gate.refusing("BatchGetItem", label, BUSY, times=1) as fault:
        backstage.queue.send(slices)
        job, tally = backstage.ended(label)
    assert fault.seen == 1
    assert (job.status, tally.succeeded, tally.findings) == (Status.COMPLETED, 2, 2)
