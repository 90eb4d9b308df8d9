"""What needs somebody: tasks, counts and progress, which leave no trace and say nothing of the person."""

import json

import pytest

from tests.functional.subject_access.conftest import Office
from tests.functional.subject_access.test_handing_over import fulfilled
from waybill.subject_access.domain.endings import Approval
from waybill.subject_access.errors import ReportDamagedError

TASKS, STATISTICS = "/api/subjectAccessRequests/tasks", "/api/subjectAccessRequests/statistics"
SEARCH = "/api/subjectAccessRequests/search"


@pytest.fixture
def busy(office: Office) -> tuple[Office, list[str]]:
    """Four requests: one for each of worker, proof of identity, approval; and one whose clock has ended."""
    reviewed, _ = fulfilled(office, review=True)
    waiting = office.create(sarCaseReferenceNumber="WAITS").text
    held = office.create().text
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{held}/hold", body={"reason": "identity"}).status == 200
    gone = office.create().text
    said = {"reason": "found it"}
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{gone}/withdraw", body=said).status == 200
    return office, [reviewed, waiting, held, gone]


def test_tasks_say_what_is_waited_for(busy: tuple[Office, list[str]]) -> None:
    office, (reviewed, waiting, held, gone) = busy
    told = office.ask("GET", TASKS).json
    assert told["cursor"] is None
    found = {one["id"]: (one["state"], one["waitsFor"], one["needsSomebody"]) for one in told["tasks"]}
    assert found == {
        reviewed: ("ReadyForReview", "approval", True),
        waiting: ("Pending", "worker", False),
        held: ("AwaitingIdentity", "proof of identity", False),
    }
    assert gone not in found
    # A report in review waits for an answer too, and keeps its state.
    said = {"reason": "clarification"}
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{reviewed}/hold", body=said).status == 200
    stopped = {one["id"]: one["clockStopped"] for one in office.ask("GET", TASKS).json["tasks"]}
    assert stopped == {reviewed: True, waiting: False, held: True}
    assert [one["dueDate"] for one in told["tasks"]] == sorted(one["dueDate"] for one in told["tasks"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "Pending"}, [1]),
        ({"dueBefore": "2026-11-03"}, []),
        ({"dueBefore": "2027-06-01"}, [0, 1, 2]),
        ({"mine": "true"}, [0, 1, 2]),
    ],
)
def test_tasks_are_filtered(busy: tuple[Office, list[str]], query: dict[str, str], expected: list[int]) -> None:
    office, made = busy
    found = {one["id"] for one in office.ask("GET", TASKS, query=query).json["tasks"]}
    assert found == {made[index] for index in expected}


def test_tasks_come_in_pages(busy: tuple[Office, list[str]]) -> None:
    office, _ = busy
    whole = [one["id"] for one in office.ask("GET", TASKS).json["tasks"]]
    found, query = list[str](), {"limit": "1"}
    for _ in whole:
        page = office.ask("GET", TASKS, query=query).json
        found += [one["id"] for one in page["tasks"]]
        query = {"limit": "1", "cursor": page["cursor"] or ""}
    assert found == whole
    assert query["cursor"] == ""
    for cursor in ("x", "eyJhZnRlciI6WzFdfQ"):
        assert office.ask("GET", TASKS, query={"cursor": cursor}).fields == ["cursor"]


def test_what_is_open_is_counted(busy: tuple[Office, list[str]]) -> None:
    office, _ = busy
    assert office.ask("GET", STATISTICS).json == {
        "open": 3,
        "byState": {"AwaitingIdentity": 1, "Pending": 1, "ReadyForReview": 1},
        "waitsFor": {"approval": 1, "proof of identity": 1, "worker": 1},
        "overdue": 0,
        "dueSoon": 0,
    }


def test_looking_again_and_again_leaves_no_trace(busy: tuple[Office, list[str]]) -> None:
    office, (reviewed, *_) = busy
    before = office.sar.actions(reviewed)
    shown = office.ask("GET", f"/api/subjectAccessRequests/{reviewed}/progress")
    assert (shown.json["state"], shown.json["waitsFor"]) == ("ReadyForReview", "approval")
    assert {part["renderStatus"] for part in shown.json["services"]} == {"COMPLETE"}
    assert office.ask("GET", "/api/subjectAccessRequests/unknown/progress").status == 404
    answers = [shown.json, office.ask("GET", TASKS).json, office.ask("GET", STATISTICS).json]
    assert office.sar.actions(reviewed) == before
    request = office.sar.now(reviewed)
    for personal in (request.subject_id, request.requested_by):
        assert personal not in json.dumps(answers)


def test_a_search_has_what_it_looks_for_in_no_address(busy: tuple[Office, list[str]]) -> None:
    office, (_, waiting, *_) = busy
    assert [one["id"] for one in office.ask("POST", SEARCH, body={"text": " waits "}).json] == [waiting]
    assert len(office.ask("POST", SEARCH, body={"pageNumber": 0, "pageSize": 2}).json) == 2
    assert office.ask("POST", SEARCH, body={"txet": "x"}).fields == ["txet"]


def test_what_was_drawn_again_since_it_was_read_is_not_approved(office: Office) -> None:
    made, _ = fulfilled(office, review=True)
    path = f"/api/subjectAccessRequests/{made}/approve"
    read = office.ask("GET", "/api/report", query={"id": made}).json["sha256"]
    assert office.ask("GET", f"/api/subjectAccessRequest/{made}").json["reportSha256"] == read
    assert office.ask("PATCH", path, "sar-approver", body={"sha256": "x"}).fields == ["sha256"]
    with pytest.raises(ReportDamagedError, match="drawn again"):
        office.sar.endings.approve(made, "bob", Approval(sha256="0" * 64))
    assert office.sar.endings.approve(made, "bob", Approval(sha256=read)).approved_sha256 == read
