"""Scans a bucket on moto with the application's handlers, and counts what they send.

A process of its own: reads a job as JSON from standard input (`objects`, their `size` in bytes, the share of their
lines that has a `planted` value, `limits` as variables) and writes what was counted to standard output.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1"}

import boto3
from moto import mock_aws

from benchmarks.harness.in_process import call
from benchmarks.harness.metering import Meter
from benchmarks.scanning.corpus import log_text
from waybill.scanning.domain.split import first_state
from waybill.scanning.request_models import ScanRequest
from waybill.scanning.runtime import deployed

_BUCKET = "scanned"
_HANDLERS = "waybill.scanning.handlers"
_BATCH = 10


def _prepare(objects: int, size: int, planted: float) -> str:
    """Make what the handlers need, and the objects; return the queue's URL."""
    place: Any = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration=place)
    body = log_text(size, planted)[: size - 9]
    for number in range(objects):
        key = f"logs/2025/11/{number % 28 + 1:02}/service-{number:08}.log"
        s3.put_object(Bucket=_BUCKET, Key=key, Body=b"%08d\n%s" % (number, body))
    boto3.client("dynamodb").create_table(
        TableName="scans",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    url = str(boto3.client("sqs").create_queue(QueueName="slices")["QueueUrl"])
    os.environ |= {
        "SCANS_TABLE": "scans",
        "SCAN_QUEUE_URL": url,
        "SCAN_BUCKETS": "*",
        "SCAN_FAN_OUT": "1",
        "SCAN_SECRET_ARN": boto3.client("secretsmanager").create_secret(Name="scan", SecretString="a secret")["ARN"],
        "FAILURE_TOPIC_ARN": boto3.client("sns").create_topic(Name="failures")["TopicArn"],
    }
    return url


def _invoke(step: str, event: Any) -> Any:
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{step}"
    answer = call(f"{_HANDLERS}.{step}", event, name=step, arn=arn, memory=1769)
    return json.loads(json.dumps(answer))


def _messages(url: str) -> Iterator[dict[str, Any]]:
    """Yield the messages as Lambda delivers them; its pollers' requests are counted by the messages."""
    sqs = boto3.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH).get("Messages"):
        for message in messages:
            yield {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "body": message["Body"],
            }
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _scan(job: dict[str, Any]) -> dict[str, Any]:
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    meter = Meter(session)
    url = _prepare(job["objects"], job["size"], job["planted"])
    created = deployed().jobs.create(ScanRequest(bucket=_BUCKET), "benchmark", None)
    batches = 0
    with meter.counting():
        state: dict[str, Any] = first_state(created, 0)
        while not state.get("done"):
            state = _invoke("process_batch", state)
            batches += 1
    delivered = list(_messages(url))
    with meter.counting():
        for message in delivered:
            if _invoke("scan_objects", {"Records": [message]})["batchItemFailures"]:
                raise AssertionError("a slice has failed")
    report = deployed().jobs.report(created.job_id)
    if (report["status"], report["succeeded"]) != ("completed", job["objects"]):
        raise AssertionError(str(report))
    return {
        "requests": meter.requests,
        "used": meter.used,
        "messages": len(delivered),
        "batches": batches,
        "findings": report["total_findings"],
    }


def main() -> None:
    """Read the job, scan, and write what was counted."""
    real_output = sys.stdout
    with redirect_stdout(sys.stderr), mock_aws():
        counted = _scan(json.load(sys.stdin))
    json.dump(counted, real_output)


if __name__ == "__main__":
    main()
