"""The functions behind the states: what they answer, what they write, what they count."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.functions import PHYSICAL
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, failure, result, task, totals
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from tests.functional.replication.conftest import NOW, Invoke
from waybill.core.clock import iso, now
from waybill.core.errors import InvalidInputError, NotificationUnavailableError
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.backfill_job import BackfillJob, JobCounts, JobStatus
from waybill.replication.models import ObjectFacts, ReplicationRun

A, B = DESTINATIONS
MIB = 1024**2
EXECUTION = {"Id": "arn:of:run", "Name": "run", "StartTime": "2026-11-21T10:00:00.000Z"}
REQUEST = {"sourceBucket": "other-builds", "sourceKey": KEY, "destinationBuckets": [A, B]}


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, float]]:
    """Read what the handlers have counted since the last time."""

    def read() -> dict[str, float]:
        blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        names = [(blob, metric["Name"]) for blob in blobs for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        return {name: sum(blob[name]) for blob, name in names}

    return read


def claimed(tracking: TrackingTable, label: str = "1", **changes: Any) -> ReplicationRun:
    run = a_run(label, **changes)
    return run.model_copy(update={"generation": tracking.claim(run).generation})


# --- ValidateInput ---


def test_an_input_becomes_a_run(invoke: Invoke) -> None:
    run = invoke("validate_input", {"input": REQUEST | {"more": 1}, "execution": EXECUTION})
    assert run == REQUEST | {
        "force": False,
        "generation": 0,
        "executionId": "arn:of:run",
        "executionName": "run",
        "workflowStartTime": "2026-11-21T10:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"destinationBuckets": []}, "destinationBuckets"),
        ({"destinationBuckets": None}, "destinationBuckets"),
        ({"destinationBuckets": [" "]}, r"destinationBuckets\[0\]"),
        ({"destinationBuckets": [A, "other-builds"]}, "destinationBuckets: other-builds is the source"),
        ({"destinationBuckets": [A, SOURCE]}, rf"destinationBuckets\[1\]: {SOURCE} starts this workflow"),
        ({"sourceBucket": None}, "sourceBucket"),
        ({"sourceKey": ""}, "sourceKey"),
        ({"sourceKey": "é" * 513}, "sourceKey"),
    ],
)
def test_wrong_input_is_rejected_before_anything_is_asked_or_written(
    invoke: Invoke, wire: Wire, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=field):
        invoke("validate_input", {"input": REQUEST | changes, "execution": EXECUTION})
    assert wire.requests == []


@pytest.mark.parametrize("payload", [None, [], "text", {}])
def test_what_is_no_request_at_all_is_rejected_too(invoke: Invoke, payload: Any) -> None:
    with pytest.raises(InvalidInputError):
        invoke("validate_input", {"input": payload, "execution": EXECUTION})


def test_a_prefix_makes_the_source_bucket_a_possible_destination(invoke: Invoke) -> None:
    payload = REQUEST | {"destinationBuckets": ["other-builds"], "destinationPrefix": "copies/"}
    assert invoke("validate_input", {"input": payload, "execution": EXECUTION})["destinationPrefix"] == "copies/"


# --- LogWorkflowStart ---


def test_the_claim_is_answered(invoke: Invoke, tracking: TrackingTable) -> None:
    newer, older = a_run("newer", sequencer="02"), a_run("older", sequencer="01")
    answers = [
        invoke("log_workflow_start", run.wire())["claim"] for run in (newer, newer, older, a_run("x", sequencer="02"))
    ]
    assert answers == ["STARTED", "STARTED", "STALE", "DUPLICATE"]


# --- DescribeSource ---


@pytest.mark.parametrize(
    ("size", "strategy", "batches"),
    [
        (0, "COPY", []),
        (5 * MIB, "COPY", []),
        (5 * MIB + 1, "MULTIPART", []),
        (10 * MIB, "MULTIPART", []),
        (10 * MIB + 1, "MULTIPART_BATCHES", [(1, 2), (3, 3)]),
    ],
)
def test_the_strategy_follows_from_the_size_and_the_limits_that_are_set(
    invoke: Invoke, s3: Any, size: int, strategy: str, batches: list[tuple[int, int]]
) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=bytes(size))
    limits = {
        "SINGLE_COPY_MAX_BYTES": str(5 * MIB),
        "ONE_FUNCTION_MAX_BYTES": str(10 * MIB),
        "PART_SIZE_BYTES": str(5 * MIB),
        "PARTS_PER_BATCH": "2",
    }
    described = invoke("describe_source", a_run().wire(), **limits)
    assert (described["strategy"], described["source"]["size"]) == (strategy, size)
    assert [(batch["firstPart"], batch["lastPart"]) for batch in described["batches"]] == batches


# --- CopyFile ---


def test_bytes_are_counted_when_they_were_copied(
    invoke: Invoke, tracking: TrackingTable, s3: Any, counted: Callable[[], dict[str, float]]
) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    run = claimed(tracking)
    source = ObjectFacts.parse(invoke("describe_source", run.wire())["source"])

    def copied(code: str) -> float:
        results = [invoke("copy_file", task(run, source, bucket).wire()) for bucket in DESTINATIONS]
        assert [result["code"] for result in results] == [code] * 2
        # Two lines of the log for each file cost as much as all others together.
        assert counted() == {}
        totals = {"totalBuckets": 2, "successfulCopies": 2, "failedCopies": 0, "results": results}
        invoke("update_dynamodb_final", {"run": run.wire(), "totals": totals})
        return counted().get("BytesCopied", 0)

    assert copied("COPIED") == 2 * len(b"abc")
    assert copied("SKIPPED_IDENTICAL") == 0


# --- FormatErrorResult ---


def failed_copy(run: ReplicationRun, error: str, cause: str = "{}") -> dict[str, Any]:
    return {"run": run.wire(), "destinationBucket": A, "attempt": 3, "failure": {"Error": error, "Cause": cause}}


def test_a_failed_copy_is_recorded_counted_and_leaves_no_upload(
    invoke: Invoke, tracking: TrackingTable, s3: Any, counted: Callable[[], dict[str, float]]
) -> None:
    run = claimed(tracking)
    upload_id = s3.create_multipart_upload(Bucket=A, Key=KEY)["UploadId"]
    tracking.record_upload(run, A, ObjectFacts(bucket=SOURCE, key=KEY, size=3, e_tag="e"), upload_id)
    answer = invoke("format_error_result", failed_copy(run, "AccessDeniedError", json.dumps({"errorMessage": "why"})))
    assert (answer["code"], answer["cause"], answer["attempts"]) == ("ACCESS_DENIED", "why", 3)
    assert counted() == {"CopiesFailed": 1}
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=A)
    assert [item["code"] for item in tracking.destinations(run.file)] == ["ACCESS_DENIED"]


def test_a_superseded_copy_is_neither_recorded_nor_a_failure(
    invoke: Invoke, tracking: TrackingTable, counted: Callable[[], dict[str, float]]
) -> None:
    run = claimed(tracking)
    assert invoke("format_error_result", failed_copy(run, "SupersededError"))["code"] == "SUPERSEDED"
    assert counted() == {"CopiesSuperseded": 1}
    assert tracking.destinations(run.file) == []


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        ("NoSuchBucketError", "NO_SUCH_BUCKET", False),
        ("ThrottledError", "THROTTLED", True),
        ("States.Timeout", "TIMED_OUT", True),
        ("BatchTimedOut", "TIMED_OUT", True),
        ("Lambda.TooManyRequestsException", "THROTTLED", True),
        ("KeyError", "FUNCTION_FAILED", True),
    ],
)
def test_every_error_has_a_code(
    invoke: Invoke, tracking: TrackingTable, error: str, code: str, retryable: bool
) -> None:
    answer = invoke("format_error_result", failed_copy(claimed(tracking), error, "text"))
    assert (answer["code"], answer["retryable"], answer["error"]) == (code, retryable, error)


# --- UpdateDynamoDBFinal ---


def test_how_runs_end_is_counted(
    invoke: Invoke, tracking: TrackingTable, counted: Callable[[], dict[str, float]]
) -> None:
    run = claimed(tracking)
    good, bad = result(run, A), failure(run, B)
    superseded = result(run, B, success=False, code="SUPERSEDED")
    for results in ((good, good), (good, bad), (bad, bad), (good, superseded)):
        invoke("update_dynamodb_final", {"run": run.wire(), "totals": totals(*results).wire()})
    assert counted() == {"RunsSuccess": 1, "RunsPartialFailure": 1, "RunsFailed": 1, "RunsSuperseded": 1}


def test_the_time_from_the_event_to_the_last_copy_is_measured(
    invoke: Invoke, tracking: TrackingTable, counted: Callable[[], dict[str, float]]
) -> None:
    written = iso(now() - timedelta(seconds=90))
    run = claimed(tracking, event_time=written)
    for results in ((result(run, A), result(run, B)), (result(run, A), failure(run, B))):
        invoke("update_dynamodb_final", {"run": run.wire(), "totals": totals(*results).wire()})
    assert counted()["ReplicationLatency"] == pytest.approx(90, abs=30)


def test_a_run_that_lost_its_record_is_told_so(invoke: Invoke, tracking: TrackingTable) -> None:
    older, newer = claimed(tracking, "older", sequencer="01"), claimed(tracking, "newer", sequencer="02")
    ended = {name: totals(result(run, A)).wire() for name, run in (("older", older), ("newer", newer))}
    assert invoke("update_dynamodb_final", {"run": older.wire(), "totals": ended["older"]})["recorded"] is False
    assert invoke("update_dynamodb_final", {"run": newer.wire(), "totals": ended["newer"]})["recorded"] is True


# --- SendFailureNotification ---


@pytest.mark.parametrize("key", ["x" * 1024, "é" * 512, "😀\n" * 200, "build.zip"])
def test_any_key_and_any_number_of_failures_make_one_message(invoke: Invoke, wire: Wire, key: str) -> None:
    make_failure_topic()
    names = tuple(f"{number:04}-".ljust(63, "x") for number in range(1000))
    run = a_run(key=key, destination_buckets=names)
    results = [failure(run, name, cause="é" * 30_000).wire() for name in names]
    failed = {"status": "FAILED", "message": "1000 of 1000 file copies failed", "results": results}
    assert invoke("send_failure_notification", {"run": run.wire(), "failure": failed}) == {"notified": True}
    (letter,) = wire.published
    assert letter.topic == PHYSICAL["FailureTopic"]
    assert letter.subject.isascii()
    assert len(letter.subject) <= 100
    assert len(letter.body.encode()) < 256 * 1024
    assert names[0] in letter.body
    assert "… and 960 more failed destinations" in letter.body


def test_a_backfill_is_told_of_once_an_hour_with_its_counts_and_how_to_see_the_rest(
    invoke: Invoke, wire: Wire, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: replication's README, "Backfills": at most one notification per job and hour."""
    make_failure_topic()
    moment = NOW
    monkeypatch.setattr("waybill.replication.runtime.now", lambda: moment)
    job = BackfillJob(
        backfill_id="20261121-100000-abc",
        status=JobStatus.RUNNING,
        source_bucket=SOURCE,
        prefix="it's/",
        destination_buckets=DESTINATIONS,
        start_time=iso(NOW),
        updated_at=iso(NOW),
        created_by="waybill:somebody",
        worked_by="waybill:somebody",
        counts=JobCounts(compared=3_000, started=7),
    )
    BackfillTable(dynamodb, PHYSICAL["FileCopyTrackingTable"], history_days=1, now=lambda: NOW).create(job)

    def fail(label: str, **more: Any) -> None:
        run = a_run(label, key=f"{label}.zip", **more)
        failed = {"status": "FAILED", "message": "m", "results": [failure(run, A).wire()]}
        assert invoke("send_failure_notification", {"run": run.wire(), "failure": failed}) == {"notified": True}

    for label in ("1", "2", "3"):
        fail(label, backfill_id=job.backfill_id)
    fail("1", backfill_id=job.backfill_id)  # repeated after its function died
    fail("by hand")
    moment = NOW + timedelta(hours=1)
    fail("4", backfill_id=job.backfill_id)
    fail("5", backfill_id=job.backfill_id)

    first, again, by_hand, later = wire.published
    assert (first.subject, by_hand.subject) == (
        "Backfill Failures: 20261121-100000-abc",
        "File Copy Failures: by hand.zip",
    )
    assert "Compared:      3000 objects" in first.body
    assert "Failed runs:   1 so far" in first.body
    assert "waybill backfills show 20261121-100000-abc" in first.body
    assert f"""waybill replications retry 's3://{SOURCE}/it'"'"'s/' --wait""" in first.body
    assert "1.zip" in first.body
    assert first.attributes["notificationId"] == again.attributes["notificationId"]
    assert later.attributes["notificationId"] != first.attributes["notificationId"]
    # The run that was repeated has failed once.
    assert "Failed runs:   4 so far" in later.body


