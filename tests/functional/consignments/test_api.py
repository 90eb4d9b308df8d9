"""The routes of the consignment checks, against moto."""

import uuid
from typing import Any

import pytest

from tests.functional.consignments.bench import Workbench, clean_check, described, format_result
from waybill.consignments import runtime
from waybill.core.aws.clients import client

FILES = {"a.pdf": b"a", "b.pdf": b"b"}


@pytest.fixture
def consignment_id(bench: Workbench) -> str:
    return str(bench.register(FILES)["consignmentId"])


def test_a_registration_says_where_to_upload(bench: Workbench) -> None:
    registered = bench.register(FILES)
    assert uuid.UUID(registered["consignmentId"])
    assert [file["path"] for file in registered["files"]] == list(FILES)
    for file in registered["files"]:
        assert file["uploadKey"] == f"alice/{registered['consignmentId']}/{file['fileId']}"


def test_a_subject_with_a_slash_has_a_folder_of_its_own(bench: Workbench) -> None:
    body = {"reference": "R", "files": [described("a", b"")]}
    (file,) = bench.ask("POST", "/consignments", who="idp|al/ice", body=body).json["files"]
    assert file["uploadKey"].startswith("idp%7Cal%2Fice/")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"type": "novel"}, ["type"]),
        ({"reference": ""}, ["reference"]),
        ({"reference": "R\nConsignment: another"}, ["reference"]),
        ({"transferringBody": "B\u2028"}, ["transferringBody"]),
        ({"transferringBody": "B\x1b[2J"}, ["transferringBody"]),
        ({"files": None}, ["files"]),
        ({"files": [{"path": "a", "size": -1, "sha256": ""}]}, ["files[0].size"]),
        ({"files": [{"path": "a", "size": 2**53, "sha256": ""}]}, ["files[0].size"]),
        ({"files": [{"path": "a", "size": "1", "sha256": ""}]}, ["files[0].size"]),
        ({"files": [{"path": "a", "size": True, "sha256": ""}]}, ["files[0].size"]),
        ({"files": [{"path": "a", "size": 1, "sha256": "abc"}]}, ["files[0].sha256"]),
        ({"files": [{"path": "a", "size": 1, "sha256": "g" * 64}]}, ["files[0].sha256"]),
        ({"files": [{"path": "a" * 4097, "size": 1, "sha256": ""}]}, ["files[0].path"]),
        ({"files": [{"size": 1, "sha256": ""}]}, ["files[0].path"]),
        ({"files": [described("a", b""), described("a", b"x")]}, ["files"]),
        ({"files": [described(str(number), b"") for number in range(1001)]}, ["files"]),
        ({"consignmentId": "not-a-uuid"}, ["consignmentId"]),
        ({"totalFiles": -1}, ["totalFiles"]),
    ],
)
def test_a_bad_registration_names_its_fields(bench: Workbench, change: Any, fields: list[str]) -> None:
    body = {"type": "standard", "reference": "R", "transferringBody": "B", "files": [], **change}
    answer = bench.ask("POST", "/consignments", body=body)
    assert (answer.status, answer.fields) == (400, fields)
    assert client("dynamodb").scan(TableName="consignments")["Items"] == []


def test_pages_make_one_consignment_and_repeated_ones_change_nothing(bench: Workbench) -> None:
    # One more than fits a transaction.
    pages = [[described(f"{page}/{number}", b"x") for number in range(size)] for page, size in enumerate([100, 2, 1])]
    consignment_id = str(uuid.uuid4())
    head = {"reference": "R", "consignmentId": consignment_id, "totalFiles": 103}
    told = [bench.ask("POST", "/consignments", body={**head, "files": page}) for page in [*pages, *pages]]
    assert {answer.status for answer in told} == {201}
    # But for the addresses, which are fresh each time.
    places = [[(file["fileId"], file["path"], file["uploadKey"]) for file in answer.json["files"]] for answer in told]
    assert places[:3] == places[3:]
    assert runtime.table().count_files(consignment_id) == 103


