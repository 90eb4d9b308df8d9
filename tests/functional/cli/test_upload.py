"""`waybill upload`: files of one's own into the source bucket."""

import os
from pathlib import Path

import pytest

from tests.fakes.functions import REGION
from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.functional.cli.conftest import Program, lines
from waybill.core.aws.clients import client


@pytest.fixture
def folder(clone: Path) -> Path:
    """A folder with three files, a link and what a system leaves behind."""
    made = clone / "my records"
    (made / "inner").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "inner" / "ü b.pdf").write_bytes(b"%PDF")
    (made / "empty").touch()
    (made / "link").symlink_to(made / "a.txt")
    (made / ".DS_Store").touch()
    return made


def stored(bucket: str = SOURCE) -> dict[str, tuple[int, str]]:
    s3 = client("s3", REGION)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    heads = {key: s3.head_object(Bucket=bucket, Key=key) for key in keys}
    return {key: (head["ContentLength"], head["ContentType"]) for key, head in heads.items()}


def test_a_file_goes_into_the_source_bucket_under_its_name(waybill: Program, folder: Path) -> None:
    ran = waybill("upload", str(folder / "a.txt"))
    assert (ran.status, lines(ran)) == (0, [f"s3://{SOURCE}/a.txt"])
    assert stored() == {"a.txt": (1, "text/plain")}


def test_a_folder_goes_with_all_that_is_in_it(waybill: Program, folder: Path) -> None:
    ran = waybill("upload", str(folder), "--to", f"s3://{SOURCE}/in", "--json")
    assert ran.status == 0
    assert stored() == {
        "in/my records/a.txt": (1, "text/plain"),
        "in/my records/empty": (0, "application/octet-stream"),
        "in/my records/inner/ü b.pdf": (4, "application/pdf"),
    }
    assert {each["address"].rpartition("/")[2]: each["bytes"] for each in ran.json["uploaded"]} == {
        "a.txt": 1,
        "empty": 0,
        "ü b.pdf": 4,
    }
    assert [each["kind"] for each in ran.json["notSent"]] == ["EXCLUDED", "LINK"]


def test_what_cannot_be_read_is_named_and_stops_no_other(
    waybill: Program, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").unlink()
    os.mkfifo(folder / "a.txt")
    os.rename(folder / "empty", os.fsencode(folder) + b"/\xff")
    ran = waybill("upload", str(folder))
    assert ran.status == 1
    assert list(stored()) == ["my records/inner/ü b.pdf"]
    assert "not sent: " in ran.err
    assert "its name is not UTF-8: rename it" in ran.err


def test_two_files_with_one_key_are_refused_before_anything_is_sent(waybill: Program, folder: Path) -> None:
    (folder / "inner" / "a.txt").write_text("another")
    ran = waybill("upload", str(folder / "a.txt"), str(folder / "inner" / "a.txt"))
    assert ran.status == 2
    assert "would have the same key" in ran.err
    assert stored() == {}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nowhere.txt"], 2, "'nowhere.txt' does not exist"),
        (["{file}", "nowhere.txt"], 2, "'nowhere.txt' does not exist"),
        (["/dev/null"], 2, "/dev/null is no ordinary file"),
        (["{file}", "--to", "bucket"], 2, "bucket is not of the form s3://BUCKET/KEY"),
        (["{file}", "--to", "s3://my-typo-bucket/"], 1, "the bucket my-typo-bucket: there is no such bucket"),
    ],
)
def test_what_is_wrong_is_blamed(waybill: Program, folder: Path, arguments: list[str], status: int, said: str) -> None:
    ran = waybill("upload", *(each.format(file=folder / "a.txt") for each in arguments))
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err
    assert stored() == stored(DESTINATIONS[0]) == {}


def test_records_are_listed_by_the_noun_too(waybill: Program) -> None:
    assert waybill("replications", "list", "--json").json == waybill("replications", "--json").json
    refused = waybill("replications", "--status", "FAILED", "list")
    assert refused.status == 2
    assert "--status does not go before `list`" in refused.err
