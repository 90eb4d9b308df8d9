"""Whole jobs through the handlers of the scanner's functions, on moto: nothing leaks, and no key gets lost."""

import base64
import gzip
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.api import LambdaContext, answer_of, request_event
from tests.fakes.receiver import receiving
from tests.fakes.scanning import AWKWARD_KEYS
from tests.fakes.wire import Wire
from tests.functional.scanning.samples import SIGNING, make_resources
from waybill.core.aws.clients import client
from waybill.scanning.handlers.deliver_webhook import lambda_handler as deliver_webhook
from waybill.scanning.handlers.export_findings import lambda_handler as export_findings
from waybill.scanning.handlers.fail_slices import lambda_handler as fail_slices
from waybill.scanning.handlers.process_batch import lambda_handler as process_batch
from waybill.scanning.handlers.scan_api import lambda_handler as scan_api
from waybill.scanning.handlers.scan_objects import lambda_handler as scan_objects
from waybill.scanning.runtime import deployed

CANARIES = [
    *(f"219-45-{number}" for number in range(6700, 6720)),
    *(f"AKIAQ7RLWKZT4XMN{letters}" for letters in ("B2PD", "C3QE", "D4RF", "E5SG", "F6TH", "G7UI", "H2VJ", "I3WK")),
    *(f"canary.{number}.person@corp-mail.org" for number in range(1000, 1012)),
    *("GB69PMNJ18913943430745", "4539214712746634", "5210402405591275", "30043277253245", "374245455400126"),
    *("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", "AIzaSyD4t9vK2mQ7xL1pW8nR5bZ3cJ6hF0gYeTu"),
    *(
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "xoxb-2417361580-4829361750-q7RvZ2mKx9LpT4wB",
        "SK1f4e9b7c2a8d6035e4b7c9f1a2d83650",
    ),
]
TEXT = "\n".join(f"user {number}: {canary} and {CANARIES[0]}" for number, canary in enumerate(CANARIES)).encode()


@pytest.fixture(autouse=True)
def resources(wire: Wire) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(SCAN_WORKFLOW_ARN="arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-scanning")
    make_resources()
    yield
    os.environ.clear()
    os.environ.update(before)


def records(url: str) -> list[dict[str, Any]]:
    """Take all messages of a queue, as a function is given them."""
    sqs, found = client("sqs"), list[dict[str, Any]]()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for message in messages
        ]
    return found


def ask(method: str, path: str, **more: Any) -> Any:
    return answer_of(
        scan_api(request_event(method, path, identity={"subject": "a", "roles": "scanning"}, **more), LambdaContext())
    )


def listed(**request: Any) -> tuple[str, list[dict[str, Any]]]:
    """Start and list a job; return its id and the messages to the workers."""
    job_id = ask("POST", "/scan", body={"bucket": "archive", **request}).json["job_id"]
    assert process_batch({"job_id": job_id}, LambdaContext())["done"]
    return job_id, records(os.environ["SCAN_QUEUE_URL"])


def stored() -> Iterator[Any]:
    for table in client("dynamodb").list_tables()["TableNames"]:
        for page in client("dynamodb").get_paginator("scan").paginate(TableName=table):
            yield page["Items"]
    for each in client("s3").list_objects_v2(Bucket="exports").get("Contents", []):
        yield client("s3").get_object(Bucket="exports", Key=each["Key"])["Body"].read().decode()


