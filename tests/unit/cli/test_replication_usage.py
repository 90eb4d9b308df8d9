"""What is wrong with a call of the replication commands is told before anything is asked of AWS."""

import json
from pathlib import Path

import pytest

from waybill.cli.app import main
from waybill.cli.local.stack_file import StackFile
from waybill.cli.replication.addresses import file_of, parse_uri, uri_of
from waybill.core.text import escaped
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import FileId

OUTPUTS = {"SourceBucketName": "uploads", "DestinationBucketNames": "copies-a,copies-b"}
URI = "s3://uploads/k"
BUCKET_RULE = "must be an S3 bucket name (3 to 63 letters, digits, '.', '-')"
FORM = "is not of the form s3://BUCKET/KEY"
NO_OBJECT = "names no object: the form is s3://BUCKET/KEY"
ONE_OBJECT = "is for one object: it does not go with --backfill"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local stack where nobody answers."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup").touch()
    (tmp_path / "layers").mkdir()
    monkeypatch.chdir(tmp_path)
    StackFile("http://127.0.0.1:9", "eu-west-1", "waybill", "", OUTPUTS).write(tmp_path / ".local" / "stack.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replicate"], "Missing argument 's3://BUCKET/KEY'."),
        (["replicate", "uploads/k"], f"uploads/k {FORM}"),
        (["replicate", "S3://uploads/k"], f"S3://uploads/k {FORM}"),
        (["replicate", "s3://"], f"s3:// {FORM}"),
        (["replicate", "s3:///k"], f"s3:///k {FORM}"),
        (["replicate", "s3://uploads"], f"s3://uploads {NO_OBJECT}"),
        (["replicate", "s3://uploads/"], f"s3://uploads/ {NO_OBJECT}"),
        (["replicate", "s3://U!/k"], f"the bucket in s3://BUCKET/KEY: {BUCKET_RULE}"),
        (["replicate", f"s3://uploads/{'é' * 513}"], "the key: must be at most 1024 bytes of UTF-8"),
        (["replicate", URI, "--to", "copies-a", "--to", "b"], f"--to b: {BUCKET_RULE}"),
        (["replicate", URI, "--to", "uploads"], "--to: uploads is the source itself"),
        (["replicate", "s3://copies-a/k"], "--to: copies-a is the source itself"),
        (
            ["replicate", "s3://others/k", "--to", "uploads"],
            "--to uploads: starts this workflow: the copy would be copied again",
        ),
        (["replicate", URI, "--dry-run"], "--dry-run needs --backfill"),
        (["replicate", URI, "--start-after", "a"], "--start-after needs --backfill"),
        (["replicate", "--backfill", URI, "--force"], f"--force {ONE_OBJECT}"),
        (["replicate", "--backfill", URI, "--wait", "--dry-run"], "--wait does not go with --dry-run"),
        (["replicate", URI, "--content-only"], "--content-only needs --backfill"),
        (["backfills", "show"], "Missing argument 'ID'."),
        (["replicate", "--backfill", "uploads"], f"uploads {FORM}"),
        (["replicate", "--backfill", "s3://u"], f"the bucket in s3://BUCKET/KEY: {BUCKET_RULE}"),
        (["replicate", "--backfill", "s3://uploads", "--to", "uploads"], "--to: uploads is the source itself"),
        (
            ["replications", "--status", "DONE"],
            "--status DONE is none of IN_PROGRESS, COMPLETED, FAILED, SUPERSEDED",
        ),
        (["replications", "--watch", "--json"], "--json does not go with --watch"),
        (["replications", "--watch", "--cursor", "x"], "--cursor does not go with --watch"),
        (["replications", "show", "k"], f"k {FORM}"),
        (["replications", "show"], "Missing argument 's3://BUCKET/KEY'."),
        (["replications", "undo"], "No such command 'undo'."),
    ],
)
def test_bad_usage_names_what_was_typed(
    stack: None, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    told = json.loads(printed.err)["error"]["message"] if "--json" in arguments else printed.err
    assert told.removeprefix("waybill: ").removeprefix("Invalid value: ").startswith(message)
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize("arguments", [["replications"], ["replications", "redrive"]])
@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_limits_are_at_least_one(
    stack: None, capsys: pytest.CaptureFixture[str], arguments: list[str], limit: str
) -> None:
    assert main([*arguments, "--limit", limit]) == 2
    assert "'--limit'" in capsys.readouterr().err


def test_a_stack_of_another_version_is_told(stack: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replications", "redrive"]) == 1
    told = capsys.readouterr().err
    assert (
        told == "waybill: stack waybill has no output ReplicationDeadLetterQueueUrl: is it this version of Waybill?\n"
    )


def test_a_stack_that_does_not_say_what_a_command_needs_is_named(
    stack: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["consignments", "list"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("waybill: stack waybill is not set up as this command needs: ")
    assert "CONSIGNMENTS_TABLE" in told


@pytest.mark.parametrize("command", [[], ["show"], ["redrive"], ["reconcile"]])
def test_every_command_has_its_help(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert main(["replications", *command, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_the_help_names_every_status(capsys: pytest.CaptureFixture[str]) -> None:
    main(["replications", "--help"])
    assert "|".join(RecordStatus) in capsys.readouterr().out


@pytest.mark.parametrize("key", ["k", "a/b", "/a", "//", "a b+c%20?#é", "s3://x/y", " "])
def test_a_key_is_all_that_follows_the_bucket(key: str) -> None:
    file = FileId("uploads", key)
    assert file_of(f"s3://uploads/{key}") == file
    assert uri_of(file) == f"s3://uploads/{key}"


@pytest.mark.parametrize("text", ["s3://uploads", "s3://uploads/"])
def test_a_prefix_may_be_empty(text: str) -> None:
    assert parse_uri(text) == FileId("uploads", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b+é😀.zip", "a b+é😀.zip"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\x00", "a\\nb\\tc\\x00"),
        ("\u202egpj", "\\u202egpj"),
        ("\udcff", "\\udcff"),
    ],
)
def test_nothing_in_a_key_commands_the_terminal(text: str, shown: str) -> None:
    assert escaped(text) == shown
