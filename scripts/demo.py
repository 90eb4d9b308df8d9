"""`make demo`: an upload that arrives, a replication that fails, all that is known of it, and each other workflow."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.panel import Panel

from waybill.cli.custody.showing import history
from waybill.cli.deployment import environment_of, find_stack
from waybill.cli.local.project import project_stack
from waybill.cli.output import Output, details, table
from waybill.core.aws.clients import client
from waybill.core.aws.dynamodb import from_item
from waybill.core.errors import NotFoundError
from waybill.custody import runtime
from waybill.custody.domain.tracing import ByPlace
from waybill.custody.models import Place
from waybill.custody.views import TraceView

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

PROJECT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 120
# Two copies, then one that is found equal and one that fails.
EVENTS = 4

console = Console(highlight=False)


def main() -> None:
    """Bring the stack up and show a replication that works, one that does not, and the history of its file."""
    running = project_stack(PROJECT, Output().note).up()
    console.print(f"The embedded AWS runs on {running.endpoint}, with the application deployed.\n")
    stack = find_stack(PROJECT, None, None)
    destinations = stack.output("DestinationBucketNames").split(",")
    with environment_of(stack):
        show_upload(stack.outputs, destinations)
        show_history(stack.outputs["SourceBucketName"], show_failure(stack.outputs, destinations))
    show_others(stack.outputs["SourceBucketName"])
    console.print(
        "The stack stays up: [bold].venv/bin/waybill replications[/] lists these runs, "
        "[bold].venv/bin/waybill --help[/] shows what else there is, [bold]make down[/] ends it."
    )


def show_upload(outputs: Mapping[str, str], destinations: list[str]) -> None:
    """Upload the project's README and wait until both destinations have it."""
    source, key = outputs["SourceBucketName"], f"demo/{uuid.uuid4().hex[:8]}/README (copy) 100%.md"
    body = (PROJECT / "README.md").read_bytes()
    console.rule("1. An upload", align="left")
    s3 = client("s3")
    s3.put_object(Bucket=source, Key=key, Body=body, ContentType="text/markdown", Metadata={"sender": "make demo"})
    console.print(f"Uploaded [bold]{len(body):,}[/] bytes to s3://{source}/{key}\n", markup=True)
    record = wait_for_record(outputs, key, source)
    arrivals = [(bucket, s3.head_object(Bucket=bucket, Key=key)) for bucket in destinations]
    results = {result["destinationBucket"]: result for result in json.loads(record["copyResults"])}
    console.print(
        table(
            ("Destination", "Bytes", "Type", "Metadata", "Result", "Proof"),
            (
                (
                    bucket,
                    f"{found['ContentLength']:,}",
                    found["ContentType"],
                    found["Metadata"].get("sender"),
                    results[bucket]["code"],
                    results[bucket]["verification"],
                )
                for bucket, found in arrivals
            ),
        )
    )
    console.print("\nIts tracking record:")
    console.print(details(readable(record)), "\n")


def show_failure(outputs: Mapping[str, str], destinations: list[str]) -> str:
    """Replicate a file to one bucket that exists and one that does not, and print the notification; return its key."""
    source, key = outputs["SourceBucketName"], f"demo/{uuid.uuid4().hex[:8]}/failing.txt"
    console.rule("2. A partial failure", align="left")
    queue_url = subscribe(outputs["FailureTopicArn"])
    s3, steps = client("s3"), client("stepfunctions")
    s3.put_object(Bucket=source, Key=key, Body=b"one of two will not arrive\n")
    wait_for_record(outputs, key, source)
    wanted = {"sourceBucket": source, "sourceKey": key, "destinationBuckets": [destinations[0], "no-such-bucket-here"]}
    started = steps.start_execution(
        stateMachineArn=outputs["FileCopyWorkflowArn"], name=f"demo-{uuid.uuid4().hex}", input=json.dumps(wanted)
    )
    console.print(f"Asked for {key} in {destinations[0]} and in no-such-bucket-here, which does not exist.\n")
    ended = wait(
        "the execution to end",
        lambda: described(steps.describe_execution(executionArn=started["executionArn"])),
    )
    record = wait_for_record(outputs, key, source)
    console.print(details({"Execution": ended["status"], "Error": ended.get("error"), **readable(record)}), "\n")
    message = wait("the notification", lambda: received(queue_url, key))
    console.print(Panel(message["Message"], title=message["Subject"], title_align="left", width=110), markup=False)
    client("sqs").delete_queue(QueueUrl=queue_url)
    console.print()
    return key


