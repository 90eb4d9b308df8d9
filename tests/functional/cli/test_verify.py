"""`waybill verify`: what it says in each situation of a file and its copies.

Source: a success is a statement about now (README of replication, "Verification").
What S3 keeps of an object is that of the S3 API.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.executions import FakeExecutions
from tests.fakes.functions import PHYSICAL, REGION
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, result
from tests.fakes.wire import Wire
from tests.functional.cli.conftest import Program, recorded, run_of
from waybill.cli import watch
from waybill.core.aws.clients import client
from waybill.core.clock import Clock
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain import verification_job
from waybill.replication.domain.verification import Sides, VerificationCheck, VerificationChecker

A, B = DESTINATIONS
ALL = f"s3://{SOURCE}"


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "Clock", lambda **_: Clock(sleep=lambda _: None))


@pytest.fixture
def replicated(upload: Callable[..., None]) -> None:
    """A file, and equal copies of it."""
    for bucket in (SOURCE, *DESTINATIONS):
        upload(KEY, bucket=bucket, body=b"abc")


def s3() -> Any:
    return client("s3", REGION)


def results(found: Any) -> dict[str, str]:
    return {finding["destinationBucket"]: finding["result"] for finding in found["findings"]}


def check_of(bucket: str, key: str = KEY) -> dict[str, Any]:
    where = {"fileKey": {"S": key}, "sourceBucket": {"S": f"{SOURCE}#check#{bucket}"}}
    answer = client("dynamodb", REGION).get_item(TableName=PHYSICAL["FileCopyTrackingTable"], Key=where)
    return {name: next(iter(value.values())) for name, value in answer.get("Item", {}).items()}


def test_1_equal_copies_are_fine_and_written_down(waybill: Program, replicated: None) -> None:
    ran = waybill("verify", ALL, "--json")
    assert (ran.status, ran.json["status"], ran.json["counts"]["equal"]) == (0, "COMPLETED", 2)
    check = check_of(A)
    assert (check["status"], check["result"], check["way"], check["proof"]) == (
        "SUCCESS",
        "EQUAL",
        "STATED",
        "CHECKSUM",
    )
    assert check["verificationId"] == ran.json["verificationId"]


def test_1_comparing_costs_one_list_call_and_one_head_per_place(waybill: Program, replicated: None, wire: Wire) -> None:
    wire.clear()
    assert waybill("verify", ALL).status == 0
    assert (wire.counts["s3.HeadObject"], wire.counts.get("s3.GetObject")) == (3, None)


def _deleted() -> None:
    s3().delete_object(Bucket=A, Key=KEY)


def _stranger() -> None:
    s3().put_object(Bucket=A, Key=KEY, Body=b"xyz")


def _longer() -> None:
    s3().put_object(Bucket=A, Key=KEY, Body=b"longer")


def _header() -> None:
    s3().put_object(Bucket=A, Key=KEY, Body=b"abc", ContentType="text/plain")


def _metadata() -> None:
    s3().put_object(Bucket=A, Key=KEY, Body=b"abc", Metadata={"more": ""})


def _tags() -> None:
    s3().put_object_tagging(Bucket=A, Key=KEY, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})


def _source_tags() -> None:
    for bucket in (SOURCE, B):
        s3().put_object_tagging(Bucket=bucket, Key=KEY, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})


@pytest.mark.parametrize(
    ("change", "result_there", "difference"),
    [
        (_deleted, "MISSING", None),
        (_stranger, "DIFFERS", "content"),
        (_longer, "DIFFERS", "content"),
        (_header, "DIFFERS", "Content-Type"),
        (_metadata, "DIFFERS", "metadata"),
        (_tags, "DIFFERS", "tags"),
        (_source_tags, "DIFFERS", "tags"),
    ],
)
def test_2_to_6_what_differs_is_named_and_is_exit_status_1(
    waybill: Program, replicated: None, change: Callable[[], None], result_there: str, difference: str | None
) -> None:
    change()
    ran = waybill("verify", ALL, "--json")
    assert (ran.status, results(ran.json)) == (1, {A: result_there})
    assert ran.json["findings"][0].get("difference") == difference
    assert check_of(A)["status"] == "FAILURE"
    assert check_of(B)["status"] == "SUCCESS"


def test_8_a_copy_without_a_source_is_told(waybill: Program, replicated: None) -> None:
    s3().delete_object(Bucket=SOURCE, Key=KEY)
    ran = waybill("verify", ALL, "--json")
    assert (ran.status, results(ran.json)) == (1, {A: "WITHOUT_SOURCE", B: "WITHOUT_SOURCE"})
    assert check_of(A) == {}


def test_8_a_copy_of_another_source_is_nobody_elses(
    waybill: Program, replicated: None, tracking: TrackingTable
) -> None:
    s3().delete_object(Bucket=SOURCE, Key=KEY)
    arn = "arn:aws:states:eu-west-1:123456789012:execution:waybill-replication:x"
    run = run_of(arn, {"sourceKey": KEY, "destinationBuckets": [A]}, source_bucket="another-source")
    recorded(tracking, run, result(run, A))
    assert results(waybill("verify", ALL, "--json").json) == {B: "WITHOUT_SOURCE"}


def test_12_a_copy_that_is_on_its_way_is_told_as_such_and_no_failure_is_written(
    waybill: Program, replicated: None, tracking: TrackingTable
) -> None:
    _deleted()
    arn = "arn:aws:states:eu-west-1:123456789012:execution:waybill-replication:x"
    recorded(tracking, run_of(arn, {"sourceKey": KEY, "destinationBuckets": [A, B]}), end=False)
    ran = waybill("verify", ALL, "--json")
    assert (ran.status, ran.json["findings"][0]["code"]) == (1, "IN_PROGRESS")
    assert check_of(A) == {}


@pytest.mark.parametrize("target", ["s3://no-such-bucket-here/", f"{ALL}/no/such/prefix"])
def test_17_a_mistyped_source_is_named(waybill: Program, replicated: None, target: str) -> None:
    ran = waybill("verify", target)
    assert ran.status == 1
    assert target.removeprefix("s3://").strip("/") in ran.err


def test_a_destination_that_cannot_be_listed_is_not_checked_and_stops_no_other(
    waybill: Program, replicated: None
) -> None:
    ran = waybill("verify", ALL, "--to", A, "--to", "no-such-bucket-here", "--json")
    assert (ran.status, results(ran.json)) == (1, {"no-such-bucket-here": "NOT_CHECKED"})
    assert ran.json["findings"][0]["code"] == "NO_SUCH_BUCKET"
    assert ran.json["counts"]["equal"] == 1


def test_a_throttle_is_not_checked_and_no_failure_of_the_copy(waybill: Program, replicated: None, wire: Wire) -> None:
    wire.refuse("s3.HeadObject", "SlowDown", status=503, when=lambda request: A in request.host)
    ran = waybill("verify", ALL, "--json")
    assert (ran.status, results(ran.json)) == (1, {A: "NOT_CHECKED"})
    assert check_of(A) == {}


def test_the_report_has_a_line_per_object_and_destination(
    waybill: Program, replicated: None, upload: Callable[..., None], tmp_path: Path
) -> None:
    odd = 'a,"b\n=c'
    upload(odd)
    report = tmp_path / "report.csv"
    assert waybill("verify", ALL, "--report", str(report)).status == 1
    with report.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["key"], row["destination"], row["result"]) for row in rows] == [
        *((odd, bucket, "MISSING") for bucket in DESTINATIONS),
        *((KEY, bucket, "EQUAL") for bucket in DESTINATIONS),
    ]


def test_a_key_cannot_write_lines_of_its_own(waybill: Program, upload: Callable[..., None]) -> None:
    upload("a\n\u202e\x1b[2Jall is well")
    told = waybill("verify", ALL)
    assert "a\\n\\u202e\\x1b[2Jall is well" in told.out
    assert "\u202e" not in told.out


def test_deep_reads_what_the_statements_hide_and_repair_copies_it(
    waybill: Program, replicated: None, executions: FakeExecutions, copying: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy whose bytes have rotted below what S3 states of it."""
    from waybill.replication.adapters.s3 import S3Buckets

    read, rotten = S3Buckets.sha256, {A}
    monkeypatch.setattr(
        S3Buckets, "sha256", lambda self, facts: "0" * 64 if facts.bucket in rotten else read(self, facts)
    )
    assert waybill("verify", ALL).status == 0
    ran = waybill("verify", ALL, "--deep", "--json")
    assert (ran.status, results(ran.json), ran.json["findings"][0]["way"]) == (1, {A: "DIFFERS"}, "DEEP")
    assert len(check_of(B)["sha256"]) == 64

    start = executions.start
    monkeypatch.setattr(executions, "start", lambda *given: (rotten.clear(), start(*given))[1])
    repaired = waybill("verify", ALL, "--deep", "--repair", "--json")
    assert (repaired.status, repaired.json["repaired"], repaired.json["left"]) == (0, 1, 0)
    assert [(payload["force"], payload["destinationBuckets"]) for payload in executions.inputs.values()] == [
        (True, [A])
    ]


