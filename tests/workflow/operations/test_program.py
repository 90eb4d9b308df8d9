"""The program `waybill` on the running stack."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.events import s3_event
from tests.workflow.support.gate import Gate
from tests.workflow.support.names import MISSING
from tests.workflow.support.polling import until
from tests.workflow.support.source import Source


@dataclass(frozen=True)
class Done:
    """What a command came to; `data` is its JSON."""

    status: int
    data: Any
    complaint: str


type Waybill = Callable[..., Done]


@pytest.fixture(scope="module")
def waybill(application: Application, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Waybill:
    """Run the program with `--json`, for the stack of these tests."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("scripts", "layers"):
        (folder / name).symlink_to(project / name)
    (folder / ".local").symlink_to(application.stack.local.state_dir)

    def run(*arguments: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "waybill.cli", *arguments, "--json"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Done(done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr)

    return run


def test_one_file_is_replicated_and_shown(
    application: Application, waybill: Waybill, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)
    address = f"s3://{quiet.name}/{key}"

    done = waybill("replicate", address, "--wait")

    assert (done.status, done.complaint) == (0, "")
    assert done.data["executionArn"] == quiet.record(key)["executionId"]
    shown = waybill("replications", "show", address)
    assert (shown.status, shown.data["status"]) == (0, "COMPLETED")
    # The contract, second edition: an earlier run answers while it runs; later, another looks at every destination.
    again = waybill("replicate", address, "--wait")
    assert (again.status, again.data["alreadyRunning"]) == (0, False)
    assert len(application.executions(label)) == 2


def test_failed_run_ends_with_status_1_and_is_listed(waybill: Waybill, quiet: Source, key: str) -> None:
    quiet.put(key)

    done = waybill("replicate", f"s3://{quiet.name}/{key}", "--to", MISSING, "--wait")

    assert done.status == 1
    listed = waybill("replications", "--status", "FAILED")
    assert key in [record["fileKey"] for record in listed.data["replications"]]


def test_backfill_starts_what_is_missing_or_different(
    application: Application, gate: Gate, waybill: Waybill, quiet: Source, label: str
) -> None:
    keys = [f"{label}/{name}" for name in ("same", "changed", "missing")]
    for key in keys:
        quiet.put(key, b"old")
    for key in keys[:2]:
        application.run(quiet.request(key), key.replace("/", "-"))
    quiet.put(keys[1], b"new")
    prefix = f"s3://{quiet.name}/{label}/"

    planned = waybill("replicate", "--backfill", prefix, "--dry-run")
    assert planned.status == 0
    assert len(gate.calls(f"{label}/missing", "CopyObject")) == 0
    done = waybill("replicate", "--backfill", prefix)

    assert done.status == 0
    for key, content in zip(keys, (b"old", b"new", b"old"), strict=True):
        quiet.record(key)
        until(partial(arrived, application, key, content), f"{key} has arrived")
    assert len(quiet.history(keys[0])) == 1


def arrived(application: Application, key: str, content: bytes) -> bool:
    """Return whether every destination has the file with that content."""
    return all(application.content(bucket, key) == content for bucket in application.destinations)


def test_dead_letters_are_sent_on_their_way_again(
    application: Application, waybill: Waybill, quiet: Source, key: str
) -> None:
    quiet.put(key)
    application.sqs.send_message(
        QueueUrl=application.outputs["ReplicationDeadLetterQueueUrl"],
        MessageBody=json.dumps({"requestPayload": s3_event(quiet.name, key)}),
    )

    done = waybill("replications", "redrive")

    # Events of other tests may lie there too.
    assert (done.status, done.data["moved"] >= 1, done.data["failed"], done.data["left"]) == (0, True, 0, 0)
    quiet.record(key)


def test_stopped_run_is_closed_on_demand(
    application: Application, gate: Gate, waybill: Waybill, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)
    with gate.holding("CopyObject", label) as copies:
        arn = application.start(quiet.request(key), label)
        copies.wait()
        application.sfn.stop_execution(executionArn=arn)

        done = waybill("replications", "reconcile")

    assert done.status == 0
    assert quiet.record(key, "FAILED")["executionId"] == arn
