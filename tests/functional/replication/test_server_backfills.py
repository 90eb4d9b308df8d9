"""Backfills on the server: what `POST /backfills` begins, and what the workflow's function makes of it, call by call.

Source: replication's README, "Backfills": whoever goes on with a job goes on behind its last line; nothing is left out
and nothing told twice, whoever dies at whatever moment.
"""

import csv
from collections.abc import Mapping
from io import StringIO
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.fakes.api import Answer, LambdaContext, ask
from tests.fakes.executions import FakeExecutions
from tests.fakes.functions import REGION, functions
from tests.fakes.moto_buckets import fill
from tests.fakes.runs import DESTINATIONS, SOURCE, failure, result
from tests.functional.cli.conftest import recorded, run_of
from waybill.core.cursors import encode_cursor
from waybill.core.executions import StartedExecution
from waybill.core.settings import load
from waybill.replication import runtime
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.api import app
from waybill.replication.domain import backfill_job, backfill_report
from waybill.replication.domain.backfill_job import BackfillJob, Entry, JobInput, ObjectLine, saved_entries
from waybill.replication.handlers.work_on_job import lambda_handler

MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:waybill-replication"
JOBS = f"{MACHINE}-jobs"
MANY = 2_100  # three pages of what S3 lists
STACK = {"sourceBucket": SOURCE, "destinationBuckets": ",".join(DESTINATIONS), "fileCopyWorkflow": MACHINE}
A, B = DESTINATIONS


class Killed(BaseException):
    """The function is gone."""


class Left(LambdaContext):
    """So many milliseconds are left."""

    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        return self.milliseconds


class Workflow:
    """Step Functions: runs of files end as they are started, jobs as far as the test works on them."""

    def __init__(self, tracking: TrackingTable, s3: Any) -> None:
        self.executions = FakeExecutions()
        self.failing: set[str] = set()
        self._tracking, self._s3 = tracking, s3
        self._begin = self.executions.start
        self.executions.start = self._start  # type: ignore[method-assign]

    def _start(self, machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        started = self._begin(machine, name, payload)
        if machine == JOBS or started.already_running:
            return started
        run = run_of(started.execution_arn, payload)
        results = []
        for bucket in run.destination_buckets:
            if run.source_key in self.failing:
                results.append(failure(run, bucket))
                continue
            here = {"Bucket": SOURCE, "Key": run.source_key}
            self._s3.copy_object(Bucket=bucket, Key=run.source_key, CopySource=here)
            results.append(result(run, bucket))
        recorded(self._tracking, run, *results)
        self.executions.end(started.execution_arn)
        return started

    @property
    def jobs(self) -> list[Mapping[str, Any]]:
        """What executions of jobs were started with."""
        return [given for arn, given in self.executions.inputs.items() if "-jobs:" in arn]

    @property
    def copied(self) -> list[str]:
        """The keys of the runs that were started."""
        return sorted(given["sourceKey"] for arn, given in self.executions.inputs.items() if "-jobs:" not in arn)

    def turn(self, given: Mapping[str, Any], milliseconds: int = 900_000, **more: Any) -> dict[str, Any]:
        """Call the function once."""
        event = {"input": dict(given), "execution": {"Name": "x", "StartTime": "2026-11-21T10:00:00Z"}, "stack": STACK}
        return lambda_handler(event | more, Left(milliseconds))

    def run(self, given: Mapping[str, Any]) -> int:
        """Carry the execution out as its definition has it; return the number of calls."""
        for calls in count(1):
            turn = self.turn(given)
            if turn["complete"]:
                return calls
            for part in turn.get("parts", []):
                self.turn(given, part=part)
        raise AssertionError


@pytest.fixture
def workflow(tracking: TrackingTable, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """What both functions need; the tables and buckets are there."""
    for handler in ("work_on_job", "replication_api"):
        for name, value in functions()[f"waybill.replication.handlers.{handler}"].environment.items():
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("SOURCE_BUCKET", SOURCE)
    monkeypatch.setenv("DESTINATION_BUCKETS", ",".join(DESTINATIONS))
    monkeypatch.setenv("REPLICATION_JOBS_WORKFLOW_ARN", JOBS)
    load.cache_clear()
    made = Workflow(tracking, s3)
    monkeypatch.setattr(runtime, "executions", lambda: made.executions)
    return made


def post(path: str, body: dict[str, Any] | None = None, key: str | None = None) -> Answer:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return ask(app, "POST", path, body=body, headers=headers)


def job_of(answer: Answer) -> BackfillJob:
    return runtime.backfills().read(answer.json["backfillId"])


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=SOURCE, Key=key, Body=b"abc")


def test_a_backfill_is_started_once_for_a_key_and_brings_what_is_missing(workflow: Workflow, s3: Any) -> None:
    put(s3, "a/1", "a/2", "b/1", "a/x.tmp")
    asked = {"prefix": "a/", "exclude": ["*.tmp"]}
    begun = post("/backfills", asked, "first")
    assert (begun.status, begun.json["status"], begun.json["input"]) == (202, "RUNNING", "LISTING")
    assert post("/backfills", asked, "first").json["backfillId"] == begun.json["backfillId"]
    assert post("/backfills", {"prefix": "b/"}, "first").status == 409
    (given,) = workflow.jobs
    assert workflow.run(given) == 1
    ended = job_of(begun)
    assert (ended.status, ended.counts.compared, ended.counts.succeeded) == ("COMPLETED", 2, 4)
    assert workflow.copied == ["a/1", "a/2"]
    # It has ended: the same request is answered with it, and nothing is started.
    assert post("/backfills", asked, "first").json["status"] == "COMPLETED"
    assert post(f"/backfills/{ended.backfill_id}/resume").status == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"destinationBuckets": [SOURCE]}, "destinationBuckets"),
        ({"sourceBucket": A, "destinationBuckets": [SOURCE]}, "destinationBuckets"),
        ({"contentOnly": "yes"}, "contentOnly"),
        ({"requestsPerSecond": 0}, "requestsPerSecond"),
        ({"dryRun": True}, "dryRun"),
    ],
)
def test_a_wrong_backfill_is_named_and_not_begun(workflow: Workflow, body: dict[str, Any], field: str) -> None:
    refused = post("/backfills", body)
    assert (refused.status, field in str(refused.json)) == (400, True)
    assert workflow.jobs == []


