"""`waybill backfills`: jobs that are looked at, gone on with from anywhere, and cancelled."""

import csv
import gzip
import hashlib
import io
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from moto.s3.models import s3_backends

from tests.fakes.executions import FakeExecutions
from tests.fakes.functions import PHYSICAL, REGION
from tests.fakes.runs import DESTINATIONS, SOURCE, result
from tests.fakes.wire import Wire
from tests.functional.cli.conftest import MACHINE, Program, lines, recorded, run_of
from waybill.cli.replication import backfill_run
from waybill.core.aws.clients import client
from waybill.core.clock import now
from waybill.core.executions import StartedExecution
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.backfill_job import BackfillJob, JobEndedError, JobLostError, JobStatus
from waybill.replication.domain.backfill_progress import JobProgress
from waybill.replication.domain.throttle import Throttle

A, B = DESTINATIONS
ALL = f"s3://{SOURCE}"
BACKFILL = ("replicate", "--backfill", ALL)


@pytest.fixture
def jobs(stack: None) -> BackfillTable:
    return BackfillTable(client("dynamodb", REGION), PHYSICAL["FileCopyTrackingTable"], history_days=90, now=now)


def test_a_job_that_is_waited_for_ends_when_every_destination_has_its_copies(
    waybill: Program, upload: Callable[..., None], copying: list[str]
) -> None:
    """Source: replication's README: exit status 0 of `--wait` means that every destination has what was asked for."""
    upload("a", "b")
    ran = waybill(*BACKFILL, "--wait", "--json")
    assert (ran.status, ran.json["status"], ran.json["succeeded"], ran.json["pending"]) == (0, "COMPLETED", 4, 0)
    again = waybill(*BACKFILL, "--wait", "--json")
    assert (again.status, again.json["identical"], again.json["started"]) == (0, 2, 0)


def test_a_copy_that_fails_is_counted_and_makes_exit_status_1(
    waybill: Program, upload: Callable[..., None], copying: list[str], jobs: BackfillTable
) -> None:
    upload("fails", "works")
    copying.append("fails")
    ran = waybill(*BACKFILL, "--wait", "--json")
    assert (ran.status, ran.json["status"]) == (1, "COMPLETED_WITH_ERRORS")
    assert (ran.json["succeeded"], ran.json["failed"]) == (3, 1)
    told = {line.key: line.results[B] for line in jobs.all_lines(jobs.read(ran.json["backfillId"]))}
    assert (told["fails"].result, told["fails"].code, told["fails"].difference) == (
        "FAILED",
        "NO_SUCH_BUCKET",
        "MISSING",
    )
    assert (told["works"].result, told["works"].code) == ("SUCCEEDED", "COPIED")


def test_where_the_reasons_are_is_said_where_something_has_failed(
    waybill: Program, upload: Callable[..., None], copying: list[str]
) -> None:
    """One destination that is not there fails each object there, and stops no other."""
    upload("a")
    ran = waybill(*BACKFILL, "--to", A, "--to", "nowhere-builds", "--wait")
    said = dict(line.split(maxsplit=1) for line in lines(ran) if line.strip())
    assert (ran.status, said["Arrived"], said["Failed"]) == (1, "1", "1")
    assert said["What"] == f"failed, where and why: waybill backfills show {said['Backfill']} --report FILE"


