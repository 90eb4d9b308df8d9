"""Lists, reports, exports and exceptions over HTTP."""

import csv
import io
import json
from typing import Any

import pytest

from scripts.openapi import DOCUMENT
from tests.functional.consignments.bench import Workbench, clean_check, format_result, virus_result
from waybill.cli.app import main
from waybill.consignments import api
from waybill.core.cursors import encode_cursor, list_cursor

FILES = {"a.pdf": b"good", "x.zip": b"zip", "virus.exe": b"bad"}


@pytest.fixture
def consignment_id(bench: Workbench) -> str:
    """A consignment of Alice's with good and bad files, checked."""
    results = {
        "x.zip": {"fileFormat": [format_result("x-fmt/263", formatName="ZIP")]},
        "virus.exe": {"antivirus": [virus_result("eicar")]},
    }
    bench.check = lambda record, content: clean_check(record, content) | results.get(record["originalPath"], {})
    consignment_id = bench.received(FILES)
    bench.run(consignment_id)
    return consignment_id


def test_everybody_lists_their_own_newest_first(bench: Workbench, consignment_id: str) -> None:
    second = bench.received({"b.pdf": b"b"})
    ids = [each["consignmentId"] for each in bench.ask("GET", "/consignments").json["consignments"]]
    assert ids == [second, consignment_id]
    assert bench.ask("GET", "/consignments", who="eve").json == {"consignments": [], "cursor": None}
    everybodys = bench.ask("GET", "/consignments", who="eve", roles="consignments-service").json["consignments"]
    assert len(everybodys) == 2


def test_a_list_is_filtered_and_paged(bench: Workbench, consignment_id: str) -> None:
    second = bench.received({"b.pdf": b"b"})
    found = bench.ask("GET", "/consignments", query={"status": "CompletedWithIssues"}).json["consignments"]
    assert [each["consignmentId"] for each in found] == [consignment_id]
    first = bench.ask("GET", "/consignments", query={"limit": "1"}).json
    assert [each["consignmentId"] for each in first["consignments"]] == [second]
    rest = bench.ask("GET", "/consignments", query={"limit": "1", "cursor": first["cursor"]}).json
    assert [each["consignmentId"] for each in rest["consignments"]] == [consignment_id]
    assert bench.ask("GET", "/consignments", query={"status": "Nonsense"}).status == 400
    assert bench.ask("GET", "/consignments", query={"cursor": "bm9uc2Vuc2U"}).status == 400
    # A cursor that is not of this list is a 400 that names `cursor`.
    file_id = bench.ask("GET", f"/consignments/{second}/files").json["files"][0]["fileId"]
    of_files, shortened = encode_cursor({"after": file_id}), first["cursor"][:-8]
    for other in (of_files, shortened, encode_cursor({"position": file_id})):
        assert bench.ask("GET", "/consignments", query={"cursor": other}).fields == ["cursor"]
    of_another = {"cursor": list_cursor({"after": file_id}, "files", consignment_id)}
    for wrong in ({"cursor": first["cursor"]}, of_another):
        assert bench.ask("GET", f"/consignments/{second}/files", query=wrong).fields == ["cursor"]
    # The same list with another filter, and everybody's by somebody who sees their own.
    page = {"cursor": first["cursor"], "status": "Completed"}
    assert bench.ask("GET", "/consignments", query=page).fields == ["cursor"]
    page = {"cursor": first["cursor"]}
    assert bench.ask("GET", "/consignments", query=page, who="eve", roles="consignments-service").fields == ["cursor"]


def test_the_report_is_a_page(bench: Workbench, consignment_id: str) -> None:
    answer = bench.ask("GET", f"/consignments/{consignment_id}/report")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "What the sender has to do" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


