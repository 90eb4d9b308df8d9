"""Corrections: some files are replaced or left out, judged alone, and the others keep what was found of them."""

from typing import Any

import pytest

from tests.functional.consignments.bench import (
    CLEAN,
    Broken,
    ConsignmentRun,
    Workbench,
    clean_check,
    described,
    format_result,
)
from waybill.consignments import runtime
from waybill.consignments.adapters import table as tables
from waybill.consignments.errors import ConsignmentsUnavailableError, RegistrationClosedError
from waybill.consignments.models import Corrections, RegisteredFile
from waybill.core.aws.clients import client
from waybill.core.aws.table import Table

FILES = {"a.txt": b"a virus", "b.zip": b"an archive", "c.txt": b"good", "c_R.txt": b"good, without names"}


def check(record: Any, content: bytes) -> dict[str, list[Any]]:
    found = {"antivirus": [{"software": "yara-x", "result": "eicar"}]} if b"virus" in content else {}
    archive = {"fileFormat": [format_result("x-fmt/263")]} if b"archive" in content else {}
    return clean_check(record, content) | found | archive


@pytest.fixture
def checked(bench: Workbench) -> str:
    bench.check = check
    consignment_id = bench.received(FILES)
    bench.run(consignment_id, "run-1")
    return consignment_id


def correct(bench: Workbench, consignment_id: str, body: dict[str, Any], **more: Any) -> Any:
    return bench.ask("POST", f"/consignments/{consignment_id}/corrections", body=body, **more)


def ids(bench: Workbench, consignment_id: str) -> dict[str, str]:
    return {path: file["fileId"] for path, file in bench.files(consignment_id).items()}


def test_what_was_corrected_is_judged_alone(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    better = b"a clean one"
    asked = {
        "replace": [{"fileId": file_id["a.txt"], **described("a.txt", better)}],
        "leaveOut": [file_id["b.zip"]],
    }
    answer = correct(bench, checked, asked).json
    [place] = answer["files"]
    assert (place["fileId"], place["upload"]["method"], answer["leftOut"]) == (
        file_id["a.txt"],
        "PUT",
        asked["leaveOut"],
    )
    assert bench.shown(checked)["status"] == "Registered"
    bench.upload(answer, {"a.txt": better})
    seen: list[str] = []
    bench.check = lambda record, content: (seen.append(record["originalPath"]), check(record, content))[1]
    run = ConsignmentRun(bench, checked, "run-2")
    run.begin()
    # What is carried over counts as done from the start.
    assert bench.shown(checked)["progress"]["files"] == 3
    run.check()
    run.end()
    # The redacted one as well: its original could have been what was left out.
    assert sorted(seen) == ["a.txt", "c_R.txt"]
    files, shown = bench.files(checked), bench.shown(checked)
    assert {path: file["run"] for path, file in files.items()} == {"a.txt": 2, "c.txt": 1, "c_R.txt": 2}
    assert all(file["accepted"] for file in files.values())
    assert (shown["status"], shown["statuses"]["ServerAntivirus"], shown["runs"]) == ("Completed", "Completed", 2)
    assert sorted(bench.keys(CLEAN)) == sorted(f"{checked}/{file['fileId']}" for file in files.values())
    report = bench.ask("GET", f"/consignments/{checked}/report").text
    assert "b.zip" in report
    assert "its sender left it out" in report
    # A start without corrections is of all files again.
    seen.clear()
    bench.run(checked, "run-3")
    assert sorted(seen) == ["a.txt", "c.txt", "c_R.txt"]


def test_where_files_are_left_out_alone_nothing_is_checked_again(bench: Workbench) -> None:
    bench.check = check
    consignment_id = bench.received({"a.txt": b"a virus", "c.txt": b"good"})
    bench.run(consignment_id, "run-1")
    leaving = [ids(bench, consignment_id)["a.txt"]]
    for _ in range(2):  # the same again changes nothing more
        assert correct(bench, consignment_id, {"leaveOut": leaving}).status == 200
    run = ConsignmentRun(bench, consignment_id, "run-2")
    run.begin()
    assert (run.fetched["files"], run.fetched["groups"]) == (1, 0)
    run.end()
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["progress"]["files"]) == ("Completed", 1)
    assert {file["run"] for file in bench.files(consignment_id).values()} == {1}


