"""The embedded AWS is as strict as AWS where a fault would hide: each test names the page that says so."""

import base64
import hashlib
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pytest
from botocore.exceptions import ClientError

from tests.workflow.support.account import REGION, ROLE, Account, embedded, opened
from tests.workflow.support.direct import DIRECT
from tests.workflow.support.polling import until

# What the account has processes for, whatever runs: `LAMBDA_ACCOUNT_CONCURRENCY` of the local stack.
PROCESSES = 8


@pytest.fixture(scope="module")
def account(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account of all tests that leave nothing running."""
    with opened(project, tmp_path_factory.mktemp("aws")) as account:
        yield account


@pytest.fixture
def busy_account(project: Path, tmp_path: Path) -> Iterator[Account]:
    """An account of one test alone, whose processes are busy until it ends."""
    with opened(project, tmp_path) as account:
        yield account


def post(url: str, body: bytes = b"{}") -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_api_answers_while_all_processes_work(busy_account: Account) -> None:
    """Lambda Developer Guide, "Understanding Lambda function scaling": AWS would have room for both."""
    busy_account.function("work", "import time\ndef handler(event, context):\n    time.sleep(25)\n")
    url = busy_account.api(
        busy_account.function("answer", "def handler(event, context):\n    return {'statusCode': 200}\n")
    )
    for _ in range(PROCESSES):
        busy_account.client("lambda").invoke(FunctionName="work", InvocationType="Event", Payload=b"{}")
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(post, [url] * 12)) == [200] * 12


@pytest.mark.parametrize("level", ["INFO", "WARN"])
def test_an_invocation_that_goes_well_is_logged_by_lambda_at_info_alone(account: Account, level: str) -> None:
    """Lambda Developer Guide, "Log-level filtering": start and report of what went well are of level INFO."""
    name = f"logs-{level.lower()}"
    account.function(
        name,
        """
        def handler(event, context):
            print("told by the function")
            if event:
                raise ValueError("failed")
        """,
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level},
    )

    def words(payload: bytes) -> list[str]:
        account.client("lambda").invoke(FunctionName=name, Payload=payload)
        pages = account.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        return [event["message"].partition(" ")[0] for page in pages for event in page["events"]]

    assert words(b"{}") == (["told"] if level == "WARN" else ["START", "told", "END", "REPORT"])
    # What failed is reported at every level.
    assert "REPORT" in words(b'{"fail": true}')


def test_parts_that_are_copied_have_the_checksums_and_sizes_of_parts(account: Account) -> None:
    """Amazon S3 API Reference, UploadPartCopy (`ChecksumSHA256`) and HeadObject (`partNumber`)."""
    s3, bodies = account.client("s3"), [b"a" * 5 * 1024**2, b"b"]
    upload: dict[str, Any] = {"Key": "parts", "ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}
    for bucket in ("parts-source", "parts-copy"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        upload_id = s3.create_multipart_upload(Bucket=bucket, **upload)["UploadId"]
        place: dict[str, Any] = {"Bucket": bucket, "Key": "parts", "UploadId": upload_id}
        for number, body in enumerate(bodies, start=1):
            if bucket == "parts-source":
                s3.upload_part(**place, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
            else:
                first = sum(map(len, bodies[: number - 1]))
                span = f"bytes={first}-{first + len(body) - 1}"
                s3.upload_part_copy(**place, PartNumber=number, CopySource="parts-source/parts", CopySourceRange=span)
        names = ("PartNumber", "ETag", "ChecksumSHA256")
        parts = [{name: part[name] for name in names} for part in s3.list_parts(**place)["Parts"]]
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    digests = b"".join(hashlib.sha256(body).digest() for body in bodies)
    expected = f"{base64.b64encode(hashlib.sha256(digests).digest()).decode()}-2"
    found = s3.head_object(Bucket="parts-copy", Key="parts", ChecksumMode="ENABLED")
    assert (found["ChecksumSHA256"], found["ChecksumType"]) == (expected, "COMPOSITE")
    second = s3.head_object(Bucket="parts-copy", Key="parts", PartNumber=2)
    assert (second["ContentLength"], second["PartsCount"]) == (1, 2)


def test_what_prints_nothing_takes_no_time(account: Account) -> None:
    """Lambda Developer Guide, "Lambda execution environment lifecycle": an invocation ends with its answer."""
    account.function("silent", "def handler(event, context):\n    pass\n")
    durations = account.client("cloudwatch").get_metric_statistics
    dimensions = [{"Name": "FunctionName", "Value": "silent"}]
    for _ in range(10):
        account.client("lambda").invoke(FunctionName="silent")
    [found] = durations(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=dimensions,
        StartTime=0,
        EndTime=4_000_000_000,
        Period=4_000_000_000,
        Statistics=["Minimum"],
    )["Datapoints"]
    # MiniStack's own wait for lines was 50 ms.
    assert found["Minimum"] < 50


def test_a_request_has_at_most_10_mb(account: Account) -> None:
    """API Gateway Developer Guide, "Quotas for configuring and running a REST API"."""
    url = account.api(account.function("large", "def handler(event, context):\n    return {'statusCode': 200}\n"))
    assert post(url, b" " * 10_485_761) == 413


def test_a_definition_says_what_the_gateway_itself_answers(account: Account) -> None:
    """API Gateway Developer Guide, "x-amazon-apigateway-gateway-responses object"."""
    mock = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    answered = {
        "statusCode": "410",
        "responseParameters": {"gatewayresponse.header.Retry-After": "'7'"},
        "responseTemplates": {"application/json": '{"gone": "$context.path"}'},
    }
    definition = {
        "openapi": "3.0.1",
        "info": {"title": "answers", "version": "1"},
        "paths": {"/call": {"get": {"responses": {}, "x-amazon-apigateway-integration": mock}}},
        "x-amazon-apigateway-gateway-responses": {"MISSING_AUTHENTICATION_TOKEN": answered},
    }
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": definition}},
        "Deployed": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "v1"},
        },
    }
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(StackName="answers", TemplateBody=json.dumps({"Resources": resources}))
    until(
        lambda: cloudformation.describe_stacks(StackName="answers")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
        "the stack is there",
    )
    (api,) = (one["id"] for one in account.client("apigateway").get_rest_apis()["items"] if one["name"] == "answers")
    with pytest.raises(urllib.error.HTTPError) as refused:
        DIRECT.open(f"{account.endpoint}/_aws/execute-api/{api}/v1/nowhere", timeout=60)
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (410, "7")
    assert json.loads(refused.value.read()) == {"gone": "/v1/nowhere"}


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("dies-at-start", "import os\nos._exit(1)\n", "Runtime.ExitError"),
        ("dies", "import os\ndef handler(event, context):\n    os._exit(1)\n", "Runtime.ExitError"),
        ("raises", "def handler(event, context):\n    raise KeyError('x')\n", "KeyError"),
        ("talks", "def handler(event, context):\n    return 'x' * 6_291_557\n", "Function.ResponseSizeTooLarge"),
    ],
)
def test_a_function_fails_by_the_name_that_aws_gives(account: Account, name: str, code: str, error: str) -> None:
    """Step Functions Developer Guide, "Handling errors"; Lambda Developer Guide, "Lambda quotas"."""
    account.function(name, code)
    answer = account.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" in answer
    assert json.loads(answer["Payload"].read())["errorType"] == error


def test_a_rule_s_function_that_fails_is_run_again_and_its_event_kept(account: Account) -> None:
    """Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation"."""
    sqs, events = account.client("sqs"), account.client("events")
    lost = sqs.create_queue(QueueName="lost")["QueueUrl"]
    arn = account.function("listens", "def handler(event, context):\n    raise ValueError('no')\n")
    account.client("lambda").put_function_event_invoke_config(
        FunctionName="listens",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:000000000000:lost"}},
    )
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "f", "Arn": arn}])
    events.put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": '{"n": 1}'}])
    received = until(lambda: sqs.receive_message(QueueUrl=lost).get("Messages"), "the event is kept")
    assert json.loads(received[0]["Body"])["requestPayload"]["detail"] == {"n": 1}


