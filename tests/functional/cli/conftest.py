"""The program `waybill` on a stack that moto runs."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from tests.fakes.executions import FakeExecutions
from tests.fakes.functions import PHYSICAL, REGION, tracking_table_definition
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, ended, failure, result
from tests.fakes.wire import Wire
from tests.functional.conftest import forget_collaborators
from waybill.cli.app import main
from waybill.cli.replication.runtime import Replication
from waybill.core.aws.clients import client
from waybill.core.clock import now
from waybill.core.executions import StartedExecution
from waybill.replication import runtime
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.models import DestinationResult, ObjectFacts, ReplicationRun

MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:waybill-replication"


@dataclass(frozen=True)
class Ran:
    """What a call of the program came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


type Program = Callable[..., Ran]


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def waybill(stack: None, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run the program with these arguments."""

    def run(*arguments: str) -> Ran:
        forget_collaborators()  # a command is a process of its own
        capsys.readouterr()
        status = main(arguments)
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run


@pytest.fixture
def on_terminal(stack: None, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run the program in a terminal of so many columns."""

    def run(columns: int, *arguments: str) -> Ran:
        out, err = Terminal(), Terminal()
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        status = main(arguments)
        return Ran(status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone of the project without a local stack, in which the program runs."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup").touch()
    (tmp_path / "layers").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stack(wire: Wire, clone: Path) -> None:
    """The buckets, the table and the queues of a stack `waybill`, and its outputs."""
    s3, sqs = client("s3", REGION), client("sqs", REGION)
    for bucket in (SOURCE, *DESTINATIONS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("dynamodb", REGION).create_table(**tracking_table_definition())
    outputs = {
        "SourceBucketName": SOURCE,
        "DestinationBucketNames": ",".join(DESTINATIONS),
        "FileCopyTrackingTableName": PHYSICAL["FileCopyTrackingTable"],
        "FileCopyWorkflowArn": MACHINE,
        "ReplicationJobsWorkflowArn": f"{MACHINE}-jobs",
        "ReconcileReplicationsFunctionName": "reconcile",
        "ReplicationRetryQueueUrl": sqs.create_queue(QueueName="retry")["QueueUrl"],
        "ReplicationDeadLetterQueueUrl": sqs.create_queue(QueueName="dead")["QueueUrl"],
    }
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    client("cloudformation", REGION).create_stack(StackName="waybill", TemplateBody=json.dumps(template))
    wire.clear()


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> FakeExecutions:
    """Step Functions, whose executions end when the test says so."""
    fake = FakeExecutions()
    monkeypatch.setattr(runtime, "executions", lambda: fake)
    monkeypatch.setattr(Replication, "executions", fake)
    return fake


@pytest.fixture
def tracking(stack: None) -> TrackingTable:
    """The tracking records."""
    return TrackingTable(client("dynamodb", REGION), PHYSICAL["FileCopyTrackingTable"], history_days=90, now=now)


@pytest.fixture
def upload(stack: None) -> Callable[..., None]:
    """Write objects of these keys, into the source or another bucket."""

    def write(*keys: str, bucket: str = SOURCE, body: bytes = b"abc") -> None:
        for key in keys or (KEY,):
            client("s3", REGION).put_object(Bucket=bucket, Key=key, Body=body)

    return write


@pytest.fixture
def copying(executions: FakeExecutions, tracking: TrackingTable, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let each run do its work as it is started; keys in the list that is returned fail at the second destination."""
    failing: list[str] = []
    begin = executions.start

    def start(machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        started = begin(machine, name, payload)
        run = run_of(started.execution_arn, payload)
        results = []
        for bucket in run.destination_buckets:
            if run.source_key in failing and bucket == DESTINATIONS[1]:
                results.append(failure(run, bucket))
                continue
            here = {"Bucket": SOURCE, "Key": run.source_key}
            client("s3", REGION).copy_object(Bucket=bucket, Key=run.source_key, CopySource=here)
            results.append(result(run, bucket))
        recorded(tracking, run, *results)
        executions.end(started.execution_arn)
        return started

    monkeypatch.setattr(executions, "start", start)
    return failing


def recorded(
    tracking: TrackingTable,
    run: ReplicationRun,
    *results: DestinationResult,
    source: ObjectFacts | None = None,
    end: bool = True,
) -> ReplicationRun:
    """Write what a run leaves in the table; with `end` its end."""
    run = run.model_copy(update={"generation": tracking.claim(run).generation})
    for each in results:
        tracking.record_destination(run, each, source)
    if end:
        tracking.finish(run, *ended(*results))
    return run


def run_of(arn: str, payload: Any, **changes: Any) -> ReplicationRun:
    """Return the run of a started execution."""
    return a_run(
        key=payload["sourceKey"],
        execution_name=arn.rsplit(":", 1)[-1],
        execution_id=arn,
        destination_buckets=tuple(payload["destinationBuckets"]),
        **changes,
    )


def lines(ran: Ran) -> list[str]:
    """What it printed, line by line, without the spaces at their ends."""
    return [line.rstrip() for line in ran.out.splitlines()]


def plain(text: str) -> str:
    """What a terminal shows of `text`, without its colours."""
    return Text.from_ansi(text).plain