def test_a_source_that_is_not_there_stops_the_job_and_says_so(workflow: Workflow) -> None:
    begun = post("/backfills", {"sourceBucket": "nobody-has-this"})
    with pytest.raises(Exception, match="nobody-has-this"):
        workflow.run(workflow.jobs[0])
    shown = ask(app, "GET", f"/backfills/{begun.json['backfillId']}").json
    assert (shown["status"], "nobody-has-this" in shown["problem"]) == ("STOPPED", True)


def test_a_job_that_was_cancelled_or_taken_over_is_left_alone(workflow: Workflow, s3: Any) -> None:
    put(s3, "a")
    begun = post("/backfills", {}).json["backfillId"]
    (given,) = workflow.jobs
    resumed = post(f"/backfills/{begun}/resume")
    assert (resumed.status, workflow.jobs[1]["generation"]) == (202, 2)
    assert workflow.turn(given) == {"backfillId": begun, "complete": True}
    assert workflow.copied == []
    assert ask(app, "POST", f"/backfills/{begun}/cancel").json["status"] == "CANCELLED"
    assert workflow.turn(workflow.jobs[1])["complete"] is True
    assert workflow.copied == []


def test_a_run_under_way_is_waited_for_from_call_to_call(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, "a")
    monkeypatch.setattr(runtime, "_SECONDS_TO_WAIT", -1.0)
    begun = post("/backfills", {})
    working, workflow.executions.start = workflow.executions.start, workflow._begin  # type: ignore[method-assign]
    turn = workflow.turn(workflow.jobs[0])
    assert (turn["complete"], turn["waits"]) == (False, True)
    (arn,) = (arn for arn in workflow.executions.inputs if "-jobs:" not in arn)
    workflow.executions.end(arn, "ABORTED")
    workflow.executions.start = working  # type: ignore[method-assign]
    workflow.run(workflow.jobs[0])
    assert (job_of(begun).status, job_of(begun).counts.succeeded) == ("COMPLETED", 2)


