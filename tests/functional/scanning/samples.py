"""What comes of the sample events of the scanner."""

import os
from typing import Any

from tests.fakes.api import LambdaContext, answer_of
from tests.fakes.functions import REGION
from tests.fakes.samples import Invoke, read
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.core.aws import client
from waybill.scanning import wiring
from waybill.scanning.handlers.process_batch import lambda_handler as list_batch
from waybill.scanning.models import Status

KEY, BODY = "reports/2025.csv", b"name,email\nA,anna@example.org\n"
JOB = "0b7e5c1a-5d0c-4c49-9a44-2f8a1a4c7b10"
_COLLABORATORS = ("store", "bucket", "queue", "executions", "secret", "completion")


def make_resources() -> None:
    """Make the scanner's resources as far as moto has them, and set the environment of all its functions."""
    for name in _COLLABORATORS:
        getattr(wiring, name).cache_clear()
    client("dynamodb").create_table(
        TableName="ScansTable",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    s3 = client("s3")
    s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="archive", Key=KEY, Body=BODY)
    client("stepfunctions").create_state_machine(
        name="waybill-scanning", definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
    )
    os.environ.update(
        SCANS_TABLE="ScansTable",
        SCAN_BUCKETS="*",
        SCAN_QUEUE_URL=client("sqs").create_queue(QueueName="slices")["QueueUrl"],
        SCAN_SECRET_ARN=client("secretsmanager").create_secret(Name="scan", SecretString="a secret")["ARN"],
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
    job = wiring.jobs().report(JOB)
    # The object has another ETag than the event names: it has changed since it was listed.
    assert (job["total"], job["succeeded"] + job["failed"] + job["skipped"]) == (1, 1)


def fail_slices(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_listed_job()
    assert invoke(event) == {"batchItemFailures": []}
    job = wiring.jobs().report(JOB)
    assert (job["total"], job["failed"], job["status"]) == (1, 1, Status.COMPLETED_WITH_ERRORS.value)


def handle_error(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_listed_job()
    assert invoke(event) == {"job_id": JOB, "status": Status.FAILED.value, "notified": True}
    assert len(wire.published) == 1


def scan_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    answer = answer_of(invoke(event))
    assert answer.status == 202
    assert wiring.jobs().find(answer.json["job_id"]).request.bucket == "archive"


def sweep_scans(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    assert invoke(event) == {"taken_up": []}
