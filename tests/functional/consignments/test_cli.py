"""`waybill consign` and `waybill consignments`, against moto."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.functional.consignments.bench import UPLOADS, Workbench, clean_check, virus_result
from waybill.cli.adapters.uploads import Uploader
from waybill.cli.app import main
from waybill.cli.consignments import commands
from waybill.cli.walking import sha256_of
from waybill.consignments import runtime

pytestmark = pytest.mark.usefixtures("cli_stack")


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
    # The consignment with its entries in the lists, and three pages.
    assert len(bench.wire.of("dynamodb.TransactWriteItems")) == 4


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
    said = capsys.readouterr().err
    assert "not sent, excluded names (3): ä/.DS_Store, ä/Thumbs.db, ä/desktop.ini\n" in said
    assert "not sent, links (1): link\n" in said


def test_everything_that_is_not_sent_has_its_reason(run, bench: Workbench, directory: Path) -> None:
    # Whoever sends a folder has to learn of everything in it that did not go.
    (directory / "gone").symlink_to("nowhere")
    (directory / "outside").symlink_to(directory.parent)
    os.mkfifo(directory / "pipe")
    (directory / "empty" / "inner").mkdir(parents=True)
    os.link(directory / "a.txt", directory / "b.txt")
    status, told = run("consign", str(directory))
    reasons = {each["path"]: (each["kind"], each["reason"]) for each in told["notSent"]}
    assert status == 0
    assert reasons.keys() == {
        *("link", "gone", "outside", "pipe", "empty/inner", "ä/Thumbs.db", "ä/desktop.ini", "ä/.DS_Store")
    }
    assert reasons["link"][0] == reasons["outside"][0] == reasons["gone"][0] == "LINK"
    assert "a.txt, which is among what is looked at" in reasons["link"][1]
    assert "outside of the directory" in reasons["outside"][1]
    assert "nowhere, where nothing is" in reasons["gone"][1]
    assert reasons["pipe"] == ("SPECIAL_FILE", "it is a pipe (FIFO), which holds nothing that could be kept")
    assert reasons["empty/inner"][0] == "EMPTY_FOLDER"
    assert reasons["ä/Thumbs.db"][1] == "files that are named Thumbs.db are excluded: systems make them"
    assert told["hardLinks"] == [["a.txt", "b.txt"]]
    # It is kept with the consignment, for its report.
    kept = {each.path: (each.kind, each.reason) for each in runtime.table().left_out(told["consignmentId"])}
    assert kept == reasons


def test_what_cannot_be_read_is_left_out_and_the_others_are_sent(
    run, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(location: Path) -> str:
        if location.name == "a.txt":
            raise PermissionError(13, "Permission denied")
        return sha256_of(location)

    monkeypatch.setattr(commands, "sha256_of", denied)
    status, told = run("consign", str(directory))
    assert (status, told["files"]) == (1, 1)
    assert {"path": "a.txt", "kind": "UNREADABLE", "reason": "it cannot be read: Permission denied"} in told["notSent"]


@pytest.mark.parametrize("how", ["written to", "taken away"])
def test_what_changes_while_it_is_sent_is_left_out_and_the_others_are_checked(
    run, bench: Workbench, directory: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A log that somebody writes to keeps none of the other files from being checked."""
    whole = Uploader._send

    def meanwhile(self: Uploader, upload: Any) -> None:
        if upload.file.path == "a.txt" and how == "taken away":
            upload.file.location.unlink()
        whole(self, upload)
        if upload.file.path == "a.txt":
            upload.file.location.write_bytes(b"a line more")

    monkeypatch.setattr(Uploader, "_send", meanwhile)
    status, told = run("consign", str(directory))
    assert (status, told["files"], told["uploaded"]) == (1, 1, 1)
    [changed] = [each for each in told["notSent"] if each["kind"] == "CHANGED"]
    assert changed["path"] == "a.txt"
    assert "send it when nobody writes to it" in changed["reason"]
    bench.run(told["consignmentId"])
    shown = bench.ask("GET", f"/consignments/{told['consignmentId']}", who="local-user").json
    assert shown["status"] == "Completed"
    kept = {each.path: each.kind for each in runtime.table().left_out(told["consignmentId"])}
    assert kept["a.txt"] == "CHANGED"


def test_files_carry_when_they_were_changed(run, bench: Workbench, directory: Path) -> None:
    os.utime(directory / "a.txt", (1_299_215_167, 1_299_215_167))
    _, told = run("consign", str(directory))
    files = bench.ask("GET", f"/consignments/{told['consignmentId']}/files", who="local-user").json["files"]
    assert {file["path"]: file["lastModified"] for file in files}["a.txt"] == "2011-03-04T05:06:07.000Z"


def test_nothing_to_send(run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "Thumbs.db").touch()
    assert run("consign", str(tmp_path / "empty"))[0] == 1
    assert run("consign", str(tmp_path / "absent"))[0] == 2


def test_a_name_that_is_not_utf_8_is_told(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "wb"):
        pass
    assert main(["consign", str(folder)]) == 1
    assert "not UTF-8" in capsys.readouterr().err
    (folder / "good.txt").write_bytes(b"good")
    status, told = run("consign", str(folder))
    assert (status, told["files"]) == (1, 1)
    assert told["notSent"] == [
        {"path": "caf\\xe9.txt", "kind": "NAME_NOT_UTF8", "reason": "its name is not UTF-8: rename it"}
    ]


@pytest.mark.parametrize(("consignment_id", "status"), [("nonsense", 2), ("0f8fad5b-d9cb-469f-a165-70867728950e", 1)])
def test_a_consignment_that_is_not_there(run, consignment_id: str, status: int) -> None:
    assert run("consignments", "show", consignment_id)[0] == status


def test_single_files_are_replaced_and_judged_anew(run, bench: Workbench, directory: Path, tmp_path: Path) -> None:
    consignment_id = run("consign", str(directory))[1]["consignmentId"]
    results = {b"a": {"antivirus": [virus_result("eicar")]}}
    bench.check = lambda record, content: clean_check(record, content) | results.get(content, {})
    bench.run(consignment_id)
    better = tmp_path / "better"
    better.mkdir()
    (better / "a.txt").write_bytes(b"a clean one")
    status, told = run("consign", str(better), "--replace", consignment_id)
    assert (status, told["replaced"], told["uploaded"]) == (0, ["a.txt"], 1)
    # Until the next run has ended, nothing is said of what is not there any more.
    files = bench.ask("GET", f"/consignments/{consignment_id}/files", who="local-user").json["files"]
    shown = {file["path"]: file for file in files}
    assert "accepted" not in shown["a.txt"]
    assert shown["a.txt"]["statuses"] == {}
    bench.run(consignment_id, "waybill-second")
    files = bench.ask("GET", f"/consignments/{consignment_id}/files", who="local-user").json["files"]
    assert all(file["accepted"] for file in files)


def test_what_is_no_file_of_the_consignment_replaces_none(
    run, bench: Workbench, directory: Path, tmp_path: Path
) -> None:
    consignment_id = run("consign", str(directory))[1]["consignmentId"]
    bench.run(consignment_id)
    assert run("consign", str(directory), "--replace", consignment_id)[0] == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "new.txt").write_bytes(b"new")
    assert run("consign", str(other), "--replace", consignment_id)[0] == 1
    assert bench.ask("GET", f"/consignments/{consignment_id}", who="local-user").json["status"] == "Completed"
