"""Whole jobs on the running stack: what is told at their end, and what a second one costs."""

import json

from tests.fakes.receiver import receiving
from tests.workflow.scanning.conftest import Scanner
from tests.workflow.support.gate import Gate
from tests.workflow.support.polling import until
from tests.workflow.support.requests import Requests

SSN = b"ssn 219-45-6789\n"


def test_the_end_is_one_event_that_reaches_topic_webhook_and_export(scanner: Scanner, label: str) -> None:
    application = scanner.application
    application.stack.needs_loopback()
    bucket = scanner.bucket(label, {f"k{number}": SSN for number in range(3)})
    subscriber = application.subscribed(scanner.outputs["ScanTopicArn"])
    secrets = application.stack.client("secretsmanager")
    secret = secrets.get_secret_value(SecretId=scanner.outputs["ScanWebhookSecretArn"])["SecretString"]
    with receiving(secret.encode()) as receiver:
        job_id = scanner.start(bucket, webhook_url=receiver.url, export=True)
        until(lambda: receiver.taken, f"the webhook about {job_id}")
        job = until(
            lambda: {"export", "webhook"} <= set(job := scanner.job(job_id)) and job, f"export and webhook of {job_id}"
        )
    assert (job["status"], job["webhook"]["status"], job["export"]["findings"]) == ("completed", "delivered", 3)
    [[body]] = receiver.taken.values()
    news = json.loads(body)
    assert (news["job_id"], news["status"], news["total_findings"]) == (job_id, "completed", 3)
    exported = scanner.exported(job["export"]["uri"])
    assert [each["masked_match"] for each in exported] == ["XXX-XX-6789"] * 3
    assert "219-45" not in json.dumps(exported) + body.decode()
    assert job_id in subscriber.one_about(job_id).body


def test_a_second_scan_reports_the_same_and_reads_nothing(scanner: Scanner, requests: Requests, label: str) -> None:
    bucket = scanner.bucket(label, {f"k{number:02}": SSN for number in range(30)})
    first = scanner.scanned(bucket)
    requests.were(label, bucket=bucket, GetObject=30)
    second = scanner.scanned(bucket)
    requests.were(label, bucket=bucket, GetObject=30, HeadObject=0)
    assert scanner.findings(second["job_id"]) == scanner.findings(first["job_id"])
    assert len(scanner.findings(second["job_id"])) == second["total_findings"] == 30
    coverage = scanner.ask("GET", f"/jobs/{second['job_id']}/coverage").json
    assert (coverage["from_cache"], coverage["outcomes"]) == (30, {"FINDINGS": 30})


def test_a_cancelled_job_lists_and_reads_nothing_more(scanner: Scanner, gate: Gate, label: str) -> None:
    bucket = scanner.bucket(label, {f"k{number:02}": SSN for number in range(60)})
    # The check that the bucket may be listed passes; the first page waits.
    with gate.holding("SendMessageBatch", bucket, times=1) as held:
        job_id = scanner.start(bucket)
        held.wait()
        assert scanner.ask("POST", f"/jobs/{job_id}/cancel").json["status"] == "cancelled"
    for arn in scanner.executions(job_id).values():
        assert scanner.application.ended(arn).status == "SUCCEEDED"
    # The check, and the page whose messages were being sent.
    assert len(gate.calls(label, "ListObjectsV2", bucket=bucket)) == 2
    job = scanner.job(job_id)
    assert (job["status"], job["queued"], job["processing"]) == ("cancelled", 0, 0)
    assert gate.calls(label, "GetObject", bucket=bucket) == []
