"""What comes of the sample events of the scanner."""

import json
import os
from typing import Any

from tests.fakes.api import LambdaContext, answer_of
from tests.fakes.functions import REGION
from tests.fakes.receiver import receiving
from tests.fakes.samples import Invoke, read
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.core.aws.clients import client
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.handlers.process_batch import lambda_handler as list_batch
from waybill.scanning.models import Job, Status
from waybill.scanning.request_models import ScanRequest
from waybill.scanning.runtime import deployed

KEY, BODY = "reports/2025.csv", b"name,email\nA,anna@example.org\n"
JOB = "0b7e5c1a-5d0c-4c49-9a44-2f8a1a4c7b10"
SIGNING = "the secret that signs"


def make_resources() -> None:
    """Make the scanner's resources as far as moto has them, and set the environment of all its functions."""
    deployed.cache_clear()
    client("dynamodb").create_table(
        TableName="ScansTable",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    s3 = client("s3")
    s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="archive", Key=KEY, Body=BODY)
    s3.create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("stepfunctions").create_state_machine(
        name="waybill-scanning", definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
    )
    os.environ.update(
        SCANS_TABLE="ScansTable",
        SCAN_BUCKETS="*",
        SCAN_QUEUE_URL=client("sqs").create_queue(QueueName="slices")["QueueUrl"],
        SCAN_SECRET_ARN=client("secretsmanager").create_secret(Name="scan", SecretString="a secret")["ARN"],
        SCAN_EXPORTS_BUCKET="exports",
        SCAN_EXPORT_QUEUE_URL=client("sqs").create_queue(QueueName="exports")["QueueUrl"],
        SCAN_WEBHOOK_QUEUE_URL=client("sqs").create_queue(QueueName="webhooks")["QueueUrl"],
        SCAN_WEBHOOK_SECRET_ARN=client("secretsmanager").create_secret(Name="sign", SecretString=SIGNING)["ARN"],
        SCAN_WEBHOOK_PRIVATE="true",
        FAILURE_TOPIC_ARN=make_failure_topic(),
    )


def make_listed_job() -> None:
    """Make the resources and the job of the samples, its one object listed."""
    make_resources()
    list_batch(read("scanning/process_batch"), LambdaContext())


def process_batch(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    state = invoke(event)
    assert (state["objects_processed"], state["messages_enqueued"], state["done"]) == (1, 1, True)


def scan_objects(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_listed_job()
    assert invoke(event) == {"batchItemFailures": []}
    job = deployed().jobs.report(JOB)
    # The object has another ETag than the event names: it has changed since it was listed.
    assert (job["total"], job["succeeded"] + job["failed"] + job["skipped"]) == (1, 1)


def fail_slices(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_listed_job()
    assert invoke(event) == {"batchItemFailures": []}
    job = deployed().jobs.report(JOB)
    assert (job["total"], job["failed"], job["status"]) == (1, 1, Status.COMPLETED_WITH_ERRORS.value)


def handle_error(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_listed_job()
    assert invoke(event) == {"job_id": JOB, "status": Status.FAILED.value, "notified": True}
    assert len(wire.published) == 1


def scan_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    answer = answer_of(invoke(event))
    assert answer.status == 202
    assert deployed().jobs.find(answer.json["job_id"]).request.bucket == "archive"


def sweep_scans(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    assert invoke(event) == {"started": [], "taken_up": []}


def note_uploads(event: Any, invoke: Invoke, wire: Wire) -> None:
    os.environ["SCAN_UPLOADS_OF"] = "town-hall-exports"
    make_resources()
    assert invoke(event) == {"noted": True}
    assert invoke(event) == {"noted": False}
    [(bucket, _window)] = deployed().table.uploads.waiting("9999")
    assert bucket == "town-hall-exports"


def split_range(event: Any, invoke: Invoke, wire: Wire) -> None:
    os.environ["SCAN_BATCH_KEYS"] = "10"
    make_resources()
    for number in range(60):
        client("s3").put_object(Bucket="archive", Key=f"reports/{number:02}.csv", Body=BODY)
    state = list_batch(read("scanning/process_batch"), LambdaContext())
    assert (state["done"], state["split"]) == (False, True)
    split = invoke(event)
    assert split["pieces"] == [part.number for part in deployed().table.ranges.all(JOB)[1:]] != []
    executions = client("stepfunctions").list_executions(stateMachineArn=os.environ["SCAN_WORKFLOW_ARN"])["executions"]
    assert {execution["name"] for execution in executions} == {f"scan-{JOB}-r{number}-1" for number in split["pieces"]}
    assert invoke(event)["pieces"] == split["pieces"]


def deliver_webhook(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    with receiving(SIGNING.encode()) as receiver:
        request = ScanRequest(bucket="archive", webhook_url=receiver.url)
        deployed().table.jobs.create(Job(JOB, request, Status.COMPLETED, "2026-01-10", "2026-01-10"))
        assert invoke(event) == {"batchItemFailures": []}
        assert invoke(event) == {"batchItemFailures": []}
    [[body]] = receiver.taken.values()
    news = json.loads(body)
    assert (news["job_id"], news["status"], "wants" in news) == (JOB, "completed", False)


def export_findings(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_listed_job()
    found = Finding("IP", "HIGH", 1, 9, 1, 2, "****", "f", "c")
    deployed().table.findings.save(JOB, KEY, "e" * 32, [found])
    assert invoke(event) == {"batchItemFailures": []}
    export = deployed().jobs.report(JOB)["export"]
    assert (export["status"], export["findings"]) == ("exported", 1)
    manifest = json.loads(client("s3").get_object(Bucket="exports", Key=f"{JOB}/manifest.json")["Body"].read())
    [part] = manifest["parts"]
    [line] = client("s3").get_object(Bucket="exports", Key=f"{JOB}/{part}")["Body"].read().splitlines()
    assert json.loads(line)["masked_match"] == "****"