def test_no_secret_is_in_any_store_message_log_export_webhook_or_error(
    wire: Wire, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert len(set(CANARIES)) == 50
    s3 = client("s3")
    contents = {
        "plain.txt": TEXT,
        "packed.gz": gzip.compress(TEXT),
        "wide.txt": TEXT.decode().encode("utf-16"),
        "encoded.txt": b"data: " + base64.b64encode(TEXT),
        "broken.gz": gzip.compress(TEXT * 40)[:-20],
        "again.txt": TEXT,
    }
    for key, content in contents.items():
        s3.put_object(Bucket="archive", Key=f"canaries/{key}", Body=content)
    with receiving(SIGNING.encode()) as receiver:
        job_id, messages = listed(prefix="canaries/", webhook_url=receiver.url, export=True)
        busy = [f"{CANARIES[0]} is read too often"]
        wire.refuse("s3.GetObject", "SlowDown", busy[0], status=503, when=lambda _: bool(busy))
        failed = scan_objects({"Records": messages}, LambdaContext())["batchItemFailures"]
        assert len(failed) == len(messages)
        busy.clear()
        assert scan_objects({"Records": messages}, LambdaContext()) == {"batchItemFailures": []}
        job = deployed().jobs.find(job_id)
        news = {"detail": {"eventId": job.event_id, "job_id": job_id, "status": job.status.value}}
        record = {"messageId": "m", "receiptHandle": "h", "body": json.dumps(news)}
        event = {"Records": [record | {"attributes": {"ApproximateReceiveCount": "1"}}]}
        deliver_webhook(event, LambdaContext())
        export_findings(event, LambdaContext())
    report = ask("GET", f"/jobs/{job_id}")
    assert report.json["total_findings"] >= 5 * len(CANARIES)
    cursor, answers = None, [report.text, ask("GET", f"/jobs/{job_id}/coverage").text]
    while cursor or len(answers) == 2:
        query = {"job_id": job_id, "limit": "1000"} | ({"cursor": cursor} if cursor else {})
        answers.append(ask("GET", "/results", query=query).text)
        cursor = json.loads(answers[-1])["next_cursor"]
    told = [body.decode() for bodies in receiver.taken.values() for body in bodies]
    assert told
    printed, logged = capsys.readouterr(), "".join(str(vars(one)) for one in caplog.records if one.name == "scanning")
    assert "slice not finished" in logged
    sent = [repr(message) for message in [*messages, *wire.published]]
    written = "\n".join([*map(repr, stored()), *answers, *told, *sent, logged, printed.out, printed.err])
    assert [canary for canary in CANARIES if canary in written or canary[4:] in written] == []


def test_every_key_that_s3_takes_goes_from_the_listing_to_its_findings() -> None:
    for key in AWKWARD_KEYS:
        client("s3").put_object(Bucket="archive", Key=f"in/{key}"[:1024], Body=b"ssn 219-45-6789\n")
    listed_keys = {each["Key"] for each in client("s3").list_objects_v2(Bucket="archive", Prefix="in/")["Contents"]}
    job_id, messages = listed(prefix="in/")
    scan_objects({"Records": messages}, LambdaContext())
    job = ask("GET", f"/jobs/{job_id}").json
    assert (job["status"], job["total"], job["succeeded"]) == ("completed", len(AWKWARD_KEYS), len(AWKWARD_KEYS))
    assert {each["key"] for each in ask("GET", "/results", query={"job_id": job_id}).json["findings"]} == listed_keys
    for key in ("in/new\nline", "in/a%2Fb", "in/../y"):
        [found] = ask("GET", "/results", query={"job_id": job_id, "key": key}).json["findings"]
        assert found["key"] == key
    again, messages = listed(prefix="in/new\n")
    fail_slices({"Records": messages}, LambdaContext())
    assert ask("GET", f"/jobs/{again}").json["failed"] == 1


def test_what_an_object_is_is_told_by_its_content() -> None:
    for key, body in (("photo.png", b"ssn 219-45-6789\n"), ("notes.txt", b"\x7fELF\x02\x01\x01" + bytes(100))):
        client("s3").put_object(Bucket="archive", Key=f"by/{key}", Body=body)
    job_id, messages = listed(prefix="by/")
    scan_objects({"Records": messages}, LambdaContext())
    assert [each["key"] for each in ask("GET", "/results", query={"job_id": job_id}).json["findings"]] == [
        "by/photo.png"
    ]
    coverage = ask("GET", f"/jobs/{job_id}/coverage").json
    assert (coverage["outcomes"], set(coverage["reasons"])) == ({"FINDINGS": 1, "SKIPPED": 1}, {"UNSUPPORTED_TYPE"})