def test_a_dead_letter_queue_of_a_template_gets_the_event_itself(account: Account) -> None:
    """CloudFormation, AWS::Lambda::Function; Lambda Developer Guide, "Adding a dead-letter queue"."""
    sqs, functions, cloudformation = account.client("sqs"), account.client("lambda"), account.client("cloudformation")
    properties = {
        "FunctionName": "fails",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": ROLE,
        "Code": {"ZipFile": "def handler(event, context):\n    raise ValueError('no')\n"},
        "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": "Dead.Arn"}},
    }
    resources = {
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
    }
    cloudformation.create_stack(StackName="fails", TemplateBody=json.dumps({"Resources": resources}))
    until(
        lambda: cloudformation.describe_stacks(StackName="fails")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
        "the stack is there",
    )
    functions.put_function_event_invoke_config(FunctionName="fails", MaximumRetryAttempts=0)
    functions.invoke(FunctionName="fails", InvocationType="Event", Payload=b'{"n": 1}')
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    (kept,) = until(
        lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages"), "the event is kept"
    )
    assert json.loads(kept["Body"]) == {"n": 1}
    assert kept["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    assert kept["MessageAttributes"].keys() == {"RequestID", "ErrorCode", "ErrorMessage"}


def test_a_message_is_hidden_for_twelve_hours_from_its_receipt_at_most(account: Account) -> None:
    """Amazon SQS API Reference, ChangeMessageVisibility."""
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName="hidden")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]

    def refused() -> str | None:
        try:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=43_200)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return None

    assert until(refused, "a second has passed since the receipt") == "InvalidParameterValue"
    entries = [{"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": 43_200}]
    assert sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)["Failed"][0]["Id"] == "1"
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=43_100)


