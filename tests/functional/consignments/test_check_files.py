"""CheckFiles on moto: one GetObject per file, pinned; results in one object; replay replaces them."""

import json
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from tests.fakes import contents
from tests.fakes.api import LambdaContext
from tests.fakes.checking import record, results
from tests.fakes.wire import Wire
from tests.functional.consignments.bench import make_table
from waybill.consignments import runtime
from waybill.consignments.adapters.rule_publications import RulePublications
from waybill.consignments.adapters.rule_sets import S3RuleSets, shipped
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.rule_set import RuleSource, build
from waybill.consignments.handlers.check_files import lambda_handler
from waybill.core.aws.clients import client
from waybill.core.aws.table import Table

UPLOADS, RESULTS, RULES, TABLE = "uploads", "results", "rules", "consignments"
KEY = "runs/consignment/execution/checks/00000000.jsonl"


@dataclass
class Stack:
    """The buckets, through a client of the tests' own."""

    s3: Any
    wire: Wire

    def upload(self, path: str, content: bytes) -> dict[str, Any]:
        """Upload a file as key `path`; return its record, pinned to what was uploaded."""
        answer = self.s3.put_object(Bucket=UPLOADS, Key=path, Body=content)
        return record(path, content, versionId=answer["VersionId"], eTag=answer["ETag"], objectSize=len(content))

    def check(self, *records: dict[str, Any], attempt: int = 0) -> list[dict[str, Any]]:
        """Check a group; return its lines as they are stored."""
        event = {"resultKey": KEY, "files": list(records), "group": 0, "attempt": attempt}
        self.wire.clear()
        self.answer = lambda_handler(event, LambdaContext())
        self.requests = self.wire.counts
        return self.lines()

    def lines(self) -> list[dict[str, Any]]:
        text = self.s3.get_object(Bucket=RESULTS, Key=KEY)["Body"].read().decode()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def stack(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("CONSIGNMENT_RESULTS_BUCKET", RESULTS)
    monkeypatch.setenv("CONSIGNMENT_RULES_BUCKET", RULES)
    monkeypatch.setenv("CONSIGNMENTS_TABLE", TABLE)
    make_table(TABLE)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    s3 = boto3.client("s3", "eu-west-1")
    for bucket in (UPLOADS, RESULTS, RULES):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
    return Stack(s3, wire)


def test_clean_and_infected_files_get_their_results(stack: Stack) -> None:
    clean, infected = stack.upload("Zoë/平.txt", b"clean\n"), stack.upload("eicar.com", contents.eicar())
    first, second = stack.check(clean, infected)
    assert stack.answer == {
        "resultKey": KEY,
        "files": 2,
        "counts": {"antivirus": 2, "checksum": 2, "fileFormat": 2},
    }
    assert first["originalPath"] == "Zoë/平.txt"
    assert results(first)["checksum"]["sha256Checksum"] == clean["clientChecksum"]
    assert [results(line)["antivirus"]["result"] for line in (first, second)] == ["", "eicar"]
    assert results(first)["antivirus"]["databaseVersion"] == shipped().version


def test_every_file_is_one_request_and_every_byte_is_read_once(stack: Stack) -> None:
    records = [stack.upload(f"{size}.bin", b"x" * size) for size in (0, 1, 100_000, 3_000_000)]
    lines = stack.check(*records)
    files = [request for request in stack.wire.of("s3.GetObject") if "uploads." in request.url]
    assert len(files) == len(records)
    assert all("range" not in request.headers for request in files)
    assert {request.headers["if-match"] for request in files} == {record["eTag"] for record in records}
    assert [line["reading"]["bytes"] for line in lines] == [0, 1, 100_000, 3_000_000]
    # Three more for the rules, of which none were ever built, and one for signatures, which nobody has updated.
    assert stack.requests == {
        "s3.GetObject": len(records) + 2,
        "s3.ListObjectsV2": 1,
        "dynamodb.GetItem": 1,
        "s3.PutObject": 1,
    }


def test_the_version_that_was_registered_is_checked(stack: Stack) -> None:
    registered = stack.upload("a.txt", contents.eicar())
    stack.upload("a.txt", b"harmless")
    [line] = stack.check(registered)
    assert results(line)["antivirus"]["result"] == "eicar"
    assert line["reading"]["versionId"] == registered["versionId"]


@pytest.mark.parametrize(
    "path",
    [
        "a b+c%2F&=?#.txt",
        "../../etc/passwd",
        "quote\"'`$(rm -rf)`.txt",
        "new\nline\t.txt",
        "\u202ecod.exe",
        "é" * 250,
        "-rf",
    ],
)
def test_a_name_with_hostile_characters_is_a_name(stack: Stack, path: str) -> None:
    [line] = stack.check(stack.upload(path, b"harmless"))
    assert line["originalPath"] == path
    assert line["failures"] == {}
    assert results(line)["checksum"]["sha256Checksum"] == record(path, b"harmless")["clientChecksum"]


def test_a_file_that_was_replaced_fails_alone(stack: Stack) -> None:
    replaced, other = stack.upload("a.txt", b"one"), stack.upload("b.txt", b"b")
    del replaced["versionId"]
    stack.upload("a.txt", b"two")
    first, second = stack.check(replaced, other)
    assert set(first["failureReasons"].values()) == {"OBJECT_REPLACED"}
    assert second["failures"] == {}


def test_a_key_that_begins_as_another_is_not_mistaken_for_it(stack: Stack) -> None:
    missing = record("folder/1")
    present = stack.upload("folder/10", b"ten")
    first, second = stack.check(missing, present)
    assert set(first["failureReasons"].values()) == {"OBJECT_MISSING"}
    assert second["failures"] == {}


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("AccessDenied", 403, "ACCESS_DENIED"),
        ("KMS.DisabledException", 400, "ACCESS_DENIED"),
        ("InvalidObjectState", 403, "OBJECT_REFUSED"),
        ("NoSuchVersion", 404, "OBJECT_MISSING"),
    ],
)
def test_refusals_of_s3_fail_the_file_alone(stack: Stack, code: str, status: int, reason: str) -> None:
    refused, other = stack.upload("a.txt", b"a"), stack.upload("b.txt", b"b")
    stack.wire.refuse("s3.GetObject", code, status=status, when=lambda request: "a.txt" in request.url)
    first, second = stack.check(refused, other)
    assert set(first["failureReasons"].values()) == {reason}
    assert second["failures"] == {}