@pytest.mark.parametrize(
    "change",
    [{"reference": "other"}, {"type": "judgment"}, {"files": [described("a.pdf", b"other")]}],
    ids=["reference", "type", "checksum"],
)
def test_a_repeated_registration_that_differs_is_refused(bench: Workbench, consignment_id: str, change: Any) -> None:
    body = {
        "type": "standard",
        "reference": "TDR-2026-A",
        "transferringBody": "A Body",
        "consignmentId": consignment_id,
        "files": [described("a.pdf", b"a")],
    }
    assert bench.ask("POST", "/consignments", body=body).status == 201
    answer = bench.ask("POST", "/consignments", body={**body, **change})
    assert (answer.status, answer.json["code"]) == (409, "REGISTRATION_CONFLICT")


@pytest.mark.parametrize("first", [{"totalFiles": 2}, {}], ids=["other total", "no total before"])
def test_a_page_with_another_total_is_refused(bench: Workbench, first: Any) -> None:
    head = {"reference": "R", "consignmentId": str(uuid.uuid4())}
    one, two = [described("1", b"x")], [described("2", b"y")]
    assert bench.ask("POST", "/consignments", body={**head, **first, "files": one}).status == 201
    answer = bench.ask("POST", "/consignments", body={**head, "totalFiles": 3, "files": two})
    assert (answer.status, answer.json["code"]) == (409, "REGISTRATION_CONFLICT")
    assert "totalFiles is 3" in answer.json["detail"]
    assert runtime.table().count_files(head["consignmentId"]) == 1
    # Left out, it says nothing.
    assert bench.ask("POST", "/consignments", body={**head, "files": two}).status == 201


def test_nobody_adds_to_somebody_elses_consignment(bench: Workbench, consignment_id: str) -> None:
    body = {
        "reference": "TDR-2026-A",
        "transferringBody": "A Body",
        "consignmentId": consignment_id,
        "files": [described("evil", b"")],
    }
    assert bench.ask("POST", "/consignments", who="mallory", body=body).status == 409
    assert runtime.table().count_files(consignment_id) == 2


def test_nothing_is_added_once_the_checks_have_begun(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    bench.run(consignment_id)
    body = {
        "reference": "TDR-2026-A",
        "transferringBody": "A Body",
        "consignmentId": consignment_id,
        "files": [described("late", b"")],
    }
    answer = bench.ask("POST", "/consignments", body=body)
    assert (answer.status, answer.json["code"]) == (409, "REGISTRATION_CLOSED")


def test_two_clicks_start_one_run(bench: Workbench, consignment_id: str) -> None:
    answers = [bench.ask("POST", f"/backend-checks/{consignment_id}") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.json["alreadyRunning"] for answer in answers] == [False, True]
    assert len({answer.json["executionArn"] for answer in answers}) == 1


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace("-", "")], ids=["upper case", "no hyphens"])
def test_an_id_is_normalised(bench: Workbench, consignment_id: str, change: Any) -> None:
    first = bench.ask("POST", f"/backend-checks/{consignment_id}").json
    second = bench.ask("POST", f"/backend-checks/{change(consignment_id)}").json
    assert second == {**first, "alreadyRunning": True}


