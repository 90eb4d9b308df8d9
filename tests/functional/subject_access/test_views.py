"""Lists, counts and views, who may see them, and what is recorded of it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.subject_access import START, a_request
from tests.functional.subject_access.conftest import A_REQUEST, Office
from waybill.subject_access.errors import SubjectAccessStoreUnavailableError
from waybill.subject_access.models import RequestState

LIST, TOTAL = "/api/subjectAccessRequests", "/api/totalSubjectAccessRequests"


@pytest.fixture
def many(office: Office) -> Office:
    """Twelve requests, one an hour, the last two of other people and cases."""
    requests = [a_request(f"request-{number:02}", at=START + timedelta(hours=number)) for number in range(10)]
    requests.append(a_request("request-10", at=START + timedelta(hours=10), nomis_id=None, ndelius_id="X777777"))
    other = {"sar_case_reference_number": "OTHER-7", "nomis_id": "B7777BB"}
    requests.append(a_request("request-11", at=START + timedelta(hours=11), **other))
    office.sar.place(*requests)
    office.sar.clock.advance(hours=12)
    return office


def ids(answer: Any) -> list[str]:
    return [one["id"].removeprefix("request-") for one in answer.json]


def test_the_newest_is_first_and_nothing_is_left_out_without_paging(many: Office) -> None:
    assert ids(many.ask("GET", LIST)) == [f"{number:02}" for number in range(11, -1, -1)]
    assert len(ids(many.ask("GET", LIST, query={"pageSize": "5"}))) == 12
    assert len(ids(many.ask("GET", LIST, query={"pageNumber": "1"}))) == 12


@pytest.mark.parametrize(
    ("number", "size", "expected"),
    [(0, 5, ["11", "10", "09", "08", "07"]), (2, 5, ["01", "00"]), (3, 5, []), (1, 1, ["10"]), (10**20, 5, [])],
)
def test_pages_count_from_0(many: Office, number: int, size: int, expected: list[str]) -> None:
    answer = many.ask("GET", LIST, query={"pageNumber": str(number), "pageSize": str(size)})
    assert ids(answer) == expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [("other", ["11"]), ("x777", ["10"]), ("7777", ["11", "10"]), (" B7777bb ", ["11"]), ("nobody", [])],
)
def test_a_search_finds_a_part_of_a_reference_or_id_in_any_case(many: Office, search: str, expected: list[str]) -> None:
    assert ids(many.ask("GET", LIST, query={"search": search})) == expected
    assert many.ask("GET", TOTAL, query={"search": search}).json == len(expected)


@pytest.mark.parametrize("query", [{"pageNumber": "-1", "pageSize": "5"}, {"pageNumber": "a", "pageSize": "5"}])
def test_a_page_that_cannot_be_is_refused(many: Office, query: dict[str, str]) -> None:
    assert many.ask("GET", LIST, query=query).fields == ["pageNumber"]


def test_unclaimed_ones_are_listed_oldest_first_whatever_else_is_asked(many: Office) -> None:
    many.sar.claim("request-00")
    query = {"unclaimed": "true", "search": "nobody", "pageNumber": "5", "pageSize": "1"}
    assert ids(many.ask("GET", LIST, "sar-worker", query=query)) == [f"{number:02}" for number in range(1, 12)]


def test_support_sees_what_is_overdue(many: Office) -> None:
    many.sar.clock.advance(hours=2, minutes=3)
    many.sar.claim("request-01")
    told = many.ask("GET", "/api/subjectAccessRequests/overdue", "sar-support").json
    assert (told["overdueThreshold"], told["total"]) == ("12 hours", 3)
    first, second, _ = told["requests"]
    assert first["id"] == "request-00"
    assert (first["submitted"], first["lastClaimed"], first["claimsAttempted"]) == ("2026-11-02T09:00:00Z", None, 0)
    assert (first["overdueDuration"], first["durationHumanReadable"]) == ("PT14H3M", "14h 3m")
    assert (second["lastClaimed"], second["claimsAttempted"]) == ("2026-11-02T23:03:00Z", 1)


def test_what_was_on_hold_is_not_overdue_for_that(many: Office) -> None:
    for what, more in (("hold", {"body": {"reason": "fee"}}), ("release", {})):
        assert many.ask("PATCH", f"{LIST}/request-00/{what}", **more).status == 200
        many.sar.clock.advance(hours=1)
    told = many.ask("GET", "/api/subjectAccessRequests/overdue", "sar-support").json
    assert "request-00" not in [one["id"] for one in told["requests"]]
    counted = many.ask("GET", "/api/subjectAccessRequests/summary", "sar-support").json
    assert counted["overdueReports"]["count"] == told["total"] == 1


def test_support_sees_counts(many: Office) -> None:
    many.sar.clock.advance(hours=1, minutes=1)
    assert many.ask("GET", "/api/subjectAccessRequests/summary", "sar-support").json == {
        "backlog": {"count": 12, "alertThreshold": 100, "alertFrequency": "120 minutes"},
        "overdueReports": {
            "count": 2,
            "alertThreshold": "status == pending && requestDateTime < (time.now - 12 hours)",
            "alertFrequency": "120 minutes",
        },
        "byLaw": {"overdue": 0, "dueSoon": 0, "dueSoonThreshold": "14 days", "alertFrequency": "120 minutes"},
    }


@pytest.fixture
def mixed(office: Office) -> Office:
    """Requests in every state, two of them overdue."""
    old, new = START - timedelta(hours=14, minutes=3), START - timedelta(hours=1)
    office.sar.place(
        a_request("done", at=new, state=RequestState.COMPLETED, completed_at=START, ended_at=START),
        a_request("errored", at=old, state=RequestState.ERRORED, ended_at=START),
        a_request("attention", at=old, state=RequestState.NEEDS_ATTENTION, ended_at=START),
        a_request("late", at=old),
        a_request("late-in-progress", at=old, state=RequestState.IN_PROGRESS),
        a_request("new", at=new),
        a_request("held", at=old, state=RequestState.ON_HOLD),
        a_request("archived", at=old, state=RequestState.ARCHIVED, completed_at=START),
    )
    return office


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ([], {"done", "errored", "attention", "late", "late-in-progress", "new", "held"}),
        (["overdue", "completed"], {"errored", "attention", "new", "held"}),
        (["pending", "errored", "completed"], {"late", "late-in-progress"}),
        (["pending", "errored", "completed", "overdue"], set()),
    ],
)
def test_an_admin_sees_requests_by_state(mixed: Office, hidden: list[str], shown: set[str]) -> None:
    query = dict.fromkeys(hidden, "false")
    told = mixed.ask("GET", "/api/admin/subjectAccessRequests", "sar-admin", query=query).json
    counts = {"totalCount": 7, "completedCount": 1, "erroredCount": 2, "pendingCount": 2, "overdueCount": 2}
    assert {name: told[name] for name in counts} == counts
    assert told["filterCount"] == len(shown)
    assert {one["id"] for one in told["requests"]} == shown
    statuses = {one["id"]: one["status"] for one in told["requests"]}
    for name, status in (("late", "Overdue"), ("new", "Pending"), ("attention", "Errored"), ("held", "Pending")):
        assert statuses.get(name, status) == status
    durations = {one["id"]: one["durationHumanReadable"] for one in told["requests"]}
    assert durations.get("late", "14h 3m") == "14h 3m"


def test_the_admins_view_has_pages_and_searches(mixed: Office) -> None:
    query = {"pageNumber": "1", "pageSize": "3", "search": "sar-2026"}
    told = mixed.ask("GET", "/api/admin/subjectAccessRequests", "sar-admin", query=query).json
    assert (len(told["requests"]), told["filterCount"], told["totalCount"]) == (3, 7, 7)


ROUTES = [
    ("POST", "/api/subjectAccessRequest", "sar-user"),
    ("GET", "/api/subjectAccessRequest/request-00", "sar-user sar-worker sar-support sar-approver sar-admin"),
    ("GET", LIST, "sar-user sar-worker sar-support sar-approver sar-admin"),
    ("GET", TOTAL, "sar-user sar-worker sar-support sar-approver sar-admin"),
    ("PATCH", f"{LIST}/request-00/claim", "sar-worker"),
    ("PATCH", f"{LIST}/request-00/complete", "sar-worker"),
    ("GET", "/api/report", "sar-user sar-approver"),
    ("PATCH", f"{LIST}/request-00/approve", "sar-approver sar-admin"),
    *(
        ("PATCH", f"{LIST}/request-00/{what}", "sar-user sar-support sar-admin")
        for what in ("hold", "release", "extend", "deliver", "refuse", "withdraw", "correct")
    ),
    ("PATCH", f"{LIST}/request-00/heartbeat", "sar-worker"),
    ("PATCH", f"{LIST}/request-00/services/G1", "sar-worker"),
    ("GET", f"{LIST}/overdue", "sar-support sar-admin"),
    ("GET", f"{LIST}/summary", "sar-support sar-admin"),
    ("POST", f"{LIST}/request-00/duplicate", "sar-support sar-admin"),
    ("GET", "/api/admin/subjectAccessRequests", "sar-admin"),
    ("PATCH", "/api/admin/subjectAccessRequests/request-00/restart", "sar-admin"),
    ("PATCH", "/api/admin/subjectAccessRequests/request-00/issue-without", "sar-admin"),
    ("GET", "/api/services", "sar-user sar-support sar-admin"),
    ("POST", "/api/services", "sar-support sar-admin"),
    ("PUT", "/api/services/G1", "sar-support sar-admin"),
    ("PATCH", "/api/services/G1", "sar-admin"),
    ("PATCH", "/api/services/G1/suspend", "sar-support sar-admin"),
    ("GET", "/api/templates/service/G1", "sar-support sar-admin"),
    ("POST", "/api/templates/service/G1", "sar-support sar-admin"),
    ("POST", "/api/templates/validate", "sar-support sar-admin"),
    ("GET", f"{LIST}/request-00/audit", "sar-support sar-admin"),
]


@pytest.mark.parametrize(("method", "path", "roles"), ROUTES)
def test_a_route_is_for_its_roles_alone(office: Office, method: str, path: str, roles: str) -> None:
    office.sar.place(a_request("request-00"))
    for role in ("sar-user", "sar-worker", "sar-support", "sar-admin", "scanning"):
        status = office.ask(method, path, role).status
        assert (status == 403) == (role not in roles.split()), role
        assert status < 500
    assert office.ask(method, path, "admin").status not in {403, 500}


def test_views_and_refusals_are_recorded_where_they_belong(office: Office) -> None:
    made = office.ask("POST", "/api/subjectAccessRequest", body=A_REQUEST).text
    office.ask("GET", f"/api/subjectAccessRequest/{made}", "sar-support")
    office.ask("GET", LIST)
    office.ask("GET", "/api/admin/subjectAccessRequests", "sar-admin")
    office.ask("PATCH", f"/api/admin/subjectAccessRequests/{made}/restart", "sar-user")
    office.ask("POST", "/api/services", "sar-user")
    assert office.sar.actions(made) == ["CREATED", "REQUEST_VIEWED", "REFUSED"]
    office.ask("GET", f"{LIST}/overdue", "sar-support")
    office.ask("GET", f"{LIST}/summary", "sar-support")
    day = [entry.action for entry in office.sar.store.audit("AUDIT#2026-11-02")]
    # The catalogue was made first.
    assert day[2:] == ["LIST_VIEWED", "ADMIN_LIST_VIEWED", "REFUSED", "OVERDUE_VIEWED", "SUMMARY_VIEWED"]


def test_an_id_that_no_request_can_have_is_one_of_an_unknown_request(office: Office) -> None:
    unknown = "x" * 5000

    def refuse(params: dict[str, Any], **_: Any) -> None:
        # As DynamoDB does, and moto does not.
        assert unknown not in repr(params), "the key is too long"

    office.sar.client.meta.events.register("provide-client-params.dynamodb", refuse)
    assert office.ask("GET", f"/api/subjectAccessRequest/{unknown}").status == 404
    assert office.ask("GET", f"{LIST}/{unknown}/audit", "sar-support").status == 404
    assert office.ask("PATCH", f"/api/services/{unknown}/suspend", "sar-support").status == 404
    # A refusal is recorded all the same.
    assert office.ask("PATCH", f"{LIST}/{unknown}/claim").status == 403
    assert office.sar.store.audit("AUDIT#2026-11-02")[-1].action == "REFUSED"


@pytest.mark.parametrize("tampering", ["altered", "removed", "cut"])
def test_a_trail_that_was_touched_is_told(office: Office, tampering: str) -> None:
    made = office.create().text
    for _ in range(4):
        office.ask("GET", f"/api/subjectAccessRequest/{made}")
    path = f"{LIST}/{made}/audit"
    whole = office.ask("GET", path, "sar-support").json
    assert (whole["intact"], whole["break"], len(whole["entries"])) == (True, None, 5)
    number = 5 if tampering == "cut" else 3
    where = {"TableName": "SubjectAccessTable", "Key": _key(made, number)}
    if tampering == "altered":
        actor = {":actor": {"S": "mallory"}}
        office.sar.client.update_item(**where, UpdateExpression="SET actor = :actor", ExpressionAttributeValues=actor)
    else:
        office.sar.client.delete_item(**where)
    told = office.ask("GET", path, "sar-support").json
    assert (told["intact"], told["break"]["number"]) == (False, number)


def _key(request_id: str, number: int) -> dict[str, Any]:
    return {"pk": {"S": f"SAR#{request_id}"}, "sk": {"S": f"AUD#{number:08}"}}


def test_a_refusal_that_cannot_be_recorded_stays_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any) -> None:
        raise SubjectAccessStoreUnavailableError("InternalServerError from DynamoDB")

    monkeypatch.setattr("waybill.subject_access.adapters.table.SubjectAccessTable.record", unavailable)
    assert office.ask("GET", "/api/report", "sar-admin", query={"id": "request-00"}).status == 403
    # What is done is recorded, or not done.
    assert office.ask("GET", LIST).status == 503
