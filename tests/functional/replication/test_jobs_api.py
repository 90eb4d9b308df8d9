"""Backfills and verifications over HTTP."""

from typing import Any

import pytest

from tests.fakes.api import Answer, ask
from tests.fakes.functions import REGION, functions
from tests.fakes.runs import DESTINATIONS, SOURCE
from waybill.core.aws.clients import client
from waybill.replication import runtime
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.api import app
from waybill.replication.domain.backfill_job import BackfillJob, JobStatus
from waybill.replication.domain.verification import VerificationCheck, VerificationResult

NOW = "2026-11-21T10:00:00.000Z"
MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:waybill-replication-jobs"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tracking: TrackingTable) -> None:
    """What ReplicationApiFunction has; the table is there, and empty."""
    for name, value in functions()["waybill.replication.handlers.replication_api"].environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REPLICATION_JOBS_WORKFLOW_ARN", MACHINE)
    role = "arn:aws:iam::123456789012:role/any"
    client("stepfunctions").create_state_machine(name="waybill-replication-jobs", definition="{}", roleArn=role)


def get(path: str, **query: str) -> Answer:
    return ask(app, "GET", path, query=query)


def backfill(backfill_id: str, **changes: Any) -> BackfillJob:
    job = BackfillJob(
        backfill_id=backfill_id,
        status=JobStatus.RUNNING,
        source_bucket=SOURCE,
        destination_buckets=DESTINATIONS,
        start_time=NOW,
        updated_at=NOW,
        created_by="waybill:alice",
        worked_by="waybill:alice",
        **changes,
    )
    runtime.backfills().create(job)
    return job


def test_backfills_are_listed_shown_and_cancelled_once() -> None:
    backfill("one", prefix="a/")
    assert [job["backfillId"] for job in get("/backfills").json["backfills"]] == ["one"]
    assert get("/backfills/one").json["prefix"] == "a/"
    assert ask(app, "POST", "/backfills/one/cancel").json["status"] == "CANCELLED"
    assert ask(app, "POST", "/backfills/one/cancel").status == 409
    assert get("/backfills/nobody").status == 404
    assert ask(app, "POST", "/backfills/nobody/cancel").status == 404


def test_lists_of_jobs_have_cursors_of_their_own() -> None:
    for number in range(3):
        backfill(f"job-{number}")
    first = get("/backfills", limit="2").json
    rest = get("/backfills", limit="2", cursor=first["cursor"]).json
    listed = [job["backfillId"] for page in (first, rest) for job in page["backfills"]]
    assert sorted(listed) == ["job-0", "job-1", "job-2"]
    assert get("/verifications", cursor=first["cursor"]).status == 400


def executions() -> list[str]:
    found = client("stepfunctions").list_executions(stateMachineArn=MACHINE)["executions"]
    return [execution["name"] for execution in found]


def start(body: dict[str, Any], key: str | None = None) -> Answer:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return ask(app, "POST", "/verifications", body=body, headers=headers)


def test_a_verification_is_started_once_for_a_key_and_shown_before_it_has_begun() -> None:
    started = start({"prefix": "a/"}, "k")
    assert (started.status, started.json["status"], started.json["prefix"]) == (202, "RUNNING", "a/")
    assert start({"prefix": "a/"}, "k").json == started.json
    assert start({"prefix": "b/"}, "k").status == 409
    assert executions() == [started.json["verificationId"]]
    shown = get(f"/verifications/{started.json['verificationId']}").json
    assert (shown["destinationBuckets"], shown["findings"]) == (list(DESTINATIONS), [])
    assert start({"prefix": "a/"}).json["verificationId"] != started.json["verificationId"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"depe": True}, "depe"),
        ({"sample": 5}, "sample"),
        ({"deep": "true"}, "deep"),
        ({"sourceBucket": "A"}, "sourceBucket"),
    ],
)
def test_a_wrong_request_is_named(body: dict[str, Any], field: str) -> None:
    answer = start(body)
    assert answer.status == 400
    assert field in str(answer.json)
    assert executions() == []


def test_findings_are_shown() -> None:
    table = runtime.verification_table()
    job = table.read(start({}).json["verificationId"])
    found = VerificationCheck(
        key="a", destination_bucket=DESTINATIONS[0], result=VerificationResult.MISSING, at=NOW, size=3
    )
    counted = job.model_copy(update={"counts": job.counts.plus(1, [found]), "parts": 1}).completed(NOW)
    table.save(counted, job, [[found]])
    shown = get(f"/verifications/{job.verification_id}").json
    assert (shown["status"], shown["counts"]["missing"]) == ("COMPLETED_WITH_FINDINGS", 1)
    assert shown["findings"] == [
        {"key": "a", "destinationBucket": DESTINATIONS[0], "result": "MISSING", "at": NOW, "size": 3}
    ]
    assert get("/verifications/nobody").status == 404