@pytest.mark.parametrize("text", ["1", "not-a-uuid", "%7B%7D", "0f8fad5b-d9cb-469f-a165-70867728950", "*"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/backend-checks/{}"), ("GET", "/consignments/{}")])
def test_a_malformed_id_is_refused(bench: Workbench, method: str, path: str, text: str) -> None:
    answer = bench.ask(method, path.format(text))
    assert answer.status in {400, 404}
    if answer.status == 400:
        assert answer.fields == ["consignmentId"]


ROUTES = [("POST", "/backend-checks/{}"), ("GET", "/consignments/{}"), ("GET", "/consignments/{}/files")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("who", "roles", "status"),
    [
        ("alice", "consignments", 200),
        ("mallory", "consignments", 403),
        ("robot", "consignments-service", 200),
        ("root", "admin", 200),
        ("alice", "scanning", 403),
        ("alice", "", 403),
    ],
)
def test_the_owner_and_service_roles_may(
    bench: Workbench, consignment_id: str, method: str, path: str, who: str, roles: str, status: int
) -> None:
    assert bench.ask(method, path.format(consignment_id), who=who, roles=roles).status == status


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_unknown_consignment_is_not_found(bench: Workbench, method: str, path: str) -> None:
    answer = bench.ask(method, path.format(uuid.uuid4()))
    assert (answer.status, answer.json["code"]) == (404, "CONSIGNMENT_NOT_FOUND")


@pytest.mark.parametrize("changes", [{"files": []}, {"totalFiles": 3}])
def test_what_is_not_wholly_registered_is_not_checked(bench: Workbench, changes: Any) -> None:
    registered = bench.register(FILES, **changes)
    answer = bench.ask("POST", f"/backend-checks/{registered['consignmentId']}")
    assert (answer.status, answer.json["code"]) == (409, "REGISTRATION_INCOMPLETE")


def test_before_the_checks_there_is_a_register_and_nothing_else(bench: Workbench, consignment_id: str) -> None:
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["statuses"], shown["executionArn"]) == ("Registered", {}, None)
    assert shown["progress"] == {"files": 2, "antivirus": 0, "checksum": 0, "fileFormat": 0}
    files = bench.files(consignment_id)
    assert {path: (file["statuses"], file["explanations"]) for path, file in files.items()} == {
        path: ({}, []) for path in FILES
    }


def test_files_come_by_page_with_explanations(bench: Workbench) -> None:
    files = {f"{number}.zip": str(number).encode() for number in range(5)}
    consignment_id = bench.received(files)
    bench.check = lambda record, content: clean_check(record, content) | {"fileFormat": [format_result("x-fmt/263")]}
    bench.run(consignment_id)
    seen, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = bench.ask("GET", f"/consignments/{consignment_id}/files", query=query).json
        seen += page["files"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(file["path"] for file in seen) == sorted(files)
    for file in seen:
        (told,) = [each for each in file["explanations"] if each["statusName"] == "FFID"]
        assert (told["value"], told["rule"], told["detail"]) == ("Zip", "ffid.disallowed", "x-fmt/263")
        assert told["tableVersion"] == "2026-11-30"
        assert told["action"] == "Fix yourself"
        assert {each["statusName"] for each in file["explanations"]} == set(file["statuses"])


@pytest.mark.parametrize("cursor", ["rubbish", "e30", "eyJhZnRlciI6ICJ4In0"])
def test_a_cursor_of_something_else_is_refused(bench: Workbench, consignment_id: str, cursor: str) -> None:
    answer = bench.ask("GET", f"/consignments/{consignment_id}/files", query={"cursor": cursor})
    assert (answer.status, answer.fields) == (400, ["cursor"])


def test_what_archives_hold_is_asked_for_at_the_registration(bench: Workbench) -> None:
    """The contract: members are listed on request, and not accepted as files."""
    asked: list[Any] = []
    members = {"count": 1, "listed": [{"path": "a.txt", "size": 1, "puid": "x-fmt/111"}], "notListed": []}

    def check(record: Any, content: bytes) -> Any:
        asked.append(record.get("inside"))
        found = {"fileFormat": [format_result("x-fmt/263", members=members)]} if record.get("inside") else {}
        return clean_check(record, content) | found

    bench.check = check
    for wanted in ({}, {"inside": True}):
        consignment_id = bench.received({"a.zip": b"zip"}, **wanted)
        bench.run(consignment_id, f"run-{len(asked)}")
    assert asked == [None, True]
    [shown] = bench.files(consignment_id).values()
    assert shown["fileFormat"]["members"] == members
    assert shown["accepted"] is False
    assert bench.ask("POST", "/consignments", body={"reference": "R", "files": [], "inside": "yes"}).status == 400