def test_a_run_that_died_is_started_again_while_it_is_waited_for(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, copying: list[str]
) -> None:
    """Source: replication's README, "Backfills": whether something runs, the execution says and not the record."""
    upload("a")
    working = executions.start
    dead: list[str] = []

    def start(machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        if dead:
            return working(machine, name, payload)
        started = FakeExecutions.start(executions, machine, name, payload)
        dead.append(started.execution_arn)
        executions.end(started.execution_arn, "ABORTED")
        return started

    executions.start = start  # type: ignore[method-assign]
    ran = waybill(*BACKFILL, "--wait", "--json")
    assert (ran.status, ran.json["succeeded"], len(executions.inputs)) == (0, 2, 2)


def test_a_job_without_waiting_is_waited_for_by_resuming_it(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, tracking: TrackingTable
) -> None:
    upload("a")
    started = waybill(*BACKFILL, "--json").json
    assert (started["status"], started["pending"]) == ("STARTED", 2)
    ((arn, payload),) = executions.inputs.items()
    run = run_of(arn, payload)
    recorded(tracking, run, result(run, A), result(run, B))
    executions.end(arn)

    resumed = waybill("backfills", "resume", started["backfillId"], "--json")

    assert (resumed.status, resumed.json["status"], resumed.json["succeeded"]) == (0, "COMPLETED", 2)


def test_a_job_is_shown_and_listed_newest_first(
    waybill: Program, upload: Callable[..., None], copying: list[str]
) -> None:
    upload("x\x1b[2J")
    ids = [waybill(*BACKFILL, "--json").json["backfillId"] for _ in range(3)]
    first = waybill("backfills", "list", "--limit", "2", "--json").json
    rest = waybill("backfills", "list", "--limit", "2", "--cursor", first["cursor"], "--json").json
    assert sorted(job["backfillId"] for job in first["backfills"] + rest["backfills"]) == sorted(ids)
    assert [job["startTime"] for job in first["backfills"]] == sorted(
        (job["startTime"] for job in first["backfills"]), reverse=True
    )
    shown = waybill("backfills", "show", ids[0])
    assert shown.status == 0
    assert any(line.startswith("Last key") and line.endswith("x\\x1b[2J") for line in lines(shown))
    assert ids[0] in waybill("backfills", "list").out


@pytest.mark.parametrize("command", ["show", "resume", "cancel"])
def test_an_unknown_job_is_one_line_and_exit_status_1(waybill: Program, command: str) -> None:
    """Source: replication's README, "Backfills": an unknown id is exit status 1 with one line."""
    ran = waybill("backfills", command, "20260101-000000-nothing")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "waybill: there is no backfill 20260101-000000-nothing\n"


def test_a_cancelled_job_stops_its_worker_and_stays_cancelled(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload("a", "b")
    begin = executions.start

    def start(machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        if payload["sourceKey"] == "b":
            (job,) = waybill("backfills", "list", "--json").json["backfills"]
            assert waybill("backfills", "cancel", job["backfillId"]).status == 0
        return begin(machine, name, payload)

    monkeypatch.setattr(executions, "start", start)
    ran = waybill(*BACKFILL)
    assert (ran.status, "was cancelled" in ran.err) == (1, True)
    (job,) = waybill("backfills", "list", "--json").json["backfills"]
    assert job["status"] == "CANCELLED"
    for command in ("resume", "cancel"):
        refused = waybill("backfills", command, job["backfillId"])
        assert (refused.status, refused.err.count("\n")) == (1, 1)


def test_everything_that_failed_is_tried_again_where_it_failed(
    waybill: Program,
    upload: Callable[..., None],
    executions: FakeExecutions,
    copying: list[str],
    tracking: TrackingTable,
    jobs: BackfillTable,
) -> None:
    """Source: Amazon S3 user guide, Batch Replication: objects "that have failed" are replicated again in one job."""
    upload("denied", "gone", "mended", "works")
    copying.extend(("denied", "gone", "mended"))
    assert waybill(*BACKFILL, "--wait").status == 1
    client("s3", REGION).delete_object(Bucket=SOURCE, Key="gone")
    copying.remove("mended")
    executions.inputs.clear()

    ran = waybill("replications", "retry", "--wait", "--json")

    assert ran.err == ""
    assert sorted((one["sourceKey"], one["destinationBuckets"]) for one in executions.inputs.values()) == [
        ("denied", [B]),
        ("mended", [B]),
    ]
    assert (ran.status, ran.json["entries"], ran.json["succeeded"], ran.json["failed"]) == (1, 3, 1, 1)
    told = {line.key: line.results[B].result for line in jobs.all_lines(jobs.read(ran.json["backfillId"]))}
    assert told == {"denied": "FAILED", "gone": "GONE", "mended": "SUCCEEDED"}
    assert waybill("replications", "retry", "--cause", "ACCESS_DENIED").out == "nothing has failed\n"
    assert waybill("replications", "retry", f"{ALL}/mend").out == "nothing has failed\n"
    assert waybill("replications", "retry", "--cause", "NO_SUCH_BUCKET", "--json").json["entries"] == 2


def rows_of(text: str) -> list[dict[str, str]]:
    """Read a report as RFC 4180 has it."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_report_has_a_line_per_object_and_destination(
    waybill: Program, upload: Callable[..., None], copying: list[str], tmp_path: Path
) -> None:
    """Source: RFC 4180, and OWASP, "CSV injection"; Amazon S3 user guide, "completion report": a line per object."""
    hostile = 'a,"b"\r\nc'
    upload(hostile, "=1+1", "same")
    for bucket in DESTINATIONS:
        upload("same", bucket=bucket)
    copying.append("=1+1")
    file = tmp_path / "report.csv"

    ran = waybill(*BACKFILL, "--wait", "--report", str(file), "--json")

    assert ran.status == 1
    written = file.read_bytes().decode()
    assert written.startswith("bucket,key,version,destination,result,code,difference\r\n")
    told = {(row["key"], row["destination"]): (row["result"], row["code"]) for row in rows_of(written)}
    assert told == {
        ("'=1+1", A): ("SUCCEEDED", "COPIED"),
        ("'=1+1", B): ("FAILED", "NO_SUCH_BUCKET"),
        (hostile, A): ("SUCCEEDED", "COPIED"),
        (hostile, B): ("SUCCEEDED", "COPIED"),
        ("same", A): ("IDENTICAL", ""),
        ("same", B): ("IDENTICAL", ""),
    }
    later = tmp_path / "later.csv"
    assert waybill("backfills", "show", ran.json["backfillId"], "--report", str(later)).status == 0
    assert later.read_bytes() == file.read_bytes()
    assert [path.name for path in tmp_path.glob(".waybill-*")] == []


def test_a_report_can_go_to_s3_whoever_ends_the_job(
    waybill: Program, upload: Callable[..., None], copying: list[str]
) -> None:
    upload("a")
    s3 = client("s3", REGION)
    s3.create_bucket(Bucket="reports-of-builds", CreateBucketConfiguration={"LocationConstraint": REGION})
    where = "s3://reports-of-builds/jobs/latest.csv"

    started = waybill(*BACKFILL, "--report", where, "--json").json
    before = s3.get_object(Bucket="reports-of-builds", Key="jobs/latest.csv")["Body"].read().decode()
    assert waybill("backfills", "resume", started["backfillId"]).status == 0
    after = s3.get_object(Bucket="reports-of-builds", Key="jobs/latest.csv")["Body"].read().decode()

    assert [[row["result"] for row in rows_of(text)] for text in (before, after)] == [
        ["STARTED", "STARTED"],
        ["SUCCEEDED", "SUCCEEDED"],
    ]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="reports-of-builds")


def test_what_became_of_the_job_is_said_where_its_report_is_refused_at_the_end(
    waybill: Program, upload: Callable[..., None], copying: list[str], wire: Wire
) -> None:
    """Rule: a statement of what was done is not lost with the file that repeats it."""
    upload("a")
    client("s3", REGION).create_bucket(
        Bucket="reports-of-builds", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    wire.refuse("s3.PutObject", "AccessDenied", status=403)
    ran = waybill(*BACKFILL, "--report", "s3://reports-of-builds/latest.csv", "--json")
    assert (ran.status, ran.json["status"]) == (1, "STARTED")
    assert "the report s3://reports-of-builds/latest.csv cannot be written" in ran.err


def test_a_pipe_is_written_to_and_not_replaced(
    waybill: Program, upload: Callable[..., None], copying: list[str], tmp_path: Path
) -> None:
    """As `/dev/stdout` and `/dev/full`, in whose place a file would be a fault of the whole machine."""
    upload("a")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert waybill(*BACKFILL, "--report", str(pipe)).status == 0
        assert os.read(reader, 65_536).startswith(b"bucket,key,version,destination,result,code,difference\r\n")
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("where", "status"), [("nowhere/report.csv", 2), (".", 2), ("s3://nowhere-builds/report.csv", 1)]
)
def test_a_report_that_cannot_be_written_is_said_before_the_work_begins(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, where: str, status: int
) -> None:
    """Source: replication's README, "Backfills": the place of a report is tried before there is a job.

    A path of this machine that cannot be is bad usage; what S3 says of an address, a failure.
    """
    upload("a")
    ran = waybill(*BACKFILL, "--report", where)
    assert (ran.status, executions.inputs) == (status, {})
    assert "cannot be written" in ran.err
    assert waybill("backfills", "list").out == "no backfills\n"


def test_a_manifest_names_what_is_looked_at_and_each_broken_line_is_named(
    waybill: Program,
    upload: Callable[..., None],
    executions: FakeExecutions,
    copying: list[str],
    wire: Wire,
    tmp_path: Path,
) -> None:
    """Source: Amazon S3 user guide, "Specifying a manifest": `bucket,key[,versionId]` with URL-encoded keys."""
    upload("a b", "left aside", "same", "old")
    for bucket in DESTINATIONS:
        upload("same", bucket=bucket)
    manifest, report = tmp_path / "manifest.csv", tmp_path / "report.csv"
    named = ("a+b", "same", "100%", "nothing%2Fhere", "old,3HL4kqtJvjVBH40Nrjfkd", "skipped.tmp")
    manifest.write_text("".join(f"{SOURCE},{name}\n" for name in named))
    wire.clear()

    ran = waybill(
        *(*BACKFILL, "--manifest", str(manifest), "--exclude", "*.tmp", "--wait", "--report", str(report), "--json")
    )

    assert (ran.status, ran.json["entries"], ran.json["failed"]) == (1, 5, 6)
    assert [one["sourceKey"] for one in executions.inputs.values()] == ["a b"]
    told = {row["key"]: (row["result"], row["code"], row["version"]) for row in rows_of(report.read_text())}
    assert told == {
        "a b": ("SUCCEEDED", "COPIED", ""),
        "same": ("IDENTICAL", "", ""),
        f"{SOURCE},100%": ("FAILED", "INVALID_LINE", ""),
        "nothing/here": ("FAILED", "SOURCE_NOT_FOUND", ""),
        "old": ("FAILED", "NOT_CURRENT", "3HL4kqtJvjVBH40Nrjfkd"),
    }
    assert {row["difference"] for row in rows_of(report.read_text()) if row["code"] == "INVALID_LINE"} == {
        "line 3: has a key that is not URL-encoded"
    }
    # Nothing is listed; one look at each place that a line names.
    assert (wire.counts.get("s3.ListObjectsV2"), wire.counts["s3.HeadObject"]) == (None, 3 + 3 + 1 + 1)


@pytest.mark.parametrize("lines", ["", "\n\n", f"{SOURCE},skipped.tmp\n"])
def test_a_manifest_that_names_nothing_is_a_failure_and_no_job(waybill: Program, tmp_path: Path, lines: str) -> None:
    """The contract, "Everywhere": 1 where something was not looked at; an empty list is most often the wrong file."""
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(lines)
    ran = waybill(*BACKFILL, "--manifest", str(manifest), "--exclude", "*.tmp", "--wait")
    assert (ran.status, "names no object" in ran.err) == (1, True)
    assert waybill("backfills", "list").out == "no backfills\n"


def test_a_manifest_that_is_no_list_of_this_bucket_is_bad_usage(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, tmp_path: Path
) -> None:
    upload("a")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"{SOURCE},a\nother-builds,b\n")
    refused = waybill(*BACKFILL, "--manifest", str(manifest))
    assert (refused.status, "line 2 is of bucket other-builds" in refused.err) == (2, True)
    missing = waybill(*BACKFILL, "--manifest", str(tmp_path / "nowhere.csv"))
    assert (missing.status, "nowhere.csv: No such file" in missing.err) == (2, True)
    assert waybill("backfills", "list").out == "no backfills\n"
    assert executions.inputs == {}


@pytest.mark.parametrize("whole", [True, False])
def test_an_inventory_in_s3_is_read_whole_or_not_at_all(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, copying: list[str], whole: bool
) -> None:
    """Source: Amazon S3 user guide, "Amazon S3 Inventory list": `manifest.json` names its files and their MD5."""
    upload("a b", "left aside")
    data = gzip.compress(f'"{SOURCE}","a+b","3"\n'.encode())
    told = {
        "sourceBucket": SOURCE,
        "destinationBucket": f"arn:aws:s3:::{A}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "inventory/1.csv.gz", "MD5checksum": hashlib.md5(data).hexdigest() if whole else "0" * 32}],
    }
    upload("inventory/1.csv.gz", bucket=A, body=data)
    upload("inventory/manifest.json", bucket=A, body=json.dumps(told).encode())

    ran = waybill(*BACKFILL, "--manifest", f"s3://{A}/inventory/manifest.json", "--wait")

    assert ran.status == (0 if whole else 1)
    assert [one["sourceKey"] for one in executions.inputs.values()] == (["a b"] if whole else [])


def test_patterns_leave_out_keys_also_when_the_job_is_resumed(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload("a.tmp", "a.zip", "b.zip", "c.tmp", "c.zip", "c.txt")
    begin = executions.start

    def interrupted(machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        if payload["sourceKey"] == "b.zip":
            raise KeyboardInterrupt
        return begin(machine, name, payload)

    with monkeypatch.context() as patched:
        patched.setattr(executions, "start", interrupted)
        assert waybill(*BACKFILL, "--include", "*.zip", "--include", "*.tmp", "--exclude", "c.t*").status == 130
    (job,) = waybill("backfills", "list", "--json").json["backfills"]
    assert waybill("backfills", "resume", job["backfillId"]).status == 0
    assert sorted(one["sourceKey"] for one in executions.inputs.values()) == ["a.tmp", "a.zip", "b.zip", "c.zip"]


def test_requests_and_bytes_are_bounded_and_the_bounds_are_kept_with_the_job(
    waybill: Program, upload: Callable[..., None], copying: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: replication's README, "Backfills": what counts as a request, and the bytes of the copies."""
    upload("a", "b")
    upload("b", bucket=A)
    taken: dict[int, list[int]] = {}

    def take(throttle: Throttle, amount: int) -> None:
        taken.setdefault(throttle._per_second or 0, []).append(amount)

    monkeypatch.setattr(Throttle, "take", take)
    limits = ("--requests-per-second", "50", "--bytes-per-second", "1000")
    job = waybill(*BACKFILL, *limits, "--json").json
    # Three listings; the source of `b` and its copy; two copies of `a`, one of `b`, looked at as missing.
    assert sum(taken[50]) == 3 + 2 + 3
    assert sorted(taken[1_000]) == [3, 6]
    assert job["limits"] == {"requestsPerSecond": 50, "bytesPerSecond": 1_000}


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def test_a_backfill_of_3000_keys_that_is_stopped_and_killed_ends_equal(
    waybill: Program,
    executions: FakeExecutions,
    copying: list[str],
    jobs: BackfillTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Source: replication's README, "Backfills": gone on with behind the last line, nothing left out or told twice."""
    keys = [f"build-{number:04}.zip" for number in range(3_000)]
    backend = s3_backends["123456789012"]["aws"]
    for number, key in enumerate(keys):
        backend.put_object(SOURCE, key, b"abc")
        for bucket in DESTINATIONS if number % 40 else ():
            backend.put_object(bucket, key, b"abc")
    save, begin = BackfillTable.save, executions.start
    saves: list[int] = []

    def killed_at_the_second(table: BackfillTable, *arguments: Any) -> Any:
        saves.append(1)
        if len(saves) >= 2:
            raise Killed
        return save(table, *arguments)

    def interrupted(machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        if payload["sourceKey"] == keys[2_600]:
            raise KeyboardInterrupt
        return begin(machine, name, payload)

    with monkeypatch.context() as patched:
        patched.setattr(BackfillTable, "save", killed_at_the_second)
        with pytest.raises(Killed):
            waybill(*BACKFILL, "--content-only", "--wait")
    (killed,) = waybill("backfills", "list", "--json").json["backfills"]
    assert (killed["status"], 0 < killed["compared"] < 3_000) == ("RUNNING", True)

    with monkeypatch.context() as patched:
        patched.setattr(executions, "start", interrupted)
        assert waybill("backfills", "resume", killed["backfillId"], "--wait").status == 130
    (job,) = waybill("backfills", "list", "--json").json["backfills"]
    assert (job["status"], killed["compared"] < job["compared"] < 3_000) == ("STOPPED", True)

    report = tmp_path / "report.csv"
    ended = waybill("backfills", "resume", job["backfillId"], "--wait", "--report", str(report), "--json")

    assert (ended.status, ended.json["status"], ended.json["pending"]) == (0, "COMPLETED", 0)
    assert [row["key"] for row in rows_of(report.read_text())] == [key for key in keys for _ in DESTINATIONS]
    assert sorted(one["sourceKey"] for one in executions.inputs.values()) == keys[::40]
    source, *copies = ({key: backend.head_object(name, key).etag for key in keys} for name in (SOURCE, A, B))
    assert copies == [source, source]


def test_a_job_that_is_killed_while_it_waits_goes_on_waiting(
    waybill: Program, upload: Callable[..., None], copying: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: replication's README, "Backfills": whoever resumes it goes on where the job has got to."""
    upload("a", "b")
    save = BackfillTable.save

    def killed(table: BackfillTable, job: BackfillJob, *arguments: Any) -> Any:
        if job.compared_all and arguments:
            raise Killed
        return save(table, job, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(BackfillTable, "save", killed)
        patched.setattr(JobProgress, "stop", lambda progress: None)
        with pytest.raises(Killed):
            waybill(*BACKFILL, "--wait")
    (job,) = waybill("backfills", "list", "--json").json["backfills"]
    assert (job["status"], job["compared"], job["pending"]) == ("RUNNING", 2, 4)
    resumed = waybill("backfills", "resume", job["backfillId"], "--json")
    assert (resumed.status, resumed.json["succeeded"], resumed.json["pending"]) == (0, 4, 0)


def test_of_two_workers_the_later_has_the_job(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, jobs: BackfillTable
) -> None:
    """Source: Amazon DynamoDB developer guide, "Condition expressions": where it is false, nothing is written."""
    upload("a")
    job = jobs.read(waybill(*BACKFILL, "--json").json["backfillId"])
    later = jobs.take_over(job.backfill_id, "waybill:somebody else")
    with pytest.raises(JobLostError, match="taken over by waybill:somebody else"):
        jobs.save(job.model_copy(update={"chunks": 7}), 6, [])
    assert jobs.read(job.backfill_id) == later
    jobs.cancel(job.backfill_id)
    with pytest.raises(JobEndedError):
        jobs.take_over(job.backfill_id, "waybill:anybody")


@pytest.mark.parametrize(
    ("done", "seconds", "total", "told"),
    [
        (100, 10.0, None, "10/s"),
        (5, 10.0, None, "0.5/s"),
        (1_000, 10.0, 10_000, "100/s, 1:30 left"),
        (1, 10.0, 1_000, "0.1/s, 2:46:30 left"),
        (0, 0.0, 10, "0.0/s"),
        (20, 10.0, 10, "2.0/s, 0:00 left"),
    ],
)
def test_progress_tells_the_rate_and_how_long_the_rest_takes(
    done: int, seconds: float, total: int | None, told: str
) -> None:
    assert backfill_run.pace_of(done, seconds, total) == told


def test_on_aws_a_job_is_handed_over_and_seen_through(
    waybill: Program, upload: Callable[..., None], executions: FakeExecutions, jobs: BackfillTable, tmp_path: Path
) -> None:
    """Source: the contract, "Replication": a backfill is a job, which a command, the API or the server works on."""
    upload("a", "b")
    begun = waybill(*BACKFILL, "--on", "aws", "--json").json
    ((arn, given),) = executions.inputs.items()
    assert f"{MACHINE}-jobs".replace(":stateMachine:", ":execution:") in arn
    assert (begun["status"], given) == ("RUNNING", {"backfillId": begun["backfillId"], "generation": 1})
    # The server has ended it by the time that somebody asks to see it through.
    job = jobs.read(begun["backfillId"])
    jobs.save(job.model_copy(update={"status": JobStatus.STOPPED, "problem": "s3:ListBucket on x\x1b[2J is denied"}))
    assert "x\\x1b[2J is denied" in waybill("backfills", "show", job.backfill_id).out
    working = executions.start

    def ended(machine: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        taken = jobs.read(job.backfill_id)
        assert (taken.generation, taken.problem) == (2, None)
        jobs.save(taken.model_copy(update={"compared_all": True}).ended())
        return working(machine, name, payload)

    executions.start = ended  # type: ignore[method-assign]
    report = str(tmp_path / "report.csv")
    resumed = ("backfills", "resume", job.backfill_id, "--on", "aws", "--wait", "--report", report, "--json")
    seen = waybill(*resumed)
    assert (seen.status, seen.json["status"]) == (0, "COMPLETED")
    assert Path(report).read_text(encoding="utf-8").startswith("bucket,key,version,destination,result,code,difference")
    for wrong in (("--on", "moon"), ("--on", "aws", "--report", report), ("--on", "aws", "--dry-run")):
        assert waybill(*BACKFILL, *wrong).status == 2
    assert waybill("replicate", f"{ALL}/a", "--on", "aws").status == 2