def test_a_fault_of_s3_is_an_error_that_may_pass_until_the_last_attempt(stack: Stack) -> None:
    down, other = stack.upload("a.txt", b"a"), stack.upload("b.txt", b"b")
    stack.wire.refuse("s3.GetObject", "SlowDown", status=503, when=lambda request: "a.txt" in request.url)
    with pytest.raises(ChecksUnavailableError, match="SlowDown"):
        stack.check(down, other)
    first, second = stack.check(down, other, attempt=runtime.LAST_ATTEMPT)
    assert set(first["failureReasons"].values()) == {"S3_UNAVAILABLE"}
    assert second["failures"] == {}


def test_rules_whose_manifest_is_gone_are_not_replaced_by_weaker_ones(stack: Stack) -> None:
    """Nothing is taken for clean by the project's own rules where somebody has built others."""
    file = stack.upload("a.txt", b"a")
    made, _ = build([RuleSource("own.yar", 'rule own { strings: $a = "a" condition: $a }')], {})
    S3RuleSets(stack.s3, RULES).publish(replace(made, built="2026-11-01T09:00:00.000Z"))
    [line] = stack.check(file)
    found = results(line)["antivirus"]
    assert (found["result"], found["rulesFiles"], found["rulesBuilt"]) == ("own", 1, "2026-11-01T09:00:00.000Z")
    assert "demonstrationRules" not in found
    stack.s3.delete_object(Bucket=RULES, Key="rules/current.json")
    stack.s3.delete_object(Bucket=RESULTS, Key=KEY)
    with pytest.raises(ChecksUnavailableError, match="build the rules again"):
        stack.check(file)
    assert "Contents" not in stack.s3.list_objects_v2(Bucket=RESULTS)
    # Nobody tries again: the file says of what it was not checked.
    with pytest.raises(ChecksUnavailableError, match="build the rules again"):
        stack.check(file, attempt=3)
    [line] = stack.lines()
    assert set(line["failureReasons"].values()) == {"SCANNER_UNAVAILABLE"}


def test_an_emptied_bucket_of_rules_is_not_replaced_by_the_demonstration(stack: Stack) -> None:
    # A file that was VirusDetected was accepted.
    file = stack.upload("a.txt", b"a")
    table = Table(client("dynamodb"), TABLE, ChecksUnavailableError)
    RulePublications(table).note("7f3a")
    with pytest.raises(RuleSetInvalidError, match=r"7f3a.*build the rules again"):
        stack.check(file)
    # As kind 4 wants it: the cause belongs into the explanation.
    [line] = stack.lines()
    assert set(line["failureReasons"].values()) == {"RULES_UNUSABLE"}
    assert "built again" in line["failures"]["antivirus"]
    assert not any(line["fileCheckResults"].values())


def test_a_verdict_of_the_demonstration_rules_says_so(stack: Stack) -> None:
    file = stack.upload("a.txt", b"coal")
    [line] = stack.check(file)
    assert results(line)["antivirus"]["demonstrationRules"] is True
    rules, _ = build([RuleSource("coal.yar", 'rule coal { strings: $a = "coal" condition: $a }')], {})
    S3RuleSets(stack.s3, RULES).publish(rules)
    [line] = stack.check(file)
    assert "demonstrationRules" not in results(line)["antivirus"]


def test_a_group_that_is_checked_again_replaces_its_results(stack: Stack) -> None:
    records = [stack.upload("a.txt", b"a"), stack.upload("b.pdf", contents.pdf(password="x"))]
    first, second = stack.check(*records), stack.check(*records)
    for line in (*first, *second):
        line["fileCheckResults"]["antivirus"][0].pop("datetime")
    assert first == second