@pytest.mark.usefixtures("dynamodb")
def test_runs_of_a_job_that_is_not_there_are_each_told_of(invoke: Invoke, wire: Wire) -> None:
    """Whoever starts a run by hand with the name of a job decides nothing about what others are told."""
    make_failure_topic()
    for label in ("1", "2"):
        run = a_run(label, key=f"{label}.zip", backfill_id="no-such-job")
        failed = {"status": "FAILED", "message": "m", "results": [failure(run, A).wire()]}
        invoke("send_failure_notification", {"run": run.wire(), "failure": failed})
    assert [letter.subject for letter in wire.published] == ["File Copy Failures: 1.zip", "File Copy Failures: 2.zip"]


@pytest.mark.parametrize(("code", "expected"), [("Throttled", NotificationUnavailableError), ("NotFound", ClientError)])
def test_a_topic_that_fails_is_the_workflows_to_handle(
    invoke: Invoke, wire: Wire, code: str, expected: type[Exception]
) -> None:
    wire.refuse("sns.Publish", code)
    failed = {"status": "FAILED", "message": "m", "results": []}
    with pytest.raises(expected):
        invoke("send_failure_notification", {"run": a_run().wire(), "failure": failed})


# --- the multipart states ---


def test_an_upload_of_many_invocations_ends_as_one_object(
    invoke: Invoke, tracking: TrackingTable, s3: Any, wire: Wire
) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=bytes(11 * MIB), ContentType="image/x", Tagging="a=b")
    run = claimed(tracking, destination_buckets=(A,))
    limits = {"SINGLE_COPY_MAX_BYTES": str(5 * MIB), "ONE_FUNCTION_MAX_BYTES": str(5 * MIB), "PARTS_PER_BATCH": "1"}
    limits |= {"PART_SIZE_BYTES": str(5 * MIB), "PART_CONCURRENCY": "1"}
    description = invoke("describe_source", run.wire(), **limits)
    # moto keeps no real checksum over the parts.
    description["source"].pop("checksum", None)
    copy = {"run": run.wire(), "destinationBucket": A, "description": description}
    upload_id = invoke("start_multipart_copy", copy, **limits)["uploadId"]
    for batch in [*description["batches"], *description["batches"]]:
        invoke("copy_part_batch", {"task": copy, "uploadId": upload_id, "batch": batch}, **limits)
    answer = invoke("complete_multipart_copy", {"task": copy, "uploadId": upload_id}, **limits)
    assert (answer["code"], answer["bytes"]) == ("COPIED", 11 * MIB)
    found = s3.head_object(Bucket=A, Key=KEY)
    assert (found["ContentLength"], found["ContentType"], found["TagCount"]) == (11 * MIB, "image/x", 1)
    # Each batch came twice, each part was copied once.
    assert len(wire.of("s3.UploadPartCopy")) == 3
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=A)