_UNKNOWN = "7d9f1f1e-3f1b-4a52-9d7c-2b7a1f6d0000"
_WITHIN: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/consignments/{consignmentId}"): {},
    ("GET", "/consignments/{consignmentId}/files"): {},
    ("GET", "/consignments/{consignmentId}/files/{fileId}"): {},
    ("GET", "/consignments/{consignmentId}/report"): {},
    ("GET", "/consignments/{consignmentId}/export"): {"query": {"format": "csv"}},
    ("POST", "/consignments/{consignmentId}/uploads"): {"body": {"fileIds": ["{fileId}"]}},
    ("POST", "/consignments/{consignmentId}/corrections"): {"body": {"leaveOut": ["{fileId}"]}},
    ("POST", "/backend-checks/{consignmentId}"): {},
}


def test_of_somebody_elses_consignment_nothing_is_told_but_that_it_is_theirs(
    bench: Workbench, consignment_id: str
) -> None:
    """Routes of a consignment are for its owner, each of them; what is inside is looked at afterwards, so that it
    is 403 whether there is such a file or not."""
    paths = json.loads(DOCUMENT.read_text("utf-8"))["paths"]
    routes = {(method.upper(), path) for path in paths if "{consignmentId}" in path for method in paths[path]}
    assert routes - {("POST", "/consignments/{consignmentId}/files/{fileId}/waive")} == _WITHIN.keys()
    known = file_id(bench, consignment_id, "x.zip")
    for (method, path), more in _WITHIN.items():
        for file in (known, _UNKNOWN):
            sent = json.loads(json.dumps(more).replace("{fileId}", file))
            for consignment, status in ((consignment_id, 403), (_UNKNOWN, 404)):
                address = path.format(consignmentId=consignment, fileId=file)
                assert bench.ask(method, address, who="eve", **sent).status == status, address


@pytest.mark.parametrize("form", ["csv", "droid-csv", "premis", "ndjson"])
def test_results_are_exported(bench: Workbench, consignment_id: str, form: str) -> None:
    answer = bench.ask("GET", f"/consignments/{consignment_id}/export", query={"format": form})
    assert answer.status == 200
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{consignment_id}.')
    assert all(path in answer.text for path in FILES)
    if form == "csv":
        rows = {row["path"]: row for row in csv.DictReader(io.StringIO(answer.text))}
        assert rows["x.zip"]["FFID"] == "Zip"
    if form == "ndjson":
        assert {json.loads(line)["path"] for line in answer.text.splitlines()} == FILES.keys()


def test_an_export_of_another_form_is_refused(bench: Workbench, consignment_id: str) -> None:
    assert bench.ask("GET", f"/consignments/{consignment_id}/export", query={"format": "pdf"}).status == 400
    assert bench.ask("GET", f"/consignments/{consignment_id}/export").status == 400