class _Killed(Exception):
    """The function's process ends here."""


@pytest.mark.parametrize("dies_at", range(5))
def test_a_run_that_dies_anywhere_is_repeated_without_a_trace(stack: Stack, dies_at: int) -> None:
    records = [stack.upload("a.txt", b"a"), stack.upload("eicar.com", contents.eicar())]
    expected = stack.check(*records)
    stack.s3.delete_object(Bucket=RESULTS, Key=KEY)
    requests = 0

    def kill(**_: Any) -> None:
        nonlocal requests
        requests += 1
        if requests - 1 == dies_at:
            raise _Killed

    events = client("s3").meta.events
    # The last of them dies when the results are stored already.
    for name in ("before-call.s3", "after-call.s3.PutObject"):
        events.register(name, kill)
    with pytest.raises(_Killed):
        lambda_handler({"resultKey": KEY, "files": records}, LambdaContext())
    for name in ("before-call.s3", "after-call.s3.PutObject"):
        events.unregister(name, kill)
    repeated = stack.check(*records)
    for line in (*expected, *repeated):
        line["fileCheckResults"]["antivirus"][0].pop("datetime")
    assert repeated == expected
    assert list((runtime.prepared_scanners().folder / "files").iterdir()) == []


def test_the_published_rules_are_used_and_exchanged_between_groups(stack: Stack) -> None:
    file = stack.upload("a.txt", b"coal and paper")
    for word in ("coal", "paper"):
        source = RuleSource(f"{word}.yar", f'rule {word} {{ strings: $a = "{word}" condition: $a }}')
        rules, _ = build([source], {})
        S3RuleSets(stack.s3, RULES).publish(rules)
        [line] = stack.check(file)
        found = results(line)["antivirus"]
        assert (found["result"], found["rulesVersion"]) == (word, rules.version)


@pytest.mark.parametrize(
    ("key", "body"),
    [("rules/current.json", b"{"), ("rules/current.json", b"[]"), ("compiled", b"damaged"), ("compiled", None)],
)
def test_a_damaged_rule_set_is_a_clear_error_and_no_verdict(stack: Stack, key: str, body: bytes | None) -> None:
    file = stack.upload("a.txt", b"a")
    rules, _ = build([RuleSource("a.yar", "rule a { condition: true }")], {})
    compiled = S3RuleSets(stack.s3, RULES).publish(rules)
    key = compiled if key == "compiled" else key
    if body is None:
        stack.s3.delete_object(Bucket=RULES, Key=key)
    else:
        stack.s3.put_object(Bucket=RULES, Key=key, Body=body)
    with pytest.raises(RuleSetInvalidError, match="build the rules again"):
        stack.check(file)


class TestTags:
    """GuardDuty's verdict, which is a tag."""

    @pytest.fixture(autouse=True)
    def engine(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONSIGNMENT_ANTIVIRUS", "guardduty")
        monkeypatch.setattr(runtime, "_TAG_SECONDS", 0.2)

    @pytest.mark.parametrize(
        ("value", "result"),
        [
            *(
                (value, value)
                for value in ("NO_THREATS_FOUND", "THREATS_FOUND", "UNSUPPORTED", "ACCESS_DENIED", "FAILED")
            ),
            ("SOMETHING_NEW", "UNKNOWN_TAG"),
            ("", "UNKNOWN_TAG"),
            ("no_threats_found", "UNKNOWN_TAG"),
        ],
    )
    def test_the_tag_of_the_version_is_the_result(self, stack: Stack, value: str, result: str) -> None:
        file = stack.upload("a.txt", contents.eicar())
        tags = {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": value}]}
        stack.s3.put_object_tagging(Bucket=UPLOADS, Key="a.txt", VersionId=file["versionId"], Tagging=tags)
        stack.upload("a.txt", b"a newer version without a tag")
        [line] = stack.check(file)
        found = results(line)["antivirus"]
        assert (found["result"], found["software"], found["engine"]) == (result, "awsGuardDutyMalwareScan", "guardduty")
        assert found["datetime"] > 1_670_411_830_303
        assert "s3.PutObjectTagging" not in stack.wire.counts

    def test_a_tag_that_never_comes_is_no_result(self, stack: Stack) -> None:
        files = [stack.upload("a.txt", b"a"), stack.upload("b.txt", b"b")]
        for line in stack.check(*files):
            assert line["failureReasons"] == {"antivirus": "NO_SCAN_TAG"}
            assert results(line)["checksum"] is not None

    def test_tags_that_may_not_be_read_are_no_result(self, stack: Stack) -> None:
        file = stack.upload("a.txt", b"a")
        stack.wire.refuse("s3.GetObjectTagging", "AccessDenied", status=403)
        [line] = stack.check(file)
        assert line["failureReasons"] == {"antivirus": "ACCESS_DENIED"}
