"""`waybill consign` and `waybill consignments`, against moto."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.functions import REGION
from tests.functional.consignments.bench import RESULTS, TABLE, UPLOADS, Workbench, clean_check, virus_result
from waybill.cli.app import main
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack


@pytest.fixture(autouse=True)
def stack(bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands find moto's resources, and remember nothing from elsewhere."""
    outputs = {
        "ConsignmentsTableName": TABLE,
        "ConsignmentUploadBucketName": UPLOADS,
        "ConsignmentResultsBucketName": RESULTS,
        "ConsignmentChecksWorkflowArn": os.environ["CONSIGNMENT_CHECKS_WORKFLOW_ARN"],
    }
    monkeypatch.setattr(Cli, "stack", Stack("waybill", REGION, "", outputs))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with files to send, and others."""
    folder = tmp_path / "records"
    (folder / "ä").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"a")
    (folder / "ä" / "b c.txt").write_bytes(b"b")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (folder / "ä" / name).write_bytes(b"x")
    (folder / "link").symlink_to(folder / "a.txt")
    return folder


def test_a_directory_is_sent_without_what_is_no_record(run, bench: Workbench, directory: Path) -> None:
    status, told = run("consign", str(directory))
    assert (status, told["files"], told["uploaded"]) == (0, 2, 2)
    assert ":waybill-consignments:" in told["executionArn"]
    files = bench.ask("GET", f"/consignments/{told['consignmentId']}/files", who="local-user").json["files"]
    assert {file["path"] for file in files} == {"a.txt", "ä/b c.txt"}
    prefix = f"local-user/{told['consignmentId']}/"
    assert set(bench.keys(UPLOADS)) == {f"{prefix}{file['fileId']}" for file in files}
    assert all(put.headers["x-amz-checksum-sha256"] for put in bench.wire.of("s3.PutObject"))


def test_an_interrupted_call_goes_on(run, bench: Workbench, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from waybill.cli.consignments.sending import Uploader

    sent: list[str] = []
    whole = Uploader._send

    def until_the_power_fails(self: Uploader, upload: Any) -> None:
        if sent:
            raise KeyboardInterrupt
        sent.append(upload.key)
        whole(self, upload)

    monkeypatch.setattr(Uploader, "_send", until_the_power_fails)
    assert main(["consign", str(directory)]) == 130
    monkeypatch.setattr(Uploader, "_send", whole)
    status, told = run("consign", str(directory))
    assert (status, told["uploaded"], told["uploadedBefore"]) == (0, 1, 1)
    assert sent[0].split("/")[1] == told["consignmentId"]


def test_the_next_call_is_another_consignment(run, directory: Path) -> None:
    first, second = (run("consign", str(directory))[1] for _ in range(2))
    assert first["consignmentId"] != second["consignmentId"]


def test_more_than_a_page_of_files(run, bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.cli.consignments.sending.FILES_PER_PAGE", 3)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").touch()
    status, told = run("consign", str(folder))
    assert (status, told["files"]) == (0, 8)
    shown = bench.ask("GET", f"/consignments/{told['consignmentId']}", who="local-user").json
    assert shown["progress"]["files"] == 8
    assert len(bench.wire.of("dynamodb.TransactWriteItems")) == 3


def test_verdicts_are_shown_with_what_to_do(
    run, bench: Workbench, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    consignment_id = run("consign", str(directory))[1]["consignmentId"]
    results = {"a.txt": {"antivirus": [virus_result("eicar")]}}
    bench.check = lambda record, content: clean_check(record, content) | results.get(record["originalPath"], {})
    bench.run(consignment_id)
    status, told = run("consignments", "show", consignment_id.upper())
    assert (status, told["status"]) == (1, "CompletedWithIssues")
    assert {file["path"]: file["accepted"] for file in told["files"]} == {"a.txt": False, "ä/b c.txt": True}
    assert main(["consignments", "show", consignment_id]) == 1
    printed = capsys.readouterr().out
    assert "VirusDetected" in printed
    assert "Contact support" in printed


def test_what_is_not_sent_is_named(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["consign", str(directory)]) == 0
    assert "not sent (4): link, ä/.DS_Store, ä/Thumbs.db, ä/desktop.ini\n" in capsys.readouterr().err


def test_nothing_to_send(run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "Thumbs.db").touch()
    assert run("consign", str(tmp_path / "empty"))[0] == 1
    assert run("consign", str(tmp_path / "absent"))[0] == 1


def test_a_name_that_is_not_utf_8_is_told(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/\xff.txt", "wb"):
        pass
    assert main(["consign", str(folder)]) == 1
    assert "not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(("consignment_id", "status"), [("nonsense", 2), ("0f8fad5b-d9cb-469f-a165-70867728950e", 1)])
def test_a_consignment_that_is_not_there(run, consignment_id: str, status: int) -> None:
    assert run("consignments", "show", consignment_id)[0] == status