def test_three_pages_of_keys_killed_out_of_time_and_resumed_end_equal(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"build-{number:04}.zip" for number in range(MANY)]
    fill(SOURCE, keys)
    for bucket in DESTINATIONS:
        fill(bucket, (key for number, key in enumerate(keys) if number % 100))
    begun = post("/backfills", {"contentOnly": True})
    (given,) = workflow.jobs
    save, saves = BackfillTable.save, list[int]()

    def killed_at_the_second(table: BackfillTable, *arguments: Any) -> Any:
        saves.append(1)
        if len(saves) == 2:
            raise Killed
        return save(table, *arguments)

    monkeypatch.setattr(BackfillTable, "save", killed_at_the_second)
    with pytest.raises(Killed):
        workflow.turn(given)
    assert 0 < job_of(begun).counts.compared < MANY
    # The time of this one is over after an object, and somebody resumes the job meanwhile.
    assert workflow.turn(given, 200_000)["complete"] is False
    assert post(f"/backfills/{begun.json['backfillId']}/resume").status == 202
    assert workflow.turn(given)["complete"] is True
    workflow.run(workflow.jobs[1])
    ended = job_of(begun)
    assert (ended.status, ended.counts.compared, ended.counts.pending) == ("COMPLETED", MANY, 0)
    assert [line.key for line in runtime.backfills().all_lines(ended)] == keys
    assert workflow.copied == keys[::100]
    source, *copies = (etags(s3, bucket) for bucket in (SOURCE, A, B))
    assert (len(source), copies) == (MANY, [source, source])


def etags(s3: Any, bucket: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["ETag"] for page in pages for item in page["Contents"]}


def test_a_large_manifest_is_gone_through_by_parts_and_a_part_that_is_repeated_changes_nothing(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill_job, "ENTRIES_PER_PART", 3)
    monkeypatch.setattr(backfill_job, "_LARGE", 5)
    keys = [f"k{number:02}" for number in range(11)]
    put(s3, *keys)
    workflow.failing.add("k04")
    jobs = runtime.backfills()
    kept = saved_entries(jobs, "job", [*(Entry(key=key) for key in keys), Entry(key="gone")])
    jobs.create(
        BackfillJob(
            backfill_id="job",
            status=backfill_job.JobStatus.RUNNING,
            source_bucket=SOURCE,
            destination_buckets=DESTINATIONS,
            input=JobInput.MANIFEST,
            start_time="2026-11-21T10:00:00.000Z",
            updated_at="2026-11-21T10:00:00.000Z",
            created_by="alice",
            worked_by="alice",
        ).model_copy(update=kept)
    )
    given = {"backfillId": "job", "generation": 1}
    assert workflow.turn(given)["parts"] == [0, 1, 2, 3]
    written: list[ObjectLine] = []
    for part in (2, 0, 3, 0):
        workflow.turn(given, part=part)
        written = written or jobs.lines("job", 2)
    # The execution has failed before part 1 was done: another one goes on, and counts what is there.
    given = {"backfillId": "job", "generation": jobs.take_over("job", "bob").generation}
    turn = workflow.turn(given)
    assert (turn["parts"], jobs.read("job").counts.compared) == ([1, 2, 3], 3)
    for part in turn["parts"]:
        workflow.turn(given, part=part)
    assert jobs.lines("job", 2) == written
    workflow.run(given)
    ended = jobs.read("job")
    assert (ended.status, ended.counts.compared, ended.counts.succeeded) == ("COMPLETED_WITH_ERRORS", 12, 20)
    assert [line.key for line in jobs.all_lines(ended)] == [*keys, "gone"]
    assert workflow.copied == keys
    assert {line.key for line in jobs.all_lines(ended) for place in line.results.values() if place.code} > {"gone"}


