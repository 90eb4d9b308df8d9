"""What comes of the sample events of replication."""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.api import Answer, answer_of
from tests.fakes.functions import REGION, tracking_table_definition
from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.fakes.samples import Invoke
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.core.aws.clients import client
from waybill.replication import runtime
from waybill.replication.models import DestinationResult, ObjectPlace, ReplicationRun

A, B = DESTINATIONS
KEY = "releases/build-123.zip"
ODD_KEY = "my file+v1 (é) 100%.zip"
STATE_MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:waybill-replication"


def make_table() -> None:
    client("dynamodb").create_table(**tracking_table_definition())


def make_buckets(*, without: str = "") -> Any:
    s3 = client("s3", REGION)
    for bucket in {SOURCE, A, B} - {without}:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def make_state_machine() -> Any:
    sfn = client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/any"
    sfn.create_state_machine(name="waybill-replication", definition="{}", roleArn=role)
    return sfn


def put_source(described: Mapping[str, Any]) -> None:
    """Store the object that an event describes; the samples' objects are zeros."""
    stored = make_buckets().put_object(Bucket=SOURCE, Key=described["key"], Body=bytes(described["size"]))
    assert stored["ETag"].strip('"') == described["eTag"]


def claimed(run: Mapping[str, Any]) -> ReplicationRun:
    """Let the run own its file's record."""
    parsed = ReplicationRun.parse(run)
    assert runtime.tracking().claim(parsed).generation == run["generation"]
    return parsed


def started_inputs(sfn: Any) -> list[dict[str, Any]]:
    executions = sfn.list_executions(stateMachineArn=STATE_MACHINE)["executions"]
    arns = sorted(execution["executionArn"] for execution in executions)
    return [json.loads(sfn.describe_execution(executionArn=arn)["input"]) for arn in arns]


def validate_input(event: Any, invoke: Invoke, wire: Wire) -> None:
    run = invoke(event)
    assert run["executionId"] == event["execution"]["Id"]
    assert run["workflowStartTime"] == event["execution"]["StartTime"]
    assert {name: run[name] for name in event["input"]} == event["input"]
    assert wire.requests == []