def test_what_a_state_returns_has_at_most_256_kib(account: Account) -> None:
    """Step Functions Developer Guide, "Quotas"; "Handling errors", States.DataLimitExceeded."""
    grow = {"Type": "Pass", "Output": "{% $pad('', 262145, 'x') %}", "End": True}
    assert account.run(("Grow", grow))["error"] == "States.DataLimitExceeded"


def test_an_execution_s_input_has_at_most_256_kib(account: Account) -> None:
    """Step Functions API Reference, StartExecution."""
    with pytest.raises(ClientError, match="ValidationException"):
        account.run(("End", {"Type": "Succeed"}), given={"text": "x" * 262_144})


def test_a_condition_is_a_boolean(account: Account) -> None:
    """Amazon States Language, "Choice state"; Step Functions Developer Guide, States.QueryEvaluationError."""
    end = ("End", {"Type": "Succeed"})
    choose = {"Type": "Choice", "Default": "End"}

    def run(condition: str) -> dict[str, Any]:
        return account.run(("Choose", {**choose, "Choices": [{"Condition": condition, "Next": "End"}]}), end)

    assert run("{% 'yes' %}")["error"] == "States.QueryEvaluationError"
    assert run("{% 1 = 1 %}")["status"] == "SUCCEEDED"


def test_a_retry_waits_no_longer_than_its_definition_says(account: Account) -> None:
    """Amazon States Language, "Retrying after error": `MaxDelaySeconds` caps what `BackoffRate` makes of the interval.

    Without it this would take longer than anything is waited for here.
    """
    function = account.function("never-works", "def handler(event, context):\n    raise KeyError('x')\n")
    pauses = {"IntervalSeconds": 1, "BackoffRate": 100, "MaxDelaySeconds": 1, "JitterStrategy": "FULL"}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function},
        "Retry": [{"ErrorEquals": ["KeyError"], "MaxAttempts": 4, **pauses}],
        "End": True,
    }
    assert account.run(("Try", task))["error"] == "KeyError"


def test_an_item_has_at_most_400_kb(account: Account) -> None:
    """Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB"."""
    dynamodb = account.client("dynamodb")
    make_table(dynamodb, "items")
    with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
        dynamodb.put_item(TableName="items", Item={"id": {"S": "1"}, "text": {"S": "x" * 409_600}})


def make_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


READS_A_STREAM = """
import time
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    s3.put_object(Bucket="beside", Key="begun", Body=b"")
    deadline = time.monotonic() + 120
    while "Contents" not in s3.list_objects_v2(Bucket="beside", Prefix="received") and time.monotonic() < deadline:
        time.sleep(0.1)
    late = time.monotonic() >= deadline
    s3.put_object(Bucket="beside", Key="late" if late else "ended", Body=b"")
"""
READS_A_QUEUE = """
import boto3

def handler(event, context):
    boto3.client("s3").put_object(Bucket="beside", Key="received", Body=b"")
"""


