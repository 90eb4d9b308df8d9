"""`waybill scan`, `waybill scans`, `waybill findings` and `waybill scan-file`, against moto."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.fakes.moto_buckets import fill
from tests.fakes.wire import Wire
from tests.functional.scanning.samples import make_resources
from tests.functional.scanning.test_own_detectors import BADGE
from tests.functional.scanning.test_results import finding
from waybill.cli.app import app, main
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.core.aws.clients import client
from waybill.scanning.domain.jobs import Jobs
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Status
from waybill.scanning.request_models import DetectorRequest, Sample
from waybill.scanning.runtime import deployed

type Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture(autouse=True)
def stack(wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = dict(os.environ)
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ.update(SCAN_WORKFLOW_ARN="arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-scanning")
    make_resources()
    outputs = {
        "ScansTableName": os.environ["SCANS_TABLE"],
        "ScanWorkflowArn": os.environ["SCAN_WORKFLOW_ARN"],
        "FailureTopicArn": os.environ["FAILURE_TOPIC_ARN"],
        "ScanWebhookPrivate": "false",
    }
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> tuple[int, Any, str]:
        capsys.readouterr()
        status = main([*arguments, "--json"])
        out, complaint = capsys.readouterr()
        return status, json.loads(out) if out else None, complaint

    return ran


def test_a_scan_tells_its_cost_before_it_starts_and_can_be_shown(run: Run) -> None:
    fill("archive", (f"many/{number:04}" for number in range(1500)), b"12345")
    status, job, _ = run("scan", "s3://archive/many/", "--sample", "5%", "--exclude", "*.png", "--export")
    assert (status, job["status"], job["prefix"]) == (0, "listing", "many/")
    estimate = job["estimate"]
    assert (estimate["objects"], estimate["bytes"], estimate["at_least"]) == (1500, 7500, False)
    assert estimate["usd"] > 0
    request = deployed().jobs.find(job["job_id"]).request
    assert (request.sample, request.exclude, request.export) == (Sample(percent=5), ("*.png",), True)
    assert run("scans", "show", job["job_id"])[1]["job_id"] == job["job_id"]
    assert [each["job_id"] for each in run("scans", "list")[1]["scans"]] == [job["job_id"]]
    assert run("scans", "cancel", job["job_id"])[1]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("outcome", "reason", "status", "ended"),
    [
        (ObjectStatus.FAILED, "ACCESS_DENIED", 1, "completed_with_errors"),
        # What is broken is a fault as much as what could not be had; what is encrypted is as somebody wants it.
        (ObjectStatus.PARTIAL, "ARCHIVE_TRUNCATED", 1, "completed"),
        (ObjectStatus.SKIPPED, "ENCRYPTED", 0, "completed"),
    ],
)
def test_waiting_for_a_job_that_could_not_read_something_has_status_1_and_prints_the_outcomes(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    outcome: ObjectStatus,
    reason: str,
    status: int,
    ended: str,
) -> None:
    start = Jobs.start

    def start_and_work(jobs: Jobs, job: Any, *more: Any) -> str:
        arn = start(jobs, job, *more)
        deployed().lister_within_a_request().process_batch(job.job_id)
        found = ObjectOutcome("reports/2025.csv", "e", 30, outcome, reason, counts={"IP": 3})
        deployed().table.outcomes.record(job.job_id, [found])
        deployed().completion.finish_if_done(job.job_id)
        return arn

    monkeypatch.setattr(Jobs, "start", start_and_work)
    left = main(["scan", "s3://archive/reports/", "--wait"])
    shown, notes = capsys.readouterr()
    assert left == status, notes
    assert ended in shown
    assert reason in shown
    assert "IP" in shown
    assert "1 object, 30 bytes: about $" in notes


def test_a_failed_job_is_resumed(run: Run) -> None:
    job_id = run("scan", "s3://archive/")[1]["job_id"]
    deployed().completion.end(job_id, Status.FAILED, "BucketDeniedError")
    assert run("scans", "show", job_id)[1]["error"] == "BucketDeniedError"
    status, job, _ = run("scans", "resume", job_id)
    assert (status, job["status"]) == (0, "listing")
    run("scans", "cancel", job_id)
    status, _, told = run("scans", "resume", job_id)
    assert (status, "cancelled" in told) == (1, True)


def test_findings_are_shown_by_detector(run: Run) -> None:
    job_id = run("scan", "s3://archive/")[1]["job_id"]
    deployed().table.findings.save(job_id, "k", "e" * 32, [finding(1), finding(2, "EMAIL")])
    assert len(run("findings", job_id)[1]["findings"]) == 2
    [email] = run("findings", job_id, "--detector", "EMAIL")[1]["findings"]
    assert (email["detector"], email["masked_match"]) == ("EMAIL", "****")


def test_local_files_are_scanned_with_the_same_engine(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ssn 219-45-6789 and anna@corp.org\n")
    (tmp_path / "b.txt").write_text("nothing\n")
    status, result, _ = run("scan-file", str(tmp_path))
    assert (status, result["coverage"]["files"]) == (0, 2)
    assert {each["detector"] for each in result["findings"]} == {"US_SSN", "EMAIL"}
    assert {"file", "detector", "confidence", "byte_offset", "byte_length", "line", "column", "masked_match"} <= set(
        result["findings"][0]
    )
    assert [each["detector"] for each in run("scan-file", str(tmp_path), "--detector", "EMAIL")[1]["findings"]] == [
        "EMAIL"
    ]
    assert "219-45" not in json.dumps(result)
    (tmp_path / "b.txt").write_text("Mr Miller, 020 7946 0958, London\n")
    assert run("scan-file", str(tmp_path / "b.txt"))[1]["findings"] == []
    [number] = run("scan-file", str(tmp_path / "b.txt"), "--region", "GB")[1]["findings"]
    assert (number["detector"], number["confidence"]) == ("PHONE", "MEDIUM")


def test_the_status_says_what_was_found_and_what_could_not_be_read(run: Run, tmp_path: Path) -> None:
    """A program that is to stop a build has to fail: it was 0 with findings and with a broken archive."""
    (tmp_path / "a.txt").write_text("219-45-6789 is a number\n")
    status, result, _ = run("scan-file", str(tmp_path), "--fail-on-findings")
    assert (status, result["findings"][0]["byte_offset"]) == (3, 0)
    assert run("scan-file", str(tmp_path), "--fail-on-findings", "--min-confidence", "HIGH")[0] == 0
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"nothing" * 100)[:-9])
    status, result, _ = run("scan-file", str(tmp_path))
    assert status == 1
    assert result["objects"][1]["not_read"] == [{"member": "gzip", "reason": "ARCHIVE_TRUNCATED"}]


def test_a_baseline_lets_pass_what_it_knows_wherever_that_has_moved(run: Run, tmp_path: Path) -> None:
    file, baseline = tmp_path / "a.txt", tmp_path / "known.json"
    file.write_text("ssn 219-45-6789\n")
    assert run("scan-file", str(file), "--write-baseline", str(baseline))[0] == 0
    assert "219-45" not in baseline.read_text()
    file.write_text("\n\nit moved: ssn 219-45-6789\n")
    assert run("scan-file", str(file), "--baseline", str(baseline), "--fail-on-findings")[0] == 0
    file.write_text("ssn 219-45-6789\nssn 219-45-6780\n")
    status, result, _ = run("scan-file", str(file), "--baseline", str(baseline), "--fail-on-findings")
    assert (status, [each["line"] for each in result["findings"]]) == (3, [2])
    baseline.write_text("{}")
    assert run("scan-file", str(file), "--baseline", str(baseline))[0] == 2
    assert run("scan-file", str(file), "--baseline", str(tmp_path / "none"))[0] == 2


def test_what_a_baseline_knows_is_counted_apart(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Whoever reads the summary alone must not take for new what is known, nor for nothing what was left out."""
    file, baseline = tmp_path / "a.txt", tmp_path / "known.json"
    file.write_text("ssn 219-45-6789\n")
    assert main(["scan-file", str(file), "--write-baseline", str(baseline)]) == 0
    file.write_text("ssn 219-45-6789\nssn 219-45-6780\nssn 219-45-6789\n")
    capsys.readouterr()
    assert main(["scan-file", str(file), "--baseline", str(baseline)]) == 0
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"Found 1 US_SSN", "Left out 2 US_SSN, known or less sure"} <= {*said}