def test_what_is_too_long_for_an_answer_is_elsewhere(
    bench: Workbench, consignment_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_MAX_TEXT_BYTES", 10)
    answer = bench.ask("GET", f"/consignments/{consignment_id}/export", query={"format": "csv"})
    assert answer.status == 303
    assert f"/exports/{consignment_id}.csv?" in answer.headers["location"]


def file_id(bench: Workbench, consignment_id: str, path: str) -> str:
    return str(bench.files(consignment_id)[path]["fileId"])


def waive(bench: Workbench, consignment_id: str, path: str, who: str = "bob", **body: str) -> Any:
    address = f"/consignments/{consignment_id}/files/{file_id(bench, consignment_id, path)}/waive"
    asked = {"status": "FFID", "reason": "A model that is kept whole", **body}
    return bench.ask("POST", address, who=who, roles="consignments-approver", body=asked)


def test_somebody_else_makes_an_exception_for_one_file(bench: Workbench, consignment_id: str) -> None:
    answer = waive(bench, consignment_id, "x.zip")
    assert answer.status == 200
    assert answer.json["accepted"] is True
    [waiver] = answer.json["waivers"]
    assert (waiver["by"], waiver["reason"], waiver["holds"]) == ("bob", "A model that is kept whole", True)
    # The verdict is what it was; what is accepted, and by whom, is told beside it.
    shown = bench.ask("GET", f"/consignments/{consignment_id}/files/{answer.json['fileId']}").json
    assert (shown["statuses"]["FFID"], shown["accepted"]) == ("Zip", True)
    assert "A model that is kept whole" in bench.ask("GET", f"/consignments/{consignment_id}/report").text


def test_an_exception_ends_with_what_it_is_about(bench: Workbench, consignment_id: str) -> None:
    waive(bench, consignment_id, "x.zip", status="Zip")
    bench.check = lambda record, content: clean_check(record, content) | {"fileFormat": [format_result("fmt/484")]}
    bench.run(consignment_id, "second")
    assert bench.files(consignment_id)["x.zip"]["accepted"] is True
    changed = {"fileFormat": [format_result("x-fmt/411")]}
    bench.check = lambda record, content: clean_check(record, content) | changed
    bench.run(consignment_id, "third")
    file = bench.files(consignment_id)["x.zip"]
    assert (file["accepted"], file["waivers"][0]["holds"]) == (False, False)


def test_who_has_sent_a_consignment_makes_no_exception(bench: Workbench, consignment_id: str) -> None:
    assert waive(bench, consignment_id, "x.zip", who="alice").status == 403
    address = f"/consignments/{consignment_id}/files/{file_id(bench, consignment_id, 'x.zip')}/waive"
    body = {"status": "FFID", "reason": "mine"}
    assert bench.ask("POST", address, who="bob", roles="consignments", body=body).status == 403


@pytest.mark.parametrize(
    ("path", "status"), [("virus.exe", "Antivirus"), ("a.pdf", "FFID"), ("x.zip", "Nonsense"), ("x.zip", "Success")]
)
def test_no_exception_is_made_for_malware_or_for_nothing(
    bench: Workbench, consignment_id: str, path: str, status: str
) -> None:
    assert waive(bench, consignment_id, path, status=status).status == 409


def test_an_exception_needs_a_reason_and_an_end_of_the_checks(bench: Workbench, consignment_id: str) -> None:
    assert waive(bench, consignment_id, "x.zip", reason=" ").status == 400
    waiting = bench.received({"b.zip": b"b"})
    assert waive(bench, waiting, "b.zip").status == 409


def test_a_file_that_is_not_there(bench: Workbench, consignment_id: str) -> None:
    missing = f"/consignments/{consignment_id}/files/6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"
    assert bench.ask("GET", missing).status == 404
    assert bench.ask("GET", f"/consignments/{consignment_id}/files/nonsense").status == 400


def test_files_without_a_path_are_registered_each_with_an_id_of_its_own(bench: Workbench) -> None:
    # Two files that look alike are two files.
    file = {"path": "", "size": 1, "sha256": "ab" * 32}
    body = {"reference": "R", "files": [file, file, {**file, "size": 2}]}
    first = bench.ask("POST", "/consignments", body=body)
    assert first.status == 201
    again = bench.ask("POST", "/consignments", body={**body, "consignmentId": first.json["consignmentId"]})
    ids = [each["fileId"] for each in first.json["files"]]
    assert len(set(ids)) == 3
    assert [each["fileId"] for each in again.json["files"]] == ids


def test_consignments_are_listed_and_exported_by_command(
    bench: Workbench, run: Any, consignment_id: str, cli_stack: None, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    status, told = run("consignments", "list", "--status", "CompletedWithIssues")
    assert (status, [each["consignmentId"] for each in told["consignments"]]) == (0, [consignment_id])
    assert main(["consignments", "export", consignment_id, "--format", "ndjson"]) == 0
    assert {json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()} == FILES.keys()
    target = tmp_path / "droid.csv"
    assert main(["consignments", "export", consignment_id, "--format", "droid-csv", "--output", str(target)]) == 0
    assert target.read_text("utf-8").startswith('"ID","PARENT_ID","URI"')
    capsys.readouterr()
    status, told = run("consignments", "waive", consignment_id, "x.zip", "--status", "FFID", "--reason", "Kept whole")
    assert (status, told["accepted"]) == (0, True)
    assert told["waivers"][0]["by"].startswith("arn:aws:")