def test_what_has_failed_is_retried_by_name_by_cause_and_altogether(workflow: Workflow, s3: Any) -> None:
    put(s3, "a", "b", "c")
    workflow.failing |= {"a", "b"}
    post("/backfills", {})
    workflow.run(workflow.jobs[0])
    workflow.failing.clear()
    before = len(workflow.copied)
    named = post("/replications/retry", {"files": [{"sourceBucket": SOURCE, "sourceKey": "a"}], "to": [B]})
    workflow.run(workflow.jobs[1])
    assert (job_of(named).entries, job_of(named).counts.succeeded) == (1, 1)
    nothing = post("/replications/retry", {"cause": "KMS_DENIED"})
    workflow.run(workflow.jobs[2])
    assert (job_of(nothing).status, job_of(nothing).entries) == ("COMPLETED", 0)
    everything = post("/replications/retry", {})
    workflow.run(workflow.jobs[3])
    assert (job_of(everything).status, job_of(everything).entries, job_of(everything).counts.succeeded) == (
        "COMPLETED",
        2,
        3,
    )
    assert workflow.copied[:before] != workflow.copied
    answers = [
        post("/replications/retry", {"files": [{"sourceBucket": SOURCE, "sourceKey": key}]}) for key in ("c", "nobody")
    ]
    assert [answer.status for answer in answers] == [409, 404]
    both = {"files": [{"sourceBucket": SOURCE, "sourceKey": "a"}], "cause": "KMS_DENIED"}
    assert post("/replications/retry", both).status == 400


def test_a_retry_with_the_same_key_is_the_same_whatever_has_arrived_since(workflow: Workflow, s3: Any) -> None:
    """The route says it of the header: "The same key again is answered with the same backfill"."""
    put(s3, "a")
    workflow.failing |= {"a"}
    post("/backfills", {})
    workflow.run(workflow.jobs[0])
    workflow.failing.clear()
    asked = {"files": [{"sourceBucket": SOURCE, "sourceKey": "a"}]}
    first = post("/replications/retry", asked, "key")
    workflow.run(workflow.jobs[1])
    again = post("/replications/retry", asked, "key")
    assert (again.status, again.json["backfillId"], again.json["status"]) == (
        202,
        first.json["backfillId"],
        "COMPLETED",
    )
    other = {"files": [{"sourceBucket": SOURCE, "sourceKey": "b"}]}
    assert post("/replications/retry", other, "key").status == 409
    assert post("/replications/retry", asked, "another").status == 409