@pytest.mark.parametrize("form", ["csv", "ndjson", "sarif", "json", "table"])
def test_findings_leave_in_the_form_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str
) -> None:
    (tmp_path / "a.txt").write_text("ssn 219-45-6789\n")
    assert main(["scan-file", str(tmp_path), "--format", form]) == 0
    printed = capsys.readouterr().out
    assert "US_SSN" in printed
    assert "219-45" not in printed
    if form == "sarif":
        assert json.loads(printed)["version"] == "2.1.0"


def test_the_objects_of_a_job_are_named(run: Run) -> None:
    client("s3").put_object(Bucket="archive", Key="one/a", Body=b"12345")
    job_id = run("scan", "s3://archive/one/")[1]["job_id"]
    deployed().lister_within_a_request().process_batch(job_id)
    status, result, _ = run("scans", "objects", job_id)
    assert (status, [(each["key"], each["status"]) for each in result["objects"]]) == (0, [("one/a", "PENDING")])
    assert run("scans", "objects", job_id, "--status", "FAILED")[1]["objects"] == []
    assert run("scans", "objects", job_id, "--status", "BAD")[0] == 2
    assert run("scans", "objects", "none")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("scan-file", ".", "--format", "xml"), 2, "xml"),
        (("scan-file", ".", "--min-confidence", "SURE"), 2, "--min-confidence"),
        (("scan", "archive"), 2, "s3://BUCKET/PREFIX"),
        (("scan", "s3://"), 2, "s3://BUCKET/PREFIX"),
        (("scan", "s3://no-such-bucket"), 1, "there is no bucket"),
        (("scan", "s3://archive", "--sample", "half"), 2, "5%"),
        (("scan", "s3://archive", "--sample", "0"), 2, "sample.objects"),
        (("scan", "s3://archive", "--sample", "101%"), 2, "sample.percent"),
        (("scan", "s3://archive", "--detector", "NO"), 2, "US_SSN"),
        (("scan", "s3://archive", "--region", "ZZ"), 2, "--region ZZ"),
        (("scan-file", ".", "--region", "ZZ"), 2, "--region ZZ"),
        (("scan", "s3://archive", "--webhook", "ftp://x"), 2, "webhook_url"),
        (("scan", "s3://archive", "--webhook", "http://example.org/"), 2, "webhook_url: must be an https address"),
        (
            ("scans", "schedule", "add", "s3://archive", "--every", "day", "--webhook", "http://example.org/"),
            2,
            "webhook_url: must be an https address",
        ),
        (("scans", "schedule", "add", "s3://archive", "--every", "day", "--sample", "half"), 2, "5%"),
        (("scan", "s3://archive", "--inventory", "s3://x"), 2, "manifest"),
        (("scan", "s3://archive", "--inventory", "s3://archive/manifest.json"), 1, "there is no s3://archive"),
        (("scan", "s3://archive", "--max-bytes", "0"), 2, "--max-bytes"),
        (("scan", "s3://archive/" + "é" * 513), 2, "prefix"),
        (("scans", "show", "none"), 1, "there is no job none"),
        (("scans", "cancel", "none"), 1, "there is no job none"),
        (("scans", "resume", "none"), 1, "there is no job none"),
        (("scans", "list", "--limit", "0"), 2, "--limit"),
        (("findings", "none"), 1, "there is no job none"),
        (("findings", "none", "--detector", "NO"), 2, "NO is not a detector"),
        (("scan-file", "/no/such/file"), 2, "does not exist"),
        (("scan-file",), 2, "PATH"),
    ],
)
def test_mistakes_have_one_line_and_a_status(run: Run, arguments: Any, status: int, complaint: str) -> None:
    got, printed, told = run(*arguments)
    assert (got, printed) == (status, None)
    assert complaint in told
    assert len(told.strip().splitlines()) == 1
    assert deployed().table.jobs.newest(10, None) == ([], None)