def test_repair_brings_what_is_missing_or_differs_and_looks_again(
    waybill: Program, replicated: None, executions: FakeExecutions, copying: list[str], upload: Callable[..., None]
) -> None:
    _stranger()
    upload("new")
    upload("only here", bucket=B)
    repaired = waybill("verify", ALL, "--repair", "--json")
    assert (repaired.status, repaired.json["repaired"], repaired.json["left"]) == (1, 3, 1)
    assert check_of(A)["status"] == check_of(A, "new")["status"] == "SUCCESS"
    assert waybill("verify", ALL, "--exclude", "only*", "--json").json["status"] == "COMPLETED"


def test_what_is_not_mended_by_repair_is_told(
    waybill: Program, replicated: None, executions: FakeExecutions, copying: list[str], upload: Callable[..., None]
) -> None:
    upload("new")
    copying.append("new")
    repaired = waybill("verify", ALL, "--repair", "--json")
    assert (repaired.status, repaired.json["repaired"], repaired.json["left"]) == (1, 1, 1)


def test_verifications_are_listed_and_shown(waybill: Program, replicated: None, tmp_path: Path) -> None:
    _deleted()
    found = waybill("verify", ALL, "--json").json["verificationId"]
    listed = waybill("verifications", "list", "--json").json
    assert [job["verificationId"] for job in listed["verifications"]] == [found]
    shown = waybill("verifications", "show", found, "--json").json
    assert (shown["status"], results(shown)) == ("COMPLETED_WITH_FINDINGS", {A: "MISSING"})
    assert waybill("verifications", "show", found, "--report", str(tmp_path / "r.csv")).status == 0
    assert "MISSING" in (tmp_path / "r.csv").read_text()
    assert waybill("verifications", "show", "nobody").status == 1