def test_two_retries_with_one_key_at_the_same_moment_do_not_mix(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one is refused, and the job of the first goes through the files that it was asked for."""
    put(s3, "a", "b")
    workflow.failing |= {"a", "b"}
    post("/backfills", {})
    workflow.run(workflow.jobs[0])
    workflow.failing.clear()
    create, answers = BackfillTable.create, list[Answer]()

    def beside_another(table: BackfillTable, job: BackfillJob) -> BackfillJob:
        monkeypatch.setattr(BackfillTable, "create", create)
        answers.append(post("/replications/retry", {"files": [{"sourceBucket": SOURCE, "sourceKey": "b"}]}, "key"))
        return create(table, job)

    monkeypatch.setattr(BackfillTable, "create", beside_another)
    answers.append(post("/replications/retry", {"files": [{"sourceBucket": SOURCE, "sourceKey": "a"}]}, "key"))
    assert [answer.status for answer in answers] == [202, 409]
    before = len(workflow.copied)
    workflow.run(workflow.jobs[1])
    assert (job_of(answers[0]).counts.succeeded, len(workflow.copied) - before) == (2, 1)
    assert [line.key for line in runtime.backfills().all_lines(job_of(answers[0]))] == ["b"]


def test_a_worker_that_has_lost_its_job_leaves_the_failures_that_the_next_has_found(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, "a", "b")
    workflow.failing |= {"a", "b"}
    post("/backfills", {})
    workflow.run(workflow.jobs[0])
    retry = post("/replications/retry", {})
    given, save = workflow.jobs[1], BackfillTable.save_entries

    def overtaken(table: BackfillTable, *arguments: Any) -> None:
        """The first is slow: the next has found everything, before it writes down the half that it has seen."""
        monkeypatch.setattr(BackfillTable, "save_entries", save)
        post(f"/backfills/{retry.json['backfillId']}/resume")
        workflow.failing.clear()
        workflow.run(workflow.jobs[2])
        save(table, *arguments[:-1], arguments[-1][:1])

    monkeypatch.setattr(BackfillTable, "save_entries", overtaken)
    workflow.turn(given)
    ended = job_of(retry)
    assert (ended.status, ended.entries, len(list(runtime.backfills().entries(ended)))) == ("COMPLETED", 2, 2)


@pytest.mark.parametrize(
    ("stopped", "problem"),
    [
        ({"Error": "AccessDeniedError", "Cause": '{"errorMessage": "dynamodb:PutItem is denied"}'}, "PutItem is den"),
        ({"Error": "Lambda.TooManyRequestsException", "Cause": ""}, "Lambda.TooManyRequestsException"),
        ({"Error": "PartFailed", "Cause": "States.Timeout: No cause was given"}, "States.Timeout"),
    ],
)
def test_an_execution_that_fails_leaves_its_job_stopped_with_the_reason(
    workflow: Workflow, s3: Any, stopped: dict[str, str], problem: str
) -> None:
    """A part that fails for good, or a function that cannot be called, has written nothing itself."""
    put(s3, "a")
    begun = post("/backfills", {}).json["backfillId"]
    (given,) = workflow.jobs
    for _ in range(2):
        assert workflow.turn(given, stopped=stopped) == {"backfillId": begun, "complete": True}
    job = runtime.backfills().read(begun)
    assert (job.status, problem in (job.problem or "")) == ("STOPPED", True)
    # Whoever goes on with it has nothing to do with the execution that failed.
    assert post(f"/backfills/{begun}/resume").status == 202
    workflow.turn(given, stopped=stopped)
    assert runtime.backfills().read(begun).status == "RUNNING"
    workflow.run(workflow.jobs[1])
    workflow.turn(workflow.jobs[1], stopped=stopped)
    assert (runtime.backfills().read(begun).status, runtime.backfills().read(begun).problem) == ("COMPLETED", None)


def test_an_execution_that_fails_leaves_its_verification_stopped(workflow: Workflow, s3: Any) -> None:
    headers = {"Content-Type": "application/json"}
    begun = ask(app, "POST", "/verifications", body={}, headers=headers).json["verificationId"]
    (given,) = workflow.jobs
    execution = {"Name": begun, "StartTime": "2026-11-21T10:00:00Z"}
    for error, status in (("VerificationLostError", "RUNNING"), ("Lambda.Unknown", "STOPPED")):
        workflow.turn(given, stopped={"Error": error, "Cause": ""}, execution=execution)
        assert runtime.verification_table().read(begun).status == status
    unknown = {"Name": "of-the-schedule", "StartTime": "2026-11-21T10:00:00Z"}
    assert workflow.turn(given, stopped={"Error": "Lambda.Unknown"}, execution=unknown)["complete"] is True


def test_the_report_of_a_backfill_is_read_over_http(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row for each object and destination (RFC 4180); what does not fit an answer follows at its link (RFC 8288)."""
    keys = ["=1+1", 'a,"b"\nc', "ü 📦", *(f"k{number}" for number in range(5))]
    put(s3, *keys)
    workflow.failing.add("k3")
    begun = post("/backfills", {}).json["backfillId"]
    path = f"/backfills/{begun}/report"
    nothing_yet = ask(app, "GET", path)
    assert (nothing_yet.text, nothing_yet.headers["content-type"]) == (
        "bucket,key,version,destination,result,code,difference\r\n",
        "text/csv; charset=utf-8",
    )
    workflow.run(workflow.jobs[0])
    whole = ask(app, "GET", path)
    rows = list(csv.DictReader(StringIO(whole.text, newline="")))
    assert "link" not in whole.headers
    assert {(row["key"], row["destination"]) for row in rows} == {
        (f"'{key}" if key.startswith("=") else key, bucket) for key in keys for bucket in DESTINATIONS
    }
    assert {row["result"] for row in rows if row["key"] == "k3"} == {"FAILED"}
    assert {row["result"] for row in rows if row["key"] != "k3"} == {"SUCCEEDED"}
    monkeypatch.setattr(backfill_report, "_PAGE", 200)
    pages, query = list[str](), dict[str, str]()
    while True:
        page = ask(app, "GET", path, query=query)
        pages.append(page.text)
        if "link" not in page.headers:
            break
        (target, relation) = page.headers["link"].split("; ")
        assert relation == 'rel="next"'
        query = dict(parse_qsl(target.strip("<>?")))
    assert ("".join(pages), len(pages) > 3) == (whole.text, True)
    wrong = ({"cursor": "e30"}, {"cursor": encode_cursor({"backfill": "another", "part": 0, "line": 0})})
    assert [ask(app, "GET", path, query=query).status for query in wrong] == [400, 400]
    assert ask(app, "GET", "/backfills/nobody/report").status == 404


REPORT = "s3://reports/backfills/é 1.csv"


@pytest.fixture
def reported(workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch) -> BackfillJob:
    """A job that is to be reported of where the function may write, of an object that arrives and one that fails."""
    s3.create_bucket(Bucket="reports", CreateBucketConfiguration={"LocationConstraint": REGION})
    monkeypatch.setenv("BACKFILL_REPORT_BUCKET", "reports")
    load.cache_clear()
    put(s3, "arrives", "fails")
    workflow.failing.add("fails")
    job = job_of(post("/backfills", {}))
    return runtime.backfills().save(job.model_copy(update={"report": REPORT}))


def test_the_function_that_ends_a_job_writes_its_report(workflow: Workflow, reported: BackfillJob, s3: Any) -> None:
    """Issue: completion report (CSV, in S3 too); also where nobody waits beside it."""
    workflow.run(workflow.jobs[0])
    report = s3.get_object(Bucket="reports", Key="backfills/é 1.csv")
    rows = list(csv.DictReader(StringIO(report["Body"].read().decode())))
    assert report["ContentType"] == "text/csv"
    told = {(row["key"], row["destination"], row["result"]) for row in rows}
    assert told == {
        (key, bucket, end) for key, end in (("arrives", "SUCCEEDED"), ("fails", "FAILED")) for bucket in (A, B)
    }
    assert runtime.backfills().read(reported.backfill_id).status == "COMPLETED_WITH_ERRORS"


def test_death_behind_the_report_writes_it_again(
    workflow: Workflow, reported: BackfillJob, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: object, __: str) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("waybill.replication.domain.backfill_progress.JobProgress.end", die)
        with pytest.raises(Killed):
            workflow.run(workflow.jobs[0])
    s3.delete_object(Bucket="reports", Key="backfills/é 1.csv")
    workflow.run(workflow.jobs[0])
    assert s3.head_object(Bucket="reports", Key="backfills/é 1.csv")["ContentLength"] > 0


def test_a_report_that_cannot_be_written_is_the_jobs_problem_and_not_its_end(
    workflow: Workflow, reported: BackfillJob, s3: Any
) -> None:
    s3.delete_bucket(Bucket="reports")
    workflow.run(workflow.jobs[0])
    job = runtime.backfills().read(reported.backfill_id)
    assert job.status == "COMPLETED_WITH_ERRORS"
    assert f"the report {REPORT} cannot be written" in (job.problem or "")


def test_where_the_function_may_not_write_whoever_waits_does(
    workflow: Workflow, reported: BackfillJob, s3: Any
) -> None:
    runtime.backfills().save(reported.model_copy(update={"report": f"s3://{A}/report.csv"}))
    workflow.run(workflow.jobs[0])
    assert runtime.backfills().read(reported.backfill_id).problem is None
    assert "report.csv" not in [found["Key"] for found in s3.list_objects_v2(Bucket=A).get("Contents", [])]


def test_a_backfill_of_objects_by_name_looks_at_those_alone(workflow: Workflow, s3: Any) -> None:
    put(s3, "a", "b", "not named")
    named = {"objects": [{"key": "b"}, {"key": "not there"}, {"key": "a", "versionId": "of another time"}]}
    begun = post("/backfills", named, "key")
    assert (begun.status, begun.json["input"], begun.json["entries"]) == (202, "MANIFEST", 3)
    assert post("/backfills", {"objects": [{"key": "a"}]}, "key").status == 409
    workflow.run(workflow.jobs[0])
    ended = job_of(begun)
    assert (ended.status, workflow.copied) == ("COMPLETED_WITH_ERRORS", ["b"])
    codes = {line.key: {place.code for place in line.results.values()} for line in runtime.backfills().all_lines(ended)}
    assert codes == {"b": {"COPIED"}, "not there": {"SOURCE_NOT_FOUND"}, "a": {"NOT_CURRENT"}}
    for field, value in (("prefix", "a/"), ("exclude", ["x"]), ("startAfter", "a"), ("objects", [])):
        refused = post("/backfills", {"objects": [{"key": "a"}], field: value})
        assert (refused.status, field in str(refused.json)) == (400, True)
    assert post("/backfills", {"objects": [{"key": "a", "version": "1"}]}).status == 400