def test_a_redacted_file_is_judged_by_what_is_there_now(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    moved = {"fileId": file_id["c.txt"], **described("other.txt", FILES["c.txt"])}
    assert correct(bench, checked, {"replace": [moved]}).status == 200
    bench.run(checked, "run-2")
    files = bench.files(checked)
    assert "c.txt" not in files
    assert files["c_R.txt"]["statuses"]["Redaction"] == "NoOriginalFile"
    assert files["a.txt"]["run"] == 1
    assert bench.shown(checked)["statuses"]["ServerRedaction"] == "CompletedWithIssues"


def test_what_lies_there_anew_is_not_carried_over(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    correct(bench, checked, {"replace": [{"fileId": file_id["b.zip"], **described("b.zip", FILES["b.zip"])}]})
    # Nobody has said so: a content that was put in the place of a checked one is looked at.
    client("s3").put_object(Bucket="consignment-uploads", Key=f"alice/{checked}/{file_id['c.txt']}", Body=b"a virus")
    bench.run(checked, "run-2")
    files = bench.files(checked)
    assert (files["c.txt"]["run"], files["c.txt"]["statuses"]["Antivirus"]) == (2, "VirusDetected")
    assert files["a.txt"]["run"] == 1


def test_after_a_run_that_broke_all_is_checked(bench: Workbench, checked: str) -> None:
    bench.broken["generate_statuses"] = "it broke"
    with pytest.raises(Exception, match="it broke"):
        bench.run(checked, "run-2")
    broken = ConsignmentRun(bench, checked, "run-2")
    broken.state("record_failure", step="Generate Statuses", error={"Error": "Broken", "Cause": "it broke"})
    bench.broken.clear()
    file_id = ids(bench, checked)
    correct(bench, checked, {"replace": [{"fileId": file_id["a.txt"], **described("a.txt", FILES["a.txt"])}]})
    bench.run(checked, "run-3")
    assert {file["run"] for file in bench.files(checked).values()} == {3}


def test_corrections_that_cannot_be_are_refused(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    missing = "6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"
    same = {"fileId": file_id["a.txt"], **described("a.txt", b"x")}
    for body, status in (
        ({"leaveOut": [file_id["c.txt"]]}, 409),  # accepted: a record
        ({"leaveOut": [missing]}, 404),
        ({"replace": [{**same, "fileId": missing}]}, 404),
        ({"replace": [{**same, "path": "c.txt"}]}, 409),
        ({"replace": [same], "leaveOut": [file_id["a.txt"]]}, 400),
        ({"replace": [], "leaveOut": []}, 400),
        ({"replace": [{**same, "more": 1}]}, 400),
    ):
        assert correct(bench, checked, body).status == status, body
    assert correct(bench, checked, {"replace": [same]}, who="eve").status == 403
    assert bench.shown(checked)["status"] == "CompletedWithIssues"
    ConsignmentRun(bench, checked, "run-2").begin()
    assert correct(bench, checked, {"replace": [same]}).status == 409


def test_an_exception_is_made_for_what_was_carried_over(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    better = b"a clean one"
    answer = correct(bench, checked, {"replace": [{"fileId": file_id["a.txt"], **described("a.txt", better)}]}).json
    bench.upload(answer, {"a.txt": better})
    bench.run(checked, "run-2")
    carried = bench.files(checked)["b.zip"]
    assert (carried["run"], carried["statuses"]["FFID"]) == (1, "Zip")
    address = f"/consignments/{checked}/files/{file_id['b.zip']}/waive"
    asked = {"status": "FFID", "reason": "A model that is kept whole"}
    assert bench.ask("POST", address, who="bob", roles="consignments-approver", body=asked).status == 200
    assert bench.files(checked)["b.zip"]["accepted"] is True


def test_a_record_stays_one_when_its_verdict_is_forgotten(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    same = {"fileId": file_id["c.txt"], **described("c.txt", FILES["c.txt"])}
    moved = {"fileId": file_id["a.txt"], **described("other.txt", FILES["a.txt"])}
    # The redacted one is to be judged again: what was found of both is forgotten.
    assert correct(bench, checked, {"replace": [same, moved]}).status == 200
    assert not bench.files(checked)["c_R.txt"]["statuses"]
    for path in ("c.txt", "c_R.txt"):
        assert correct(bench, checked, {"leaveOut": [file_id[path]]}).status == 409, path
    # Judged anew and not accepted any more, it is no record: its copy is gone.
    bench.check = lambda record, content: clean_check(record, content) | {"fileFormat": [format_result("x-fmt/263")]}
    bench.run(checked, "run-2")
    assert f"{checked}/{file_id['c.txt']}" not in bench.keys(CLEAN)
    assert correct(bench, checked, {"leaveOut": [file_id["c.txt"]]}).status == 200


def test_a_copy_that_no_verdict_tells_of_goes_with_its_file(bench: Workbench) -> None:
    """An accepted file is a statement: what nobody has accepted is not in the bucket."""
    consignment_id = bench.received({"a.txt": b"good", "b.txt": b"good too"})
    bench.broken = {"update_consignment": "it broke between the copies and the write"}
    with pytest.raises(Broken):
        bench.run(consignment_id, "run-1")
    file_id = ids(bench, consignment_id)
    orphan = f"{consignment_id}/{file_id['b.txt']}"
    assert orphan in bench.keys(CLEAN)
    run = ConsignmentRun(bench, consignment_id, "run-1")
    bench.broken = {}
    run.state("record_failure", step="Update API", error={"Error": "any", "Cause": "any"})
    assert correct(bench, consignment_id, {"leaveOut": [file_id["b.txt"]]}).status == 200
    bench.run(consignment_id, "run-2")
    assert bench.keys(CLEAN) == [f"{consignment_id}/{file_id['a.txt']}"]


def test_a_path_is_left_out_as_often_as_its_files_are(bench: Workbench, checked: str) -> None:
    file_id = ids(bench, checked)
    assert correct(bench, checked, {"leaveOut": [file_id["a.txt"]]}).status == 200
    moved = {"fileId": file_id["b.zip"], **described("a.txt", FILES["b.zip"])}
    assert correct(bench, checked, {"replace": [moved]}).status == 200
    assert correct(bench, checked, {"leaveOut": [file_id["b.zip"]]}).status == 200
    run = ConsignmentRun(bench, checked, "run-2")
    run.begin()
    assert run.fetched["files"] == 2


def test_of_two_files_that_are_moved_to_one_path_at_once_one_is(bench: Workbench, checked: str) -> None:
    file_id, table = ids(bench, checked), runtime.table()
    read = table.find(checked)
    assert read is not None
    assert (
        correct(
            bench, checked, {"replace": [{"fileId": file_id["a.txt"], **described("same.txt", FILES["a.txt"])}]}
        ).status
        == 200
    )
    late = RegisteredFile(file_id["b.zip"], "same.txt", 1, "ab" * 32)
    with pytest.raises(RegistrationClosedError):
        table.correct(read, Corrections([late]))


@pytest.mark.parametrize("written", range(3))
def test_a_correction_that_ends_on_its_way_is_repeated(
    bench: Workbench, checked: str, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = ids(bench, checked)
    # A transaction for each file, so that it can end between any two.
    monkeypatch.setattr(tables, "_ROWS", 2)
    moved = {"fileId": file_id["c.txt"], **described("other.txt", FILES["c.txt"])}
    asked = {"replace": [moved], "leaveOut": [file_id["a.txt"]]}
    transact, done = Table.transact, []

    def ending(self: Table, actions: Any, **more: Any) -> None:
        if len(done) == written:
            raise ConsignmentsUnavailableError("it went away")
        done.append(actions)
        transact(self, actions, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Table, "transact", ending)
        assert correct(bench, checked, asked).status == 503
    assert correct(bench, checked, asked).status == 200
    bench.run(checked, "run-2")
    files = bench.files(checked)
    assert files.keys() == {"b.zip", "other.txt", "c_R.txt"}
    assert files["c_R.txt"]["statuses"]["Redaction"] == "NoOriginalFile"