def test_a_destination_that_cannot_be_listed_is_told_where_there_is_no_source(waybill: Program) -> None:
    ran = waybill("verify", ALL, "--to", A, "--to", "no-such-bucket-here", "--json")
    assert (ran.status, results(ran.json)) == (1, {"no-such-bucket-here": "NOT_CHECKED"})
    assert ran.json["counts"]["compared"] == 0


def test_a_verification_that_was_stopped_goes_on_behind_the_last_object(
    waybill: Program, upload: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = [f"k{number}" for number in range(4)]
    for bucket in (SOURCE, *DESTINATIONS):
        upload(*keys, bucket=bucket)
    s3().delete_object(Bucket=A, Key="k0")
    seen: list[str] = []
    check = VerificationChecker.check

    def interrupted(checker: VerificationChecker, sides: Sides) -> tuple[VerificationCheck, ...]:
        if sides.key == "k2" and not seen:
            raise KeyboardInterrupt
        return check(checker, sides)

    monkeypatch.setattr(verification_job, "_KEYS_PER_SAVE", 1)
    monkeypatch.setattr(VerificationChecker, "check", interrupted)
    stopped = waybill("verify", ALL)
    assert stopped.status == 130
    (job,) = waybill("--json", "verifications", "list").json["verifications"]
    assert (job["status"], job["lastKey"]) == ("STOPPED", "k1")
    assert f"waybill verify --resume {job['verificationId']}" in stopped.err
    seen.append("once")
    report = tmp_path / "report.csv"
    ended = waybill("--json", "verify", "--resume", job["verificationId"], "--report", str(report))
    assert (ended.status, ended.json["counts"]["compared"], ended.json["counts"]["equal"]) == (1, 4, 7)
    # The finding of before, and all that was compared since.
    assert [line.split(",")[1] for line in report.read_text("utf-8").splitlines()[1:]] == [
        "k0",
        *("k2", "k2", "k3", "k3"),
    ]
    assert waybill("verify", "--resume", job["verificationId"]).status == 1
    assert waybill("verify", ALL, "--resume", job["verificationId"]).status == 2
    refused = waybill("verify", "--resume", job["verificationId"], "--sample", "5")
    assert (refused.status, "--sample does not go with --resume" in refused.err) == (2, True)


def test_of_two_workers_the_one_that_was_there_first_stops_and_no_finding_is_lost(
    waybill: Program, upload: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: replication's README, "Verification": whoever had it before loses it with the next write."""
    keys = [f"k{number}" for number in range(4)]
    upload(*keys)
    check, second = VerificationChecker.check, []

    def overtaken(checker: VerificationChecker, sides: Sides) -> tuple[VerificationCheck, ...]:
        if sides.key == "k2" and not second:
            second.append("begun")
            (job,) = waybill("--json", "verifications", "list").json["verifications"]
            assert job["status"] == "RUNNING"
            second.append(waybill("--json", "verify", "--resume", job["verificationId"]))
        return check(checker, sides)

    monkeypatch.setattr(verification_job, "_KEYS_PER_SAVE", 1)
    monkeypatch.setattr(verification_job, "THREADS", 1)
    monkeypatch.setattr(verification_job, "_AHEAD", 1)
    monkeypatch.setattr(VerificationChecker, "check", overtaken)
    first = waybill("verify", ALL)
    assert (first.status, "somebody else works on" in first.err) == (1, True)
    (job,) = waybill("--json", "verifications", "list").json["verifications"]
    shown = waybill("--json", "verifications", "show", job["verificationId"]).json
    assert (shown["status"], shown["counts"]["compared"], shown["counts"]["missing"]) == (
        "COMPLETED_WITH_FINDINGS",
        4,
        8,
    )
    assert [(found["key"], found["destinationBucket"]) for found in shown["findings"]] == [
        (key, bucket) for key in keys for bucket in DESTINATIONS
    ]


def test_of_a_sample_it_is_said_how_large_it_is(waybill: Program, replicated: None) -> None:
    ran = waybill("verify", ALL, "--deep", "--sample", "7", "--json")
    shown = waybill("verifications", "show", ran.json["verificationId"]).out
    assert "reading both of 7 objects in a hundred, else what S3 keeps of both" in " ".join(shown.split())


def test_a_sample_is_read_and_the_others_are_compared_by_what_s3_keeps(
    waybill: Program, upload: Callable[..., None], wire: Wire
) -> None:
    for bucket in (SOURCE, *DESTINATIONS):
        upload(*[f"k{number}" for number in range(20)], bucket=bucket)
    wire.clear()
    ran = waybill("--json", "verify", ALL, "--deep", "--sample", "25")
    assert (ran.status, ran.json["sample"], ran.json["counts"]["equal"]) == (0, 25, 40)
    # Three reads for each object of the sample: of 20 there are between none and all, by the id of the verification.
    assert 0 <= wire.counts.get("s3.GetObject", 0) < 3 * 20
    assert waybill("verify", ALL, "--sample", "25").status == 2