def show_history(source: str, key: str) -> None:
    """Print everything that happened to the file: copied to both, then found equal in one and refused by the other."""
    console.rule("3. Everything that happened to this file", align="left")
    tracer, asked = runtime.tracer(), ByPlace(Place(source, key))

    def whole() -> TraceView | None:
        with suppress(NotFoundError):
            found = runtime.view_of(tracer.trace(asked, limit=50), None)
            return found if len(found.events) == EVENTS else None
        return None

    console.print(f"waybill trace s3://{source}/{key}\n", markup=False)
    console.print(history(wait("its history", whole).events), "\n")


def show_others(source: str) -> None:
    """Run each of the other workflows once on the samples, and say in a line what came of it."""
    console.rule("4. The other workflows", align="left")
    minted = waybill("mint", "sierra-123456")["identifiers"]["sierra-123456"]
    console.print(f"Identifiers      sierra-123456 is [bold]{minted}[/] from now on")
    numbers = waybill("consign", "samples/records", "--new", "--wait", ends=1)["summary"]
    console.print(
        f"Consignments     samples/records: {numbers['accepted']} of {numbers['files']} files accepted, "
        f"{numbers['forSender']} for the sender"
    )
    waybill("upload", "samples/some.log", "samples/people.csv")
    job = waybill("scan", f"s3://{source}/", "--include", "some.log", "--include", "people.csv", "--wait")
    console.print(f"Scanner          {job['total_findings']} findings in {job['succeeded']} files")
    waybill("sar", "stub", "--register", "--background", "--port", "0")
    try:
        case = ("--nomis", "A1234AA", "--to", "31/12/2024", "--reference", "SAR-2025-0042")
        request = waybill("sar", "create", *case, "--wait")
    finally:
        waybill("sar", "stub", "--stop")
    asked = len(request["services"])
    console.print(
        f"Subject access   {asked} services asked, a report of {request['pages']} pages, due {request['dueDate']}\n"
    )


def waybill(*arguments: str, ends: int = 0) -> dict[str, Any]:
    """Run a command of the program as somebody would type it; return what it says, as JSON."""
    with console.status(f"waybill {' '.join(arguments)}"):
        done = subprocess.run(
            [sys.executable, "-m", "waybill.cli", *arguments, "--json"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != ends:
        raise SystemExit(f"waybill {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}{done.stdout}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def subscribe(topic_arn: str) -> str:
    """Return the URL of a new queue that gets the failure notifications."""
    sqs = client("sqs")
    queue_url: str = sqs.create_queue(QueueName=f"demo-{uuid.uuid4().hex}")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        },
    }
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": json.dumps(policy)})
    client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
    return queue_url


def received(queue_url: str, key: str) -> dict[str, Any] | None:
    """Return the notification about `key`, if it has come."""
    for message in client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=1).get("Messages", []):
        notification: dict[str, Any] = json.loads(message["Body"])
        if key in notification["Message"]:
            return notification
    return None


def described(execution: "DescribeExecutionOutputTypeDef") -> "DescribeExecutionOutputTypeDef | None":
    """Return the execution once it has ended."""
    return None if execution["status"] == "RUNNING" else execution


def wait_for_record(outputs: Mapping[str, str], key: str, source: str) -> dict[str, Any]:
    """Return the tracking record of the file once its run has ended."""

    def ended() -> dict[str, Any] | None:
        answer = client("dynamodb").get_item(
            TableName=outputs["FileCopyTrackingTableName"],
            Key={"fileKey": {"S": key}, "sourceBucket": {"S": source}},
            ConsistentRead=True,
        )
        record = from_item(answer.get("Item", {}))
        return record if record.get("status") not in {None, "IN_PROGRESS"} else None

    return wait(f"the record of {key}", ended)


def wait[T](what: str, look: Callable[[], T | None]) -> T:
    """Return what `look` finds, asking until it finds something."""
    deadline = time.monotonic() + WAIT_SECONDS
    with console.status(f"waiting for {what}"):
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"waited {WAIT_SECONDS} seconds for {what}; see .local/ministack.log")
            time.sleep(0.1)
    return found


def readable(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a record that tell its story."""
    names = (
        "status",
        "outcome",
        "startTime",
        "completedAt",
        "totalBuckets",
        "successfulCopies",
        "failedCopies",
        "successfulBuckets",
        "failedBuckets",
    )
    return {name: record[name] for name in names if name in record}


if __name__ == "__main__":
    main()
