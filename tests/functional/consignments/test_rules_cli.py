"""`waybill rules`, against moto."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

import waybill
from tests.fakes import contents
from tests.fakes.signatures import newest_signature_file
from tests.fakes.wire import Wire
from tests.functional.consignments.bench import make_table
from waybill.cli.app import main
from waybill.cli.consignments import rules as rules_commands
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.consignments.adapters.prepared_scanners import PreparedScanners
from waybill.consignments.adapters.rule_sets import S3RuleSets, shipped
from waybill.consignments.adapters.signature_sets import S3SignatureSets
from waybill.consignments.domain.checks.errors import RuleSetInvalidError
from waybill.core.clock import moment_of

RULES = "rules"
SHIPPED = Path(waybill.__file__).parent / "consignments" / "rules"

type Program = Callable[..., tuple[int, Any]]


@pytest.fixture
def sets(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> S3RuleSets:
    outputs = {"ConsignmentRulesBucketName": RULES, "ConsignmentsTableName": "consignments"}
    make_table("consignments")
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    s3 = boto3.client("s3", "eu-west-1")
    s3.create_bucket(Bucket=RULES, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return S3RuleSets(s3, RULES)


@pytest.fixture
def run(sets: S3RuleSets, capsys: pytest.CaptureFixture[str]) -> Program:
    def ran(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = main(["rules", *arguments, "--json"])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if printed.out else printed.err

    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    (made / "eicar.yar").write_text((SHIPPED / "eicar.yar").read_text())
    (made / "words.yar").write_text('rule coal { strings: $a = "coal" condition: $a }')
    return made


def test_what_is_built_is_in_use(run: Program, sets: S3RuleSets, folder: Path) -> None:
    (folder / "broken.yar").write_text("rule {")
    status, built = run("build", str(folder))
    assert status == 0
    assert (built["files"], built["findEicar"], built["published"]) == (2, ["eicar"], True)
    assert [left["file"] for left in built["skipped"]] == ["broken.yar"]
    used = sets.current()
    assert used is not None
    assert used.version == built["version"]
    assert moment_of(used.built) is not None
    assert run("show")[1] | {"origin": "built"} == {
        "version": built["version"],
        "yaraX": built["yaraX"],
        "files": 2,
        "excluded": [],
        "origin": "built",
        "built": used.built,
    }


def test_the_same_rules_are_the_same_version(run: Program, folder: Path) -> None:
    assert run("build", str(folder))[1] == run("build", str(folder))[1]


def test_a_dry_run_publishes_nothing(run: Program, sets: S3RuleSets, folder: Path, wire: Wire) -> None:
    wire.clear()
    assert run("build", str(folder), "--dry-run")[1]["published"] is False
    assert wire.requests == []
    assert sets.current() is None
    assert run("show")[1]["version"] == shipped().version


def test_a_set_that_fails_its_test_leaves_the_one_before_in_use(run: Program, sets: S3RuleSets, folder: Path) -> None:
    before = run("build", str(folder))[1]["version"]
    (folder / "eicar.yar").unlink()
    status, message = run("build", str(folder))
    assert status == 1
    assert "no rule finds the EICAR test file" in message
    used = sets.current()
    assert used is not None
    assert used.version == before


def test_harmless_files_of_ones_own_and_exclusions(run: Program, folder: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.txt").write_text("coal and paper")
    status, message = run("build", str(folder), "--harmless", str(files))
    assert status == 1
    assert "coal takes the harmless a.txt for malware" in message
    exclusions = tmp_path / "exclude.json"
    exclusions.write_text('{"words.yar": ["coal"]}')
    status, built = run("build", str(folder), "--harmless", str(files), "--exclude", str(exclusions))
    assert (status, built["excluded"]) == (0, [["words.yar", "coal"]])


def test_a_folder_that_is_not_there_is_bad_usage(run: Program, tmp_path: Path) -> None:
    assert run("build", str(tmp_path / "nowhere"))[0] == 2


@pytest.mark.parametrize("option", ["--harmless", "--exclude"])
def test_what_is_to_be_left_alone_has_to_be_there(run: Program, folder: Path, tmp_path: Path, option: str) -> None:
    status, message = run("build", str(folder), option, str(tmp_path / "nowhere"))
    assert status == 2
    assert option in message


def test_no_file_of_the_project_is_the_eicar_file() -> None:
    for path in SHIPPED.parent.rglob("*"):
        if path.is_file():
            assert contents.eicar() not in path.read_bytes(), path


def test_rules_that_are_gone_are_no_demonstration(run: Program, sets: S3RuleSets, folder: Path) -> None:
    # The rules for a demonstration are used where none were ever built, and not where those in use are gone.
    _, built = run("build", str(folder))
    s3 = boto3.client("s3", "eu-west-1")
    for each in s3.list_objects_v2(Bucket=RULES)["Contents"]:
        s3.delete_object(Bucket=RULES, Key=each["Key"])
    status, said = run("show")
    assert status == 1
    assert built["version"] in said
    assert "build them again" in said


@pytest.fixture
def signature_file(tmp_path: Path) -> Path:
    """The signatures that Siegfried brings, as a file that somebody has downloaded."""
    path = tmp_path / "newer.sig"
    path.write_bytes(newest_signature_file())
    return path


def test_newer_signatures_are_tried_and_put_in_use(run: Program, signature_file: Path, tmp_path: Path) -> None:
    status, shipped_ones = run("signatures", "show")
    assert (status, shipped_ones["origin"]) == (0, "shipped")
    status, told = run("signatures", "update", str(signature_file))
    assert (status, told["origin"]) == (0, "updated")
    assert told["created"] == shipped_ones["created"]
    assert run("signatures", "show")[1]["version"] == told["version"]
    found = S3SignatureSets(boto3.client("s3", "eu-west-1"), RULES).current()
    assert found is not None
    # The process of the checks takes them.
    prepared = PreparedScanners(tmp_path, {})
    process = prepared.prepare(None, found)
    try:
        assert process.versions()["signaturesCreated"] == told["created"]
        assert prepared.prepare(None, found) is process
    finally:
        process.close()


def test_what_is_no_signature_file_is_refused(run: Program, tmp_path: Path) -> None:
    bad = tmp_path / "bad.sig"
    bad.write_bytes(b"nothing of the kind")
    assert run("signatures", "update", str(bad))[0] == 1
    assert run("signatures", "show")[1]["origin"] == "shipped"


def test_signatures_that_are_damaged_fail_the_checks(run: Program, signature_file: Path) -> None:
    key = run("signatures", "update", str(signature_file))[1]["key"]
    s3 = boto3.client("s3", "eu-west-1")
    s3.put_object(Bucket=RULES, Key=key, Body=b"damaged")
    with pytest.raises(RuleSetInvalidError, match="damaged"):
        S3SignatureSets(s3, RULES).current()
    s3.delete_object(Bucket=RULES, Key=key)
    with pytest.raises(RuleSetInvalidError, match="missing"):
        S3SignatureSets(s3, RULES).current()


def test_old_signatures_are_told(
    run: Program, monkeypatch: pytest.MonkeyPatch, signature_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rules_commands, "now", lambda: datetime(2030, 1, 1, tzinfo=UTC))
    status, told = run("signatures", "show")
    assert status == 1
    assert told["ageDays"] > 365
    assert main(["rules", "signatures", "show"]) == 1
    assert "older than twelve months" in capsys.readouterr().err


def test_older_signatures_are_not_put_in_use_by_mistake(
    run: Program, monkeypatch: pytest.MonkeyPatch, signature_file: Path
) -> None:
    used = {"version": "", "created": "2099-01-01", "binary": "999", "container": "20990101", "origin": "shipped"}
    monkeypatch.setattr(rules_commands, "_signatures_in_use", lambda _: used)
    assert run("signatures", "update", str(signature_file))[0] == 1
    assert run("signatures", "update", str(signature_file), "--older")[0] == 0