def test_a_queue_is_read_while_a_function_takes_its_time_with_a_stream(account: Account) -> None:
    """Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources"."""
    s3, dynamodb, sqs = account.client("s3"), account.client("dynamodb"), account.client("sqs")
    s3.create_bucket(Bucket="beside", CreateBucketConfiguration={"LocationConstraint": REGION})
    make_table(dynamodb, "streamed")
    stream = dynamodb.update_table(
        TableName="streamed", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )["TableDescription"]["LatestStreamArn"]
    queue = sqs.create_queue(QueueName="beside")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sources = {"stream": (READS_A_STREAM, stream), "queue": (READS_A_QUEUE, attributes["QueueArn"])}
    for name, (code, source) in sources.items():
        function = account.function(f"reads-a-{name}", code, Timeout=180)
        start = {"StartingPosition": "TRIM_HORIZON"} if name == "stream" else {}
        account.client("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=source, **start)

    def there() -> set[str]:
        return {one["Key"] for one in s3.list_objects_v2(Bucket="beside").get("Contents", [])}

    dynamodb.put_item(TableName="streamed", Item={"id": {"S": "1"}})
    until(lambda: "begun" in there(), "the function reads the stream")
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    until(lambda: there() & {"ended", "late"}, "the function has ended")
    assert there() == {"begun", "received", "ended"}


def records(table: Any, name: str, keys: str) -> str:
    """Make a table with a stream, put an item for each key, and return the stream's ARN."""
    make_table(table, name)
    view = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    stream: str = table.update_table(TableName=name, StreamSpecification=view)["TableDescription"]["LatestStreamArn"]
    for key in keys:
        table.put_item(TableName=name, Item={"id": {"S": key}})
    return stream


READS_RECORDS = """
import boto3, json
def handler(event, context):
    keys = [one["dynamodb"]["Keys"]["id"]["S"] for one in event["Records"]]
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="QUEUE")["QueueUrl"], MessageBody="".join(keys))
    bad = [one for one in event["Records"] if one["dynamodb"]["Keys"]["id"]["S"] == "x"]
    if bad and RAISES:
        raise ValueError("x")
    return {"batchItemFailures": [{"itemIdentifier": one["dynamodb"]["SequenceNumber"]} for one in bad]}
"""


@pytest.mark.parametrize(
    ("raises", "batches"),
    [
        # "Lambda uses the lowest sequence number as the checkpoint", and all from there on comes again.
        (False, ["abxcd", "xcd", "x", "x", "cd"]),
        # "Bisect batch on function error: … splits the batch in two", which does not count as a retry.
        (True, ["abxcd", "ab", "xcd", "x", "x", "cd"]),
    ],
)
def test_a_batch_of_a_stream_comes_again_from_its_first_failure_on(
    account: Account, raises: bool, batches: list[str]
) -> None:
    """Lambda Developer Guide, "Configuring partial batch response with DynamoDB", "Retain discarded records"."""
    sqs, name = account.client("sqs"), f"partial-{raises}".lower()
    seen, lost = (sqs.create_queue(QueueName=f"{name}-{what}")["QueueUrl"] for what in ("seen", "lost"))
    arn = sqs.get_queue_attributes(QueueUrl=lost, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stream = records(account.client("dynamodb"), name, "abxcd")
    code = READS_RECORDS.replace("QUEUE", f"{name}-seen").replace("RAISES", str(raises))
    account.client("lambda").create_event_source_mapping(
        FunctionName=account.function(name, code),
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=5,
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    (told,) = until(lambda: sqs.receive_message(QueueUrl=lost).get("Messages"), "what is given up on is told")
    assert json.loads(told["Body"])["requestContext"]["condition"] == "RetryAttemptsExhausted"
    read: list[str] = []

    def all_read() -> bool:
        # Taken out: what is only received is there again after 30 seconds.
        for one in sqs.receive_message(QueueUrl=seen, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=seen, ReceiptHandle=one["ReceiptHandle"])
            read.append(one["Body"])
        return read[-1:] == ["cd"]

    until(all_read, "the rest is read")
    assert read == batches


def test_a_function_that_takes_more_than_its_memory_is_killed(account: Account) -> None:
    """Lambda Developer Guide, "Configure Lambda function memory": `Runtime.OutOfMemory`."""
    code = "import time\ndef handler(event, _):\n    kept = bytearray(event['mib'] << 20)\n    time.sleep(event['s'])\n"
    function, functions = account.function("hungry", code, MemorySize=128), account.client("lambda")
    fits = functions.invoke(FunctionName=function, Payload=b'{"mib": 32, "s": 1}')
    assert "FunctionError" not in fits
    # It is killed long before it would end by itself.
    killed = functions.invoke(FunctionName=function, Payload=b'{"mib": 160, "s": 20}')
    assert json.load(killed["Payload"])["errorType"] == "Runtime.OutOfMemory"
    again = functions.invoke(FunctionName=function, Payload=b'{"mib": 1, "s": 0}')
    assert "FunctionError" not in again


COMES_BACK = """
import boto3
def handler(event, context):
    number = int(event["Records"][0]["body"])
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="round")["QueueUrl"]
    if number < 20:
        sqs.send_message(QueueUrl=queue, MessageBody=str(number + 1))
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="seen")["QueueUrl"], MessageBody=str(number))
"""


@pytest.mark.parametrize(("loop", "rounds"), [("Terminate", 16), ("Allow", 20)])
def test_a_chain_of_messages_is_ended_after_16_rounds(
    account: Account, loop: Literal["Allow", "Terminate"], rounds: int
) -> None:
    """Lambda Developer Guide, "Use Lambda recursive loop detection": "approximately 16 times", unless it is allowed."""
    sqs, functions, name = account.client("sqs"), account.client("lambda"), f"round-{loop}".lower()
    queue, seen = (sqs.create_queue(QueueName=f"{name}-{what}")["QueueUrl"] for what in ("again", "seen"))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    code = COMES_BACK.replace('"round"', f'"{name}-again"').replace('"seen"', f'"{name}-seen"')
    function = account.function(name, code)
    functions.put_function_recursion_config(FunctionName=function, RecursiveLoop=loop)
    mapping = functions.create_event_source_mapping(FunctionName=function, EventSourceArn=arn, BatchSize=1)["UUID"]
    sqs.send_message(QueueUrl=queue, MessageBody="1")
    read: list[int] = []

    def all_read() -> bool:
        messages = sqs.receive_message(QueueUrl=seen, MaxNumberOfMessages=10).get("Messages", [])
        read.extend(int(one["Body"]) for one in messages)
        return len(read) >= rounds

    def is_left() -> bool:
        """Whether the queue holds what it should: the last message goes only after its function has ended."""
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        counts = ("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessages")
        return sum(int(left[each]) for each in counts) == (1 if loop == "Terminate" else 0)

    until(all_read, "the chain has gone round")
    until(is_left, "the queue holds the message that was stopped, and no other")
    functions.delete_event_source_mapping(UUID=mapping)
    assert sorted(read) == list(range(1, rounds + 1))


def test_a_template_sets_expiry_and_object_lock(account: Account) -> None:
    """CloudFormation, AWS::DynamoDB::Table and AWS::S3::Bucket; Amazon S3 User Guide, "Object Lock"."""
    table = {
        "TableName": "expires",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
    }
    bucket = {
        "BucketName": "locked-bucket",
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    }
    resources = {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": table},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket},
    }
    cloudformation, s3 = account.client("cloudformation"), account.client("s3")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}))
    until(
        lambda: cloudformation.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
        "the stack is there",
    )
    expiry = account.client("dynamodb").describe_time_to_live(TableName="expires")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    locked = s3.get_object_lock_configuration(Bucket="locked-bucket")["ObjectLockConfiguration"]
    assert locked["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 1}
    version = s3.put_object(Bucket="locked-bucket", Key="k", Body=b"x")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="locked-bucket", Key="k", VersionId=version)
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_bucket_versioning(Bucket="locked-bucket", VersioningConfiguration={"Status": "Suspended"})