def test_schedules_are_added_listed_and_deleted(run: Run) -> None:
    status, made, _ = run("scans", "schedule", "add", "s3://archive/2026/", "--every", "day", "--detector", "EMAIL")
    assert (status, made["every"], made["request"]["detectors"]) == (0, "day", ["EMAIL"])
    assert run("scans", "schedule", "list")[1] == {"schedules": [made]}
    assert run("scans", "schedule", "suspend", made["id"])[:2] == (0, made | {"suspended": True})
    assert run("scans", "schedule", "list")[1] == {"schedules": [made | {"suspended": True}]}
    assert run("scans", "schedule", "resume", made["id"])[1]["suspended"] is False
    made = run("scans", "schedule", "list")[1]["schedules"][0]
    assert run("scans", "schedule", "delete", made["id"])[:2] == (0, made)
    assert run("scans", "schedule", "list")[1] == {"schedules": []}
    for what in ("suspend", "resume", "delete"):
        assert run("scans", "schedule", what, made["id"])[0] == 1
    assert run("scans", "schedule", "add", "s3://archive", "--every", "year")[0] == 2


def test_a_schedule_takes_every_option_of_a_scan(run: Run) -> None:
    """What says where the objects are (`--inventory`) and what the terminal does (`--wait`) is of one scan alone."""
    program: Any = get_command(app)
    schedule = program.get_command(None, "scans").commands["schedule"]
    scan, add = (
        {each.name for each in command.params}
        for command in (program.get_command(None, "scan"), schedule.commands["add"])
    )
    assert scan - add == {"manifest", "wait"}
    assert add - scan == {"every", "first"}
    given = ("--include", "*.csv", "--exclude", "*.tmp", "--max-bytes", "9", "--sample", "5%", "--region", "GB")
    _, made, _ = run(
        "scans", "schedule", "add", "s3://archive/a/", "--every", "day", *given, "--webhook", "https://example.org/x"
    )
    assert made["request"] == {
        "bucket": "archive",
        "prefix": "a/",
        "regions": ["GB"],
        "include": ["*.csv"],
        "exclude": ["*.tmp"],
        "max_object_bytes": 9,
        "sample": {"percent": 5.0},
        "webhook_url": "https://example.org/x",
    }