def log_workflow_start(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    assert invoke(event) == {"claim": "STARTED", "generation": 1}
    record = runtime.tracking().record(ReplicationRun.parse(event).file)
    assert record
    assert (record["status"], record["executionId"]) == ("IN_PROGRESS", event["executionId"])


def describe_source(event: Any, invoke: Invoke, wire: Wire) -> None:
    put_source({"key": event["sourceKey"], **event})
    described = invoke(event)
    assert (described["strategy"], described["source"]["size"]) == ("COPY", event["size"])
    assert described["source"]["eTag"] == event["eTag"]


def copy_file(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    put_source(event["description"]["source"])
    claimed(event["run"])
    result = invoke(event)
    assert (result["success"], result["code"], result["bytes"]) == (True, "COPIED", 18734)
    assert client("s3", REGION).head_object(Bucket=A, Key=KEY)["ContentLength"] == 18734
    item = runtime.tracking().destination(ReplicationRun.parse(event["run"]).file, A)
    assert item
    assert item.status == "COMPLETED"


def start_multipart_copy(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    put_source(event["description"]["source"])
    run = claimed(event["run"])
    upload_id = invoke(event)["uploadId"]
    assert runtime.buckets().open_uploads(ObjectPlace(A, run.source_key), since="2000") == [upload_id]
    assert invoke(event) == {"uploadId": upload_id}


def copy_part_batch(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    upload_id = open_upload(event["task"])
    assert invoke(event | {"uploadId": upload_id}) == {"firstPart": 1, "lastPart": 2}
    parts = runtime.buckets().parts(ObjectPlace(A, event["task"]["run"]["sourceKey"]), upload_id)
    assert {number: part.size for number, part in parts.items()} == {1: 5242880, 2: 5242880}


def complete_multipart_copy(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    task = event["task"]
    upload_id, place = open_upload(task), ObjectPlace(A, task["run"]["sourceKey"])
    copy_parts(task, upload_id, place)
    result = invoke(event | {"uploadId": upload_id})
    assert (result["success"], result["code"]) == (True, "COPIED")
    assert (result["bytes"], result["strategy"]) == (12582912, "MULTIPART_BATCHES")
    assert client("s3", REGION).head_object(Bucket=A, Key=place.key)["ContentLength"] == 12582912


def open_upload(task: Mapping[str, Any]) -> str:
    """Return the id of an upload, which AWS alone can make up."""
    source = task["description"]["source"]
    put_source(source)
    run = claimed(task["run"])
    answer = client("s3", REGION).create_multipart_upload(Bucket=A, Key=run.source_key)
    return str(answer["UploadId"])


def copy_parts(task: Mapping[str, Any], upload_id: str, place: ObjectPlace) -> None:
    size, part_size = task["description"]["source"]["size"], task["description"]["partSize"]
    for number, first in enumerate(range(0, size, part_size), start=1):
        span = f"bytes={first}-{min(first + part_size, size) - 1}"
        client("s3", REGION).upload_part_copy(
            Bucket=place.bucket,
            Key=place.key,
            UploadId=upload_id,
            PartNumber=number,
            CopySource={"Bucket": SOURCE, "Key": place.key},
            CopySourceRange=span,
        )


def format_error_result(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    run = claimed(event["run"])
    result = invoke(event)
    assert (result["success"], result["code"], result["retryable"]) == (False, "NO_SUCH_BUCKET", False)
    assert result["cause"].startswith("s3:GetBucketLocation on region-b-builds: NoSuchBucket")
    assert "stackTrace" not in result["cause"]
    item = runtime.tracking().destination(run.file, B)
    assert item
    assert item.status == "FAILED"


def update_dynamodb_final(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    run = claimed(event["run"])
    assert invoke(event) == {"outcome": "PARTIAL_FAILURE", "recorded": True}
    record = runtime.tracking().record(run.file)
    assert record
    assert (record["status"], json.loads(record["failedBuckets"])) == ("FAILED", [B])
    assert len(runtime.tracking().history(run.file, 5)) == 1


def send_failure_notification(event: Any, invoke: Invoke, wire: Wire) -> None:
    topic = make_failure_topic()
    assert invoke(event) == {"notified": True}
    (letter,) = wire.published
    assert (letter.topic, letter.subject) == (topic, f"File Copy Failures: {KEY}")
    assert letter.attributes["status"] == "PARTIAL_FAILURE"
    assert f"❌ {B}: NO_SUCH_BUCKET" in letter.body
    assert event["run"]["executionId"] in letter.body


def work_on_job(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    make_failure_topic()
    s3 = make_buckets()
    for bucket in (SOURCE, A):
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"abc")
    # There is little time left: it ends after the first object, and the next call goes on.
    name = event["execution"]["Name"]
    assert invoke(event) == {"verificationId": name, "complete": False}
    assert wire.published == []
    assert invoke(event) == {"verificationId": name, "complete": True}
    (told,) = wire.published
    assert "Missing:           1" in told.body
    assert told.attributes["notificationId"] == f"verification-{name}"


def reconcile_replications(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    make_failure_topic()
    abandoned = ReplicationRun.parse(
        {
            "sourceBucket": SOURCE,
            "sourceKey": KEY,
            "destinationBuckets": [A, B],
            "executionId": f"{STATE_MACHINE.replace('stateMachine', 'execution')}:gone",
            "executionName": "gone",
            "workflowStartTime": "2026-11-21T09:00:00.000Z",
        }
    )
    generation = runtime.tracking().claim(abandoned).generation
    done = DestinationResult(
        destination_bucket=A,
        source_key=KEY,
        source_bucket=SOURCE,
        success=True,
        code="COPIED",
        timestamp="2026-11-21T09:00:01.000Z",
        execution_id=abandoned.execution_id,
    )
    runtime.tracking().record_destination(abandoned.model_copy(update={"generation": generation}), done, None)
    assert invoke(event) == {"abandoned": 1}
    record = runtime.tracking().record(abandoned.file)
    assert record
    assert (record["status"], json.loads(record["failedBuckets"])) == ("FAILED", [B])
    assert f"❌ {B}: ABANDONED" in wire.published[0].body
    assert invoke(event) == {"abandoned": 0}


def failed_record() -> str:
    """Leave a record of a failed run; return its execution."""
    run = ReplicationRun(
        source_bucket=SOURCE,
        source_key=KEY,
        destination_buckets=(A,),
        execution_id="arn:of:the:execution",
        execution_name="the-execution",
        workflow_start_time="2026-11-21T10:00:00.000Z",
    )
    runtime.tracking().claim(run)
    return run.execution_id


def replication_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    failed_record()
    assert proxied(invoke(event)).json == {"replications": [], "cursor": None}
    query = {"status": "IN_PROGRESS"}
    (listed,) = proxied(invoke(event | {"queryStringParameters": query, "multiValueQueryStringParameters": None})).json[
        "replications"
    ]
    assert listed["fileKey"] == KEY


def replication_api_file(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_table()
    execution_id = failed_record()
    shown = proxied(invoke(event)).json
    assert (shown["executionId"], shown["destinations"], shown["history"]) == (execution_id, [], [])


def proxied(response: dict[str, Any]) -> Answer:
    answer = answer_of(response)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer


def step_function_invoker(event: Any, invoke: Invoke, wire: Wire) -> None:
    sfn = make_state_machine()
    make_table()
    make_buckets().put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    first = invoke(event)
    assert (first["statusCode"], first["alreadyRunning"]) == (200, False)
    assert first["message"] == "Step Function execution started successfully"
    again = invoke(event)
    assert (again["executionArn"], again["alreadyRunning"]) == (first["executionArn"], True)
    assert started_inputs(sfn) == [first["input"]]


def step_function_invoker_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    sfn = make_state_machine()
    make_table()
    make_buckets().put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    reply = proxied(invoke(event)).json
    assert set(reply) == {"message", "executionArn", "startDate", "input", "alreadyRunning"}
    assert started_inputs(sfn) == [reply["input"]]


def starts_the_odd_key(event: Any, invoke: Invoke, wire: Wire) -> None:
    sfn = make_state_machine()
    reply = invoke(event)
    (given,) = started_inputs(sfn)
    assert (given["sourceKey"], given["destinationBuckets"]) == (ODD_KEY, [A, B])
    assert (reply["statusCode"], reply["sourceKey"]) == (200, ODD_KEY)
    assert wire.counts["sfn.StartExecution"] == 1
    # The same news again, in whatever wrapping, is the same execution.
    assert invoke(event)["executionArn"] == reply["executionArn"]
    assert len(started_inputs(sfn)) == 1


replication_worker = starts_the_odd_key
replication_worker_eventbridge = starts_the_odd_key
replication_worker_sns = starts_the_odd_key


def replication_worker_failure_record(event: Any, invoke: Invoke, wire: Wire) -> None:
    sfn = make_state_machine()
    assert invoke(event) == {"batchItemFailures": []}
    assert [given["sourceKey"] for given in started_inputs(sfn)] == [ODD_KEY]


def replication_worker_sqs(event: Any, invoke: Invoke, wire: Wire) -> None:
    sfn = make_state_machine()
    poison = event["Records"][2]["messageId"]
    assert invoke(event) == {"batchItemFailures": [{"itemIdentifier": poison}]}
    assert {given["sourceKey"] for given in started_inputs(sfn)} == {ODD_KEY, "releases/build-124.zip"}