def test_eventbridge_is_told_which_version_an_event_is_about(account: Account) -> None:
    """Amazon S3 User Guide, "EventBridge event message structure"."""
    s3, sqs, events = (account.client(name) for name in ("s3", "sqs", "events"))
    s3.create_bucket(Bucket="tells", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="tells", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="tells", NotificationConfiguration={"EventBridgeConfiguration": {}})
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "queue", "Arn": arn}])
    version = s3.put_object(Bucket="tells", Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket="tells", Key="k")["VersionId"]
    told: dict[str, str] = {}

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            told[event["detail-type"]] = event["detail"]["object"]["version-id"]
        return len(told) == 2

    until(both, "both events are there")
    assert told == {"Object Created": version, "Object Deleted": marker}


def test_a_copy_lands_only_on_what_is_expected_there(account: Account) -> None:
    """Amazon S3 API Reference, CopyObject; User Guide, "Conditional write behavior" (404 where there is nothing)."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="expecting", CreateBucketConfiguration={"LocationConstraint": REGION})
    e_tag = s3.put_object(Bucket="expecting", Key="source", Body=b"x")["ETag"]

    def copied(key: str, **condition: str) -> str:
        try:
            s3.copy_object(Bucket="expecting", Key=key, CopySource="expecting/source", **condition)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "copied"

    assert copied("copy", IfMatch=e_tag) == "NoSuchKey"
    assert copied("copy", IfNoneMatch="*") == "copied"
    assert copied("copy", IfNoneMatch="*") == "PreconditionFailed"
    assert copied("copy", IfMatch=e_tag) == "copied"
    assert copied("copy", IfMatch='"0123"') == "PreconditionFailed"


KEY = "a/ü\nb"


def test_what_is_stored_survives_a_stop_and_a_crash(project: Path, tmp_path: Path) -> None:
    """An account on AWS does not forget. What ran when the process was killed has ended, as far as anybody can tell."""
    ministack = embedded(project, tmp_path, persistent=True)
    account = Account(ministack)
    try:
        ministack.start()
        s3, dynamodb = account.client("s3"), account.client("dynamodb")
        machines = account.client("stepfunctions")
        s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        versions = [
            s3.put_object(Bucket="kept", Key=KEY, Body=text, Metadata={"n": text.decode()}, Tagging="t=1")["VersionId"]
            for text in (b"first", b"second")
        ]
        make_table(dynamodb, "kept")
        dynamodb.put_item(TableName="kept", Item={"id": {"S": "1"}, "bytes": {"B": b"\0\xff"}, "many": {"SS": ["a"]}})
        ministack.stop()

        ministack.start()
        for version, text in zip(versions, (b"first", b"second"), strict=True):
            found = s3.get_object(Bucket="kept", Key=KEY, VersionId=version)
            assert (found["Body"].read(), found["Metadata"]) == (text, {"n": text.decode()})
        assert s3.get_object_tagging(Bucket="kept", Key=KEY)["TagSet"] == [{"Key": "t", "Value": "1"}]
        item = dynamodb.get_item(TableName="kept", Key={"id": {"S": "1"}})["Item"]
        assert item == {"id": {"S": "1"}, "bytes": {"B": b"\0\xff"}, "many": {"SS": ["a"]}}

        account.make_role()
        definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
        machine = machines.create_state_machine(name="slow", roleArn=ROLE, definition=json.dumps(definition))
        arn = machines.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        dynamodb.put_item(TableName="kept", Item={"id": {"S": "2"}})
        for service, text in (("dynamodb", '"2"'), ("stepfunctions", arn)):
            stored = tmp_path / "aws" / f"{service}.json"
            until(lambda file=stored, text=text: text in file.read_text("utf-8"), f"{service} is stored")
        group = ministack.pid
        assert group is not None
        os.killpg(group, signal.SIGKILL)
        until(lambda: ministack.pid is None, "it is gone")

        ministack.start()
        assert "Item" in dynamodb.get_item(TableName="kept", Key={"id": {"S": "2"}})
        assert machines.describe_execution(executionArn=arn)["status"] == "FAILED"

        ministack.stop()
        ministack.forget()
        ministack.start()
        assert s3.list_buckets()["Buckets"] == []
    finally:
        ministack.stop()


# "Catalogue of parametrised CRC algorithms" (reveng): the check values of CRC-32/ISCSI and CRC-64/NVME.
@pytest.mark.parametrize(("algorithm", "check"), [("CRC32C", "e3069283"), ("CRC64NVME", "ae8b14860a799888")])
def test_an_upload_is_kept_with_its_checksum_and_refused_with_another(
    account: Account, algorithm: str, check: str
) -> None:
    s3, bucket, content = account.client("s3"), f"checksums-{algorithm.lower()}", b"123456789"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    right, wrong = (base64.b64encode(bytes.fromhex(each)).decode() for each in (check, check[::-1]))
    s3.put_object(Bucket=bucket, Key="a", Body=content, **{f"Checksum{algorithm}": right})
    told = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert told[f"Checksum{algorithm}"] == right
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=bucket, Key="a", Body=content, **{f"Checksum{algorithm}": wrong})