def test_a_webhook_by_http_is_taken_where_the_stack_lets_it_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameter `ScanWebhookPrivate`."""
    private = {**Cli.stack.outputs, "ScanWebhookPrivate": "true"}
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", private))
    assert run("scan", "s3://archive", "--webhook", "http://10.0.0.1/")[0] == 0


def test_a_baseline_holds_what_was_found_whatever_of_it_is_shown(run: Run, tmp_path: Path) -> None:
    """Help of `--write-baseline`: what is found or known. What it leaves out would be new to the next call."""
    file, baseline = tmp_path / "a.txt", tmp_path / "known.json"
    file.write_text("ssn 219-45-6789\nann@corp-mail.org\nserver 86.231.85.193\n")
    every = run("scan-file", str(file))[1]["findings"]
    assert len({each["confidence"] for each in every}) > 1
    _, shown, _ = run("scan-file", str(file), "--min-confidence", "HIGH", "--write-baseline", str(baseline))
    assert 0 < len(shown["findings"]) < len(every)
    known = {each["fingerprint"]: each["detector"] for each in every}
    assert json.loads(baseline.read_text())["known"] == known
    # What is known and not found this time keeps its detector.
    file.write_text("nothing\n")
    both = ("--baseline", str(baseline), "--write-baseline", str(baseline))
    assert run("scan-file", str(file), *both)[0] == 0
    assert json.loads(baseline.read_text())["known"] == known


def test_a_baseline_of_another_key_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Field notes, K13: one that cannot be read is an error (2); with another key no fingerprint can."""
    file, baseline = tmp_path / "a.txt", tmp_path / "known.json"
    file.write_text("ssn 219-45-6789\n")
    run("scan-file", str(file), "--write-baseline", str(baseline))
    monkeypatch.setitem(os.environ, "XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    status, _, told = run("scan-file", str(file), "--baseline", str(baseline))
    assert (status, "another key" in told) == (2, True)


def test_findings_that_may_not_be_all_are_no_success(run: Run) -> None:
    """Contract, "Everywhere": 1 also where something was not looked at because of a fault, or not there."""
    job_id = run("scan", "s3://archive/")[1]["job_id"]
    assert run("findings", job_id)[0] == 0
    assert run("findings", job_id, "--fail-on-findings")[0] == 1
    deployed().completion.end(job_id, Status.COMPLETED)
    assert run("findings", job_id, "--fail-on-findings")[0] == 0
    failed = run("scan", "s3://archive/")[1]["job_id"]
    deployed().completion.end(failed, Status.FAILED, "BucketDeniedError")
    assert run("findings", failed, "--fail-on-findings")[0] == 1
    deployed().table.findings.save(failed, "k", "e" * 32, [finding(1)])
    assert run("findings", failed, "--fail-on-findings")[0] == 3


def test_findings_are_shown_by_the_beginning_of_a_key(run: Run) -> None:
    job_id = run("scan", "s3://archive/")[1]["job_id"]
    for key in ("2025/a", "2026/a", "2026/b"):
        deployed().table.findings.save(job_id, key, "e" * 32, [finding(1)])
    shown = run("findings", job_id, "--key", "2026/")[1]["findings"]
    assert sorted(each["key"] for each in shown) == ["2026/a", "2026/b"]


def test_two_jobs_are_compared_by_what_they_have_looked_at(run: Run) -> None:
    """Contract, "A success is a statement about now": a value is not gone where nobody has looked."""
    jobs = [run("scan", "s3://archive/")[1]["job_id"] for _ in range(2)]
    table = deployed().table
    for job_id in jobs:
        table.outcomes.record(job_id, [ObjectOutcome("read", "e" * 32, 9, ObjectStatus.FINDINGS, rules=job_id[:16])])
    unread = ObjectOutcome("unread", "e" * 32, 9, ObjectStatus.FAILED, "ACCESS_DENIED")
    table.outcomes.record(jobs[1], [unread])
    for key in ("read", "unread"):
        table.findings.save(jobs[0], key, "e" * 32, [finding(1)])
    status, result, _ = run("scans", "compare", *jobs)
    assert (status, [each["key"] for each in result["gone"]], result["new"]) == (0, ["read"], [])
    assert [(each["key"], each["reason"]) for each in result["unknown"]] == [("unread", "ACCESS_DENIED")]
    assert result["rules"]["earlier"] != result["rules"]["later"]
    # The later job has not ended; when it has, it has still met a fault.
    assert run("scans", "compare", *jobs, "--fail-on-new")[0] == 1
    deployed().completion.end(jobs[1], Status.COMPLETED_WITH_ERRORS)
    assert run("scans", "compare", *jobs, "--fail-on-new")[0] == 1
    # Of what the other way round is in the later job alone, `read` is new.
    assert run("scans", "compare", *reversed(jobs), "--fail-on-new")[0] == 3


def test_every_detector_of_the_list_is_shown(run: Run) -> None:
    """What an answer names can be asked for by that name, whoever has brought it."""
    deployed().detectors.put("OUR_OWN", DetectorRequest.model_validate(ALLOWED), "jo")
    listed = run("detectors", "list")[1]["detectors"]
    for each in (listed[0], listed[1], listed[-1]):
        status, shown, _ = run("detectors", "show", each["id"])
        assert (status, {name: shown[name] for name in each}) == (0, each)
    assert run("detectors", "show", "NO_SUCH_ONE")[0] == 1


def test_what_a_deleted_detector_has_found_is_shown_by_its_name(run: Run) -> None:
    """Help of `waybill detectors delete`: what was found by it stays."""
    own = deployed().detectors
    own.put("BADGE", DetectorRequest.model_validate(BADGE), "jo")
    job_id = run("scan", "s3://archive/", "--detector", "BADGE")[1]["job_id"]
    deployed().table.findings.save(job_id, "k", "e" * 32, [finding(1, "BADGE")])
    own.delete("BADGE", "jo")
    assert [each["detector"] for each in run("findings", job_id, "--detector", "BADGE")[1]["findings"]] == ["BADGE"]
    assert run("scan", "s3://archive/", "--detector", "BADGE")[0] == 2


ALLOWED = {"description": "Our own", "allows": {"texts": ["help@corp-mail.org"]}}


def test_a_detector_is_tried_on_a_file_or_on_standard_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"ssn 219-45-6789\n")))
    assert run("detectors", "try", "US_SSN", "-")[1]["total"] == 1
    for wrong in (tmp_path, tmp_path / "none"):
        assert run("detectors", "try", "US_SSN", str(wrong))[0] == 2
    file = tmp_path / "a text.txt"
    file.write_text("\ufeffssn 219-45-6789\n", "utf-8")
    status, trial, _ = run("detectors", "try", "US_SSN", str(file))
    assert (status, trial["total"], trial["allowed"]) == (0, 1, 0)
    assert [(each["line"], each["column"], each["masked_match"]) for each in trial["findings"]] == [
        (1, 5, "XXX-XX-6789")
    ]
    assert run("detectors", "try", "NO_SUCH_ONE", str(file))[0] == 1
    for content in (b"\xff\xfe\x00", b"x" * 40_001):
        file.write_bytes(content)
        assert run("detectors", "try", "US_SSN", str(file))[0] == 2
